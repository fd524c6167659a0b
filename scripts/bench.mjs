/**
 * `npm run bench`: what the package costs before any engine runs, against its bars. The engines have benches of their
 * own, `npm run bench:native` and `npm run bench:wasm`.
 *
 * Writes bench/RESULTS.md. A figure that misses its bar is marked MISS and makes the exit code 1.
 */
import fs from "node:fs";
import os from "node:os";
import { BROWSER_BYTES, entrySize } from "./check-size.mjs";
import { judge, resultsPage } from "./checks/figures.mjs";
import { addon } from "./setup/addon.mjs";
import { build } from "./setup/build.mjs";
import { dependencies } from "./setup/dependencies.mjs";
import { exec, tail } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";
import { defaultPython } from "./setup/pythons.mjs";
import { step } from "./setup/step.mjs";

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
console.log("\npackage …");
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
