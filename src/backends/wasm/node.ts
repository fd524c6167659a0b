/** Pyodide in a `worker_threads` worker of Node. */
import { MessageChannel, Worker } from "node:worker_threads";
import type { Backend } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { type EngineAssets, engineFiles } from "./assets.ts";
import { WasmBackend } from "./backend.ts";
import { nodeEndpoint } from "./node-endpoint.ts";
import type { FramePort, WorkerThread } from "./thread.ts";

export function createWasmBackend(assets: EngineAssets = {}): Backend {
  const { worker = ownFile("wasm.node.worker.js") } = assets;
  if (typeof worker === "function") {
    throw new EngineError("ERR_OPTION", "createPython: assets.worker is a function, which only browsers take.", "Give the URL of a file.");
  }
  return new WasmBackend(({ maxHeap }) => startThread(worker, maxHeap), engineFiles(assets, undefined));
}

function startThread(file: URL | string, maxHeap: number | undefined): WorkerThread {
  // Output of Python is events; the worker's own streams are only for JavaScript that Python runs.
  const worker = new Worker(typeof file === "string" && file.startsWith("file:") ? new URL(file) : file, {
    env: {},
    execArgv: [],
    argv: [],
    ...(maxHeap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.max(1, Math.floor(maxHeap / 2 ** 20)) } }),
  });
  const channels: import("node:worker_threads").MessagePort[] = [];
  let ended = false;
  return {
    control: nodeEndpoint(worker),
    onEnd(listener) {
      const once = (reason: string, more: Parameters<typeof listener>[1]) => {
        if (!ended) listener(reason, more);
        ended = true;
      };
      worker.on("error", (cause: unknown) => {
        const full = (cause as { readonly code?: unknown } | null)?.code === "ERR_WORKER_OUT_OF_MEMORY";
        once(`The worker failed: ${String(cause)}.`, { kind: full ? "memory" : "fatal", cause });
      });
      worker.on("exit", (exitCode) => once(`The worker ended with exit code ${exitCode}.`, { kind: "exit", exitCode }));
    },
    async terminate() {
      ended = true;
      for (const port of channels) port.close();
      await worker.terminate();
    },
    keepAlive(on) {
      for (const item of [worker, ...channels]) on ? item.ref() : item.unref();
    },
    channel() {
      const { port1, port2 } = new MessageChannel();
      channels.push(port1);
      return { port: port1 as unknown as FramePort, far: port2 as unknown as MessagePort };
    },
  };
}
