/** Pyodide in a Web Worker. */
import type { Backend } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { gone, isHeld, lockName } from "./alive.ts";
import { type EngineAssets, engineFiles } from "./assets.ts";
import { WasmBackend } from "./backend.ts";
import type { FramePort, WorkerThread } from "./thread.ts";
import { seen, watchPolicy, whyUnloaded } from "./unloaded.ts";

export function createWasmBackend(assets: EngineAssets = {}): Backend {
  const files = engineFiles(assets, globalThis.location?.href);
  return new WasmBackend(({ maxHeap }) => {
    if (maxHeap !== undefined) {
      throw new EngineError("ERR_UNSUPPORTED", "limits.maxHeap is not for pages: a browser bounds no worker's heap.", "Leave it out here.");
    }
    return workerThread(() => startWorker(assets.worker));
  }, files);
}

function startWorker(given: EngineAssets["worker"]): Worker {
  // The literal form is what bundlers look for; it must stay one expression.
  if (given === undefined) return new Worker(ownFile("wasm.web.worker.js"), { type: "module", name: "isopy" });
  return typeof given === "function" ? (given() as Worker) : new Worker(given, { type: "module", name: "isopy" });
}

function workerThread(make: () => Worker): WorkerThread {
  const since = performance.now();
  const policy = watchPolicy();
  const { worker, url } = seen(make);
  const alive = lockName();
  let ended = false;
  let end: Parameters<WorkerThread["onEnd"]>[0] = () => {};
  return {
    control: worker,
    alive,
    async held() {
      if (alive === undefined || !(await isHeld(alive))) return;
      void gone(alive).then(() => end("The worker ended without a word: it closed itself, or the browser took it away.", { kind: "exit" }));
    },
    onEnd(listener) {
      end = (reason, more) => {
        policy.stop();
        worker.onerror = null;
        if (!ended) listener(reason, more);
        ended = true;
      };
      worker.onerror = async (event) => {
        worker.onerror = null;
        const told = event.message ? `The worker failed: ${event.message}` : await whyUnloaded(url, policy.blocked(), since);
        end(told, { kind: "fatal", cause: event.error });
      };
    },
    async terminate() {
      ended = true;
      policy.stop();
      worker.onerror = null;
      worker.terminate();
    },
    keepAlive() {},
    channel() {
      const { port1, port2 } = new MessageChannel();
      return { port: port1 as FramePort, far: port2 };
    },
  };
}
