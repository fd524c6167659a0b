/**
 * Pyodide in a worker, as a backend.
 *
 * Comlink starts and closes the worker; frames travel on a private MessagePort, one message per
 * turn in each direction. An idle worker does not keep Node alive, a pending program does.
 *
 * Invariant: after `lost` or `close` nothing more is settled, and the worker is terminated.
 */
import { sources } from "virtual:isopy-build";
import { type Remote, transfer, wrap } from "comlink";
import type {
  Backend,
  BackendHost,
  Condemnation,
  EngineInfo,
  EngineLost,
  ProgramId,
  StartOptions,
  StartProgress,
} from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { engineOptions, readFlat, type Settle, settleReplies, writeFlat } from "../../core/transport.ts";
import { FrameKind } from "../../core/wire/frames.ts";
import type { EngineFiles, Frame, ToMain, WorkerControl, WorkerStart, WorkerStarted } from "./contract.ts";
import { engineInfo } from "./hello.ts";
import { InterruptRequests } from "./interrupts.ts";
import { Mailbox } from "./mailbox.ts";
import { controlBytes, mailboxBytes } from "./shared.ts";
import type { FramePort, WorkerThread } from "./thread.ts";

export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly #spawn: (options: StartOptions) => WorkerThread;
  readonly #files: Partial<EngineFiles>;
  #host: BackendHost | undefined;
  #thread: WorkerThread | undefined;
  #control: Remote<WorkerControl> | undefined;
  #port: FramePort | undefined;
  #mailbox: Mailbox | undefined;
  #interrupts: InterruptRequests | undefined;
  /** Programs in flight. */
  #pending = 0;
  #closing: Promise<void> | undefined;
  #onClosed: () => void = () => {};
  #onProgress: (progress: StartProgress) => void = () => {};
  #ended = false;
  /** Without shared memory: the program that the worker said it runs. */
  #running: ProgramId = 0;
  readonly condemnation: Condemnation = {
    blocks: (id) => {
      const interrupts = this.#interrupts;
      if (interrupts !== undefined) return interrupts.blocks(id);
      return this.#running === 0 ? undefined : this.#running === id;
    },
    carryOut: (loss) => this.#lose(loss),
  };

  /** @param files where the engine's files are, when they are not beside the worker's */
  constructor(spawn: (options: StartOptions) => WorkerThread, files: Partial<EngineFiles>) {
    this.#spawn = spawn;
    this.#files = files;
  }

  async start(options: StartOptions, host: BackendHost): Promise<EngineInfo> {
    if (this.#thread !== undefined) throw new EngineError("ERR_ARGUMENT", "This backend was started before.", "Make a new one.");
    options.signal?.throwIfAborted();
    this.#host = host;
    const thread = this.#startThread(options);
    try {
      const hello = await this.#bootOrGiveUp(thread, options);
      thread.keepAlive(false);
      return engineInfo(hello, { syncCallbacks: this.#mailbox !== undefined, interrupt: this.#interrupts !== undefined });
    } catch (error) {
      this.#ended = true;
      await thread.terminate();
      throw error;
    }
  }

  submit(frame: Uint8Array, count: number): void {
    if (this.#ended || this.#closing !== undefined) return;
    if (this.#pending === 0) this.#thread?.keepAlive(true);
    this.#pending += count;
    this.#send([FrameKind.SUBMIT, frame.slice()]);
  }

  interrupt(ids: readonly ProgramId[]): void {
    if (this.#ended || ids.length === 0) return;
    // A queued or awaiting program is cancelled by the frame; a running one only sees shared memory.
    this.#interrupts?.request(ids);
    this.#send([FrameKind.INTERRUPT, writeFlat(ids)]);
  }

  release(batch: readonly number[]): void {
    if (!this.#ended && batch.length > 0) this.#send([FrameKind.RELEASE, writeFlat(batch)]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#interrupts?.stop();
    // Exit handlers get their chance, and what they print arrives; a worker that is busy may not hear it in time.
    if (!this.#ended) await this.#lastWords(this.#pending === 0 ? 1_000 : 250);
    this.#ended = true;
    this.#pending = 0;
    await thread.terminate();
  }

  #lastWords(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#onClosed = () => {
        clearTimeout(timer);
        resolve();
      };
      // The worker answers on the port, behind everything it has said there.
      void this.#control?.close();
    });
  }

  #startThread(options: StartOptions): WorkerThread {
    try {
      this.#thread = this.#spawn(options);
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError(
        "ERR_BACKEND_UNAVAILABLE",
        `The Pyodide worker could not be made: ${cause instanceof Error ? cause.message : String(cause)}`,
        "A Content-Security-Policy needs worker-src (or script-src) to allow this package's files.",
        { cause },
      );
    }
    return this.#thread;
  }

  async #bootOrGiveUp(thread: WorkerThread, options: StartOptions): Promise<Uint8Array> {
    const { port, far } = thread.channel();
    this.#port = port;
    port.onmessage = ({ data }) => this.#received(data as ToMain);
    const shared = sharedMemory();
    if (shared !== null) {
      this.#mailbox = new Mailbox(shared.control, shared.mailbox);
      this.#interrupts = new InterruptRequests(shared.control);
    }
    const control = wrap<WorkerControl>(thread.control);
    this.#control = control;
    let stage = "the worker's own file";
    this.#onProgress = (progress) => {
      stage = progress.stage === "load" ? "Pyodide's files" : "Python itself";
      options.onProgress?.(progress);
    };
    const start: WorkerStart = {
      port: far,
      build: sources,
      shared,
      files: this.#files,
      paths: options.paths,
      env: options.env,
      args: options.args,
      maxMemory: options.maxMemory,
      watched: options.watched,
      engineOptions: engineOptions(options),
    };
    const boot = holdLock(thread, control).then(() => control.start(transfer(start, [far])) as Promise<WorkerStarted>);
    const started = await this.#firstOf(thread, boot, options, () => stage);
    if (started.ok) return started.hello;
    const { message, hint, detail } = started.failure;
    throw new EngineError("ERR_BACKEND_UNAVAILABLE", message, hint, { cause: new Error(detail ?? message) });
  }

  /** The worker's answer, its end, the caller's abort or the watchdog: whichever comes first. */
  #firstOf(thread: WorkerThread, boot: Promise<WorkerStarted>, options: StartOptions, stage: () => string): Promise<WorkerStarted> {
    return new Promise((resolve, reject) => {
      const { signal, startTimeout } = options;
      const abort = () => {
        done();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        done();
        reject(
          new EngineError(
            "ERR_BACKEND_UNAVAILABLE",
            `Pyodide did not start within ${startTimeout} ms; it was waiting for ${stage()}.`,
            "On a slow network or machine give it more time: createPython({ startTimeout }).",
          ),
        );
      }, startTimeout);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort, { once: true });
      thread.onEnd((reason, more) => {
        done();
        reject(
          new EngineError(
            "ERR_BACKEND_UNAVAILABLE",
            `The Pyodide worker ended before Python started. ${reason}`,
            /EMFILE|ENFILE|EAGAIN|ENOMEM/.test(reason)
              ? "The system has no more files, threads or memory to give: close what is not used, or raise the limit (ulimit)."
              : "Its file may be missing or blocked (Content-Security-Policy: worker-src, script-src); copy the whole dist folder.",
            { cause: more.cause },
          ),
        );
        this.#lose({ reason, ...more });
      });
      boot.then(resolve, reject).finally(done);
    });
  }

  #send(frame: Frame): void {
    if (this.#mailbox?.inUse) this.#mailbox.frame(frame);
    else this.#port?.postMessage([frame], [frame[1].buffer as ArrayBuffer]);
  }

  #received(message: ToMain): void {
    const host = this.#host;
    if (host === undefined || this.#ended) return;
    if (isFrames(message)) {
      for (const frame of message) this.#frame(host, frame);
    } else if ("ask" in message) {
      this.#answer(host, message.ask, message.bytes);
    } else if ("took" in message) {
      this.#mailbox?.took();
    } else if ("mailbox" in message) {
      this.#mailbox?.replaced(message.mailbox);
    } else if ("abandoned" in message) {
      for (const frame of this.#mailbox?.abandoned(message.abandoned) ?? []) this.#send(frame);
    } else if ("progress" in message) {
      this.#onProgress(message.progress);
    } else if ("closed" in message) {
      this.#onClosed();
    } else if ("running" in message) {
      this.#running = message.running;
    } else {
      const { fatal: reason, kind, tail } = message;
      this.#lose({ kind, reason, tail });
    }
  }

  #frame(host: BackendHost, [kind, bytes]: Frame): void {
    if (this.#ended) return;
    if (kind === FrameKind.REPLY) this.#settle(host, bytes);
    else if (kind === FrameKind.EVENT) host.event(bytes);
    else if (kind === FrameKind.FORGET) host.forget(this.#read(readFlat, bytes) ?? []);
    else if (kind === FrameKind.CALL) void this.#call(host, bytes);
    else this.#lose({ kind: "protocol", reason: `The engine sent a frame of kind ${kind}, which this version does not know.` });
  }

  /** An engine whose frames cannot be read is beyond help. */
  #read<T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
    try {
      return read(bytes);
    } catch (error) {
      this.#lose({ kind: "protocol", reason: `The engine sent a frame that cannot be read: ${String(error)}`, cause: error });
      return undefined;
    }
  }

  #settle(host: BackendHost, bytes: Uint8Array): void {
    const settle: Settle = (id, kind, payload, more) => {
      this.#interrupts?.settled(id);
      if (host.settle(id, kind, payload, more)) this.#pending--;
    };
    this.#read((frame) => settleReplies(frame, settle), bytes);
    if (this.#pending === 0) this.#thread?.keepAlive(false);
  }

  /** Sent: the answer is a frame of its own. */
  async #call(host: BackendHost, bytes: Uint8Array): Promise<void> {
    const answer = await host.call(bytes);
    if (!this.#ended) this.#send([FrameKind.ANSWER, ownBuffer(answer)]);
  }

  /** Asked: the worker is blocked until the mailbox has the answer. */
  #answer(host: BackendHost, question: number, bytes: Uint8Array): void {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return;
    mailbox.opened(question);
    const answer = host.call(bytes);
    if (answer instanceof Uint8Array) mailbox.answer(question, answer);
    else void answer.then((late) => mailbox.answer(question, late));
  }

  #lose(loss: EngineLost): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#interrupts?.stop();
    this.#pending = 0;
    this.#onClosed();
    void this.#thread?.terminate();
    this.#host?.lost(loss);
  }
}

async function holdLock(thread: WorkerThread, control: Remote<WorkerControl>): Promise<void> {
  if (thread.alive === undefined) return;
  await control.hold(thread.alive);
  await thread.held?.();
}

function isFrames(message: ToMain): message is readonly Frame[] {
  return Array.isArray(message);
}

function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/** Null where the platform has none: a page that is not cross-origin isolated. */
function sharedMemory(): { control: SharedArrayBuffer; mailbox: SharedArrayBuffer } | null {
  if (typeof SharedArrayBuffer === "undefined" || globalThis.crossOriginIsolated === false) return null;
  return { control: new SharedArrayBuffer(controlBytes), mailbox: new SharedArrayBuffer(mailboxBytes) };
}
