/** A `worker_threads` worker: files from the disk. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import { files as made } from "virtual:isopy-build";
import type { EngineFiles } from "../contract.ts";
import type { Made } from "./download.ts";
import { bringPaths } from "./node-paths.ts";
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
    async open(files, progress): Promise<OpenedFiles> {
      const total = made.wasm.bytes + made.stdlib.bytes;
      progress(0, total);
      const [wasm, stdLibURL] = await Promise.all([whole(files.wasm, made.wasm), whole(files.stdlib, made.stdlib)]);
      progress(total, total);
      return { indexURL: dirname(wasm), stdLibURL, done() {} };
    },
    bring: bringPaths,
    onUncaught(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
  };
}

/** @returns the path of a file whose bytes are the build's */
async function whole(file: string, { bytes, sha256 }: Made): Promise<string> {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  const found = await readFile(path).catch((cause: unknown) => {
    throw new StartError(
      `A file of the engine is missing: ${path}`,
      "It is part of the isopy package: copy the whole dist folder when you bundle or move it, or install again.",
      { cause },
    );
  });
  const digest = createHash("sha256").update(found).digest("hex");
  if (digest === sha256) return path;
  const why = found.length === bytes ? `its SHA-256 is ${digest} instead of ${sha256}` : `it has ${found.length} bytes instead of ${bytes}`;
  throw new StartError(
    `A file of the engine is damaged, or of another build than the worker: ${path}: ${why}`,
    "Copy the whole dist folder of one isopy version, or install again.",
  );
}
