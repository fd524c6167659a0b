/**
 * The native suite, the stress run and the leak run on a debug build of CPython, which reports what a release build
 * hides: a call without the GIL, a negative reference count, memory that was freed. Debian's `python3.11-dbg`.
 */
import fs from "node:fs";
import { fail, merge, pass, skip } from "../checks/tally.mjs";
import { commandOf } from "../setup/debian.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { leakRun } from "./leaks.mjs";
import { stressRun } from "./stress.mjs";

const CALLS = { slice: 10_000, full: 1_000_000 };
const ROUNDS = { slice: 50, full: 1_000 };
/** The files of the slice: what crosses threads and references. */
const SLICE = ["sync.test.ts", "threads.test.ts", "sync-calls.test.ts"];
const REPORT = /(Fatal Python error|negative ref count|called without holding the GIL|Debug memory block|Assertion .* failed)/;

/** @param {"slice" | "full"} size */
export async function debugBuild(size) {
  const python = await commandOf(["python3.11-dbg", "python3-dbg"], ["python3.11-dbg", "libpython3.11-dbg"]);
  if (python === undefined) return skip("debug build of CPython", "there is none here (Debian: python3.11-dbg)");
  const env = { ISOPY_PYTHON: python, ISOPY_ALLOW: "debug", PYTHONMALLOC: "debug", NO_COLOR: "1" };
  const files = size === "slice" ? SLICE : fs.readdirSync(inRoot("test/native")).filter((file) => file.endsWith(".test.ts"));
  const found = [
    await stressRun("debug build, stress", { calls: CALLS[size], env }),
    await leakRun("debug build, leaks", { rounds: ROUNDS[size], env }),
  ];
  for (const file of files) found.push(await oneFile(file, env));
  return merge("debug build", found);
}

async function oneFile(file, env) {
  const name = `debug build, ${file}`;
  const vitest = inRoot("node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", `test/native/${file}`, "--testTimeout=120000", "--hookTimeout=120000", "--reporter=dot"];
  const outcome = await exec(process.execPath, args, { env, timeout: 20 * 60_000 });
  console.log(`    ${outcome.code === 0 && !REPORT.test(outcome.output) ? "ok    " : "FAILED"} ${name}`);
  if (REPORT.test(outcome.output)) {
    const at = outcome.output.search(REPORT);
    return fail(name, outcome.output.slice(Math.max(0, at - 200), at + 2000));
  }
  return outcome.code === 0 ? pass(name) : fail(name, tail(outcome, 30));
}
