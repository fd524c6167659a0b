/**
 * The engine's side of a Pyodide worker: start Python, hand it frames, post what it says.
 *
 * One engine per worker, one thread. A turn is: receive the frames of one message, let Python work
 * until its queue is empty, flush. Python never sees the control surface or the port.
 */
import { archive, sources } from "virtual:isopy-build";
import type { PyodideInterface } from "pyodide";
import type { PyProxy } from "pyodide/ffi";
import type { EngineFiles, StartFailure, ToWorker, WorkerControl, WorkerStart } from "../contract.ts";
import { Asking } from "./asking.ts";
import { isFatal, isInterrupt, lossKind } from "./fatal.ts";
import { Interrupts } from "./interrupts.ts";
import { load } from "./load.ts";
import { limitMemory } from "./memory.ts";
import { Outbox, owned } from "./outbox.ts";
import { type Realm, StartError } from "./realm.ts";
import { runningReports, type SayRunning } from "./running.ts";
import { Streams } from "./streams.ts";

/** What `host.py` may use. */
export interface HostBridge {
  readonly canAsk: boolean;
  /** A frame: where it lies in WebAssembly's memory, and how long it is. */
  send(kind: number, address: number, length: number): void;
  /** A frame that leaves with the next one. */
  push(kind: number, address: number, length: number): void;
  ask(address: number, length: number): Uint8Array | undefined;
  wake(): void;
  /** Undefined: nobody wants to know. */
  readonly running: SayRunning | undefined;
}

interface PythonEngine extends PyProxy {
  hello(): Uint8Array;
  receive(kind: number, bytes: Uint8Array): void;
  /** A frame of at most `small_size` bytes that was written to `small_address`. */
  receive_small(kind: number, length: number): void;
  readonly small_address: number;
  readonly small_size: number;
  receive_waiting(kind: number, bytes: Uint8Array): boolean;
  work(): void;
  close(): void;
}

export function serve(realm: Realm): WorkerControl {
  let engine: Engine | undefined;
  return {
    async hold(lock) {
      await realm.hold?.(lock);
    },
    async start(start) {
      try {
        if (engine !== undefined) throw new StartError("This worker runs an engine already.", "Use one worker per engine.");
        if (start.build !== sources) throw mixed(`the page's code of ${start.build}, the worker of ${sources}`);
        engine = await Engine.start(realm, start);
        return { ok: true, hello: engine.hello() };
      } catch (error) {
        return { ok: false, failure: failureOf(error) };
      }
    },
    async close() {
      engine?.close();
    },
  };
}

class Engine {
  readonly #outbox: Outbox;
  readonly #realm: Realm;
  readonly #python: PythonEngine;
  // Asking a proxy for a method makes a proxy each time; these are asked for once (30 µs a turn less).
  readonly #receiveSmall: (kind: number, length: number) => void;
  readonly #workOnce: () => void;
  readonly #small: { readonly address: number; readonly size: number };
  readonly #memory: { readonly HEAPU8: Uint8Array };
  /** Python asked for a turn. */
  #wanted = false;
  /** A turn runs, or the engine is lost: either way nobody starts another. */
  #busy = false;
  #lost = false;

  static async start(realm: Realm, start: WorkerStart): Promise<Engine> {
    const outbox = new Outbox(start.port);
    const streams = new Streams(outbox);
    const files: EngineFiles = { ...realm.files, ...start.files };
    const progress = (stage: string) => (loaded: number, total: number) => outbox.post({ progress: { stage, loaded, total } });
    if (start.maxMemory !== undefined) limitMemory(start.maxMemory);
    const pyodide = await load(realm, files, start.env, streams, progress("load"));
    progress("python")(0, 1);
    const engine = new Engine(pyodide, start, outbox, realm);
    progress("python")(1, 1);
    realm.onUncaught((error) => engine.#uncaught(error, streams));
    return engine;
  }

  private constructor(pyodide: PyodideInterface, start: WorkerStart, outbox: Outbox, realm: Realm) {
    this.#outbox = outbox;
    this.#realm = realm;
    watchFatal(pyodide, (error) => this.#lose(error));

    const { shared } = start;
    const asking =
      shared === null
        ? undefined
        : new Asking(shared.control, shared.mailbox, outbox, { frame: (kind, bytes) => this.#nested(kind, bytes) });
    const interrupts = new Interrupts(pyodide, shared?.control ?? null);
    // The memory is another one after it has grown.
    const memory = (pyodide as unknown as { _module: { HEAPU8: Uint8Array } })._module;
    const copyOut = (address: number, length: number) => memory.HEAPU8.slice(address, address + length);
    const bridge: HostBridge & typeof interrupts.bridge = {
      canAsk: asking !== undefined,
      // Posted at once, in the middle of a turn too: Python collects what can wait, and sends before what may be slow.
      send: (kind, address, length) => {
        outbox.push(kind, copyOut(address, length));
        outbox.flush();
      },
      push: (kind, address, length) => outbox.push(kind, copyOut(address, length)),
      ask: (address, length) => {
        if (asking === undefined) throw new Error("This engine cannot wait for JavaScript: there is no shared memory.");
        return asking.ask(copyOut(address, length));
      },
      wake: () => this.#wake(),
      running: start.watched ? runningReports(shared?.control ?? null, outbox) : undefined,
      ...interrupts.bridge,
    };

    checkBuild(pyodide);
    const host = pyodide.pyimport("_isopy.worker_host") as PyProxy & { start(...args: unknown[]): PythonEngine };
    const paths = realm.bring?.(pyodide, start.paths) ?? start.paths;
    this.#python = host.start(bridge, start.engineOptions, pyodide.toPy(paths), pyodide.toPy(start.args));
    host.destroy();
    this.#receiveSmall = this.#python.receive_small;
    this.#workOnce = this.#python.work;
    this.#small = { address: this.#python.small_address, size: this.#python.small_size };
    this.#memory = memory;

    start.port.onmessage = (event: MessageEvent<ToWorker>) => this.#turn(event.data);
  }

  hello(): Uint8Array {
    return owned(this.#python.hello());
  }

  close(): void {
    this.#guarded(() => this.#python.close());
    this.#outbox.post({ closed: true });
  }

  #turn(frames: ToWorker): void {
    this.#guarded(() => {
      for (const [kind, bytes] of frames) this.#receive(kind, bytes);
    });
    this.#work();
  }

  #receive(kind: number, bytes: Uint8Array): void {
    if (bytes.length > this.#small.size) {
      this.#python.receive(kind, bytes);
      return;
    }
    this.#memory.HEAPU8.set(bytes, this.#small.address);
    this.#receiveSmall(kind, bytes.length);
  }

  #work(): void {
    this.#guarded(() => {
      while (this.#wanted) {
        this.#wanted = false;
        this.#workOnce();
      }
    });
    this.#outbox.flush();
  }

  /** Python may ask at any time; outside a turn it gets one of its own. */
  #wake(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (!this.#busy) queueMicrotask(() => this.#work());
  }

  /** A frame that came while Python waits for JavaScript: served on top of the waiting program. */
  #nested(kind: number, bytes: Uint8Array): boolean {
    const over = this.#python.receive_waiting(kind, bytes);
    while (this.#wanted) {
      this.#wanted = false;
      this.#workOnce();
    }
    this.#outbox.flush();
    return over;
  }

  #guarded(action: () => void): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      action();
      this.#busy = false;
    } catch (error) {
      // An interrupt that came between two programs is nobody's. Programs and frames report their own failures,
      // so anything else is the engine's: user code has taken away what it stands on (`builtins.len = None`).
      if (isInterrupt(error)) this.#busy = false;
      else this.#lose(error);
    }
  }

  /** E.g. in a callback of Python's event loop: the worker lives on, and the error is seen. */
  #uncaught(error: unknown, streams: Streams): void {
    if (isFatal(error)) this.#lose(error);
    else streams.line("stderr", `isopy: nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  #lose(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#busy = true;
    this.#outbox.post({ fatal: String(error), kind: lossKind(error), tail: this.#realm.tail() });
  }
}

/** Pyodide tells about errors that it does not survive, wherever they come up. */
function watchFatal(pyodide: PyodideInterface, lost: (error: unknown) => void): void {
  const api = (pyodide as unknown as { _api: { on_fatal?: (error: unknown) => void } })._api;
  api.on_fatal = lost;
}

/** Files of two builds would fail later, and strangely. (Where bytes cannot be hashed, this is what tells.) */
function checkBuild(pyodide: PyodideInterface): void {
  const found: unknown = pyodide.runPython(`
try:
    import _isopy
    build = _isopy.__loader__.get_data(_isopy.__path__[0] + "/BUILD").decode()
except (ImportError, OSError):
    build = None
build`);
  if (found !== archive) throw mixed(`the worker of ${archive}, python_stdlib.zip of ${String(found)}`);
}

function mixed(which: string): StartError {
  return new StartError(
    `The engine's files are of different builds: ${which}.`,
    "Copy the whole dist folder of one isopy version, and let browsers and proxies not mix it with an older one.",
  );
}

function failureOf(error: unknown): StartFailure {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof StartError) return { message: error.message, hint: error.hint, detail };
  return {
    message: `Python did not start: ${error instanceof Error ? error.message : String(error)}`,
    hint: "This is a bug in isopy or in a file of its package; the cause has the details.",
    detail,
  };
}
