/**
 * Typed arrays and buffers as bytes with a format, and back.
 *
 * Elements travel in native byte order, which is little-endian on every platform of both sides.
 * Reading swaps what says otherwise. Views are copied at their own offset and length.
 */
import { itemSize, NDArray, type TypedArray } from "../values/ndarray.ts";
import { bytearray, isBytearray } from "../values/tags.ts";
import * as op from "../wire/opcodes.ts";
import type { Decoder } from "./decode.ts";
import type { Encoder } from "./encoder.ts";
import { type Frame, Kind } from "./frame.ts";
import { fail } from "./settle.ts";

/** The `struct` format of each kind of element. */
const FORMATS: Readonly<Record<string, string>> = {
  Int8Array: "b",
  Uint8ClampedArray: "B",
  DataView: "B",
  Int16Array: "h",
  Uint16Array: "H",
  Int32Array: "i",
  Uint32Array: "I",
  BigInt64Array: "q",
  BigUint64Array: "Q",
  Float16Array: "e",
  Float32Array: "f",
  Float64Array: "d",
};

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)?.get as (
  this: unknown,
) => string | undefined;

/** The `struct` format of a TypedArray's elements; undefined for Uint8Array, which is bytes, and for what Python has no format for. */
export function viewFormat(view: object): string | undefined {
  return FORMATS[tagOf.call(view) ?? ""];
}

function bytesOf(to: Encoder, buffer: ArrayBufferLike, offset: number, length: number): Uint8Array {
  try {
    return new Uint8Array(buffer, offset, length);
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof RangeError) {
      return to.refuse("its ArrayBuffer is detached", "It was transferred to another thread; copy it before, or send it there.");
    }
    throw cause;
  }
}

function writeBytes(to: Encoder, bytes: Uint8Array): void {
  to.sink.bytesHeader(bytes.length);
  to.sink.raw(bytes);
}

/** An ArrayBuffer or SharedArrayBuffer as bytes. */
export function writeBuffer(to: Encoder, source: object, buffer: ArrayBufferLike): undefined {
  // `byteLength` of a detached buffer is 0, and a view of it throws.
  writeBytes(to, bytesOf(to, buffer, 0, buffer.byteLength));
  to.remember(source);
}

/** A TypedArray or DataView: bytes, a bytearray, or a memoryview of its format. */
export function writeView(to: Encoder, view: ArrayBufferView): Frame | undefined {
  const name = tagOf.call(view) ?? "DataView";
  let size = 0;
  let offset = 0;
  try {
    size = view.byteLength;
    offset = view.byteOffset;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return to.refuse("its ArrayBuffer is detached");
  }
  const bytes = bytesOf(to, view.buffer, offset, size);
  if (name === "Uint8Array") {
    if (isBytearray(view)) {
      const { sink } = to;
      sink.need(9 + size);
      sink.bytes[sink.at] = op.BYTEARRAY8;
      sink.view.setBigUint64(sink.at + 1, BigInt(size), true);
      sink.at += 9;
      sink.raw(bytes);
    } else {
      writeBytes(to, bytes);
    }
    to.remember(view);
    return undefined;
  }
  const format = FORMATS[name];
  if (format === undefined) return to.refuse(`Python has no buffer format for a ${name}`);
  return to.openFrozen(Kind.EXTENSION, view, ["buffer", format, bytes]);
}

/** An NDArray as `ndarray`, compacted. */
export function writeArray(to: Encoder, array: NDArray): Frame | undefined {
  const { data, dtype, shape, extra } = array.compact();
  if (!ArrayBuffer.isView(data)) return to.openFrozen(Kind.EXTENSION, array, ["strings", [...shape], [...data]]);
  const bytes = bytesOf(to, data.buffer, data.byteOffset, data.byteLength);
  return to.openFrozen(Kind.EXTENSION, array, ["ndarray", dtype, [...shape], bytes, extra]);
}

type ArrayMaker = new (buffer: ArrayBuffer) => TypedArray;
const float16 = (globalThis as { Float16Array?: ArrayMaker }).Float16Array;

/** The array for one letter of `struct`; `l`, `L`, `n` and `N` have the size of the engine's machine and arrive as `q`, `Q`, `i` or `I`. */
const ARRAYS: Readonly<Record<string, ArrayMaker>> = {
  b: Int8Array,
  B: Uint8Array,
  c: Uint8Array,
  "?": Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  l: Int32Array,
  L: Uint32Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  // Without Float16Array the bits stay as they are.
  e: float16 ?? Uint16Array,
  f: Float32Array,
  d: Float64Array,
};

/** Bytes read as numbers of another order, turned around in place. */
function swap(bytes: Uint8Array, width: number): void {
  for (let from = 0; from + width <= bytes.length; from += width) bytes.subarray(from, from + width).reverse();
}

/** Bytes of a stream are copies already, but not always aligned for their elements. */
function aligned(value: unknown): Uint8Array & { buffer: ArrayBuffer } {
  if (!(value instanceof Uint8Array)) fail("a buffer has no bytes");
  return (value.byteOffset === 0 && value.byteLength === value.buffer.byteLength ? value : value.slice()) as Uint8Array & {
    buffer: ArrayBuffer;
  };
}

/** A memoryview's bytes as a TypedArray of its format. */
export function readBuffer(from: Decoder, format: string, value: unknown): unknown {
  const order = /^[@=<>!]/.exec(format)?.[0] ?? "@";
  const letter = format.replace(/^[@=<>!]/, "");
  const make = Object.hasOwn(ARRAYS, letter) ? ARRAYS[letter] : undefined;
  if (make === undefined) return from.refuse(`its buffer has the format ${JSON.stringify(format)}, which no TypedArray has`);
  const bytes = aligned(value);
  const width = (make as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  if (bytes.length % width !== 0) fail("a buffer has a part of an element");
  if (order === ">" || order === "!") swap(bytes, width);
  return narrowed(from, new make(bytes.buffer));
}

/** With `narrow`, 64-bit integers as numbers, when each of them is safe. */
function narrowed(from: Decoder, array: TypedArray): unknown {
  if (from.options.narrow !== true || !(array instanceof BigInt64Array || array instanceof BigUint64Array)) return array;
  const numbers = new Float64Array(array.length);
  for (let i = 0; i < array.length; i++) {
    const wide = array[i] as bigint;
    numbers[i] = Number(wide);
    if (!Number.isSafeInteger(numbers[i]))
      return from.refuse(`its element ${i} is ${wide}, and { narrow: true } was asked for`, "Leave it out to get BigInts.");
  }
  return numbers;
}

/** Element types as letters of `struct`; complex ones are two floats, dates are integers. */
export const LETTERS: Readonly<Record<string, string>> = {
  bool: "?",
  int8: "b",
  uint8: "B",
  int16: "h",
  uint16: "H",
  int32: "i",
  uint32: "I",
  int64: "q",
  uint64: "Q",
  float16: "e",
  float32: "f",
  float64: "d",
  complex64: "f",
  complex128: "d",
};

/** An array: a TypedArray when it has one axis and its element type is all there is to say, else an NDArray. */
export function readArray(
  from: Decoder,
  memory: string,
  shape: readonly number[],
  value: unknown,
  extra: Record<string, unknown>,
): unknown {
  const { kind, unit } = extra;
  // Dates travel as integers beside their kind and unit.
  const dtype = typeof kind === "string" && typeof unit === "string" && memory === "int64" ? `${kind}[${unit}]` : memory;
  const isTime = /^(datetime|timedelta)64/.test(dtype);
  const letter = isTime ? "q" : Object.hasOwn(LETTERS, dtype) ? LETTERS[dtype] : undefined;
  if (letter === undefined) return from.refuse(`its element type is ${dtype}, which no TypedArray has`);
  const bytes = aligned(value);
  const length = shape.reduce((product, size) => product * size, 1);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || bytes.length !== length * itemSize(dtype))
    fail("an array has another size than its shape says");
  const wide = new (ARRAYS[letter] as ArrayMaker)(bytes.buffer);
  const data = isTime ? wide : narrowed(from, wide);
  if (!ArrayBuffer.isView(data)) return data;
  const plain = shape.length === 1 && !isTime && !/^(bool|complex)/.test(dtype) && Object.keys(extra).length === 0;
  if (plain) return data;
  const { readonly, ...rest } = extra;
  return new NDArray(data as TypedArray, { dtype: data === wide ? dtype : "float64", shape, extra: rest, readonly: readonly === true });
}

/** An array over memory that stays where it is. */
export interface SharedArray {
  readonly buffer: ArrayBuffer;
  /** Bytes, from the first element in memory to the last. */
  readonly size: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Elements from one item to the next, along each axis. */
  readonly strides: readonly number[];
  /** Index of the first element. */
  readonly offset: number;
  readonly extra: Record<string, unknown>;
}

/** The same kinds of arrays as copies give, over the memory itself. */
export function readView(from: Decoder, { buffer, size, dtype, shape, strides, offset, extra }: SharedArray): unknown {
  if (buffer.byteLength !== size) fail("a view has another size than its memory");
  if (dtype === "bytearray") return bytearray(new Uint8Array(buffer));
  const { kind, unit } = extra;
  const time = typeof kind === "string" && typeof unit === "string";
  const letter = Object.hasOwn(LETTERS, dtype) ? LETTERS[dtype] : undefined;
  if (letter === undefined) return from.refuse(`its element type is ${dtype}, which no TypedArray has`);
  const data = new (ARRAYS[letter] as ArrayMaker)(buffer);
  const straight = shape.length === 1 && offset === 0 && (strides[0] === 1 || (shape[0] as number) <= 1);
  if (straight && !time && !/^(bool|complex)/.test(dtype)) return data;
  return new NDArray(data, { dtype: time ? `${kind}[${unit}]` : dtype, shape, strides, offset, extra });
}

/** Text elements: a bare array for one axis. */
export function readStrings(shape: readonly number[], texts: string[]): unknown {
  return shape.length === 1 ? texts : new NDArray(texts, { dtype: "str", shape });
}
