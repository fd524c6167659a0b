/** Check: the value vectors cover, by name, what the specification says they must. */
import fs from "node:fs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { runScript } from "./script.mjs";
import { fail, pass } from "./tally.mjs";

export async function vectors() {
  const plain = inRoot("scripts/check-vectors.mjs");
  const outcome = fs.existsSync(plain) ? await exec(process.execPath, [plain]) : await runScript("scripts/check-vectors.ts");
  return outcome.code === 0 ? pass("vectors") : fail("vectors", tail(outcome, 30));
}
