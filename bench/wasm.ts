/** wasm in a Node worker, beside plain Pyodide behind Comlink in another worker. */
import { Worker } from "node:worker_threads";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { createPython, item, type PyRef, ref } from "isopy";
import { type Figure, interleaved, publish, timed } from "./measure.ts";

interface Baseline {
  run(source: string): Promise<void>;
  importModule(name: string): Promise<number>;
  attribute(id: number, name: string): Promise<number>;
  call(id: number, ...args: unknown[]): Promise<number>;
  item(id: number, key: number): Promise<unknown>;
  value(name: string): Promise<number[]>;
}

const figures: Figure[] = [];
const py = await createPython({ backend: "wasm" });
const worker = new Worker(new URL("../../bench/baseline/pyodide-worker.mjs", import.meta.url));
const raw = wrap(nodeEndpoint(worker)) as unknown as Baseline;

const LIST = "import random\nrandom.seed(7)\nfloats = [random.random() for _ in range(100_000)]";
await raw.run(LIST);
await py.exec(LIST);

{
  const text = "the quick brown fox jumps over the lazy dog";
  const rounds = 50;
  const [ours, baseline] = await interleaved(
    async () => {
      for (let round = 0; round < rounds; round++) await item(py.import("collections").deque(text).__copy__(), 0);
    },
    async () => {
      for (let round = 0; round < rounds; round++) {
        const module = await raw.importModule("collections");
        const deque = await raw.attribute(module, "deque");
        const letters = await raw.call(deque, text);
        const copy = await raw.attribute(letters, "__copy__");
        const copied = await raw.call(copy);
        await raw.item(copied, 0);
      }
    },
  );
  figures.push({
    name: "wasm: a chain of 6 operations",
    ours: (ours / rounds) * 1000,
    unit: "µs",
    baseline: { name: "six awaited Comlink calls", value: (baseline / rounds) * 1000 },
    bar: { kind: "at most, times the baseline", value: 1 / 3 },
  });
}

{
  const add = (await ref(py.import("operator").add)) as PyRef & ((a: number, b: number) => PromiseLike<number>);
  const calls = 1000;
  const ms = await timed(() => Promise.all(Array.from({ length: calls }, (_, index) => add(index, 1))), 15);
  figures.push({
    name: "wasm: 1,000 calls awaited together, each",
    ours: (ms / calls) * 1000,
    unit: "µs",
    bar: { kind: "at most", value: 8 },
  });
}

{
  const [ours, baseline] = await interleaved(
    () => Promise.resolve(py.eval("floats")),
    () => raw.value("floats"),
  );
  figures.push({
    name: "wasm: a list of 100,000 floats out",
    ours,
    unit: "ms",
    baseline: { name: "toJs() and postMessage", value: baseline },
    bar: { kind: "times better than the baseline", value: 5 },
  });
}

await py.close();
await worker.terminate();
publish(figures);
