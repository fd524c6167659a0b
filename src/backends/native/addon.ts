/**
 * Finds and loads the addon, and says everything that was tried when it cannot.
 *
 * Order: `ISOPY_ADDON` (explicit, so nothing else is tried), the prebuilt binary of the package
 * (`dist/native`), a local build (`build`). Loading it does not load Python.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, threadId, Worker } from "node:worker_threads";
import type { BackendHost } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";

/** What `native/addon.cc` exports. */
export interface Addon {
  open(
    config: AddonConfig,
    setup: Uint8Array,
    options: Uint8Array,
    ready: () => void,
    ask: (frame: Uint8Array) => Uint8Array,
    callee: BackendHost["callee"],
    answer: BackendHost["answer"],
  ): AddonEngine;
  /** The Python that runs in this process, whoever started it. */
  running(): { readonly library: string; readonly program: string } | null;
  /** The `worker_threads` id of this environment. */
  beThread(threadId: number): void;
  /** The worker of this id is being terminated: KeyboardInterrupt in its sync calls until it is out of Python. */
  expel(threadId: number): void;
  /** The process exits: runs Python's exit handlers and flushes its streams, within half a second. */
  farewell(): void;
  /** The process exits: the same for every worker; one that stays in Python does not keep the process. */
  expelAll(exitCode: number): void;
}

export interface AddonConfig {
  readonly library: string;
  readonly program: string;
  /** The directory that holds `_isopy`. */
  readonly package: string;
  /** The directory for what can be made again: the byte code of `_isopy`. Empty: none. */
  readonly cache: string;
  readonly deepbind: boolean;
  /** `Isolation` in native/isolated.h. */
  readonly isolation: number;
  /** How long a Python thread waits for JavaScript that is blocked in a sync call. */
  readonly deadlockMs: number;
  readonly maxBytes: number;
  readonly maxNodes: number;
  readonly maxDepth: number;
  /** Whether to try ArrayBuffers over Python's memory. */
  readonly externalMemory: boolean;
}

/** One engine; sync calls write what they return into `state` and `scratch` (`native/environment.h`). */
export interface AddonEngine {
  readonly state: Int32Array;
  readonly scratch: Uint8Array;
  readonly numbers: Float64Array;
  /**
   * @param alone nothing else is in flight: a short program may be waited for, for some microseconds
   * @returns whether there is something to drain already
   */
  submit(frame: Uint8Array, alone: boolean): boolean;
  /** Has Python send the callbacks that it dropped: `state[2]` is 2 while there are some. */
  flush(): void;
  control(kind: number, frame: Uint8Array): void;
  answer(token: number, frame: Uint8Array): void;
  /** The memory of `drain`, and the same as numbers. */
  readonly inbox: Uint8Array;
  readonly heads: Float64Array;
  /** Takes what waits: true when it lies in the inbox now, a buffer of its own when it does not fit or may not be used. */
  drain(useInbox: boolean): true | ArrayBuffer | undefined;
  keepAlive(on: boolean): void;
  close(): void;
  release(): void;
  waitOpen(milliseconds: number): boolean;
  waitClosed(milliseconds: number): boolean;
  // Names are strings, or what `name` gave for them (`native/sync_calls.h`).
  call(handle: number, ...args: unknown[]): unknown;
  /** Calls `numbers[0]` with so many numbers (at most 7) that lie behind it; outcome 6: the result is there. */
  callNumbers(count: number): unknown;
  callRefs(handle: number, mask: number, ...args: unknown[]): unknown;
  callKeep(handle: number, mask: number, ...args: unknown[]): unknown;
  callStream(handle: number, operands: Uint8Array): unknown;
  /** With arguments in the memory of `useMemory`; text and buffers beside it. */
  callFlat(handle: number, slots: number, text: string | undefined, buffers: readonly Uint8Array[] | undefined): unknown;
  useMemory(memory: ArrayBuffer): void;
  get(handle: number, name: number | string): unknown;
  getKeep(handle: number, name: number | string): unknown;
  set(handle: number, name: number | string, value: unknown): unknown;
  item(handle: number, key: unknown): unknown;
  setItem(handle: number, key: unknown, value: unknown): unknown;
  module(name: number | string): unknown;
  convert(handle: number, mode: number): unknown;
  run(program: Uint8Array): unknown;
  /** Whether ArrayBuffers may lie over Python's memory here; else `claim` copies. */
  readonly externalMemory: boolean;
  claim(id: number, copy: boolean): ArrayBuffer | undefined;
  unclaim(id: number, buffer: ArrayBuffer): boolean;
  /** Whether this runtime lets its memory be held; else nothing can be lent. */
  readonly holdsMemory: boolean;
  /** The handle of a memoryview over the bytes; shape, strides and start in bytes (`native/lent_memory.h`). */
  lend(bytes: Uint8Array, format: string, width: number, readonly: boolean, ...axes: unknown[]): number;
  endLoans(count: number): boolean;
  name(name: string): number | undefined;
  typeName(index: number): string;
  // The weak table of refs (`native/sync_refs.h`).
  knownRef(handle: number, keep: boolean): object | undefined;
  bindRef(handle: number, keep: boolean, ref: object): void;
  unbindRef(handle: number, keep: boolean): number;
  sweepRefs(): number;
  liveRefs(): unknown[];
  forgetRefs(): void;
}

const FILE = `isopy-${process.platform}-${process.arch}.node`;

let loaded: Addon | undefined;

/** Called at the end of the process, when Python's exit handlers have run and the event loop is gone. */
export const lastWords = new Set<() => void>();

/** @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` with every attempt and why it failed. */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  const load = createRequire(import.meta.url);
  const explicit = process.env["ISOPY_ADDON"];
  const attempts: string[] = [];
  for (const path of explicit ? [explicit] : places(FILE)) {
    if (!existsSync(path)) {
      attempts.push(`${path}: no such file`);
      continue;
    }
    try {
      const addon = load(path) as Addon;
      addon.beThread(threadId);
      letGo(addon);
      loaded = addon;
      return addon;
    } catch (error) {
      attempts.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    `The native addon for ${process.platform}-${process.arch} did not load:\n    ${attempts.join("\n    ")}`,
    `${advice(attempts)} Or use { backend: "wasm" }.`,
  );
}

/**
 * Node joins the threads of workers that it stops, and says nothing to one that computes in Python: whoever
 * stops a worker interrupts it (docs/adr/0022).
 */
function letGo(addon: Addon): void {
  if (isMainThread) {
    process.once("exit", (code) => {
      addon.farewell();
      for (const drain of lastWords) drain();
      addon.expelAll(code);
    });
  }
  const terminate = Worker.prototype.terminate;
  Worker.prototype.terminate = function (this: Worker) {
    const { threadId: stopped } = this; // -1 afterwards
    const ended = terminate.call(this);
    if (stopped > 0) addon.expel(stopped);
    return ended;
  };
}

/** Chosen from the evidence. */
function advice(attempts: readonly string[]): string {
  const text = attempts.join("\n");
  if (/GLIBC|GLIBCXX/.test(text)) return `The binary needs a newer C library than this system has: build it here with ${builder()}.`;
  if (/addons? (is|are)? ?disabled|ERR_DLOPEN_DISABLED/.test(text)) return "Node runs with --no-addons: start it without.";
  if (/wrong ELF class|invalid ELF|not a mach-o|incompatible architecture/i.test(text)) {
    return "node_modules was installed for another platform: install it again on this one.";
  }
  return `There is no prebuilt binary for this platform in the package: build it with ${builder()}.`;
}

/** The command that builds the addon, wherever the package lies. */
function builder(): string {
  const script = join(packageFolder() ?? "", "scripts", "build-addon.mjs");
  return `\`node ${script}\` (needs a C++17 compiler and the package node-api-headers)`;
}

/** The package's folders that may hold it, seen from this module wherever a bundler or a build put it. */
function places(file: string): string[] {
  const found = ancestors().flatMap((folder) => [
    join(folder, "native", file),
    join(folder, "dist", "native", file),
    join(folder, "build", file),
  ]);
  const present = found.filter((path) => existsSync(path));
  return present.length > 0 ? present : [join(packageFolder() ?? dirname(fileURLToPath(import.meta.url)), "dist", "native", file)];
}

function ancestors(): string[] {
  const folders: string[] = [];
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let i = 0; i < 5; i++, folder = dirname(folder)) folders.push(folder);
  return folders;
}

function packageFolder(): string | undefined {
  return ancestors().find((folder) => existsSync(join(folder, "package.json")));
}

/** The directory that holds the Python package `_isopy`. */
export function pythonPackage(): string {
  const found = ancestors()
    .map((folder) => join(folder, "python"))
    .find((folder) => existsSync(join(folder, "_isopy", "__init__.py")));
  if (found !== undefined) return found;
  throw new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    `The Python half of isopy (python/_isopy) is not beside ${packageFolder() ?? fileURLToPath(import.meta.url)}.`,
    "A bundler that copies the code must copy the package's folder `python` too; or keep isopy external.",
  );
}
