/**
 * The engines that the seed rows run on, each started once per test file.
 *
 * A row's sentence is written once. On the sync facade a call answers at once, and `await` of a value
 * that is no promise is the value, so the same body proves the row there too; that is why a sync
 * Python is handed out under the async type here.
 *
 * Invariant: the first title of a test's path is the engine's name; scripts/rows.mjs reads it.
 */
import { readFileSync } from "node:fs";
import * as isopy from "isopy";
import { type CreatePythonOptions, createPython, EngineError, type Python } from "isopy";
import { afterAll, beforeAll, describe, test } from "vitest";
import { testPython } from "../support/python.ts";

export type EngineName = "native" | "native sync" | "wasm";

/** The verbs that tests of every engine use; on the sync facade they answer at once. */
export type Verbs = Pick<typeof isopy, "item" | "set" | "setItem" | "del">;

export interface SeedEngine {
  readonly name: EngineName;
  readonly start: (options?: CreatePythonOptions) => Promise<Python>;
  readonly verbs: () => Promise<Verbs>;
}

export interface LiveEngine {
  readonly name: EngineName;
  /** The one started for this file; do not close it. */
  readonly py: Python;
  /** Of the facade of this engine. */
  readonly verbs: Verbs;
  /** Starts another engine of the same kind; the test closes it. */
  readonly start: (options?: CreatePythonOptions) => Promise<Python>;
}

export const nativeEngine: SeedEngine = {
  name: "native",
  start: (options) => createPython({ ...testPython(), ...options, backend: "native" }),
  verbs: async () => isopy,
};
export const wasmEngine: SeedEngine = {
  name: "wasm",
  start: (options) => createPython({ ...options, backend: "wasm" }),
  verbs: async () => isopy,
};
const nativeSync: SeedEngine = {
  name: "native sync",
  start: async (options) => (await import("isopy/sync")).createPythonSync({ ...testPython(), ...options }) as unknown as Python,
  verbs: async () => (await import("isopy/sync")) as unknown as Verbs,
};

/** The engines of the async facade. */
export const asyncEngines: readonly SeedEngine[] = [nativeEngine, wasmEngine];
/** Those and the sync facade. */
export const everyEngine: readonly SeedEngine[] = [nativeEngine, nativeSync, wasmEngine];
export const syncEngine: readonly SeedEngine[] = [nativeSync];

/** The version matrix sets `ISOPY_SEED_ENGINES=native`: wasm brings its own Python, so another CPython says nothing about it. */
const withoutWasm = process.env["ISOPY_SEED_ENGINES"] === "native";

/** Why native cannot run here, or null. In CI its absence is a failure, elsewhere a counted skip. */
async function whyNoNative(): Promise<string | null> {
  try {
    const py = await nativeEngine.start();
    await py.close();
    return null;
  } catch (error) {
    const absent = error instanceof EngineError && error.code === "ERR_BACKEND_UNAVAILABLE";
    if (!absent || process.env["CI"]) throw error;
    return error.message;
  }
}
const noNative = await whyNoNative();

/** Runs the rows of `body` on each engine. */
export function onEach(engines: readonly SeedEngine[], body: (engine: LiveEngine) => void): void {
  for (const engine of engines) {
    if (engine === wasmEngine && withoutWasm) continue;
    if (engine !== wasmEngine && noNative !== null) {
      describe(engine.name, () => {
        test("the rows of this file", ({ skip }) => skip(noNative));
      });
      continue;
    }
    describe(engine.name, () => {
      let started: Python | undefined;
      let verbs: Verbs = isopy;
      beforeAll(async () => {
        verbs = await engine.verbs();
        started = await engine.start();
      }, 60_000);
      afterAll(async () => {
        await started?.close();
      });
      body({
        name: engine.name,
        start: engine.start,
        get verbs(): Verbs {
          return verbs;
        },
        get py(): Python {
          if (started === undefined) throw new Error(`${engine.name} has not started`);
          return started;
        },
      });
    });
  }
}

const define = [
  "import sys, types",
  "module = types.ModuleType(name)",
  "module.__file__ = file",
  'exec(compile(source, file, "exec"), module.__dict__)',
  "sys.modules[name] = module",
].join("\n");

/** Makes a module from source on any engine, whether it sees the host's files or not. */
export async function defineModule(py: Python, name: string, source: string): Promise<void> {
  await py.exec(define, { locals: { name, source, file: `${name}.py` } });
}

/** Makes the module `name` from `fixtures/<name>.py`. */
export async function loadFixture(py: Python, name: string): Promise<void> {
  await defineModule(py, name, readFileSync(new URL(`./fixtures/${name}.py`, import.meta.url), "utf8"));
}

/** The directory of the fixtures, for engines that see the host's files. */
export const fixtures = new URL("./fixtures/", import.meta.url);
