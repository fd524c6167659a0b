/**
 * CPython inside Node, as a backend: hands frames to the addon and dispatches what comes back.
 *
 * All engines of a process share its one CPython (`native/runtime.h`); each has an `_isopy` Engine
 * and a queue of its own. An idle engine does not keep Node alive, a pending program does.
 *
 * Invariant: after `lost` or `close` nothing more is settled.
 */
import type {
  Backend,
  BackendHost,
  EngineInfo,
  ExportedMemory,
  ExportId,
  GilKind,
  InterpreterInfo,
  ProgramId,
  StartOptions,
  WireLimits,
} from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { engineOptions, readFlat, type Settle, settleReplies, writeFlat } from "../../core/transport.ts";
import { FrameKind } from "../../core/wire/frames.ts";
import { cacheFolder } from "../../environment/probe-cache.ts";
import type { PythonFacts } from "../../environment/python.ts";
import { type AddonEngine, lastWords, loadAddon, pythonPackage } from "./addon.ts";
import { interpreterFor, isolationOf } from "./interpreter.ts";
import { Notice, readMessages, type Take } from "./messages.ts";
import { engineInfo, engineSetup } from "./setup.ts";
import { checkLibrary } from "./stdlib.ts";
import { NativeSyncCalls } from "./sync-calls.ts";

export interface NativeOptions {
  /** The Python to load; see `src/environment`. */
  readonly python: PythonFacts;
  /** Milliseconds a Python thread waits for JavaScript that is blocked in a sync call. Default 5000. */
  readonly deadlockMs?: number;
  /** The interpreter of its own that the engine lives in. Default: the main one. */
  readonly interpreter?: InterpreterInfo;
}

/** How long `close` waits for an interpreter of its own to end: finalizers of user code run in it then. */
const ENDING_MS = 10_000;

type Started = (kind: number, bytes: Uint8Array) => void;

export class NativeBackend implements Backend, ExportedMemory {
  readonly name = "native";
  readonly #options: NativeOptions;
  #host: BackendHost | undefined;
  #engine: AddonEngine | undefined;
  #started: Started | undefined;
  #closed: (() => void) | undefined;
  /** FORGET frames that came with the result of a synchronous call. */
  #late: Uint8Array[] = [];
  #closing: Promise<void> | undefined;
  #ended = false;
  readonly #lastWords = () => this.#drain();
  #sync: NativeSyncCalls | undefined;
  #limits!: WireLimits;
  /** Whether the inbox is being read. */
  #reading = false;
  /** Programs in flight. */
  #pending = 0;
  readonly memory: ExportedMemory = this;

  constructor(options: NativeOptions) {
    this.#options = options;
  }

  isolated(gil: GilKind | undefined): NativeBackend {
    return new NativeBackend({ ...this.#options, interpreter: interpreterFor(this.#options.python.version, gil) });
  }

  get sync(): NativeSyncCalls {
    this.#sync ??= new NativeSyncCalls(this.#running(), this.#limits, this, () => this.#drain(true));
    return this.#sync;
  }

  async start(options: StartOptions, host: BackendHost): Promise<EngineInfo> {
    options.signal?.throwIfAborted();
    const engine = this.#open(options, host);
    engine.keepAlive(true);
    try {
      const hello = await this.#hello(options);
      options.onProgress?.({ stage: "ready", loaded: 1, total: 1 });
      engine.keepAlive(this.#pending > 0);
      return engineInfo(hello, engine.externalMemory, this.#options.interpreter);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** Blocks the JS thread until Python is up; for `isopy/sync`. */
  startSync(options: StartOptions, host: BackendHost): EngineInfo {
    options.signal?.throwIfAborted();
    const engine = this.#open(options, host);
    let info: EngineInfo | undefined;
    this.#started = (kind, bytes) => {
      info = engineInfo(opened(kind, bytes, this.#options.python), engine.externalMemory, this.#options.interpreter);
    };
    try {
      if (!engine.waitOpen(options.startTimeout)) throw tooSlow(options.startTimeout);
      this.#drain();
    } catch (error) {
      void this.close();
      throw error;
    }
    engine.keepAlive(false);
    if (info === undefined) throw new EngineError("ERR_PROTOCOL", "The addon said that Python started and sent no greeting.");
    return info;
  }

  claim(id: ExportId): ArrayBuffer {
    return this.#claim(id, false);
  }

  copy(id: ExportId): ArrayBuffer {
    return this.#claim(id, true);
  }

  #claim(id: ExportId, copy: boolean): ArrayBuffer {
    const buffer = this.#running().claim(id, copy);
    if (buffer === undefined) throw new EngineError("ERR_PROTOCOL", "The engine named memory that it has not exported.");
    return buffer;
  }

  end(id: ExportId, buffer: ArrayBuffer): boolean {
    return this.#running().unclaim(id, buffer);
  }

  submit(frame: Uint8Array, count: number): void {
    if (this.#ended) return;
    const engine = this.#running();
    if (this.#pending === 0) engine.keepAlive(true);
    this.#pending += count;
    // Not at once: who is told may call Python again, and this is the middle of a flush.
    if (engine.submit(frame, this.#pending === 1)) queueMicrotask(this.#lastWords);
  }

  interrupt(ids: readonly ProgramId[]): void {
    if (!this.#ended && ids.length > 0) this.#engine?.control(FrameKind.INTERRUPT, writeFlat(ids));
  }

  release(batch: readonly number[]): void {
    if (!this.#ended && batch.length > 0) this.#engine?.control(FrameKind.RELEASE, writeFlat(batch));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    engine.keepAlive(true);
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    engine.close();
    await (this.#options.interpreter === undefined ? closed : within(ENDING_MS, closed));
    this.#ended = true;
    this.#pending = 0;
    engine.release();
    lastWords.delete(this.#lastWords);
  }

  /** Blocks until exit handlers have run; for `isopy/sync`. */
  closeSync(milliseconds: number): void {
    void this.close();
    if (this.#engine?.waitClosed(milliseconds) === true) this.#drain();
  }

  #open(options: StartOptions, host: BackendHost): AddonEngine {
    if (this.#engine !== undefined) throw new EngineError("ERR_ARGUMENT", "This backend was started before.", "Make a new one.");
    if (options.maxMemory !== undefined) {
      const hint = 'Bound the process, or use { backend: "wasm" }.';
      throw new EngineError("ERR_UNSUPPORTED", "limits.maxMemory is not for the native engine: its memory is this process's.", hint);
    }
    if (options.maxHeap !== undefined) {
      throw new EngineError(
        "ERR_UNSUPPORTED",
        "limits.maxHeap is not for the native engine: Python's JavaScript is this process's.",
        'Bound the process (node --max-old-space-size), or use { backend: "wasm" }.',
      );
    }
    this.#host = host;
    this.#limits = options.limits;
    const addon = loadAddon();
    const { library, executable } = this.#options.python;
    if (library === null) throw new EngineError("ERR_BACKEND_UNAVAILABLE", `${executable} has no shared library.`);
    checkLibrary(this.#options.python);
    options.onProgress?.({ stage: "python", loaded: 0, total: 1 });
    this.#engine = addon.open(
      {
        library,
        program: executable,
        package: pythonPackage(),
        cache: cacheFolder(),
        // With another allocator preloaded, RTLD_DEEPBIND would mix the two.
        deepbind: process.env["ISOPY_DEEPBIND"] !== "0",
        // Where a runtime forbids them, ArrayBuffers over foreign memory are refused anyway; this is for tests.
        // The memory of an interpreter that ends ends with it, whoever looks at it.
        externalMemory: this.#options.interpreter === undefined && process.env["ISOPY_EXTERNAL_MEMORY"] !== "0",
        deadlockMs: this.#options.deadlockMs ?? 5_000,
        isolation: isolationOf(this.#options.interpreter),
        ...options.limits,
      },
      engineSetup(options),
      engineOptions(options),
      () => this.#drain(),
      (frame) => this.#askedDirectly(frame),
      (id) => host.callee(id),
      (ok, value) => host.answer(ok, value),
    );
    lastWords.add(this.#lastWords);
    return this.#engine;
  }

  #running(): AddonEngine {
    if (this.#engine === undefined) throw new EngineError("ERR_ARGUMENT", "This backend was not started.");
    return this.#engine;
  }

  /** The greeting, the caller's abort or the watchdog: whichever comes first. */
  #hello({ startTimeout, signal }: StartOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        done();
        reject(reason);
      };
      const abort = () => giveUp(signal?.reason);
      const timer = setTimeout(() => giveUp(tooSlow(startTimeout)), startTimeout);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#started = (kind, bytes) => {
        done();
        try {
          resolve(opened(kind, bytes, this.#options.python));
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  /** @param inCall a synchronous call has returned, and its result is not decoded yet */
  #drain(inCall = false): void {
    this.#forgetLate();
    const engine = this.#engine;
    // Whoever is told may make a synchronous call, which drains again, while the inbox is read.
    const nested = this.#reading;
    const drained = engine?.drain(!nested);
    if (engine === undefined || drained === undefined || this.#host === undefined) return;
    const take: Take = inCall ? this.#takeInCall : this.#take;
    if (drained === true) {
      this.#reading = true;
      try {
        readMessages(engine.heads, engine.inbox, take);
      } finally {
        this.#reading = false;
      }
    } else {
      readMessages(new Float64Array(drained, 0, drained.byteLength >> 3), new Uint8Array(drained), take);
    }
    if (this.#pending === 0 && this.#closing === undefined && this.#started === undefined) engine.keepAlive(false);
  }

  readonly #take: Take = (kind, token, bytes, from, to) => {
    const host = this.#host as BackendHost;
    if (kind !== FrameKind.REPLY) this.#dispatch(host, kind, token, bytes.slice(from, to));
    else if (!this.#ended) settleReplies(bytes, this.#settle, from, to);
  };

  readonly #takeInCall: Take = (kind, token, bytes, from, to) => {
    if (kind === FrameKind.FORGET) this.#forgetLater(bytes.slice(from, to));
    else this.#take(kind, token, bytes, from, to);
  };

  readonly #settle: Settle = (id, kind, payload, more) => {
    if ((this.#host as BackendHost).settle(id, kind, payload, more)) this.#pending--;
  };

  /** What Python dropped may be in the very result that is about to be decoded. */
  #forgetLater(bytes: Uint8Array): void {
    if (this.#late.push(bytes) === 1) queueMicrotask(() => this.#forgetLate());
  }

  #forgetLate(): void {
    if (this.#late.length === 0) return;
    const late = this.#late;
    this.#late = [];
    if (!this.#ended) for (const bytes of late) this.#host?.forget(readFlat(bytes));
  }

  #dispatch(host: BackendHost, kind: number, token: number, bytes: Uint8Array): void {
    if (kind === Notice.CLOSED) this.#closed?.();
    else if (this.#ended) return;
    else if (kind === FrameKind.EVENT) host.event(bytes);
    else if (kind === FrameKind.CALL) void this.#call(host, bytes);
    else if (kind === FrameKind.FORGET) host.forget(readFlat(bytes));
    else if (kind === Notice.ASK) void this.#asked(host, token, bytes);
    else if (kind === Notice.OPENED || kind === Notice.OPEN_FAILED) this.#greeted(kind, bytes);
    else if (kind === Notice.LOST) this.#lose(new TextDecoder().decode(bytes));
    else this.#lose(`The engine sent a frame of kind ${kind}, which this version does not know.`);
  }

  #greeted(kind: number, bytes: Uint8Array): void {
    const started = this.#started;
    this.#started = undefined;
    started?.(kind, bytes);
  }

  /** Sent: the answer is a frame of its own. */
  async #call(host: BackendHost, bytes: Uint8Array): Promise<void> {
    const answer = await host.call(bytes);
    if (!this.#ended) this.#engine?.control(FrameKind.ANSWER, answer);
  }

  /** Asked by a thread that waits. */
  async #asked(host: BackendHost, token: number, bytes: Uint8Array): Promise<void> {
    const answer = host.call(bytes);
    this.#engine?.answer(token, answer instanceof Uint8Array ? answer : await answer);
  }

  /** Asked inside a sync call: what Python sent before comes first. */
  #askedDirectly(frame: Uint8Array): Uint8Array {
    this.#drain();
    const answer = this.#host?.call(frame);
    if (answer instanceof Uint8Array) return answer;
    throw new EngineError("ERR_PROTOCOL", "A promise cannot answer inside a synchronous call.");
  }

  #lose(text: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending = 0;
    const lines = text.trim().split("\n");
    this.#host?.lost({ kind: "fatal", reason: `The engine failed: ${lines.at(-1) ?? "it gave no reason"}`, tail: text });
    void this.close();
  }
}

async function within(milliseconds: number, done: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}

function tooSlow(milliseconds: number): EngineError {
  return new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    `Python did not start within ${milliseconds} ms.`,
    "Give it more time: createPython({ startTimeout }).",
  );
}

/** The greeting, or why there is none. */
function opened(kind: number, bytes: Uint8Array, python: PythonFacts): Uint8Array {
  if (kind === Notice.OPENED) return bytes;
  const text = new TextDecoder().decode(bytes);
  const second = text.startsWith("this process already runs");
  throw new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    `Python ${python.version} (${python.executable}) did not start: ${text.trim()}`,
    second
      ? "A process can load one CPython. Use the one that runs, or start the other one in a child process (node:child_process)."
      : "Check that this Python starts by itself, or choose another one: createPython({ python }).",
  );
}
