/**
 * An n-dimensional array: data, element type and shape.
 *
 * `data` holds the elements in C order unless `strides` says otherwise. Strides and offset count
 * elements, not bytes. Element types are NumPy's names (`float64`, `int32`, `bool`,
 * `datetime64[ns]`). A structured clone keeps the fields but not the class.
 */
import { EngineError } from "../errors.ts";
import { release } from "../memory.ts";
import { DISPOSE } from "../surface.ts";

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface NDArrayOptions {
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly readonly?: boolean;
  /** What the element type does not say, e.g. `{ unit: "ns" }`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Bytes of one element, by NumPy's name without a unit; 0 for what is no plain memory. */
export function itemSize(dtype: string): number {
  const match = /^(?:bool|u?int|float|complex|datetime|timedelta)(\d*)(?:\[.*\])?$/.exec(dtype);
  if (match === null) return 0;
  return dtype === "bool" ? 1 : Number(match[1]) / 8;
}

const NAMES: Readonly<Record<string, string>> = {
  Int8Array: "int8",
  Uint8Array: "uint8",
  Uint8ClampedArray: "uint8",
  Int16Array: "int16",
  Uint16Array: "uint16",
  Int32Array: "int32",
  Uint32Array: "uint32",
  BigInt64Array: "int64",
  BigUint64Array: "uint64",
  Float16Array: "float16",
  Float32Array: "float32",
  Float64Array: "float64",
};

export class NDArray {
  readonly data: TypedArray | readonly unknown[];
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Elements from one item to the next along each axis. */
  readonly strides: readonly number[];
  /** Index of the first element in `data`. */
  readonly offset: number;
  readonly readonly: boolean;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(data: TypedArray | readonly unknown[], options: NDArrayOptions = {}) {
    const dtype = options.dtype ?? (ArrayBuffer.isView(data) ? NAMES[data[Symbol.toStringTag]] : "object");
    // complex elements are two numbers in `data`.
    const width = ArrayBuffer.isView(data) && dtype?.startsWith("complex") ? 2 : 1;
    const shape = Object.freeze([...(options.shape ?? [data.length / width])]);
    if (dtype === undefined || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new EngineError("ERR_ARGUMENT", `An array has sizes that are not negative, not [${shape.join(", ")}].`);
    }
    this.data = data;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = Object.freeze([...(options.strides ?? packed(shape))]);
    this.offset = options.offset ?? 0;
    this.readonly = options.readonly ?? false;
    this.extra = Object.freeze({ ...options.extra });
    if (this.strides.length !== shape.length) {
      throw new EngineError("ERR_ARGUMENT", `${shape.length} axes need ${shape.length} strides, not ${this.strides.length}.`);
    }
    if (this.length > 0) {
      let [low, high] = [this.offset, this.offset];
      shape.forEach((size, axis) => {
        const reach = (size - 1) * (this.strides[axis] as number);
        if (reach < 0) low += reach;
        else high += reach;
      });
      if (!(low >= 0 && (high + 1) * width <= data.length)) {
        throw new EngineError(
          "ERR_ARGUMENT",
          `Shape [${shape.join(", ")}] needs the elements ${low} to ${high}, and there are ${data.length / width}.`,
        );
      }
    }
    Object.freeze(this);
  }

  /** How many elements. */
  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  get ndim(): number {
    return this.shape.length;
  }

  /** "C" when the elements lie in order, "F" when in Fortran's, else null. */
  get order(): "C" | "F" | null {
    const same = (strides: readonly number[]): boolean =>
      strides.every((step, axis) => (this.shape[axis] as number) <= 1 || step === this.strides[axis]);
    if (this.length === 0 || same(packed(this.shape))) return "C";
    return same([...packed([...this.shape].reverse())].reverse()) ? "F" : null;
  }

  /** One element; complex ones as `[re, im]`. */
  at(...index: readonly number[]): unknown {
    let at = this.offset;
    if (index.length !== this.shape.length)
      throw new EngineError("ERR_ARGUMENT", `An element has ${this.shape.length} indices, not ${index.length}.`);
    for (const [axis, i] of index.entries()) {
      const size = this.shape[axis] as number;
      const from = i < 0 ? i + size : i;
      if (!(from >= 0 && from < size)) return undefined;
      at += from * (this.strides[axis] as number);
    }
    return this.#element(at);
  }

  #element(at: number): unknown {
    if (ArrayBuffer.isView(this.data) && this.dtype.startsWith("complex")) return [this.data[2 * at], this.data[2 * at + 1]];
    const value = this.data[at];
    return this.dtype === "bool" ? Boolean(value) : value;
  }

  /** The elements in C order. */
  *[Symbol.iterator](): Generator<unknown, void, undefined> {
    for (const at of this.#positions()) yield this.#element(at);
  }

  /** Index in `data` of each element, in C order. */
  *#positions(): Generator<number, void, undefined> {
    const { shape, strides } = this;
    const index = shape.map(() => 0);
    let at = this.offset;
    for (let left = this.length; left > 0; left--) {
      yield at;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis] as number;
        index[axis] = (index[axis] as number) + 1;
        if (index[axis] !== shape[axis]) break;
        at -= (shape[axis] as number) * (strides[axis] as number);
        index[axis] = 0;
      }
    }
  }

  /** The same array with its elements in C order from index 0; itself when it is so already. */
  compact(): NDArray {
    const { data, dtype, shape, extra } = this;
    const width = ArrayBuffer.isView(data) && dtype.startsWith("complex") ? 2 : 1;
    if (this.order === "C" && this.offset === 0 && data.length === this.length * width) return this;
    const from = [...this.#positions()];
    if (!ArrayBuffer.isView(data))
      return new NDArray(
        from.map((at) => data[at]),
        { dtype, shape, extra },
      );
    const out = new (data.constructor as new (size: number) => TypedArray)(from.length * width);
    from.forEach((at, i) => {
      for (let part = 0; part < width; part++) out[i * width + part] = data[at * width + part] as never;
    });
    return new NDArray(out, { dtype, shape, extra });
  }

  /** Nested arrays, one level for each axis; a bare element without axes. */
  toArray(): unknown {
    let level: unknown[] = [...this];
    if (this.shape.length === 0) return level[0];
    for (let axis = this.shape.length - 1; axis > 0; axis--) {
      const size = this.shape[axis] as number;
      const count = this.shape.slice(0, axis).reduce((product, n) => product * n, 1);
      level = Array.from({ length: count }, (_, i) => level.slice(i * size, (i + 1) * size));
    }
    return level;
  }

  /** Same element type, shape and elements (`Object.is`). */
  equals(other: unknown): boolean {
    if (!(other instanceof NDArray) || this.dtype !== other.dtype || this.shape.join() !== other.shape.join()) return false;
    const theirs = other[Symbol.iterator]();
    for (const mine of this) {
      const value = theirs.next().value;
      const same =
        Array.isArray(mine) && Array.isArray(value) ? mine.every((part, i) => Object.is(part, value[i])) : Object.is(mine, value);
      if (!same) return false;
    }
    return true;
  }

  /** Ends a view of Python's memory (see `release`); nothing for a copy. */
  [DISPOSE](): void {
    release(this);
  }

  toString(): string {
    return `NDArray(${this.dtype}, [${this.shape.join(", ")}])`;
  }

  toJSON(): unknown {
    const plain = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(plain) : typeof value === "bigint" ? value.toString() : value;
    return { dtype: this.dtype, shape: this.shape, data: plain(this.toArray()) };
  }
}

/** Strides of an array without gaps, in elements. */
function packed(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}
