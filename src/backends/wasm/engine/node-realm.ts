/** A `worker_threads` worker: files from the disk. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import type { EngineFiles } from "../contract.ts";
import { type OpenedFiles, type Realm, StartError } from "./realm.ts";

/** Characters that are kept to explain an end. */
const tailLength = 4_000;

export function nodeRealm(files: EngineFiles): Realm {
  // Pyodide explains fatal errors on the console: that belongs into the error that JavaScript gets.
  let tail = "";
  console.error = console.warn = (...parts: unknown[]) => {
    tail = `${tail}${format(...parts)}\n`.slice(-tailLength);
  };
  return {
    tail: () => tail,
    files,
    base: `${dirname(fileURLToPath(files.wasm))}/`,
    async open(files): Promise<OpenedFiles> {
      const wasm = await present(files.wasm);
      const stdLibURL = await present(files.stdlib);
      return { indexURL: dirname(wasm), stdLibURL, done() {} };
    },
    onUncaught(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
  };
}

async function present(file: string): Promise<string> {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  await stat(path).catch((cause: unknown) => {
    throw new StartError(
      `A file of the engine is missing: ${path}`,
      "It is part of the isopy package: copy the whole dist folder when you bundle or move it, or install again.",
      { cause },
    );
  });
  return path;
}
