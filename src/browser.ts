/**
 * isopy in browsers (and in every bundle that is not made for Node): Pyodide in a Web Worker.
 */
import { type EngineAssets, readAssets } from "./backends/wasm/assets.ts";
import { type CoreOptions, readCoreOptions } from "./core/core-options.ts";
import { EngineError } from "./core/errors.ts";
import type { Sinks } from "./core/events.ts";
import type { Python } from "./core/facade.ts";
import { oneOf, optionReader, string } from "./core/options.ts";
import type { OpenPackages } from "./core/packages.ts";
import { part } from "./core/parts.ts";

export type { EngineAssets } from "./backends/wasm/assets.ts";
export * from "./index.ts";

/** The options of `createPython` in browsers. */
export interface CreatePythonOptions extends CoreOptions {
  /** Which engine. There is one in browsers; `"native"` fails. Default `"auto"`. */
  readonly backend?: "auto" | "native" | "wasm";
  /** Only the native engine has a choice of Pythons; it is ignored here, so that options can be shared. */
  readonly python?: string;
  /** Where the engine's files are, when they are not beside this package's code. */
  readonly assets?: EngineAssets;
}

/**
 * Starts Python.
 *
 * With cross-origin isolation (`capabilities.syncCallbacks`, `.interrupt`) Python can wait for
 * JavaScript and running code can be interrupted; without it both are missing and all else works.
 *
 * @returns The facade; close it when done (`await using`, or `py.close()` in a `finally`).
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` when the engine does not start: a file is missing, a
 *   Content-Security-Policy is in the way, or it took too long. `ERR_OPTION` for a wrong option.
 *
 * @example
 * const py = await createPython();
 * try { console.log(await py.import("math").sqrt(2)); } finally { await py.close(); }
 */
export async function createPython(options?: CreatePythonOptions): Promise<Python> {
  const read = optionReader("createPython", options);
  const backend = read("backend", oneOf("auto", "native", "wasm"), "auto");
  read("python", string, undefined);
  const assets = readAssets(read);
  const core = readCoreOptions(read, consoleOutput);
  read.done();
  if (backend === "native") {
    throw new EngineError("ERR_BACKEND_UNAVAILABLE", "There is no native Python in a browser.", 'Use { backend: "wasm" } or "auto".');
  }
  // A page that may need Python loads its verbs; the codec and the worker's owner come with the first engine.
  const [{ createFacade }, { createWasmBackend }] = await part(Promise.all([import("./core/start.ts"), import("./backends/wasm/web.ts")]));
  const another = () => createWasmBackend(assets);
  const packages: OpenPackages = async (engine) => (await part(import("./packages/web.ts"))).openPackages(engine);
  return createFacade(another(), { ...core, another, packages, resolution: ["browser: wasm is the only engine", "wasm: started"] });
}

const whole = (text: string): string => text.replace(/\n$/, "");

/** Where output goes that nobody asked for: a page has only its console. */
const consoleOutput: Sinks = {
  stdout: (text) => console.log(whole(text)),
  stderr: (text) => console.error(whole(text)),
};
