/**
 * What the codec asks of the facade: who owns a handle, who lends an object.
 *
 * The codec knows streams and values and nothing about engines; these two interfaces are all it
 * sees of the rest of the core.
 */
import type { CallbackId, ExportId, HandleId } from "../backend.ts";
import type { LentMemory } from "../lent-memory.ts";

/** Asked while a JS value is written. */
export interface Outbound {
  /** The handle of a live ref of this engine; undefined when it is no ref. Throws `ERR_HANDLE_DISPOSED`, `ERR_CROSS_CONTEXT`. */
  handle(value: object): HandleId | undefined;
  /** The slot of an expression of the program being written; undefined when it is no expression. */
  slot(value: object): number | undefined;
  /** Lends a function or object to Python; each call counts one introduction. */
  lend(value: object | symbol, flags: number, name: string): CallbackId;
  /**
   * Lent flags of a value that `proxy()` marked: it is lent although it is data (an array, an object …);
   * undefined when it is not marked. Asked before an array, a plain object, a Map or a Set is copied.
   */
  marked(value: object): number | undefined;
  /** The handle of a memoryview over memory that is lent for the length of a call. Throws `ERR_UNSUPPORTED` where there is none. */
  loan(memory: LentMemory): HandleId;
  /** The user's rule for a value that would be lent, and the data it makes of it. */
  ruled(value: object): readonly [id: number, data: unknown] | undefined;
  /** The engine's exception behind a `PythonError` of this engine, if it is one. */
  exception(error: object): number | undefined;
}

/** Asked while a stream is read. */
export interface Inbound {
  /** Introduces a handle once more; the same live handle gives the same ref. */
  ref(id: HandleId, flags: number, typeName: string): object;
  /** The very object that was lent. */
  lent(id: CallbackId): unknown;
  /** The member behind a handle, one object per member. */
  enumMember(id: HandleId, name: string, value: unknown, typeName: string): object;
  /** The ArrayBuffer over memory that Python has exported. */
  memory(id: ExportId): ArrayBuffer;
  /** A copy of such memory, which ends the export. */
  copied(id: ExportId): ArrayBuffer;
  /** What the user's rule makes of the data that Python made of an object. */
  rule(id: number, data: unknown): unknown;
  /** An exception as an Error object; `fields` is the dict of PROTOCOL.md, section 5, decoded. */
  pythonError(fields: WireError): Error;
}

export type WireFrame = readonly [
  file: string,
  line: number | null,
  endLine: number | null,
  column: number | null,
  fn: string,
  source: string | null,
];

/** The dict of an `error` (PROTOCOL.md, section 5); nested errors are already Error objects. */
export interface WireError {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly mro: readonly string[];
  readonly message: string;
  readonly args: readonly unknown[] | null;
  readonly frames: readonly WireFrame[];
  readonly traceback: string;
  readonly notes: readonly string[];
  readonly cause: Error | null;
  readonly context: Error | null;
  readonly suppress: boolean;
  readonly errors: readonly Error[] | null;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly js?: unknown;
  readonly cancelled?: boolean;
}
