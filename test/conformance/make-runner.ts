/**
 * A `Runner` on the asynchronous or the synchronous facade: the one place where they differ.
 */
import type { Capabilities } from "isopy";
import { refLike } from "./match.ts";
import probeSource from "./probe.py?raw";
import { refsInside } from "./run-vector.ts";
import type { EngineName, Evaluation, Loose, Runner } from "./runner.ts";
import { optionalModules } from "./vector.ts";

export interface Facade {
  readonly engine: EngineName;
  /** The module of the facade: its verbs and classes. */
  readonly api: Loose;
  readonly py: Loose;
  /** The synchronous facade has no promises. */
  readonly promises: boolean;
  /** Another engine of this kind. */
  readonly start: (options: { readonly limits?: Readonly<Record<string, number>> }) => Promise<Loose>;
}

const define =
  "import sys, types\nmodule = types.ModuleType('isopy_probe')\nsys.modules['isopy_probe'] = module\nexec(compile(source, 'isopy_probe.py', 'exec'), module.__dict__)";
const has =
  "def has(name):\n    import importlib.util\n    if name != 'zones':\n        return importlib.util.find_spec(name) is not None\n    import zoneinfo\n    try:\n        zoneinfo.ZoneInfo('Europe/Berlin')\n    except Exception:\n        return False\n    return True";

/** A module's functions, got once: on the synchronous facade each get of one is a ref to give back. */
const functionsOf = (module: Loose): Loose =>
  Object.fromEntries(["evaluate", "give", "returned", "arrived", "holds", "echo"].map((name) => [name, module[name]]));

export async function makeRunner(facade: Facade): Promise<Runner> {
  const { engine, api, py, promises } = facade;
  await py.exec(define, { locals: { source: probeSource } });
  const probe: Loose = promises ? await py.import("isopy_probe") : functionsOf(py.import("isopy_probe"));
  // On the synchronous facade a call is over when its options could be given: the result stays in Python first.
  const kept: Loose = promises ? undefined : functionsOf(py.import("isopy_probe", { convert: "ref" }));
  let small: Promise<Runner> | undefined;

  const evaluate = async ({ source, setup = "", values = {}, options }: Evaluation): Promise<unknown> => {
    if (options === undefined) return probe.evaluate(setup, source, values);
    if (promises) return api.run(probe.evaluate(setup, source, values), options);
    const result = kept.evaluate(setup, source, values);
    const keepIt = options["convert"] === "ref";
    let value: unknown;
    try {
      value = api.run(result, keepIt ? { await: false } : options);
    } finally {
      if (!keepIt || refLike(value)) result[Symbol.dispose]();
    }
    if (!keepIt || refLike(value)) return value;
    release(value);
    return result;
  };
  const release = (value: unknown): void => {
    for (const ref of refsInside(value)) (ref as Disposable)[Symbol.dispose]();
    api.handlesOf(value)[Symbol.dispose]();
  };
  const found = (await evaluate({
    setup: `import sys\n${has}`,
    source: "[sys.version_info[0], sys.version_info[1], [n for n in names if has(n)]]",
    values: { names: optionalModules },
  })) as [number, number, string[]];
  const capabilities = py.info.capabilities as Capabilities;
  const valueLimits = { maxDepth: 100, maxNodes: 1000, maxBytes: 100_000 };
  // Refs of the synchronous facade are given back by the garbage collector, and its calls are no programs.
  const countLimits = { maxHandles: 50, maxCallbacks: 20, maxOutput: 1_000 };
  const runner: Runner = {
    engine,
    capabilities: { ...capabilities, promises },
    python: [found[0], found[1]],
    modules: new Set(engine === "native-isolated" ? found[2].filter((name) => name === "zones") : found[2]), // NumPy is refused there
    py,
    api,
    probe,
    evaluate,
    toJs: async (value, options) => api.toJs(value, options),
    // What is reached from a ref that was kept is kept too, on the synchronous facade.
    async settle(value) {
      if (promises || !refLike(value)) return value;
      const data = api.run(value);
      release(value);
      return data;
    },
    limited: () =>
      (small ??= facade
        .start({ limits: { ...valueLimits, ...(promises ? countLimits : {}) } })
        .then((other) => makeRunner({ ...facade, py: other }))),
    release,
    handles: () => py.handles.count as number,
    async close() {
      if (small !== undefined) await (await small).close();
      await py.close();
    },
  };
  return runner;
}
