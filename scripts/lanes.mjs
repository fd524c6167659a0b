/**
 * `npm run lanes`: what takes longer than a test run may. `npm test` runs a five-minute slice of it.
 *
 *   npm run lanes [-- --slice] [-- stress leaks]
 *
 * - sanitizers: the native suite and the stress run under ASan + UBSan, then TSan;
 * - stress: ten million mixed calls with a ledger;
 * - leaks: what each operation leaves behind;
 * - debug: the native suite, the stress run and the leak run on a debug build of CPython;
 * - memory: each allocation fails once, one after the other;
 * - fuzz: libFuzzer on what reads bytes in C++.
 */
import { main, merge } from "./checks/tally.mjs";
import { debugBuild } from "./lanes/debug.mjs";
import { fuzz } from "./lanes/fuzz.mjs";
import { leakRun } from "./lanes/leaks.mjs";
import { allocationFailures } from "./lanes/memory.mjs";
import { sanitizers } from "./lanes/sanitizers.mjs";
import { stressLane } from "./lanes/stress.mjs";

/** By name: the slice in CI, and the whole. */
const LANES = {
  stress: { slice: () => stressLane(150_000), full: () => stressLane(10_000_000) },
  leaks: { slice: () => leakRun("leaks", { rounds: 100 }), full: () => leakRun("leaks", { rounds: 5_000 }) },
  memory: { slice: () => allocationFailures(60), full: () => allocationFailures(5_000) },
  fuzz: { slice: () => fuzz(15), full: () => fuzz(600) },
  debug: { slice: () => debugBuild("slice"), full: () => debugBuild("full") },
  sanitizers: { slice: () => sanitizers(2.5, "slice"), full: () => sanitizers(60, "full") },
};

/**
 * @param {"slice" | "full"} size
 * @param {readonly string[]} only
 */
export async function lanes(size, only = Object.keys(LANES)) {
  const found = [];
  for (const name of Object.keys(LANES)) {
    if (!only.includes(name)) continue;
    const begin = performance.now();
    found.push(await LANES[name][size]());
    console.log(`    ${name}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  }
  return merge("lanes", found);
}

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
await main(import.meta, () => lanes(process.argv.includes("--slice") ? "slice" : "full", wanted.length > 0 ? wanted : undefined));
