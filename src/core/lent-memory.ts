/**
 * Memory of JavaScript that Python sees for the length of a synchronous call.
 *
 * `view(array)` is an argument and no value: whoever writes the arguments of such a call lends the memory,
 * which gives a handle, and whoever made the call ends the loan. Calls nest, so loans are a stack.
 */
import type { HandleId, LoanCalls } from "./backend.ts";
import { EngineError } from "./errors.ts";
import { viewFormat } from "./marshal/buffers.ts";
import { ofPython } from "./memory.ts";
import { boolean, optionReader } from "./options.ts";
import { itemSize, NDArray } from "./values/ndarray.ts";

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
const getter = (proto: object, name: string): Getter | undefined => Object.getOwnPropertyDescriptor(proto, name)?.get;
const byteLengthOf = getter(ArrayBuffer.prototype, "byteLength") as Getter;
const resizableOf = getter(ArrayBuffer.prototype, "resizable");
const sharedLengthOf = typeof SharedArrayBuffer === "undefined" ? undefined : getter(SharedArrayBuffer.prototype, "byteLength");

/** What a getter of a built-in says; undefined when the value is no such thing. */
function told(get: Getter | undefined, value: unknown): unknown {
  try {
    return get?.call(value);
  } catch {
    return undefined; // the value has no such insides, and nothing of its own was run
  }
}

const isBuffer = (value: unknown): value is ArrayBufferLike =>
  told(byteLengthOf, value) !== undefined || told(sharedLengthOf, value) !== undefined;

/** Element types of NDArrays as formats of `struct`, complex ones as NumPy writes them. */
const FORMATS: Readonly<Record<string, string>> = {
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
  complex64: "Zf",
  complex128: "Zd",
};

/** The loans of one engine's calls that are running. */
export class LoanBook {
  readonly #calls: LoanCalls | undefined;
  #count = 0;

  constructor(calls: LoanCalls | undefined) {
    this.#calls = calls;
  }

  /** For `end`: how many there are. */
  get count(): number {
    return this.#count;
  }

  /** The handle of a memoryview; it lives until `end`. */
  lend({ memory, readonly }: LentMemory): HandleId {
    if (this.#calls === undefined) {
      throw new EngineError(
        "ERR_UNSUPPORTED",
        "This JavaScript runtime does not let its memory be held, so Python cannot look at it safely.",
        "Pass the array itself: it is copied.",
      );
    }
    const array = memory instanceof NDArray ? memory.data : memory;
    if (!ArrayBuffer.isView(array) && !isBuffer(array)) return refuse("an NDArray whose data is no TypedArray");
    const bytes = bytesOf(array as ArrayBufferView | ArrayBufferLike);
    const width = ArrayBuffer.isView(array) ? ((array as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1) : 1;
    const id =
      memory instanceof NDArray
        ? this.#lendArray(this.#calls, memory, bytes, width, readonly)
        : this.#calls.lend(bytes, viewFormat(memory) ?? "B", width, readonly);
    this.#count++;
    return id;
  }

  #lendArray(calls: LoanCalls, array: NDArray, bytes: Uint8Array, width: number, readonly: boolean): HandleId {
    const { dtype, shape, strides, offset } = array;
    const format = Object.hasOwn(FORMATS, dtype) ? FORMATS[dtype] : undefined;
    const size = itemSize(dtype);
    // The element type must say what the memory holds: `data` is a TypedArray of the same width.
    if (format === undefined || (dtype.startsWith("complex") ? size / 2 : size) !== width) return refuse(`an NDArray of ${dtype}`);
    const axes = { shape, strides: strides.map((step) => step * size), start: offset * size };
    return calls.lend(bytes, format, size, readonly, axes);
  }

  /** A call is over, and so is what it lent: the loans above `mark`. False when Python kept memory of one. */
  end(mark: number): boolean {
    const ended = this.#count - mark;
    if (ended === 0) return true;
    this.#count = mark;
    return (this.#calls as LoanCalls).end(ended);
  }

  /** As `end`, for a call that gave a result. */
  settle<T>(mark: number, result: T): T {
    if (this.end(mark)) return result;
    throw new EngineError(
      "ERR_VIEW_KEPT",
      "The call has run, and Python kept memory that view() had lent for its length. It stays valid until Python lets go of it.",
      "Copy in Python what must stay: numpy.array(view), bytes(view). The call's result is in details.result.",
      { details: { result } },
    );
  }
}

function refuse(what: string, hint = "Pass it without view(): it is copied."): never {
  throw new EngineError("ERR_NOT_CONVERTIBLE", `view() cannot lend ${what}.`, hint);
}

/** All bytes of a view or buffer, where they lie. */
function bytesOf(array: ArrayBufferView | ArrayBufferLike): Uint8Array {
  try {
    const buffer = ArrayBuffer.isView(array) ? array.buffer : array;
    // Shrinking takes the pages away, whoever holds them.
    if (told(resizableOf, buffer) === true) return refuse("a resizable ArrayBuffer: it may shrink meanwhile");
    if (ofPython(buffer)) return refuse("memory of Python, which release() may end meanwhile", "Pass the Python object itself.");
    return ArrayBuffer.isView(array) ? new Uint8Array(buffer, array.byteOffset, array.byteLength) : new Uint8Array(buffer);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return refuse("a detached ArrayBuffer", "It was transferred; lend it before, or lend what it was transferred to.");
  }
}

/** Where there is no call whose length memory could be lent for. */
export function noCall(): never {
  throw new EngineError(
    "ERR_UNSUPPORTED",
    "view() lends memory for the length of a synchronous call, as one of its arguments, and here is none.",
    'Use "isopy/sync" on the native engine, or pass the array itself: it is copied.',
  );
}
