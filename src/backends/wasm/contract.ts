/**
 * What the two sides of a Pyodide worker agree on.
 *
 * Comlink carries the control surface (`WorkerControl`); frames of PROTOCOL.md travel on a private
 * MessagePort that is handed over by `start`, so code in the engine cannot forge them through the
 * worker's global scope. A third, optional path is the shared mailbox (`mailbox.ts`), which reaches
 * a worker that is blocked in a call into JavaScript.
 */

import type { LossKind, StartProgress } from "../../core/backend.ts";

/** One frame on its way: its kind and its bytes. */
export type Frame = readonly [kind: number, bytes: Uint8Array];

/** Main to worker: frames. Worker to main: frames, and the mailbox's news. */
export type ToWorker = readonly Frame[];
export type ToMain =
  | readonly Frame[]
  /** An asked CALL: the worker waits at its mailbox for the answer with this number. */
  | { readonly ask: number; readonly bytes: Uint8Array }
  /** The mailbox was emptied. */
  | { readonly took: true }
  /** The mailbox was too small; this is the new one. */
  | { readonly mailbox: SharedArrayBuffer }
  /** The worker no longer waits for this answer. */
  | { readonly abandoned: number }
  /** Start-up goes on. */
  | { readonly progress: StartProgress }
  /** Exit handlers have run; nothing comes after this. */
  | { readonly closed: true }
  /** Without shared memory, where that is asked for: the program that runs from now on; 0: none does. */
  | { readonly running: number }
  /** The engine cannot go on; with the last lines that Pyodide wrote about it. */
  | { readonly fatal: string; readonly kind: LossKind; readonly tail: string };

/** Where the engine's files are; every one is given, nothing is looked up elsewhere. */
export interface EngineFiles {
  readonly wasm: string;
  readonly stdlib: string;
}

export interface WorkerStart {
  readonly port: MessagePort;
  /** The build of the code that starts the worker. */
  readonly build: string;
  /** Memory both sides see (`shared.ts`); null where the platform has none. */
  readonly shared: { readonly control: SharedArrayBuffer; readonly mailbox: SharedArrayBuffer } | null;
  readonly files: Partial<EngineFiles>;
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Bytes of WebAssembly memory. */
  readonly maxMemory: number | undefined;
  /** Whether the engine says which program runs. */
  readonly watched: boolean;
  /** A stream with a dict (PROTOCOL.md, section 8), or empty. */
  readonly engineOptions: Uint8Array;
}

export type WorkerStarted = { readonly ok: true; readonly hello: Uint8Array } | { readonly ok: false; readonly failure: StartFailure };

/** Why a start failed, in the words of the error that JavaScript will see. */
export interface StartFailure {
  readonly message: string;
  readonly hint: string;
  /** The stack or text of what was caught. */
  readonly detail?: string;
}

/** The control surface: what the main thread may ask of the worker. */
export interface WorkerControl {
  /** Takes the lock that tells that the worker lives (`alive.ts`); comes before `start`. */
  hold(lock: string): Promise<void>;
  start(start: WorkerStart): Promise<WorkerStarted>;
  /** Exit handlers run, then the worker may be ended. */
  close(): Promise<void>;
}
