/**
 * `npm test`: sets everything up, makes every check, prints the skips with their reasons and, last,
 * the line `N passed, N failed, N skipped`.
 *
 * Cheap checks first. A failed check does not stop the later ones: one run tells everything. In CI an
 * engine that is not there (native, wasm in Node, Chromium) is a failure, not a skip.
 *
 * `node scripts/test.mjs lint types` makes only those checks.
 */
import fs from "node:fs";
import { closingLine, fail, merge, report, skip } from "./checks/tally.mjs";
import { setUp } from "./setup/all.mjs";
import { CI, inRoot } from "./setup/paths.mjs";
import { SetupError } from "./setup/step.mjs";

const begin = performance.now();

/** The line that says most. */
const gist = (reason) => {
  const lines = reason
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return (lines.find((line) => /\b\w*(Error|error|ERROR)\b.*:|FAIL|expected/.test(line)) ?? lines[0] ?? "").slice(0, 200);
};

/** Each check is loaded when its turn comes: on a fresh clone the packages it imports are not there before set-up. */
const CHECKS = {
  scripts: async () => (await import("./checks/node-test.mjs")).scriptTests(),
  lint: async () => (await import("./checks/lint.mjs")).lint(),
  types: async () => (await import("./checks/types.mjs")).types(),
  boundaries: async () => (await import("./check-boundaries.mjs")).checkBoundaries(),
  size: async () => (await import("./check-size.mjs")).checkSize(),
  vectors: async () => (await import("./checks/vectors.mjs")).vectors(),
  python: async () => (await import("./checks/unittest.mjs")).unittest(),
  tests: async () => (await import("./checks/vitest.mjs")).vitest("tests"),
  pythons: async () => (await import("./checks/native-matrix.mjs")).nativeMatrix(),
  // Reads what the two before it left.
  rows: async () => (await import("./checks/rows.mjs")).rows(),
  nodes: async () => (await import("./checks/smoke.mjs")).smoke(),
  tour: async () => (await import("./checks/tour.mjs")).tour(),
  examples: async () => (await import("./check-examples.mjs")).checkExamples(),
  package: async () => (await import("./check-pack.mjs")).checkPack(),
  bundlers: async () => (await import("./check-bundlers.mjs")).checkBundlers(),
  lanes: async () => (await import("./lanes.mjs")).lanes("slice"),
};

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
const unknown = wanted.filter((name) => !(name in CHECKS));
if (unknown.length > 0) {
  console.error(`No check is called ${unknown.join(", ")}. There are: ${Object.keys(CHECKS).join(", ")}.`);
  process.exit(2);
}

const results = [];
try {
  const ready = await setUp({ forTests: true });
  const engine = (name, ending) => (ending.state === "missing" ? (CI ? fail(name, ending.note) : skip(name, ending.note)) : undefined);
  for (const one of [engine("the native engine", ready.addon), engine("Chromium", ready.chromium)]) {
    if (one !== undefined) results.push(one);
  }
  for (const [what, ending] of [
    ["NumPy rows", ready.venv],
    ["other Nodes", ready.nodes],
    ["Arrow", ready.arrow],
    ["packages of real projects", ready.wheels],
  ]) {
    if (ending.state === "missing") results.push(CI ? fail(what, ending.note) : skip(what, ending.note));
  }
  if (ready.chromium.value !== undefined) process.env.CHROME_PATH = ready.chromium.value;
  for (const name of wanted.length > 0 ? wanted : Object.keys(CHECKS)) {
    console.log(`${name} …`);
    const started = performance.now();
    let result;
    try {
      result = await CHECKS[name]();
    } catch (error) {
      result = fail(name, `the check itself broke: ${error instanceof Error ? error.stack : String(error)}`);
    }
    result.seconds = (performance.now() - started) / 1000;
    report(result);
    results.push(result);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  results.push(fail("set-up", error.message));
}

const total = merge("all", results);
const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
console.log(`\n${minutes} minutes`);
if (total.skipped.length > 0) {
  console.log("\nSkipped:");
  const byReason = new Map();
  for (const { name, reason } of total.skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  for (const [reason, names] of byReason) {
    console.log(`  ${reason}`);
    for (const name of names) console.log(`    - ${name}`);
  }
}
if (total.failed.length > 0) {
  console.log("\nFailed:");
  for (const { name, reason } of total.failed) console.log(`  - ${name}: ${gist(reason)}`);
}
fs.mkdirSync(inRoot(".cache"), { recursive: true });
fs.writeFileSync(inRoot(".cache/results.json"), JSON.stringify(results, null, 1));
console.log("");
console.log(closingLine(total));
process.exitCode = total.failed.length > 0 ? 1 : 0;
