/**
 * `isopy/worker`: runs the engine inside a worker of your own.
 *
 * `createPython` starts a worker by itself. Write one yourself when it must do something first:
 * set up a polyfill, a fetch with credentials, or a bundle of its own.
 *
 * @example
 * // my.worker.ts
 * import { serveEngine } from "isopy/worker";
 * serveEngine();
 * // main.ts
 * const worker = () => new Worker(new URL("./my.worker.ts", import.meta.url), { type: "module" });
 * const py = await createPython({ backend: "wasm", assets: { worker } });
 */
import { expose } from "comlink";
import type { EngineFiles } from "./backends/wasm/contract.ts";
import { serve } from "./backends/wasm/engine/serve.ts";
import { webRealm } from "./backends/wasm/engine/web-realm.ts";

export type { EngineFiles };

/**
 * Makes this Web Worker the home of one engine. Call it once, before the worker's first message.
 *
 * @param files where `pyodide.asm.wasm` and `python_stdlib.zip` are, when they are not beside this module
 *
 * Browsers only; in Node the engine's worker is part of the package.
 */
export function serveEngine(files: Partial<EngineFiles> = {}): void {
  expose(
    serve(
      webRealm({
        wasm: files.wasm ?? ownFile("pyodide.asm.wasm").href,
        stdlib: files.stdlib ?? ownFile("python_stdlib.zip").href,
      }),
    ),
  );
}
