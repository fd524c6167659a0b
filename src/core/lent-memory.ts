/**
 * Memory of JavaScript that Python sees for the length of a synchronous call: what marks an argument as
 * such. `loans.ts` lends it.
 */
import { EngineError } from "./errors.ts";
import { boolean, optionReader } from "./options.ts";
import { NDArray } from "./values/ndarray.ts";

/** What {@link view} takes. */
export type Viewable = ArrayBufferView | ArrayBufferLike | NDArray;

export interface ViewOptions {
  /** Python may read and not write. Default: false, and true for an `NDArray` that says so. */
  readonly readonly?: boolean;
}

/** What {@link view} makes. */
export class LentMemory {
  readonly memory: Viewable;
  readonly readonly: boolean;
  readonly #made = true;
  /** Asks nothing of the value, as `Kwargs.is`. */
  static is(value: unknown): value is LentMemory {
    return typeof value === "object" && value !== null && #made in value;
  }
  constructor(memory: Viewable, readonly: boolean) {
    this.memory = memory;
    this.readonly = readonly;
  }
}

/**
 * An argument of a synchronous call that Python gets as a `memoryview` over the very memory, without a
 * copy: with the format of the elements (`d` for a Float64Array), writable, valid until the call
 * returns. It is released then, and Python's later uses of it raise `ValueError`. Anywhere in the arguments.
 *
 * When Python keeps the memory itself (`numpy.asarray(view)` in a global), the call throws
 * `ERR_VIEW_KEPT` after it has run, with its result in `details.result`; the memory stays valid until Python
 * lets go of it. What is thrown by the call itself goes first.
 *
 * Engines: native, in calls of `isopy/sync`; elsewhere `ERR_UNSUPPORTED`, and nothing is copied silently.
 *
 * @param memory a TypedArray, Buffer, DataView, ArrayBuffer, SharedArrayBuffer, or an NDArray over a TypedArray
 * @throws {EngineError} `ERR_ARGUMENT`, `ERR_OPTION`; by the call: `ERR_UNSUPPORTED`, `ERR_VIEW_KEPT`, and
 *   `ERR_NOT_CONVERTIBLE` for memory that is detached, resizable or Python's own
 * @example
 * const samples = new Float64Array(1_000_000);
 * numpy.multiply(view(samples), 2, kw({ out: view(samples) }));
 */
export function view(memory: Viewable, options?: ViewOptions): LentMemory {
  const read = optionReader("view", options);
  const readonly = read("readonly", boolean, memory instanceof NDArray && memory.readonly);
  read.done();
  if (!(ArrayBuffer.isView(memory) || memory instanceof NDArray || isBuffer(memory))) {
    throw new EngineError("ERR_ARGUMENT", "view() takes a TypedArray, a DataView, an ArrayBuffer, a SharedArrayBuffer or an NDArray.");
  }
  return new LentMemory(memory, readonly);
}

type Getter = (this: unknown) => unknown;
const lengthOf = (proto: object): Getter => Object.getOwnPropertyDescriptor(proto, "byteLength")?.get as Getter;
const LENGTHS = [ArrayBuffer, ...(typeof SharedArrayBuffer === "undefined" ? [] : [SharedArrayBuffer])].map((kind) =>
  lengthOf(kind.prototype),
);

/** What a getter of a built-in says; undefined when the value is no such thing. */
export function told(get: Getter | undefined, value: unknown): unknown {
  try {
    return get?.call(value);
  } catch {
    return undefined; // the value has no such insides, and nothing of its own was run
  }
}

export const isBuffer = (value: unknown): value is ArrayBufferLike => LENGTHS.some((get) => told(get, value) !== undefined);
