/**
 * JavaScript data into flat slots; Python gets the same values as from the streams of the same data.
 *
 * Only data that is data at a glance is written here: what needs a table, a hook or an extension value, what is deep or
 * near a limit is refused, and goes as a stream. Getters have run by then, so what was read so far is
 * handed on (`readSoFar`), and nothing is read twice.
 */
import type { WireLimits } from "../backend.ts";
import { EngineError } from "../errors.ts";
import { PyFloat } from "../values/float.ts";
import { isBytearray, isFrozenset, isOrdered, isTuple, namedTupleType } from "../values/tags.ts";
import type { Outbound } from "./boundary.ts";
import { viewFormat } from "./buffers.ts";
import { toPython } from "./classify.ts";
import type { KnownParts } from "./encoder.ts";
import { FlatShapes } from "./flat-shapes.ts";
import { DEEPEST, INLINE_BYTES, KEPT_SLOTS, Tag } from "./flat-tags.ts";

const FIRST_SLOTS = 4096;
/** Objects are looked up in a list while they are few. */
const FEW = 32;
/** Up to here a text is copied letter by letter, when they are Latin-1. */
const SHORT_TEXT = 24;
/** What a slot can take of a stream, at most. */
const STREAM_SLOT = 12;

const sizeOf = {
  map: Object.getOwnPropertyDescriptor(Map.prototype, "size")?.get as (this: unknown) => number,
  set: Object.getOwnPropertyDescriptor(Set.prototype, "size")?.get as (this: unknown) => number,
};

const ofViews = Object.getPrototypeOf(Uint8Array.prototype) as object;
const ofView = {
  buffer: Object.getOwnPropertyDescriptor(ofViews, "buffer")?.get as (this: unknown) => unknown,
  byteLength: Object.getOwnPropertyDescriptor(ofViews, "byteLength")?.get as (this: unknown) => number,
  byteOffset: Object.getOwnPropertyDescriptor(ofViews, "byteOffset")?.get as (this: unknown) => number,
};

/** Takes the memory that is written into. */
export type UseMemory = (memory: ArrayBuffer) => void;

export class FlatWriter {
  /** All text of the message that is not in its slots. */
  text = "";
  buffers: Uint8Array[] | undefined;
  readonly #limits: WireLimits;
  readonly #use: UseMemory;
  readonly #shapes = new FlatShapes();
  #outbound!: Outbound;
  #i32!: Int32Array;
  #f64!: Float64Array;
  #bytes!: Uint8Array;
  #capacity = 0;
  #at = 0;
  #depth = 0;
  #nodes = 0;
  #size = 0;
  /** What was written and has an identity, in order: Python counts the same. */
  readonly #few: object[] = [];
  #many: Map<object, number> | undefined;
  /** The keys of objects, and the lengths of arrays, as they were when they were opened; in the order of `#few`. */
  readonly #heads: (readonly string[] | number)[] = [];
  /** Tuples that are being written: Python makes them after their parts. */
  readonly #tuples: object[] = [];
  #refused: unknown;
  #stopped: unknown;

  constructor(limits: WireLimits, use: UseMemory) {
    this.#limits = limits;
    this.#use = use;
  }

  /** The number of slots that the arguments of a call take; 0 when something is refused. Throws what a getter throws. */
  write(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>> | undefined, outbound: Outbound): number {
    if (this.#capacity === 0 || this.#capacity > KEPT_SLOTS) this.#allocate(FIRST_SLOTS, 0);
    this.forget();
    this.#outbound = outbound;
    this.#at = 1;
    this.#depth = this.#nodes = this.#size = 0;
    this.#shapes.begin();
    const names = kwargs === undefined ? [] : Object.keys(kwargs);
    this.#i32[0] = args.length;
    this.#i32[1] = names.length;
    for (let i = 0; i < args.length; i++) if (!this.value(args[i])) return this.#no();
    for (const name of names) {
      this.#string(name);
      if (!this.value(kwargs?.[name])) return this.#no();
    }
    const { maxBytes } = this.#limits;
    if (this.#at * STREAM_SLOT + this.text.length * 3 + this.#size > maxBytes) return this.#no();
    return this.#at;
  }

  #no(): 0 {
    this.#shapes.undo();
    return 0;
  }

  /** The engine did not read the message. */
  undo(): void {
    this.#shapes.undo();
  }

  /** Keeps nothing of the last message alive. */
  forget(): void {
    this.text = "";
    this.buffers = undefined;
    this.#refused = this.#stopped = undefined;
    if (this.#few.length > 0) this.#few.length = this.#heads.length = 0;
    if (this.#tuples.length > 0) this.#tuples.length = 0;
    this.#many = undefined;
  }

  /** One value; false when it is refused. */
  value(value: unknown): boolean {
    if (this.#at + 2 > this.#capacity) this.#grow(2);
    const at = this.#at;
    switch (typeof value) {
      case "number":
        if (value === (value | 0) && (value !== 0 || 1 / value > 0)) this.#put(Tag.INT, value);
        else {
          this.#i32[at << 1] = Number.isSafeInteger(value) && value !== 0 ? Tag.WIDE : Tag.FLOAT;
          this.#f64[at + 1] = value;
          this.#at = at + 2;
        }
        return true;
      case "string":
        return this.#string(value);
      case "boolean":
        this.#put(value ? Tag.TRUE : Tag.FALSE, 0);
        return true;
      case "undefined":
        this.#put(Tag.NONE, 0);
        return true;
      case "object":
        if (value !== null) return this.#object(value);
        this.#put(Tag.NONE, 0);
        return true;
      case "bigint":
        if (value !== BigInt.asIntN(64, value)) return this.#refuse(value);
        this.#put(Tag.BIG, 0);
        new DataView(this.#bytes.buffer).setBigInt64(this.#at * 8, value, true);
        this.#at++;
        return true;
      default:
        return this.#refuse(value);
    }
  }

  #put(tag: number, argument: number): void {
    const at = this.#at++ << 1;
    this.#i32[at] = tag;
    this.#i32[at | 1] = argument;
  }

  #refuse(value: unknown): false {
    this.#refused = value;
    return false;
  }

  #string(value: string): true {
    const { length } = value;
    if (length <= SHORT_TEXT) {
      if (this.#at + 5 > this.#capacity) this.#grow(5);
      const bytes = this.#bytes;
      const start = (this.#at + 1) << 3;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0xff) break;
        bytes[start + i] = code;
      }
      if (i === length) {
        this.#put(Tag.SHORT_TEXT, length);
        this.#at += (length + 7) >> 3;
        return true;
      }
    }
    if (this.#at + 1 > this.#capacity) this.#grow(1);
    this.#put(Tag.TEXT, length);
    this.text += value;
    return true;
  }

  #object(value: object): boolean {
    const index = this.#many === undefined ? this.#few.indexOf(value) : (this.#many.get(value) ?? -1);
    if (index >= 0) {
      if (this.#tuples.length > 0 && this.#tuples.includes(value)) return this.#refuse(value);
      this.#put(Tag.AGAIN, index);
      return true;
    }
    if (this.#depth >= DEEPEST || this.#outbound.marked(value) !== undefined) return this.#refuse(value);
    let array: boolean;
    try {
      array = Array.isArray(value);
    } catch {
      return this.#refuse(value); // a revoked Proxy
    }
    if (array) return this.#array(value as readonly unknown[]);
    const proto = Object.getPrototypeOf(value) as object | null;
    if (proto === Object.prototype || proto === null) return this.#plain(value as Record<string, unknown>);
    if (proto === Map.prototype) return this.#map(value as Map<unknown, unknown>);
    if (proto === Set.prototype) return this.#set(value as Set<unknown>);
    if (proto === Uint8Array.prototype || Object.getPrototypeOf(proto) === Uint8Array.prototype) return this.#view(value);
    if (Object.getPrototypeOf(proto) === ofViews) return this.#typed(value);
    if (proto === PyFloat.prototype) {
      this.#put(Tag.FLOAT, 0);
      this.#f64[this.#at++] = (value as PyFloat).value;
      return true;
    }
    return this.#refuse(value);
  }

  /** False when there are too many. */
  #remember(source: object, head: readonly string[] | number, nodes: number): boolean {
    this.#nodes += nodes;
    if (this.#nodes > this.#limits.maxNodes) return this.#refuse(source);
    if (this.#many !== undefined) this.#many.set(source, this.#few.length);
    else if (this.#few.length === FEW) this.#many = new Map([...this.#few, source].map((object, at) => [object, at]));
    this.#few.push(source);
    this.#heads.push(head);
    return true;
  }

  #array(array: readonly unknown[]): boolean {
    const { length } = array;
    if (!Object.isExtensible(array) && isTuple(array)) {
      if (namedTupleType(array) !== undefined || !this.#remember(array, length, length)) return this.#refuse(array);
      this.#put(Tag.TUPLE, length);
      this.#tuples.push(array);
      if (!this.#items(array, length)) return false;
      this.#tuples.pop();
      return true;
    }
    if (Object.getPrototypeOf(array) !== Array.prototype || !this.#remember(array, length, length)) return this.#refuse(array);
    this.#put(Tag.LIST, length);
    this.#depth++;
    for (let i = 0; i < length; ) {
      let item = array[i];
      if (typeof item === "number") {
        i = this.#run(array, i, length, item);
        if (i === length) break;
        item = this.#stopped;
      }
      if (!this.value(item)) return false;
      i++;
    }
    this.#stopped = undefined;
    this.#depth--;
    return true;
  }

  /** Numbers one after another, from `from` on; returns where they end, with what is there in `#stopped`. */
  #run(array: readonly unknown[], from: number, length: number, first: number): number {
    // Room for all: an array of numbers is nothing else, mostly.
    if (this.#at + length - from + 1 > this.#capacity) this.#grow(length - from + 1);
    const head = this.#at;
    const f64 = this.#f64;
    let at = head + 1;
    let i = from;
    f64[at++] = first;
    for (i++; i < length; i++) {
      const item = array[i];
      if (typeof item !== "number") {
        this.#stopped = item;
        break;
      }
      f64[at++] = item;
    }
    this.#put(Tag.RUN, i - from);
    this.#at = at;
    return i;
  }

  #items(items: readonly unknown[], length: number): boolean {
    this.#depth++;
    for (let i = 0; i < length; i++) if (!this.value(items[i])) return false;
    this.#depth--;
    return true;
  }

  #plain(source: Record<string, unknown>): boolean {
    // A hook, or something that is no data after all: `classify.ts` knows.
    if (
      Symbol.iterator in source ||
      toPython in source ||
      "then" in source ||
      Symbol.asyncIterator in source ||
      Symbol.toStringTag in source
    )
      return this.#refuse(source);
    const keys = Object.keys(source);
    const { length } = keys;
    if (!this.#remember(source, keys, length)) return false;
    const shape = this.#shapes.find(keys);
    this.#depth++;
    if (shape === undefined) {
      this.#put(Tag.OBJECT, length);
      for (let i = 0; i < length; i++) {
        const key = keys[i] as string;
        this.#string(key);
        if (!this.value(source[key])) return false;
      }
    } else {
      if (this.#shapes.isNew) this.#define(shape.number, keys);
      else this.#put(Tag.DICT, shape.number);
      const { write } = shape;
      if (write !== undefined) {
        if (!write(this, source)) return false;
      } else {
        for (let i = 0; i < length; i++) if (!this.value(source[keys[i] as string])) return false;
      }
    }
    this.#depth--;
    return true;
  }

  #define(number: number, keys: readonly string[]): void {
    this.#put(Tag.NEW_DICT, number);
    this.#put(keys.length, 0);
    for (const key of keys) this.#string(key);
  }

  /** Keys of one kind, on which JavaScript and Python agree. */
  #map(map: Map<unknown, unknown>): boolean {
    if (isOrdered(map) || !genuine(sizeOf.map, map) || !easy(map)) return this.#refuse(map);
    const size = map.size;
    if (!this.#remember(map, size, size * 2)) return false;
    this.#put(Tag.MAP, size);
    this.#depth++;
    // A getter below may change the Map; the size is written already.
    let left = size;
    for (const [key, item] of map) {
      if (left-- === 0) break;
      if (!this.value(key) || !this.value(item)) return false;
    }
    if (left > 0) {
      throw new EngineError(
        "ERR_NOT_CONVERTIBLE",
        "A Map cannot be sent to Python: a getter in it removed entries while it was read.",
        "Send a copy: new Map(map).",
      );
    }
    this.#depth--;
    return true;
  }

  #set(set: Set<unknown>): boolean {
    if (!genuine(sizeOf.set, set) || !easy(set) || !this.#remember(set, set.size, set.size)) return this.#refuse(set);
    this.#put(isFrozenset(set) ? Tag.FROZENSET : Tag.SET, set.size);
    for (const member of set) this.value(member);
    return true;
  }

  #view(value: object): boolean {
    if (!(value instanceof Uint8Array) || !ArrayBuffer.isView(value) || !(Reflect.apply(ofView.buffer, value, []) instanceof ArrayBuffer))
      return this.#refuse(value);
    const size = Reflect.apply(ofView.byteLength, value, []);
    // Of a detached buffer, or empty: the stream tells them apart.
    if (size === 0 || !this.#remember(value, size, 1)) return this.#refuse(value);
    const mutable = isBytearray(value);
    if (size <= INLINE_BYTES) {
      const slots = (size + 7) >> 3;
      if (this.#at + slots + 1 > this.#capacity) this.#grow(slots + 1);
      this.#put(mutable ? Tag.BYTEARRAY : Tag.BYTES, size);
      this.#bytes.set(value, this.#at << 3);
      this.#at += slots;
      return true;
    }
    this.#size += size;
    this.buffers ??= [];
    this.#put(mutable ? Tag.BYTE_BUFFER : Tag.BUFFER, this.buffers.push(value) - 1);
    return true;
  }

  /** Python's memoryview casts to each of these formats on every version. */
  #typed(value: object): boolean {
    const format = viewFormat(value);
    if (format === undefined || format === "e") return this.#refuse(value);
    const buffer = Reflect.apply(ofView.buffer, value, []);
    const size = Reflect.apply(ofView.byteLength, value, []);
    if (!(buffer instanceof ArrayBuffer) || size === 0 || !this.#remember(value, size, 1)) return this.#refuse(value);
    this.#size += size;
    this.buffers ??= [];
    this.#put(Tag.VIEW, this.buffers.push(new Uint8Array(buffer, Reflect.apply(ofView.byteOffset, value, []), size)) - 1);
    this.#put(format.charCodeAt(0), 0);
    return true;
  }

  #grow(slots: number): void {
    this.#allocate(Math.max(this.#at + slots + 64, this.#capacity * 2), this.#at);
  }

  #allocate(slots: number, used: number): void {
    const memory = new ArrayBuffer(slots * 8);
    const f64 = new Float64Array(memory);
    if (used > 0) f64.set(this.#f64.subarray(0, used));
    this.#use(memory);
    this.#f64 = f64;
    this.#i32 = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#capacity = slots;
  }

  /** After a refusal: the parts of arrays and objects that were read, the refused one as the last. */
  readSoFar(): Map<object, KnownParts> {
    return new SoFar(this.#i32, this.#f64, this.#bytes, this.#at, this.text, this.#few, this.#heads, this.#refused).known;
  }
}

/** Reads back what was written until something was refused. */
class SoFar {
  readonly known = new Map<object, KnownParts>();
  #slot = 1;
  #order = 0;
  #textAt = 0;
  #placed = false;

  constructor(
    readonly i32: Int32Array,
    readonly f64: Float64Array,
    readonly bytes: Uint8Array,
    readonly end: number,
    readonly text: string,
    readonly sources: readonly object[],
    readonly heads: readonly (readonly string[] | number)[],
    readonly refused: unknown,
  ) {
    // Names of keywords are read like values; nothing of the arguments themselves has to be known.
    while (this.#slot < end) this.#value();
  }

  #value(): unknown {
    const at = this.#slot++;
    const argument = this.i32[(at << 1) | 1] as number;
    switch (this.i32[at << 1]) {
      case Tag.NONE:
        return undefined;
      case Tag.FALSE:
        return false;
      case Tag.TRUE:
        return true;
      case Tag.INT:
        return argument;
      case Tag.FLOAT: {
        const number = this.f64[this.#slot++] as number;
        // A whole number that is a float all the same came as a PyFloat.
        return Number.isSafeInteger(number) && !Object.is(number, -0) ? new PyFloat(number) : number;
      }
      case Tag.WIDE:
        return this.f64[this.#slot++];
      case Tag.BIG:
        return new DataView(this.bytes.buffer).getBigInt64(this.#slot++ * 8, true);
      case Tag.SHORT_TEXT: {
        const from = this.#slot * 8;
        this.#slot += (argument + 7) >> 3;
        return String.fromCharCode(...this.bytes.subarray(from, from + argument));
      }
      case Tag.TEXT:
        return this.text.substring(this.#textAt, (this.#textAt += argument));
      case Tag.AGAIN:
        return this.sources[argument];
      case Tag.BYTES:
      case Tag.BYTEARRAY:
        this.#slot += (argument + 7) >> 3;
        return this.sources[this.#order++];
      case Tag.VIEW:
        this.#slot++;
        return this.sources[this.#order++];
      case Tag.BUFFER:
      case Tag.BYTE_BUFFER:
        return this.sources[this.#order++];
      case Tag.NEW_DICT: {
        const keys = this.i32[this.#slot++ << 1] as number;
        for (let i = 0; i < keys; i++) this.#value();
        return this.#parts(false);
      }
      case Tag.DICT:
        return this.#parts(false);
      case Tag.OBJECT:
        return this.#parts(true);
      case Tag.LIST:
        return this.#parts(false);
      case Tag.MAP:
        return this.#unread(argument * 2);
      default:
        return this.#unread(argument);
    }
  }

  /** Tuples, Sets and Maps: reading them again runs nobody's code. */
  #unread(count: number): unknown {
    const source = this.sources[this.#order++];
    for (let i = 0; i < count; i++) {
      if (this.#slot >= this.end) this.#placed = true;
      else this.#value();
    }
    return source;
  }

  #parts(named: boolean): unknown {
    const order = this.#order++;
    const source = this.sources[order] as object;
    const head = this.heads[order] as readonly string[] | number;
    const length = typeof head === "number" ? head : head.length;
    const values: unknown[] = [];
    this.known.set(source, { head, values });
    while (values.length < length && this.#slot < this.end) {
      if (this.i32[this.#slot << 1] === Tag.RUN) {
        const count = this.i32[(this.#slot++ << 1) | 1] as number;
        for (let i = 0; i < count; i++) values.push(this.f64[this.#slot++]);
        continue;
      }
      if (named) this.#value();
      if (named && this.#slot >= this.end) break;
      values.push(this.#value());
    }
    // The innermost that is not complete is where it happened.
    if (values.length < length && !this.#placed) {
      values.push(this.refused);
      this.#placed = true;
    }
    return source;
  }
}

/** Whether an object with a built-in's prototype has its insides too. */
function genuine(size: (this: unknown) => number, value: object): boolean {
  try {
    Reflect.apply(size, value, []);
    return true;
  } catch {
    return false;
  }
}

/** Only strings, or only numbers. */
function easy(container: { keys(): Iterable<unknown> }): boolean {
  let kind = "";
  for (const key of container.keys()) {
    const type = typeof key;
    if (type !== kind && kind !== "") return false;
    if (type !== "string" && type !== "number") return false;
    kind = type;
  }
  return true;
}
