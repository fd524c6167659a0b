/** Check: every claimed core row of the seed systems is proved by a test of the run that has just been made. */
import fs from "node:fs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { otherPythons } from "../setup/pythons.mjs";
import { pythonJson } from "./native-matrix.mjs";
import { fail, pass, skip } from "./tally.mjs";
import { vitestJson } from "./vitest.mjs";

export async function rows() {
  const report = vitestJson("tests");
  if (!fs.existsSync(report)) return skip("seed rows", "the tests were not run before");
  // `pythons` comes after `tests`: an older report is of another run.
  const written = fs.statSync(report).mtimeMs;
  const ofThisRun = (file) => fs.existsSync(file) && fs.statSync(file).mtimeMs >= written;
  const on = otherPythons()
    .filter((python) => ofThisRun(pythonJson(python)))
    .flatMap((python) => ["--on", `${python.version}=${pythonJson(python)}`]);
  const outcome = await exec(process.execPath, [inRoot("scripts/rows.mjs"), "--from", report, ...on]);
  return outcome.code === 0 ? pass("seed rows") : fail("seed rows", tail(outcome, 40));
}
