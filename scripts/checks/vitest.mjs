/** Check: the Vitest projects, once; `native-matrix.mjs` runs some of them once more for every other CPython. */
import fs from "node:fs";
import { bin } from "../setup/build.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";
import { fail, tally } from "./tally.mjs";

/** Vitest's own report of the run `name`; `scripts/rows.mjs` reads it. */
export const vitestJson = (name) => inCache("reports", `vitest-${name.replace(/[^\w.]+/g, "-")}.json`);

/** Runs Vitest with our reporter. */
export async function vitest(name, args = [], env = {}, timeout = 1_200_000) {
  const report = inCache("reports", `${name.replace(/[^\w.]+/g, "-")}.json`);
  fs.mkdirSync(inCache("reports"), { recursive: true });
  for (const old of [report, vitestJson(name)]) fs.rmSync(old, { force: true });
  const reporters = [`--reporter=${inRoot("scripts/checks/vitest-reporter.mjs")}`, "--reporter=json", `--outputFile=${vitestJson(name)}`];
  const outcome = await exec(bin("vitest"), ["run", ...reporters, ...args], {
    env: { ...env, ISOPY_REPORT: report },
    show: true,
    timeout,
  });
  if (!fs.existsSync(report))
    return fail(name, `Vitest ended before it reported anything (exit code ${outcome.code}).\n${tail(outcome, 20)}`);
  const found = JSON.parse(fs.readFileSync(report, "utf8"));
  if (outcome.code !== 0 && found.failed.length === 0) {
    found.failed.push({ name, reason: `Vitest ended with exit code ${outcome.code ?? outcome.signal}.\n${tail(outcome, 20)}` });
  }
  if (found.passed + found.failed.length + found.skipped.length === 0) return fail(name, "Vitest ran no test.");
  const prefix = (one) => ({ ...one, name: name === "tests" ? one.name : `${name}: ${one.name}` });
  return tally(name, found.passed, found.failed.map(prefix), found.skipped.map(prefix));
}
