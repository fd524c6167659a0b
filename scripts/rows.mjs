/**
 * `npm run rows`: runs the tests that prove rows of the seed systems and of the failure catalogue, on this Python and,
 * for the systems that embed CPython, on every other one; prints the tables and writes docs/seed-coverage.md and
 * docs/reliability.md.
 *
 * `--from results.json` reads a Vitest JSON report instead of running the tests (may be given more than once), and
 * `--on 3.9.18=results.json` one of another CPython.
 * The exit code is 1 when a claimed core row is not proved (on an engine, or on a CPython that ran), or a row of the
 * failure catalogue is not held. A page is written only when every engine ran, and every CPython that the page names
 * already, so that a machine without one does not shorten it.
 */
import fs from "node:fs";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { onPythons, pythonsAbsent, unprovedOnPythons } from "./rows/cpython.mjs";
import { outcomesOf } from "./rows/outcomes.mjs";
import { holders, reliabilityPage, reliabilityTable, unheld } from "./rows/reliability.mjs";
import { onPython, rowFiles } from "./rows/runs.mjs";
import { enginesAbsent, page, summary, table, terminalTable, unproved } from "./rows/table.mjs";
import { bin } from "./setup/build.mjs";
import { exec, tail } from "./setup/exec.mjs";
import { inCache, inRoot } from "./setup/paths.mjs";
import { otherPythons, testedPython } from "./setup/pythons.mjs";

const { values } = parseArgs({
  options: { from: { type: "string", multiple: true }, on: { type: "string", multiple: true, default: [] } },
});

async function runTests(name, projects, files = [], env = {}) {
  const output = inCache("reports", `${name}.json`);
  fs.mkdirSync(inCache("reports"), { recursive: true });
  fs.rmSync(output, { force: true });
  const args = ["run", ...projects.flatMap((project) => ["--project", project]), "--reporter=json", `--outputFile=${output}`, ...files];
  const outcome = await exec(bin("vitest"), args, { env, timeout: 1_800_000 });
  if (!fs.existsSync(output)) throw new Error(`The tests ended before they reported anything.\n${tail(outcome, 20)}`);
  return output;
}

/** Runs everything here: the reports of this Python and, as `--on` has them, of the others. */
async function runAll() {
  const from = [await runTests("rows", ["seeds", "conformance", "native", "wasm-node", "core"])];
  const on = [];
  for (const python of otherPythons().filter(({ shared }) => shared)) {
    on.push(`${python.version}=${await runTests(`rows-${python.version}`, ["seeds", "native"], rowFiles(), onPython(python))}`);
  }
  return { from, on };
}

const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const { from, on } = values.from === undefined ? await runAll() : { from: values.from, on: values.on };
const report = { testResults: from.flatMap((file) => read(file).testResults) };
const outcomes = outcomesOf(report);
const here = testedPython();
const runs = on.map((one) => {
  const [version, ...file] = one.split("=");
  return { version, outcomes: outcomesOf(read(file.join("="))) };
});
if (here !== undefined) runs.push({ version: here.version, outcomes });

const { module } = await runnerImport(inRoot("test/seeds/rows.ts"));
const entries = onPythons(table(module.rows, outcomes), runs);
const catalogues = await Promise.all(["native", "wasm"].map((engine) => runnerImport(inRoot(`test/${engine}/reliability-rows.ts`))));
const reliability = reliabilityTable(
  catalogues.flatMap(({ module }) => module.reliabilityRows),
  holders(report),
);

console.log(terminalTable(entries));
console.log("\nsystem  rows  core  green  core green  red  refused  later");
for (const s of summary(entries)) {
  const figures = [s.rows, s.core, s.green, s.coreGreen, s.red, s.refused, s.later].map((n, i) =>
    String(n).padStart([4, 4, 5, 10, 3, 7, 5][i]),
  );
  console.log(`${s.system.padEnd(6)}  ${figures.join("  ")}`);
}

const coverage = inRoot("docs/seed-coverage.md");
const absent = enginesAbsent(entries);
const pythons = pythonsAbsent(fs.existsSync(coverage) ? fs.readFileSync(coverage, "utf8") : "", runs);
if (absent.length > 0) console.log(`\nThe pages are left as they are: ${absent.join(" and ")} did not run.`);
else {
  if (pythons.length > 0) console.log(`\ndocs/seed-coverage.md is left as it is: CPython ${pythons.join(", ")} did not run.`);
  else fs.writeFileSync(coverage, page(entries, module.missing, runs));
  fs.writeFileSync(inRoot("docs/reliability.md"), reliabilityPage(reliability));
}

const open = unproved(entries);
if (open.length > 0) {
  console.log("\nClaimed core rows that are not proved:");
  for (const { row, states } of open) console.log(`  ${row.id} ${row.title}: ${JSON.stringify(states)}`);
  process.exitCode = 1;
}

const silent = absent.filter((engine) => ["native", "wasm"].includes(engine));
if (silent.length > 0) console.log(`\nThe failure catalogue and the CPythons were not looked at: ${silent.join(" and ")} did not run.`);
else {
  const broken = unprovedOnPythons(entries);
  if (broken.length > 0) {
    console.log("\nClaimed core rows that a CPython does not hold:");
    for (const { row, pythons } of broken) console.log(`  ${row.id} ${row.title}: ${JSON.stringify(Object.fromEntries(pythons))}`);
    process.exitCode = 1;
  }
  const loose = unheld(reliability);
  console.log(`\nFailure catalogue: ${reliability.length - loose.length} of ${reliability.length} rows are held.`);
  for (const { row, states } of loose) console.log(`  ${row.id} ${row.wrong}: ${JSON.stringify(states)}`);
  if (loose.length > 0) process.exitCode = 1;
}
