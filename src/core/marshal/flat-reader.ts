/**
 * Flat slots into JavaScript values; the same values as the streams of the same objects.
 *
 * The slots were written by the addon, which sends nothing here that has to become a ref or an extension value, and
 * nothing deep. No code of the user runs while a message is read.
 */
import { bytearray, frozenset, markTuple } from "../values/tags.ts";
import { type MakeObject, objectMaker } from "./flat-code.ts";
import { KEPT, OPEN, TAG_MASK, Tag } from "./flat-tags.ts";
import { LONG_LIST, MAX_MADE_LENGTH } from "./numbers.ts";
import { fail } from "./settle.ts";

/** Objects of a shape are made without code of their own until there were so many. */
const COMMON = 8;
/** Shorter substrings are copies; longer ones keep the whole text alive. */
const COPIED = 13;
/** A text this short may be kept alive by a part of it. */
const SMALL_TEXT = 128;

/** 100,000 floats: 0.5 ms into a list of the right length, 1.5 ms one by one, 3.5 ms with `Array.from` (Node 20). */
function sized(count: number): number[] {
  return count > MAX_MADE_LENGTH ? [] : new Array<number>(count);
}

interface Shape {
  readonly keys: readonly string[];
  count: number;
  make: MakeObject | undefined;
}

export class FlatReader {
  #i32 = new Int32Array(0);
  #f64 = new Float64Array(0);
  #i64 = new BigInt64Array(0);
  #bytes = new Uint8Array(0);
  #at = 0;
  #text = "";
  #textAt = 0;
  #buffers: readonly Uint8Array[] = [];
  /** By slot: what is referred to again. */
  #kept: Map<number, unknown> | undefined;
  readonly #shapes: (Shape | undefined)[] = [];

  /** The addon writes here from now on. */
  use(memory: ArrayBuffer): void {
    this.#i32 = new Int32Array(memory);
    this.#f64 = new Float64Array(memory);
    this.#i64 = new BigInt64Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** The value of a message. When this throws, shapes may be missing: the addon must forget them too. */
  read(text: string | undefined, buffers: readonly Uint8Array[]): unknown {
    this.#at = 0;
    this.#text = text ?? "";
    this.#textAt = 0;
    this.#buffers = buffers;
    const value = this.value();
    this.#text = "";
    if (buffers.length > 0) this.#buffers = [];
    this.#kept = undefined;
    return value;
  }

  value(): unknown {
    const at = this.#at;
    const i32 = this.#i32;
    const head = i32[at << 1] as number;
    const argument = i32[(at << 1) | 1] as number;
    this.#at = at + 1;
    switch (head) {
      case Tag.INT:
        return argument;
      case Tag.FLOAT:
        return this.#f64[this.#at++];
      case Tag.TEXT:
        return this.#piece(argument);
      case Tag.NONE:
        return null;
      case Tag.TRUE:
        return true;
      case Tag.FALSE:
        return false;
      case Tag.DICT:
        return this.#shaped(argument);
      default:
        return this.#other(at, head & TAG_MASK, argument, head & ~TAG_MASK);
    }
  }

  #other(at: number, tag: number, argument: number, flags: number): unknown {
    if ((flags & OPEN) !== 0) return this.#inside(at, tag, argument);
    const value = this.#made(tag, argument);
    if ((flags & KEPT) !== 0) (this.#kept ??= new Map()).set(at, value);
    return value;
  }

  #made(tag: number, argument: number): unknown {
    switch (tag) {
      case Tag.TEXT:
        return this.#piece(argument);
      case Tag.TEXT_AGAIN:
      case Tag.AGAIN:
        return this.#kept?.get(argument);
      case Tag.BIG:
        return this.#i64[this.#at++];
      case Tag.LIST:
        return this.#list(argument);
      case Tag.FLOATS:
        return this.#floats(argument);
      case Tag.INTS:
        return this.#ints(argument);
      case Tag.TUPLE:
        return markTuple(this.#items([], argument));
      case Tag.SET:
      case Tag.FROZENSET: {
        const set = new Set<unknown>();
        for (let i = 0; i < argument; i++) set.add(this.value());
        return tag === Tag.SET ? set : frozenset(set);
      }
      case Tag.DICT:
        return this.#shaped(argument);
      case Tag.NEW_DICT:
        this.#define(argument);
        return this.#shaped(argument);
      case Tag.OBJECT:
        return this.#properties({}, argument);
      case Tag.MAP:
        return this.#entries(new Map(), argument);
      case Tag.BYTES:
      case Tag.BYTEARRAY: {
        const from = this.#at * 8;
        this.#at += (argument + 7) >> 3;
        const bytes = this.#bytes.slice(from, from + argument);
        return tag === Tag.BYTES ? bytes : bytearray(bytes);
      }
      case Tag.BUFFER:
        return this.#buffers[argument];
      case Tag.BYTE_BUFFER:
        return bytearray(this.#buffers[argument] as Uint8Array);
      default:
        return fail(`the addon wrote a slot with the tag ${tag}`);
    }
  }

  /** A list or dict that holds itself somewhere. */
  #inside(at: number, tag: number, argument: number): unknown {
    this.#kept ??= new Map();
    if (tag === Tag.LIST) {
      const list: unknown[] = [];
      this.#kept.set(at, list);
      return this.#items(list, argument);
    }
    if (tag === Tag.MAP) {
      const map = new Map<unknown, unknown>();
      this.#kept.set(at, map);
      return this.#entries(map, argument);
    }
    const object: Record<string, unknown> = {};
    this.#kept.set(at, object);
    if (tag === Tag.OBJECT) return this.#properties(object, argument);
    if (tag === Tag.NEW_DICT) this.#define(argument);
    const { keys } = this.#shapes[argument] ?? fail("the addon named a shape that was not defined");
    for (const key of keys) define(object, key, this.value());
    return object;
  }

  #items(list: unknown[], count: number): unknown[] {
    for (let i = 0; i < count; i++) list.push(this.value());
    return list;
  }

  #list(count: number): unknown[] {
    if (count < LONG_LIST || count > MAX_MADE_LENGTH) return this.#items([], count);
    const list = new Array<unknown>(count);
    for (let i = 0; i < count; i++) list[i] = this.value();
    return list;
  }

  #floats(count: number): number[] {
    const f64 = this.#f64;
    const at = this.#at;
    this.#at += count;
    const list = sized(count);
    for (let i = 0; i < count; i++) list[i] = f64[at + i] as number;
    return list;
  }

  #ints(count: number): number[] {
    const i32 = this.#i32;
    const at = this.#at << 1;
    this.#at += (count + 1) >> 1;
    const list = sized(count);
    for (let i = 0; i < count; i++) list[i] = i32[at + i] as number;
    return list;
  }

  #shaped(number: number): Record<string, unknown> {
    const shape = this.#shapes[number] ?? fail("the addon named a shape that was not defined");
    if (shape.make !== undefined) return shape.make(this);
    if (++shape.count === COMMON) shape.make = objectMaker(shape.keys);
    const object: Record<string, unknown> = {};
    for (const key of shape.keys) define(object, key, this.value());
    return object;
  }

  #define(number: number): void {
    const count = this.#i32[this.#at++ << 1] as number;
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(this.value() as string);
    this.#shapes[number] = { keys, count: 0, make: undefined };
  }

  #properties(object: Record<string, unknown>, count: number): Record<string, unknown> {
    for (let i = 0; i < count; i++) define(object, this.value() as string, this.value());
    return object;
  }

  #entries(map: Map<unknown, unknown>, count: number): Map<unknown, unknown> {
    for (let i = 0; i < count; i++) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  #piece(length: number): string {
    const from = this.#textAt;
    const text = this.#text;
    this.#textAt = from + length;
    if (length === text.length) return text;
    const piece = text.substring(from, this.#textAt);
    if (length < COPIED || text.length <= SMALL_TEXT || text.length <= length * 4) return piece;
    // A substring of what was joined is a part of the joined text, which is made for it alone.
    return ` ${piece}`.substring(1);
  }
}

/** Defined, not assigned, where assigning could reach a setter: `__proto__`, or a polluted prototype. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key in object) Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}
