/** CPython inside Node, beside node-calls-python in the same process kind (a process of its own: two libpythons do not mix). */
import { createPython, type PyRef, ref } from "isopy";
import { createPythonSync } from "isopy/sync";
import { type Figure, publish, timed, timedSync } from "./measure.ts";

/** Figures of the baseline by name, measured by `scripts/bench.mjs` just before; or why there are none. */
const baseline = JSON.parse(process.env["ISOPY_BASELINE"] ?? "{}") as { figures?: Record<string, number>; note?: string };
const beside = (name: string) => {
  const value = baseline.figures?.[name];
  return value === undefined ? { note: baseline.note ?? "no baseline" } : { baseline: { name: "node-calls-python", value } };
};

const figures: Figure[] = [];
const options = process.env["ISOPY_BENCH_PYTHON"] === undefined ? {} : { python: process.env["ISOPY_BENCH_PYTHON"] };

{
  const python = createPythonSync(options);
  const add = python.eval("lambda a, b: a + b") as unknown as (a: number, b: number) => number;
  const echo = python.eval("lambda value: value") as unknown as (value: unknown) => unknown;
  if (add(1, 2) !== 3) throw new Error("1 + 2 is not 3");
  figures.push({
    name: "native: f(1, 2), synchronous",
    ours: timedSync(() => add(1, 2), 200_000) * 1000,
    unit: "µs",
    ...beside("f(1, 2)"),
    bar: { kind: "at most", value: 0.4 },
  });
  const dict = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key${index}`, index * 1.5]));
  if (JSON.stringify(echo(dict)) !== JSON.stringify(dict)) throw new Error("the echo of a dict differs");
  figures.push({
    name: "native: echo of a dict with 10 keys",
    ours: timedSync(() => echo(dict), 20_000) * 1000,
    unit: "µs",
    ...beside("dict echo"),
    bar: { kind: "at most", value: 6 },
  });
}

{
  const py = await createPython({ ...options, backend: "native" });
  const add = (await ref(py.eval("lambda a, b: a + b"))) as PyRef & ((a: number, b: number) => PromiseLike<number>);
  const rounds = 200;
  const ms = await timed(async () => {
    for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: 100 }, (_, index) => add(index, 1)));
  }, 9);
  figures.push({
    name: "native: calls a second, 100 in flight",
    ours: (rounds * 100) / (ms / 1000),
    unit: "calls/s",
    ...beside("100 in flight"),
    bar: { kind: "at least", value: 300_000 },
  });
  await py.close();
}

publish(figures);
