/** Check: every claimed core row of the seed systems is proved by a test of the run that has just been made. */
import fs from "node:fs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { fail, pass, skip } from "./tally.mjs";
import { vitestJson } from "./vitest.mjs";

export async function rows() {
  const report = vitestJson("tests");
  if (!fs.existsSync(report)) return skip("seed rows", "the tests were not run before");
  const outcome = await exec(process.execPath, [inRoot("scripts/rows.mjs"), "--from", report]);
  return outcome.code === 0 ? pass("seed rows") : fail("seed rows", tail(outcome, 40));
}
