/** An app that hosts the engine in a worker of its own. */
import * as isopy from "isopy";

const worker = () => new Worker(new URL("./own.worker.ts", import.meta.url), { type: "module" });
const createPython: typeof isopy.createPython = (options) =>
  isopy.createPython({ ...options, backend: "wasm", assets: { worker } as object });

(globalThis as { isopy?: object }).isopy = { ...isopy, createPython };
