/**
 * The backend seam: what an engine's owner implements, and what it may ask of the facade.
 *
 * Five members and two optional ones. A new feature is Python code shared by every engine, or an
 * instruction (a row of PROTOCOL.md), never a backend method. Everything that crosses is bytes
 * (streams of PROTOCOL.md), so a backend never looks at a value.
 */
import type { Outbound } from "./marshal/boundary.ts";
import type { KnownParts } from "./marshal/encoder.ts";

/** Identifies one program for ever; chosen by the facade, never reused within an engine. */
export type ProgramId = number;
/** A namespace and its order; 0 is the default context. */
export type ContextId = number;
/** Chosen by the engine: slot and generation in one safe integer; never reused. */
export type HandleId = number;
/** Chosen by the facade for a JS value lent to Python; never reused. */
export type CallbackId = number;

/** One program as a fragment of a batch (PROTOCOL.md, section 3). */
export interface Program {
  readonly id: ProgramId;
  readonly context: ContextId;
  /** Valid until something is compiled again. */
  readonly bytes: Uint8Array;
}

/** One output: 0 scalar, 1 stream with the value, 2 stream with the error (PROTOCOL.md, section 4). */
export type ReplyOutput =
  | { readonly kind: 0; readonly payload: null | boolean | number | bigint | string | Uint8Array }
  | { readonly kind: 1 | 2; readonly payload: Uint8Array };
export interface Reply {
  readonly outputs: readonly ReplyOutput[];
}

/** Facts about an engine. Code asks these, never the backend's name. */
export interface Capabilities {
  /** `isopy/sync` works on this engine. */
  readonly sync: boolean;
  /** Python code may call JavaScript and wait for the answer. */
  readonly syncCallbacks: boolean;
  /** Running Python code can be interrupted and keeps its state. */
  readonly interrupt: boolean;
  /** Programs of the default context may run at the same time; `threading` works. */
  readonly threads: boolean;
  /** `toJs(x, { view: true })` shares memory. */
  readonly sharedMemory: boolean;
  /** Child processes (`subprocess`, `multiprocessing`) work. */
  readonly processes: boolean;
  /** Python sees the host's files. */
  readonly hostFiles: boolean;
}

/** How many interpreters compute at the same time: `"own"` beside all others, `"shared"` in turn with them. */
export type GilKind = "own" | "shared";

/** An interpreter that an isolated context has for itself. */
export interface InterpreterInfo {
  readonly gil: GilKind;
  /** Why it has this GIL. */
  readonly reason: string;
}

export interface EngineInfo {
  /** "native", "wasm" …: for people to read, never for code to branch on. */
  readonly backend: string;
  readonly protocol: number;
  /** `3.14.2` */
  readonly python: string;
  readonly implementation: string;
  readonly platform: string;
  readonly executable: string | null;
  readonly prefix: string | null;
  readonly path: readonly string[];
  /** Not given: the engine lives in the main interpreter of its Python. */
  readonly interpreter?: InterpreterInfo;
  readonly capabilities: Capabilities;
}

/** What `start` is given: already read and checked by the facade. */
export interface StartOptions {
  /** Put in front of `sys.path`, in this order. */
  readonly paths: readonly string[];
  /** Added to `os.environ` before user code runs. */
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly limits: WireLimits;
  /** Bytes of JavaScript's heap in the engine's worker. @throws {EngineError} `ERR_UNSUPPORTED` from `start` where that cannot be bounded */
  readonly maxHeap?: number;
  /** Bytes of memory that Python may have. @throws {EngineError} `ERR_UNSUPPORTED` from `start` where that cannot be bounded */
  readonly maxMemory?: number;
  /** `condemnation.blocks` will be asked: the engine keeps account of what it runs. */
  readonly watched: boolean;
  /** Milliseconds until start-up is given up with `ERR_BACKEND_UNAVAILABLE`. */
  readonly startTimeout: number;
  readonly signal?: AbortSignal;
  /** Start-up news for people: `{ stage: "load", loaded: 3_145_728, total: 14_407_690 }`; while files load, in bytes. */
  readonly onProgress?: (progress: StartProgress) => void;
}
export interface StartProgress {
  readonly stage: string;
  readonly loaded?: number;
  readonly total?: number;
}
export interface WireLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
  readonly maxBytes: number;
  /** Python objects that JavaScript may hold at a time; not given: 16,777,215. */
  readonly maxHandles?: number;
  /** JavaScript objects and functions that Python may hold at a time; not given: as many as there is memory. Core's own affair. */
  readonly maxCallbacks?: number;
  /** Characters that one program may write to stdout and stderr. */
  readonly maxOutput?: number;
}

/**
 * How an engine ended: by an error that Python does not survive, by an exit of its worker or process, for lack of
 * memory, because it did not stop when it was told to, because what it sent cannot be read, or because none could be
 * started in the place of one that was lost.
 */
export type LossKind = "fatal" | "exit" | "memory" | "unresponsive" | "protocol" | "start";

export interface EngineLost {
  readonly kind: LossKind;
  /** One sentence: what ended the engine. */
  readonly reason: string;
  readonly exitCode?: number;
  readonly signal?: string;
  /** The last lines it wrote. */
  readonly tail?: string;
  readonly cause?: unknown;
}

export interface Backend {
  readonly name: string;
  start(options: StartOptions, host: BackendHost): Promise<EngineInfo>;
  /** Each program settles by `host.settle` exactly once, or with `host.lost`. */
  /**
   * Sends a SUBMIT stream with `count` programs. The bytes are the facade's, which writes the next
   * batch over them: they are copied or sent before this returns.
   */
  submit(frame: Uint8Array, count: number): void;
  interrupt(ids: readonly ProgramId[]): void;
  /** Flat list: handle, count, handle, count, … Never throws, never blocks. */
  release(batch: readonly number[]): void;
  /** Idempotent; resolves when nothing is left running. */
  close(): Promise<void>;
  /** Only where `capabilities.sync`. */
  readonly sync?: SyncCalls;
  /** Only where Python runs in this process. */
  readonly memory?: ExportedMemory;
  /**
   * Only where Python has several interpreters: a backend, not started, whose engine lives in one of its own.
   *
   * @param gil What was asked for; undefined: the best that is safe here
   * @throws {EngineError} `ERR_UNSUPPORTED` when this Python has no such GIL
   */
  isolated?(gil: GilKind | undefined): Backend;
  /** Only where an engine can be ended from outside while it computes. */
  readonly condemnation?: Condemnation;
}

/** Ending an engine that does not stop. */
export interface Condemnation {
  /** Whether it is this program that runs now; undefined: none does, as far as is known. */
  blocks(id: ProgramId): boolean | undefined;
  /** Ends the engine at once, whatever it does; `host.lost` is called before this returns. */
  carryOut(loss: EngineLost): void;
}

/** Identifies memory that Python lends to JavaScript; chosen by the engine, never reused. */
export type ExportId = number;

/** Memory of Python objects, pinned by the engine before the reply that names it was sent. */
export interface ExportedMemory {
  /** An ArrayBuffer over it, once per export; a copy where the runtime forbids foreign memory. Collecting it gives the memory back. */
  claim(id: ExportId): ArrayBuffer;
  /** A copy of it, which gives the memory back. */
  copy(id: ExportId): ArrayBuffer;
  /** Detaches such an ArrayBuffer and gives the memory back, before anything that is called or sent next. False when it is over already. */
  end(id: ExportId, buffer: ArrayBuffer): boolean;
}

export interface BackendHost {
  /**
   * A program is over: kind and payload of its first output, and those of further outputs as a flat
   * list. Returns whether it was in flight; what was not is counted and dropped.
   */
  settle(id: ProgramId, kind: number, payload: unknown, more?: readonly unknown[]): boolean;
  /** An EVENT stream. */
  event(frame: Uint8Array): void;
  /**
   * A CALL stream; answers with an ANSWER stream. The answer never rejects: what JavaScript throws is inside it.
   * Always returns synchronously except for op `await`, which returns a promise.
   */
  call(frame: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * For a backend that Python calls on the facade's own thread: the function behind a callback, when calling
   * it with scalars is all that `call` would do. Undefined for everything else.
   */
  callee(id: CallbackId): ((...args: unknown[]) => unknown) | undefined;
  /** The ANSWER stream for what such a function returned, or threw when `ok` is false. */
  answer(ok: boolean, value: unknown): Uint8Array;
  /** Flat list: callback, count, … */
  forget(batch: readonly number[]): void;
  /** The engine is gone: every pending program rejects with `ERR_ENGINE_LOST`. At most once. */
  lost(reason: EngineLost): void;
}

/** What crosses a synchronous call without a stream. */
export type Scalar = null | undefined | boolean | number | bigint | string;

/** Calls with plain data through memory that both sides see. */
export interface DataCalls {
  /** As `call`, with any data; `REFUSED` when the arguments must be a stream: nothing has happened then but the getters that ran. */
  call(handle: HandleId, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>> | undefined, outbound: Outbound): unknown;
  /** After REFUSED: what was read of the arguments. */
  readSoFar(): ReadonlyMap<object, KnownParts> | undefined;
}
/** See {@link DataCalls}. */
export const REFUSED = Symbol("refused");

/**
 * Calls without a promise, on the JS thread. After each call `outcome` says what was returned:
 * 0 a value or a ref that lives, 1 a stream with the value, 2 a stream with the error, 5 the handle that
 * a new ref is to be made for (`flags` and `typeName` say more). A returned stream is a view that is
 * valid until the next call.
 *
 * `keep`: the result is a ref in any case, and belongs to the refs that keep.
 */
export interface SyncCalls {
  readonly outcome: SyncOutcome;
  /** Of the handle that outcome 5 returned; read them before the next call. */
  readonly flags: number;
  readonly typeName: string;
  /** The refs that live. */
  readonly refs: SyncRefs;
  /** Calls a handle with scalars. */
  call(handle: HandleId, args: readonly Scalar[]): SyncResult;
  /** Calls a handle with scalars and, where a bit of `mask` is set, handles; at most 30 arguments. `keep`: the result stays in Python. */
  callRefs(handle: HandleId, mask: number, args: readonly Scalar[], keep: boolean): SyncResult;
  /** Calls a handle with a stream that holds `(args tuple, kwargs dict or None)`. */
  callStream(handle: HandleId, operands: Uint8Array): SyncResult;
  /** Calls a handle with data, where this engine takes it without a stream. */
  readonly data?: DataCalls;
  /** Only where JavaScript's memory can be held while Python sees it. */
  readonly loans?: LoanCalls;
  get(handle: HandleId, name: string, keep: boolean): SyncResult;
  set(handle: HandleId, name: string, value: Scalar): SyncResult;
  item(handle: HandleId, key: Scalar): SyncResult;
  setItem(handle: HandleId, key: Scalar, value: Scalar): SyncResult;
  /** A loaded module; null (outcome 0) when it has to be imported. */
  module(name: string): SyncResult;
  /** The object of a handle under another mode (PROTOCOL.md, section 3): its copy, its view. */
  convert(handle: HandleId, mode: number): SyncResult;
  /** Runs one program (a fragment) to its end. */
  run(program: Program): Reply;
}

/** Memory of JavaScript that Python sees while a call runs. Loans end in the reverse order. */
export interface LoanCalls {
  /**
   * The handle of a memoryview over the bytes, introduced once. The caller ends the loan.
   *
   * @param format of one element, as in Python's `struct`
   * @param width bytes of one element
   * @param axes in bytes; not given: one axis without gaps
   */
  lend(bytes: Uint8Array, format: string, width: number, readonly: boolean, axes?: LentAxes): HandleId;
  /** Ends the last loans; false when Python has kept the memory of one, which stays valid as long. */
  end(count: number): boolean;
}
export interface LentAxes {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly start: number;
}

export type SyncOutcome = 0 | 1 | 2 | 5;
export type SyncResult = Scalar | Uint8Array | object;

/**
 * The refs of a synchronous engine, held weakly and by handle, where looking for dead ones does not
 * wait for the end of the job. `keep` is part of a ref's identity.
 */
export interface SyncRefs {
  /** Counts an introduction. The live ref; undefined: give the new one to `bind`. */
  known(handle: HandleId, keep: boolean): object | undefined;
  /** After outcome 5, and after `known` found none. */
  bind(handle: HandleId, keep: boolean, ref: object): void;
  /** Forgets a ref; the introductions to give back. */
  unbind(handle: HandleId, keep: boolean): number;
  /** Gives back what was held by refs that were collected; how many are left. */
  sweep(): number;
  /** Every live ref and its introductions. */
  live(): readonly (readonly [ref: object, count: number])[];
  /** Forgets them all and gives nothing back: the engine is closed. */
  clear(): void;
}
