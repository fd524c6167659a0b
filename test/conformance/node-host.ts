/** Runs the vectors on an engine of this process. */
import { collectGarbage } from "../seeds/garbage.ts";
import { inCI, startEngine } from "../support/engines.ts";
import { runVector, whySkipped } from "./run-vector.ts";
import type { EngineName } from "./runner.ts";
import { runVectors } from "./suite.ts";
import type { Vector } from "./vector.ts";
import { vectors } from "./vectors/index.ts";

const byName = new Map(vectors.map((vector) => [vector.name, vector]));

/** @param most of each group */
export function runVectorsHere(engine: Exclude<EngineName, "browser">, most = Number.POSITIVE_INFINITY): void {
  const start = async () => {
    const runner = await startEngine(engine);
    if ("absent" in runner) return runner;
    const named = (name: string): Vector => byName.get(name) as Vector;
    return {
      whySkipped: async (name: string) => whySkipped(runner, named(name)),
      run: async (name: string) => runVector(runner, named(name)),
      // Refs that a chain of synchronous gets made on its way belong to nobody: the collector gives them back.
      async handles() {
        for (let turn = 0; turn < 5; turn++) await collectGarbage();
        return runner.handles();
      },
      report: async () => runner.py.handles.report() as string,
      close: () => runner.close(),
    };
  };
  runVectors(engine, start, { numpy: inCI && engine.startsWith("native-") && engine !== "native-isolated" }, most);
}
