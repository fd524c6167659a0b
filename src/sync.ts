/**
 * `isopy/sync`: Python without `await`. Node and the native engine only.
 *
 * The same verbs as `isopy`; a get or a call evaluates at once, data is copied, and
 * `{ convert: "ref" }` keeps everything reached from a module in Python. The JS thread waits
 * meanwhile: for long work, and to do several things at once, use `isopy`.
 *
 * Importing this module starts nothing; `createPythonSync` and the first use of `python` do.
 */

import { chooseNative, createNativeBackend } from "./backends/native/open.ts";
import { processOutput } from "./backends/native/process-output.ts";
import { EngineError } from "./core/errors.ts";
import { optionReader, systemText } from "./core/options.ts";
import { type CoreOptions, readCoreOptions } from "./core/start.ts";
import { createSyncFacade } from "./core/sync.ts";
import { SyncPython } from "./core/sync-facade.ts";
import { loadTemporal } from "./core/values/temporal.ts";

// The same names, evaluated at once.
export {
  type EnteredSync,
  type EvaluateSync,
  enter,
  type GlobalsSync,
  type RulesSync,
  type SyncPython,
  scope,
} from "./core/sync-facade.ts";
export { call, del, delItem, get, type IterateSyncOptions, item, iterate, ref, run, set, setItem, toJs } from "./core/sync-verbs.ts";
export * from "./index.ts";

// Here, because nothing can be waited for later; where the platform has Temporal it loads nothing.
await loadTemporal();

/** How long `close()` waits for Python's exit handlers. */
const FAREWELL_MS = 5_000;

/** The options of `createPythonSync`: those of `createPython` that make sense without promises. */
export interface CreatePythonSyncOptions extends Omit<CoreOptions, "signal"> {
  /** As in `createPython`. */
  readonly python?: string;
}

/**
 * Starts Python and waits for it.
 *
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` when no CPython with a shared library starts here, with every reason
 *
 * @example
 * const python = createPythonSync({ python: ".venv" });
 * python.import("json").dumps({ a: 1 }); // '{"a": 1}'
 */
export function createPythonSync(options?: CreatePythonSyncOptions): SyncPython {
  const read = optionReader("createPythonSync", options);
  const wanted = read("python", systemText, undefined);
  const core = readCoreOptions(read, processOutput);
  read.done();
  if (core.start.signal !== undefined) {
    throw new EngineError(
      "ERR_OPTION",
      "createPythonSync: a signal cannot fire while it waits.",
      "Use startTimeout, or createPython of isopy.",
    );
  }
  const choice = chooseNative(wanted);
  const backend = createNativeBackend(choice);
  return createSyncFacade(
    backend,
    (start, host) => backend.startSync(start, host),
    () => backend.closeSync(FAREWELL_MS),
    { ...core, fallback: null, resolution: [...choice.steps, "native: started"] },
  );
}

let started: SyncPython | undefined;
/** The default Python's own methods, bound. */
const methods = new Map<string | symbol, unknown>();

/** The default Python, started by its first use with the options of `createPythonSync()`. */
export const python: SyncPython = new Proxy({} as SyncPython, {
  get(_, key) {
    const known = methods.get(key);
    if (known !== undefined) return known;
    started ??= createPythonSync();
    const value: unknown = Reflect.get(started, key, started);
    // Only our own methods: a ref is a function too.
    const method: unknown = Object.getOwnPropertyDescriptor(SyncPython.prototype, key)?.value;
    if (typeof method !== "function") return value;
    const bound: unknown = method.bind(started);
    methods.set(key, bound);
    return bound;
  },
  has(_, key) {
    started ??= createPythonSync();
    return key in started;
  },
});
