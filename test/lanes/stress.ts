/**
 * The stress run: `--calls=N --workers=W --seed=S`. Prints the ledger; exit code 1 when it does not add up.
 *
 * The workers are `worker_threads`, each with a synchronous and an asynchronous Python of its own over the one CPython
 * of the process; the pool brings eight and more threads of its own. Run by `scripts/lanes/stress.mjs`.
 */
import { Worker } from "node:worker_threads";
import { createPythonSync } from "isopy/sync";
import type { Order, Outcome } from "./stress-worker.ts";

/** The kinds that call each function of stressed.py. */
const CALLED: Record<string, readonly string[]> = {
  add: ["sync call", "awaited call"],
  text: ["sync text"],
  big: ["sync big integer"],
  echo: ["sync data", "awaited data"],
  data: ["awaited bytes"],
  fail: ["sync error", "awaited error"],
  back: ["sync callback", "awaited callback"],
  Box: ["sync object", "awaited chain"],
  keywords: ["awaited keywords"],
  later: ["coroutine"],
  items: ["iteration"],
  digest: ["without the GIL"],
};

const option = (name: string, otherwise: number): number =>
  Number(process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise);
const calls = option("calls", 100_000);
const workers = option("workers", 4);
const seed = option("seed", Date.now() % 1_000_000);
const worker = process.argv.find((arg) => arg.startsWith("--worker="))?.slice(9) as string;
const paths = [process.argv.find((arg) => arg.startsWith("--python="))?.slice(9) as string];

const begin = performance.now();
const outcomes = await Promise.all(
  Array.from(
    { length: workers },
    (_, index) =>
      new Promise<Outcome>((resolve, reject) => {
        const order: Order = { calls: Math.ceil(calls / workers), seed: seed + index, paths };
        // 16 MB: Python recurses on this thread too.
        const thread = new Worker(worker, { workerData: order, resourceLimits: { stackSizeMb: 16 } });
        thread.once("message", resolve);
        thread.once("error", reject);
        thread.once("exit", (code) => reject(new Error(`worker ${index} left with ${code} and no ledger`)));
      }),
  ),
);
const seconds = (performance.now() - begin) / 1000;

const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
const kinds = new Map<string, number>();
for (const outcome of outcomes) for (const [kind, count] of Object.entries(outcome.kinds)) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
const ledger = {
  seed,
  seconds: Math.round(seconds),
  kinds: Object.fromEntries(kinds),
  submitted: sum((one) => one.submitted),
  ok: sum((one) => one.ok),
  errors: sum((one) => one.errors),
  cancelled: sum((one) => one.cancelled),
  handles: sum((one) => one.handles),
  problems: outcomes.flatMap((one) => one.problems),
};
if (ledger.submitted !== ledger.ok + ledger.errors + ledger.cancelled) ledger.problems.push("submitted is not ok + errors + cancelled");
// Python's own count: a call that was lost on the way, or made twice, would show here.
const python = createPythonSync({ paths });
const counted = python.import("stressed").calls;
for (const [name, of] of Object.entries(CALLED)) {
  const expected = of.reduce((total, kind) => total + (kinds.get(kind) ?? 0), 0);
  const made = counted(name);
  if (made !== expected) ledger.problems.push(`Python counts ${made} calls of ${name}, ${expected} were submitted`);
}
if (ledger.handles !== 0) ledger.problems.push(`${ledger.handles} handles are still alive`);
console.log(JSON.stringify(ledger));
process.exitCode = ledger.problems.length === 0 ? 0 : 1;
