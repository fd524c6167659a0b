/**
 * `npm run bench`: the wasm engine and the package, every figure beside its baseline of the same run, against its bar.
 * The native engine has a bench of its own, `npm run bench:native`.
 *
 * Writes bench/RESULTS.md. A figure that misses its bar is marked MISS and makes the exit code 1.
 */
import fs from "node:fs";
import os from "node:os";
import { BROWSER_BYTES, entrySize } from "./check-size.mjs";
import { judge, resultsPage } from "./checks/figures.mjs";
import { runScript } from "./checks/script.mjs";
import { addon } from "./setup/addon.mjs";
import { build } from "./setup/build.mjs";
import { dependencies } from "./setup/dependencies.mjs";
import { exec, reported, tail } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";
import { defaultPython } from "./setup/pythons.mjs";
import { step } from "./setup/step.mjs";

/** Runs one bench program; its last line is JSON. */
async function figuresOf(name, outcome) {
  if (outcome.code !== 0) throw new Error(`${name} failed:\n${tail(outcome, 20)}`);
  return reported(outcome).figures;
}

/** Milliseconds that `import "isopy"` adds to a bare Node process. */
async function importCost() {
  const bare = [];
  const ours = [];
  const start = async (source, times) => {
    const begin = performance.now();
    const outcome = await exec(process.execPath, ["--input-type=module", "-e", source]);
    if (outcome.code !== 0) throw new Error(tail(outcome));
    times.push(performance.now() - begin);
  };
  for (let sample = 0; sample < 15; sample++) {
    await start("0", bare);
    await start('import "isopy"', ours);
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  return median(ours) - median(bare);
}

await step("packages", dependencies);
await step("addon", addon);
await step("build", build);
const figures = [];
console.log("\nwasm …");
figures.push(...(await figuresOf("bench/wasm.ts", await runScript("bench/wasm.ts", [], { timeout: 300_000 }))));
console.log("package …");
figures.push({ name: 'import "isopy", beyond bare Node', ours: await importCost(), unit: "ms", bar: { kind: "at most", value: 30 } });
figures.push({
  name: "browser entry (what is imported at once), minified, brotli",
  ours: (await entrySize(inRoot("dist/browser.js"))).eager,
  unit: "bytes",
  bar: { kind: "at most", value: BROWSER_BYTES },
});

const judged = figures.map(judge);
const machine = `${os.cpus()[0]?.model.trim() ?? "unknown processor"}, ${os.cpus().length} cores; Node ${process.versions.node}; default Python ${defaultPython()?.version ?? "none"}; ${process.platform} ${process.arch}`;
const page = resultsPage(machine, judged);
fs.writeFileSync(inRoot("bench/RESULTS.md"), page.text);
console.log(`\n${page.table}\n\n${machine}`);
const missed = judged.filter(({ ok }) => !ok);
console.log(missed.length === 0 ? "Every bar is met." : `MISS: ${missed.map(({ name }) => name).join("; ")}`);
process.exitCode = missed.length > 0 ? 1 : 0;
