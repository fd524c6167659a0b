/** The page of the browser suite: an engine, the vectors, and a name for each to be run by. */
import * as isopy from "isopy";
import { makeRunner } from "./make-runner.ts";
import { runVector, type Skip, whySkipped } from "./run-vector.ts";
import type { Runner } from "./runner.ts";
import type { Vector } from "./vector.ts";
import { vectors } from "./vectors/index.ts";

const byName = new Map(vectors.map((vector) => [vector.name, vector]));
const start = (options: object = {}) => isopy.createPython(options);
let runner: Runner | undefined;
const started = (): Runner => {
  if (runner === undefined) throw new Error("start() was not called");
  return runner;
};

const conformance = {
  async start(): Promise<void> {
    runner = await makeRunner({ engine: "browser", api: isopy, promises: true, start, py: await start() });
  },
  whySkipped: (name: string): Skip | null => whySkipped(started(), byName.get(name) as Vector),
  run: (name: string): Promise<string | null> => runVector(started(), byName.get(name) as Vector),
  handles: (): number => started().handles(),
  report: (): string => started().py.handles.report() as string,
  close: (): Promise<void> => started().close(),
};
export type Conformance = typeof conformance;

Object.assign(globalThis, { conformance });
