/** The option `assets`: where the engine's files are when they are not beside this package's code. */
import { type Check, type OptionReader, optionReader } from "../../core/options.ts";

/** What is used of a Web Worker; a type of its own, because a program for Node has no DOM types. */
export interface EngineWorker {
  postMessage(message: unknown, transfer: never[]): void;
  terminate(): void;
}

/**
 * Where the Pyodide engine's files are. Not needed when the package's folder is used as it is, or
 * when a bundler that knows `new URL("./file", import.meta.url)` copied them.
 *
 * URLs are absolute, or relative to the page (in Node: `file:` URLs or absolute paths).
 */
export interface EngineAssets {
  /** The worker's file; in browsers also a function that makes the worker (`isopy/worker`). */
  readonly worker?: URL | string | (() => EngineWorker);
  /** `pyodide.asm.wasm` */
  readonly wasm?: URL | string;
  /** `python_stdlib.zip` */
  readonly stdlib?: URL | string;
}

const place: Check<URL | string> = (value) => (typeof value === "string" || value instanceof URL ? undefined : "a URL or a string");
const workerPlace: Check<URL | string | (() => EngineWorker)> = (value) =>
  typeof value === "function" || place(value) === undefined ? undefined : "a URL, a string or a function that makes a Worker";
const assets: Check<EngineAssets> = (value) => (typeof value === "object" && value !== null ? undefined : "an object of URLs");

/** @throws {EngineError} `ERR_OPTION` */
export function readAssets(read: OptionReader): EngineAssets {
  const own = optionReader("createPython: assets", read("assets", assets, {}));
  const given = {
    worker: own("worker", workerPlace, undefined),
    wasm: own("wasm", place, undefined),
    stdlib: own("stdlib", place, undefined),
  };
  own.done();
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The files as the worker is told. */
export function engineFiles({ wasm, stdlib }: EngineAssets, base: string | undefined): { wasm?: string; stdlib?: string } {
  const href = (file: URL | string) => (base === undefined ? String(file) : new URL(file, base).href);
  return {
    ...(wasm === undefined ? {} : { wasm: href(wasm) }),
    ...(stdlib === undefined ? {} : { stdlib: href(stdlib) }),
  };
}
