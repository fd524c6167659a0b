/** Pyodide in a Web Worker. */
import type { Backend } from "../../core/backend.ts";
import { type EngineAssets, engineFiles } from "./assets.ts";
import { WasmBackend } from "./backend.ts";
import type { FramePort, WorkerThread } from "./thread.ts";

export function createWasmBackend(assets: EngineAssets = {}): Backend {
  const files = engineFiles(assets, globalThis.location?.href);
  return new WasmBackend(() => workerThread(startWorker(assets.worker)), files);
}

function startWorker(given: EngineAssets["worker"]): Worker {
  // The literal form is what bundlers look for; it must stay one expression.
  if (given === undefined) return new Worker(ownFile("wasm.web.worker.js"), { type: "module", name: "isopy" });
  return typeof given === "function" ? given() : new Worker(given, { type: "module", name: "isopy" });
}

function workerThread(worker: Worker): WorkerThread {
  return {
    control: worker,
    onEnd(listener) {
      worker.onerror = (event) => {
        worker.onerror = null;
        const reason = event.message ? `The worker failed: ${event.message}` : "The worker's file could not be loaded.";
        listener(reason, { kind: "fatal", cause: event.error });
      };
    },
    async terminate() {
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
