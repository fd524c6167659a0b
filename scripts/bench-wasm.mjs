/**
 * `npm run bench:wasm`: isopy's wasm engine beside plain Pyodide in a worker and Comlink over it, in Node and Chromium.
 *
 *   npm run bench:wasm [-- --rounds=3] [-- --only=start,call,floats]
 *
 * Writes bench/RESULTS-wasm.md (not with --only). Exit code 1 when less than 80 % of the bars are met or a case is
 * slower than plain use.
 */
import fs from "node:fs";
import os from "node:os";
import { median } from "../bench/native/sampling.mjs";
import { CASES } from "../bench/wasm/cases.mjs";
import { inChromium } from "./bench/chromium.mjs";
import { judgeCase, wasmPage } from "./checks/native-figures.mjs";
import { compile } from "./checks/script.mjs";
import { addon } from "./setup/addon.mjs";
import { build } from "./setup/build.mjs";
import { chromium } from "./setup/chromium.mjs";
import { dependencies } from "./setup/dependencies.mjs";
import { exec, reported, tail } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";
import { step } from "./setup/step.mjs";

const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const rounds = Number(option("rounds") ?? 3);
const only = option("only")?.split(",");

await step("packages", dependencies);
await step("addon", addon);
await step("build", build);
const browser = await step("Chromium", chromium);

/** Medians of several processes, by contender and case. */
async function inNode() {
  const program = await compile("bench/wasm/in-node.ts");
  const seen = {};
  for (let round = 1; round <= rounds; round++) {
    console.log(`  Node, round ${round} of ${rounds}`);
    const outcome = await exec(process.execPath, [program], { env: { ISOPY_BENCH_ONLY: only?.join(",") }, timeout: 240_000 });
    if (outcome.code !== 0) throw new Error(`The bench in Node failed:\n${tail(outcome, 20)}`);
    for (const [name, figures] of Object.entries(reported(outcome))) {
      for (const [key, ms] of Object.entries(figures)) ((seen[name] ??= {})[key] ??= []).push(ms);
    }
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, found]) => [name, Object.fromEntries(Object.entries(found).map(([key, all]) => [key, median(all)]))]),
  );
}

const measured = {
  Node: await inNode(),
  Chromium: browser.value ? await inChromium(rounds, only, (text) => console.log(text)) : undefined,
};
const lines = CASES.flatMap((one) => {
  const figures = measured[one.where];
  if (figures === undefined) return [];
  const scale = one.unit === "µs" ? 1000 : 1;
  const of = (name) => (figures[name]?.[one.key] === undefined ? undefined : figures[name][one.key] * scale);
  if (of("isopy") === undefined && only !== undefined) return [];
  const peers = Object.fromEntries((one.peers ?? []).map((name) => [name, of(name)]).filter(([, value]) => value !== undefined));
  return [judgeCase(one, of("isopy"), peers, one.floor ? of("plain messages") : undefined)];
});

const machine = `${os.cpus()[0]?.model.trim() ?? "unknown processor"}, ${os.cpus().length} cores; Node ${process.versions.node}; Chromium ${browser.value ? "Debian's" : "none"}; ${process.platform} ${process.arch}`;
const page = wasmPage(machine, lines);
if (only === undefined) fs.writeFileSync(inRoot("bench/RESULTS-wasm.md"), page.text);
console.log(`\n${page.table}\n\n${machine}\n${page.summary.join("\n")}`);
process.exitCode = only !== undefined || page.accepted ? 0 : 1;
