/**
 * Streams into JavaScript values (PROTOCOL.md, section 1).
 *
 * A pickle is a program for a stack machine, so reading it needs no recursion. The bytes are hostile:
 * every length is held against the bytes that are left before anything is allocated, every pop
 * against the last mark, only containers made by this stream are filled, and nothing is looked up by
 * name. What is wrong with a stream is `ERR_PROTOCOL`.
 *
 * A dict is an object until a key says otherwise. When it has to become a Map after something else
 * refers to it already, the references are replaced at the end (`settle.ts`); tuples are frozen at
 * the end too, because such a reference may be inside one.
 */
import { EngineError } from "../errors.ts";
import { bytearray, frozenset, markNamedTuple, markTuple, type NamedTupleType } from "../values/tags.ts";
import * as op from "../wire/opcodes.ts";
import { readText } from "../wire/text.ts";
import type { Inbound } from "./boundary.ts";
import { extensionValue } from "./extensions.ts";
import { readInteger } from "./integers.ts";
import { type DictKind, MARKER, Making } from "./making.ts";
import { LONG_LIST, readNumbers, runLength } from "./numbers.ts";
import { fail, locate, replaceAll } from "./settle.ts";

export interface DecodeOptions {
  /** What Python's None becomes. Default: null. */
  readonly none?: "null" | "undefined";
  /** What a dict becomes. `auto`: an object when all keys are text, else a Map. */
  readonly dict?: DictKind;
  /** `auto`: a number when it is safe, else a BigInt. `number`: an error when it is not safe. */
  readonly int?: "auto" | "number" | "bigint";
  readonly decimal?: "exact" | "string" | "number";
  /** Arrays of 64-bit integers become arrays of numbers; an error when one is not safe. */
  readonly narrow?: boolean;
  /** How the value is called in errors. Default: `value`. */
  readonly root?: string;
}

const DEFAULTS: DecodeOptions = {};

/** Stands where a value could not be made; its place is looked up before the error is thrown. */
export class Unmade {
  constructor(
    readonly why: string,
    readonly hint?: string,
  ) {}
}

/**
 * The value of a stream.
 *
 * @throws {EngineError} `ERR_PROTOCOL` for a malformed stream, `ERR_NOT_CONVERTIBLE` with the path where an option refuses a value.
 */
export function decodeStream(bytes: Uint8Array, inbound: Inbound, options: DecodeOptions = DEFAULTS): unknown {
  return new Decoder(bytes, inbound, options).read();
}

export class Decoder {
  readonly bytes: Uint8Array;
  readonly inbound: Inbound;
  readonly options: DecodeOptions;
  /** Arrays to be frozen and tagged when everything is in its place. */
  readonly tuples: unknown[][] = [];
  /** The same for named tuples. */
  readonly named: [values: unknown[], type: NamedTupleType][] = [];
  /** The first thing that could not be made. */
  unmade: Unmade | undefined;

  readonly #making: Making;

  constructor(bytes: Uint8Array, inbound: Inbound, options: DecodeOptions) {
    this.bytes = bytes;
    this.inbound = inbound;
    this.options = options;
    this.#making = new Making(bytes.length, options.dict ?? "auto", this);
  }

  read(): unknown {
    return this.#settled(this.#run());
  }

  #run(): unknown {
    const { bytes } = this;
    const end = bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    const stack: unknown[] = [];
    const marks: number[] = [];
    const none = this.options.none === "undefined" ? undefined : null;
    const bigints = this.options.int === "bigint";
    // In these two a number, or what looks like a list, is something else.
    const quick = !bigints && this.options.dict !== "entries";
    const making = this.#making;
    /** Nothing below may be popped. */
    let fence = 0;
    let at = 0;

    for (;;) {
      if (at >= end) fail("it ends too early");
      const code = bytes[at++];
      switch (code) {
        case op.BININT1:
          if (at >= end) fail("it ends too early");
          stack.push(bigints ? BigInt(bytes[at] as number) : bytes[at]);
          at += 1;
          break;
        case op.BININT2:
          if (at + 2 > end) fail("it ends too early");
          stack.push(bigints ? BigInt(view.getUint16(at, true)) : view.getUint16(at, true));
          at += 2;
          break;
        case op.BININT:
          if (at + 4 > end) fail("it ends too early");
          stack.push(bigints ? BigInt(view.getInt32(at, true)) : view.getInt32(at, true));
          at += 4;
          break;
        case op.BINFLOAT:
          if (at + 8 > end) fail("it ends too early");
          stack.push(view.getFloat64(at));
          at += 8;
          break;
        case op.NONE:
          stack.push(none);
          break;
        case op.NEWTRUE:
          stack.push(true);
          break;
        case op.NEWFALSE:
          stack.push(false);
          break;

        case op.SHORT_BINUNICODE:
        case op.BINUNICODE:
        case op.BINUNICODE8:
        case op.SHORT_BINBYTES:
        case op.BINBYTES:
        case op.BINBYTES8:
        case op.BYTEARRAY8:
        case op.LONG1:
        case op.LONG4: {
          const width = WIDTHS[code] as number;
          if (at + width > end) fail("it ends too early");
          const size = width === 1 ? (bytes[at] as number) : width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
          at += width;
          if (size > end - at) fail("a length is longer than what follows");
          stack.push(this.#sized(code, at, at + size));
          at += size;
          break;
        }

        case op.MARK: {
          const list = quick ? making.listAt(stack, stack.length - 1) : undefined;
          marks.push((fence = stack.length));
          if (list !== undefined) {
            const size = runLength(bytes, at, end);
            if (size > 0) {
              const start = list.length;
              at = readNumbers(bytes, view, at, size, size < LONG_LIST ? list : making.sized(stack, fence - 1, list, size), start, none);
              marks.pop();
              fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
            }
          }
          break;
        }
        case op.MEMOIZE:
          making.memoize(stack, fence);
          break;
        case op.BINPUT:
          if (at >= end) fail("it ends too early");
          making.remember(bytes[at++] as number, stack, fence);
          break;
        case op.LONG_BINPUT:
          if (at + 4 > end) fail("it ends too early");
          making.remember(view.getUint32(at, true), stack, fence);
          at += 4;
          break;
        case op.BINGET:
          if (at >= end) fail("it ends too early");
          stack.push(making.recall(bytes[at++] as number));
          break;
        case op.LONG_BINGET:
          if (at + 4 > end) fail("it ends too early");
          stack.push(making.recall(view.getUint32(at, true)));
          at += 4;
          break;

        case op.EMPTY_DICT:
          making.dict(stack);
          break;
        case op.SETITEM:
          if (stack.length - 3 < fence) fail("it takes more than it has");
          making.setItems(stack, stack.length - 2);
          break;
        case op.SETITEMS: {
          const mark = popMark(marks);
          fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          if (mark - 1 < fence || (stack.length - mark) % 2 !== 0) fail("it fills what is no dict");
          making.setItems(stack, mark);
          break;
        }
        case op.EMPTY_LIST:
          making.list(stack);
          break;
        case op.APPEND:
          if (stack.length - 2 < fence) fail("it takes more than it has");
          making.append(stack, stack.length - 1);
          break;
        case op.APPENDS: {
          const mark = popMark(marks);
          fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          if (mark - 1 < fence) fail("it fills what is no list");
          making.append(stack, mark);
          break;
        }
        case op.EMPTY_SET:
          making.set(stack);
          break;
        case op.ADDITEMS: {
          const mark = popMark(marks);
          fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          if (mark - 1 < fence) fail("it fills what is no set");
          making.addMembers(stack, mark);
          break;
        }

        case op.EMPTY_TUPLE:
          stack.push(this.#tuple([], at));
          break;
        case op.TUPLE1:
        case op.TUPLE2:
        case op.TUPLE3: {
          const from = stack.length - (code - op.TUPLE1 + 1);
          if (from < fence) fail("it takes more than it has");
          // Written out: `splice` takes 70 ns more.
          const third = code === op.TUPLE3 ? stack.pop() : undefined;
          const second = code === op.TUPLE1 ? undefined : stack.pop();
          const first = stack.pop();
          stack.push(this.#tuple(code === op.TUPLE1 ? [first] : code === op.TUPLE2 ? [first, second] : [first, second, third], at));
          break;
        }
        case op.TUPLE:
        case op.LIST:
        case op.FROZENSET: {
          const mark = popMark(marks);
          fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          const items = stack.splice(mark);
          stack.push(code === op.TUPLE ? this.#tuple(items, at) : code === op.LIST ? items : frozen(items));
          break;
        }
        case op.POP:
          // As in CPython, taking away a mark is a pop too.
          if (stack.length > fence) stack.pop();
          else {
            popMark(marks);
            fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          }
          break;
        case op.POP_MARK:
          stack.length = popMark(marks);
          fence = marks.length === 0 ? 0 : (marks[marks.length - 1] as number);
          break;

        case op.BINPERSID:
          if (stack.length - 1 < fence) fail("it takes more than it has");
          stack[stack.length - 1] = this.#extension(stack[stack.length - 1]);
          break;
        case op.STACK_GLOBAL:
          if (stack.length - 2 < fence) fail("it takes more than it has");
          if (stack.pop() !== "v" || stack.pop() !== "_isopy") fail("it names a Python object");
          making.markers++;
          stack.push(MARKER);
          break;
        case op.REDUCE: {
          if (stack.length - 2 < fence) fail("it takes more than it has");
          const operands = stack.pop();
          if (stack[stack.length - 1] !== MARKER) fail("it calls a Python object");
          making.markers--;
          stack[stack.length - 1] = this.#extension(operands);
          break;
        }

        case op.PROTO:
          if (at >= end || (bytes[at] as number) > 5) fail("it is of another pickle protocol");
          at++;
          break;
        case op.FRAME:
          if (at + 8 > end) fail("it ends too early");
          at += 8;
          break;
        case op.STOP:
          if (stack.length !== 1 || marks.length !== 0) fail("it does not hold exactly one value");
          if (at !== end) fail("something follows its end");
          if (making.markers !== 0) fail("it holds a marker that marks nothing");
          return stack[0];
        default:
          fail(`it has the opcode 0x${(code as number).toString(16)}, which is no data`);
      }
    }
  }

  #sized(code: number, from: number, to: number): unknown {
    switch (code) {
      case op.SHORT_BINUNICODE:
      case op.BINUNICODE:
      case op.BINUNICODE8:
        return readText(this.bytes, from, to) ?? fail("it has text that is not UTF-8");
      case op.LONG1:
      case op.LONG4: {
        const value = readInteger(this.bytes, from, to);
        if (this.options.int === undefined || this.options.int === "auto") return value;
        return this.integer(value);
      }
      default: {
        const copy = this.bytes.slice(from, to);
        return code === op.BYTEARRAY8 ? bytearray(copy) : copy;
      }
    }
  }

  /** An integer as the options want it. */
  integer(value: number | bigint): unknown {
    if (this.options.int === "bigint") return BigInt(value);
    if (this.options.int === "number" && typeof value === "bigint") {
      return this.refuse('it is an int beyond 2^53, and { int: "number" } was asked for', 'Use { int: "auto" } or { int: "bigint" }.');
    }
    return value;
  }

  /** Keeps the place of what cannot be made; the error is thrown when the place is known. */
  refuse(why: string, hint?: string): Unmade {
    const unmade = new Unmade(why, hint);
    this.unmade ??= unmade;
    return unmade;
  }

  /** Arguments of an extension value stay a bare array: freezing and tagging each would double the cost of a `Decimal`. */
  #tuple(items: unknown[], at: number): unknown {
    const { bytes } = this;
    const next = bytes[at] === op.MEMOIZE ? bytes[at + 1] : bytes[at];
    if (next !== op.REDUCE && next !== op.BINPERSID) this.tuples.push(items);
    return items;
  }

  #extension(operands: unknown): unknown {
    if (!Array.isArray(operands) || typeof operands[0] !== "string") fail("it marks what is no extension value");
    return extensionValue(this, operands as [string, ...unknown[]]);
  }

  #settled(value: unknown): unknown {
    let settled = value;
    if (this.#making.replaced !== undefined) settled = replaceAll(settled, this.#making.replaced);
    if (this.unmade !== undefined) {
      throw new EngineError(
        "ERR_NOT_CONVERTIBLE",
        `${locate(settled, this.unmade, this.options.root ?? "value")} cannot come from Python: ${this.unmade.why}.`,
        this.unmade.hint,
      );
    }
    for (const items of this.tuples) markTuple(items);
    for (const [values, type] of this.named) markNamedTuple(values, type);
    return settled;
  }
}

function popMark(marks: number[]): number {
  return marks.pop() ?? fail("it has no mark where it needs one");
}

function frozen(items: readonly unknown[]): Set<unknown> {
  return frozenset(new Set(items));
}

const WIDTHS: readonly number[] = (() => {
  const widths = new Array<number>(256).fill(0);
  for (const code of [op.SHORT_BINUNICODE, op.SHORT_BINBYTES, op.LONG1]) widths[code] = 1;
  for (const code of [op.BINUNICODE, op.BINBYTES, op.LONG4]) widths[code] = 4;
  for (const code of [op.BINUNICODE8, op.BINBYTES8, op.BYTEARRAY8]) widths[code] = 8;
  return widths;
})();
