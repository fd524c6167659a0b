/**
 * Pyodide, loaded from the package's own files and from nowhere else.
 */

import { loadPyodide, type PyodideInterface, version } from "pyodide";
import createPyodideModule from "pyodide/asm";
import { info } from "pyodide/pyodide-lock.json";
import type { EngineFiles } from "../contract.ts";
import { type Realm, StartError } from "./realm.ts";
import { limitStack } from "./stack.ts";
import type { Streams } from "./streams.ts";

/** The smallest module there is: compiling it tells whether WebAssembly is allowed at all. */
const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

export async function load(
  realm: Realm,
  files: EngineFiles,
  env: Readonly<Record<string, string>>,
  streams: Streams,
  progress: (loaded: number, total: number) => void,
): Promise<PyodideInterface> {
  await WebAssembly.compile(emptyModule).catch((cause: unknown) => {
    throw new StartError(
      `WebAssembly is not allowed here: ${text(cause)}`,
      "The page's Content-Security-Policy needs 'wasm-unsafe-eval' in its script-src ('unsafe-eval' is not needed).",
      { cause },
    );
  });
  const opened = await realm.open(files, progress);
  try {
    const loading = loadPyodide({
      createPyodideModule,
      indexURL: opened.indexURL,
      stdLibURL: opened.stdLibURL,
      // Names the engine's version and no package: none is shipped, and none is ever fetched from a CDN.
      lockFileContents: JSON.stringify({ info, packages: {} }),
      packageBaseUrl: realm.base,
      // Otherwise it is the path of a file of the host.
      _sysExecutable: "python",
      env: { ...env },
      // Always given: in a Node worker the defaults write to a file descriptor that is not there.
      stdin: () => null,
      stdout: (line) => streams.line("stdout", line),
      stderr: (line) => streams.line("stderr", line),
    });
    const pyodide = await Promise.race([loading, ...(opened.failed === undefined ? [] : [opened.failed])]);
    pyodide.setStdout({ write: (bytes) => streams.write("stdout", bytes), isatty: false });
    pyodide.setStderr({ write: (bytes) => streams.write("stderr", bytes), isatty: false });
    if (realm.stack !== undefined) limitStack(pyodide, realm.stack);
    return pyodide;
  } catch (cause) {
    throw new StartError(
      `Pyodide ${version} did not start: ${text(cause)}`,
      "Its files may be of another version or damaged: they must all come from this isopy package.",
      { cause },
    );
  } finally {
    opened.done();
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
