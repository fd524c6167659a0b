/**
 * Wheels ahead of time, by the host's pip: it resolves, has the credentials and caches, and gives the lock its hashes.
 */
import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EngineError } from "../core/errors.ts";
import { abortSignal, arrayOf, type Check, callable, check, optionReader, string, systemText } from "../core/options.ts";
import type { Lock, LockedPackage } from "../core/packages.ts";
import { LOCK_FILE } from "./lock.ts";

/** What Pyodide of this package is called by installers (PEP 783). */
export const TARGET = { python: "3.14", abi: "cp314", platform: "pyemscripten_2026_0_wasm32" } as const;

export interface VendorProgress {
  /** What pip says: a line of its output. */
  readonly line: string;
}

export interface VendorOptions {
  /** Where the wheels and `isopy-lock.json` go; made when it is not there. Other files in it are left alone. */
  readonly folder: string | URL;
  /** A Python with pip, of any version from 3.9 on: a file or a command. Default: `ISOPY_PYTHON`, `python3`, `python`. */
  readonly python?: string;
  /** Default: what pip is configured with. */
  readonly index?: string;
  /** Ends pip; rejects with `signal.reason` when that is done, and nothing was added to the folder. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VendorProgress) => void;
}

/** What resolves later, offline too: needed by name, so it is in every folder. */
const RESOLVER = "micropip";

/**
 * Downloads wheels for the WebAssembly engine, with what they need, and writes the lock with their hashes.
 *
 * @returns the lock that was written
 * @throws {EngineError} `ERR_PACKAGE` with pip's words when something cannot be had; `ERR_OPTION`; `ERR_UNSUPPORTED` when
 *   no Python with pip is found
 * @example
 * await vendor(["pydantic"], { folder: "public/wheels" });
 * // later, in the page: await py.packages.install(["pydantic"], { from: "/wheels/" });
 */
export async function vendor(requirements: string | readonly string[], options: VendorOptions): Promise<Lock> {
  const read = optionReader("vendor", options);
  const given = read("folder", folderPlace, undefined);
  const python = read("python", systemText, undefined);
  const index = read("index", string, undefined);
  const signal = read("signal", abortSignal, undefined);
  const onProgress = read("onProgress", callable as Check<NonNullable<VendorOptions["onProgress"]>>, undefined);
  read.done();
  const wanted = typeof requirements === "string" ? [requirements] : requirements;
  if (given === undefined) throw new EngineError("ERR_OPTION", 'vendor: option "folder" is missing.');
  if (arrayOf(string)(wanted) !== undefined) throw new EngineError("ERR_ARGUMENT", "vendor() takes requirements as strings.");
  const folder = given instanceof URL ? fileURLToPath(given) : resolve(given);
  signal?.throwIfAborted();
  const order = {
    folder,
    index: index ?? null,
    requirements: [...wanted, RESOLVER],
    target: ["--platform", TARGET.platform, "--python-version", TARGET.python, "--implementation", "cp", "--abi", TARGET.abi],
    environment: ENVIRONMENT,
  };
  const packages = await download(await pythonWithPip(python), order, signal, onProgress);
  const lock: Lock = { isopyLock: 1, python: TARGET.python, platform: TARGET.platform, packages };
  await writeFile(join(folder, LOCK_FILE), `${JSON.stringify(lock, null, 2)}\n`);
  return lock;
}

const folderPlace = check<string | URL>("a folder's path or URL", (v) => (typeof v === "string" && v !== "") || v instanceof URL);

/** What conditions of requirements are judged by inside Pyodide (PEP 508). */
const ENVIRONMENT = {
  implementation_name: "cpython",
  os_name: "posix",
  platform_machine: "wasm32",
  platform_python_implementation: "CPython",
  platform_system: "Emscripten",
  python_version: TARGET.python,
  python_full_version: `${TARGET.python}.0`,
  sys_platform: "emscripten",
};

/** `_isopy`, which the package brings as sources. */
const library = () => fileURLToPath(ownFile("../python"));

async function pythonWithPip(asked: string | undefined): Promise<string> {
  const candidates = asked === undefined ? [process.env["ISOPY_PYTHON"], "python3", "python"] : [asked];
  const tried: string[] = [];
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      await promisify(execFile)(candidate, ["-c", "import sys, pip; assert sys.version_info >= (3, 9)"], { timeout: 30_000 });
      return candidate;
    } catch (error) {
      tried.push(`${candidate}: ${error instanceof Error ? (error.message.trim().split("\n").at(-1) ?? "") : String(error)}`);
    }
  }
  throw new EngineError(
    "ERR_UNSUPPORTED",
    `vendor: no Python with pip was found.\n${tried.join("\n")}`,
    "Name one: vendor([…], { python }).",
  );
}

function download(
  python: string,
  order: object,
  signal: AbortSignal | undefined,
  onProgress: VendorOptions["onProgress"],
): Promise<readonly LockedPackage[]> {
  return new Promise((done, failed) => {
    const env = { ...process.env, PYTHONPATH: library(), PYTHONIOENCODING: "utf-8" };
    const child = spawn(python, ["-m", "_isopy.vendoring"], { env, ...(signal && { signal }) });
    let output = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      for (const line of text.split("\n")) if (line.trim() !== "") onProgress?.({ line: line.trimEnd() });
    });
    // An abort is an error too; the folder is as it was when the process has ended.
    child.on("error", (error) => {
      if (!signal?.aborted) failed(error);
    });
    child.on("close", (code) => {
      if (code === 0) done(JSON.parse(output) as readonly LockedPackage[]);
      else if (signal?.aborted) failed(signal.reason);
      else failed(new EngineError("ERR_PACKAGE", `vendor: pip did not find everything.\n${ending(said)}`, hint));
    });
    child.stdin.on("error", () => {}); // its end is heard above
    child.stdin.end(JSON.stringify(order));
  });
}

const hint = `A compiled package needs a wheel for ${TARGET.platform}; pip download with the same options shows what there is.`;

function ending(text: string): string {
  const lines = text.trim().split("\n");
  const errors = lines.filter((line) => line.startsWith("ERROR"));
  return [...new Set(errors.length > 0 ? errors : lines)].slice(-10).join("\n");
}
