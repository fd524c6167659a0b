/**
 * `npm run rows`: runs the tests that prove rows of the seed systems and of the failure catalogue, prints the tables
 * row × engine and writes docs/seed-coverage.md and docs/reliability.md.
 *
 * `--from results.json` reads a Vitest JSON report instead of running the tests (may be given more than once).
 * The exit code is 1 when a claimed core row of the four JavaScript systems is not proved, or a row of the failure
 * catalogue is not held. The pages are written only when every engine ran, so that a machine without one does not shorten it.
 */
import fs from "node:fs";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { holders, reliabilityPage, reliabilityTable, unheld } from "./rows/reliability.mjs";
import { enginesAbsent, outcomesOf, page, summary, table, terminalTable, unproved } from "./rows/table.mjs";
import { bin } from "./setup/build.mjs";
import { exec, tail } from "./setup/exec.mjs";
import { inCache, inRoot } from "./setup/paths.mjs";

const { values } = parseArgs({ options: { from: { type: "string", multiple: true } } });

async function runTests() {
  const output = inCache("reports", "rows.json");
  fs.mkdirSync(inCache("reports"), { recursive: true });
  fs.rmSync(output, { force: true });
  const projects = ["seeds", "conformance", "native", "wasm-node", "core"].flatMap((name) => ["--project", name]);
  const outcome = await exec(bin("vitest"), ["run", ...projects, "--reporter=json", `--outputFile=${output}`], { timeout: 1_800_000 });
  if (!fs.existsSync(output)) throw new Error(`The tests ended before they reported anything.\n${tail(outcome, 20)}`);
  return [output];
}

const reports = (values.from ?? (await runTests())).map((file) => JSON.parse(fs.readFileSync(file, "utf8")));
const report = { testResults: reports.flatMap((one) => one.testResults) };
const { module } = await runnerImport(inRoot("test/seeds/rows.ts"));
const entries = table(module.rows, outcomesOf(report));
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

const absent = enginesAbsent(entries);
if (absent.length > 0) console.log(`\nThe pages are left as they are: ${absent.join(" and ")} did not run.`);
else {
  fs.writeFileSync(inRoot("docs/seed-coverage.md"), page(entries, module.missing));
  fs.writeFileSync(inRoot("docs/reliability.md"), reliabilityPage(reliability));
}

const open = unproved(entries);
if (open.length > 0) {
  console.log("\nClaimed core rows that are not proved:");
  for (const { row, states } of open) console.log(`  ${row.id} ${row.title}: ${JSON.stringify(states)}`);
  process.exitCode = 1;
}

const silent = absent.filter((engine) => ["native", "wasm"].includes(engine));
if (silent.length > 0) console.log(`\nThe failure catalogue was not looked at: ${silent.join(" and ")} did not run.`);
else {
  const loose = unheld(reliability);
  console.log(`\nFailure catalogue: ${reliability.length - loose.length} of ${reliability.length} rows are held.`);
  for (const { row, states } of loose) console.log(`  ${row.id} ${row.wrong}: ${JSON.stringify(states)}`);
  if (loose.length > 0) process.exitCode = 1;
}
