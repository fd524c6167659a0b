/**
 * Loans of JavaScript's memory to Python.
 *
 * `view(array)` is an argument and no value: whoever writes the arguments of a synchronous call lends the
 * memory, which gives a handle, and whoever made the call ends the loan. Calls nest, so loans are a stack.
 */
import type { HandleId, LoanCalls } from "./backend.ts";
import { EngineError } from "./errors.ts";
import { isBuffer, type LentMemory, told } from "./lent-memory.ts";
import { LETTERS, viewFormat } from "./marshal/buffers.ts";
import { ofPython } from "./memory.ts";
import { itemSize, NDArray } from "./values/ndarray.ts";

const resizableOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "resizable")?.get;

/** Element types of NDArrays as formats of `struct`, complex ones as NumPy writes them. */
const FORMATS: Readonly<Record<string, string>> = { ...LETTERS, complex64: "Zf", complex128: "Zd" };

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
