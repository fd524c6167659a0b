/**
 * isopy in Node: CPython in this process where one is found, Pyodide in a worker otherwise.
 *
 * Importing this module loads neither; `createPython` does.
 */

import { processOutput } from "./backends/native/process-output.ts";
import { type BackendChoice, type Candidate, startFirst } from "./backends/select.ts";
import { type EngineAssets, readAssets } from "./backends/wasm/assets.ts";
import type { Python } from "./core/facade.ts";
import { oneOf, optionReader, systemText } from "./core/options.ts";
import { part } from "./core/parts.ts";
import { type CoreOptions, readCoreOptions } from "./core/start.ts";

export type { BackendChoice } from "./backends/select.ts";
export type { EngineAssets } from "./backends/wasm/assets.ts";
export * from "./index.ts";

/** The options of `createPython` in Node. */
export interface CreatePythonOptions extends CoreOptions {
  /**
   * Which engine. `"auto"` (the default) takes CPython when one with a shared library is found, else
   * WebAssembly; `py.info.fallback` says why. A named one fails instead of falling back.
   */
  readonly backend?: BackendChoice;
  /**
   * The Python of the native engine: an executable, a virtual environment's directory, a command, or
   * a version such as `"3.12"`. Default: `ISOPY_PYTHON`, `VIRTUAL_ENV`, `.venv` here or above, `python3`
   * on PATH. What is named here is taken or refused: `backend: "auto"` does not start WebAssembly instead of it. Not read
   * by `backend: "wasm"`. One process can run one CPython.
   */
  readonly python?: string;
  /** Where the WebAssembly engine's files are, when they are not beside this package's code. */
  readonly assets?: EngineAssets;
}

/**
 * Starts Python.
 *
 * @returns The facade; close it when done (`await using`, or `py.close()` in a `finally`).
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` when no engine starts, with every reason; `ERR_OPTION` for a wrong option.
 *
 * @example
 * const py = await createPython();
 * try { console.log(await py.import("math").sqrt(2)); } finally { await py.close(); }
 */
export async function createPython(options?: CreatePythonOptions): Promise<Python> {
  const read = optionReader("createPython", options);
  const backend = read("backend", oneOf("auto", "native", "wasm"), "auto");
  const python = read("python", systemText, undefined);
  const assets = readAssets(read);
  const core = readCoreOptions(read, processOutput);
  read.done();
  return startFirst(backend, python !== undefined && backend === "auto" ? [native(python)] : [native(python), wasm(assets)], core);
}

function native(python: string | undefined): Candidate {
  return {
    name: "native",
    async open() {
      const { chooseNative, createNativeBackend } = await part(import("./backends/native/open.ts"));
      const choice = chooseNative(python);
      return { backend: createNativeBackend(choice), steps: choice.steps };
    },
  };
}

function wasm(assets: EngineAssets): Candidate {
  return {
    name: "wasm",
    async open() {
      const { createWasmBackend } = await part(import("./backends/wasm/node.ts"));
      const another = () => createWasmBackend(assets);
      return {
        backend: another(),
        steps: [],
        another,
        packages: async (engine) => (await part(import("./packages/node.ts"))).openPackages(engine),
      };
    },
  };
}
