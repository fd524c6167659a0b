/** Check: the tests of these scripts themselves (Node's own runner): a check must be able to fail. */

import fs from "node:fs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { fail, main, tally } from "./tally.mjs";

export async function scriptTests() {
  const files = fs.readdirSync(inRoot("scripts/tests")).filter((name) => name.endsWith(".test.mjs"));
  const outcome = await exec(process.execPath, ["--test", "--test-reporter=tap", ...files.map((name) => inRoot("scripts/tests", name))], {
    timeout: 120_000,
  });
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(outcome.stdout)?.[1] ?? 0);
  if (count("tests") === 0) return fail("tests of the scripts", tail(outcome, 20));
  const failed = [...outcome.stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map((match) => ({
    name: `scripts: ${match[1]}`,
    reason: tail(outcome, 30),
  }));
  return tally("tests of the scripts", count("pass"), failed.slice(0, Math.max(count("fail"), outcome.code === 0 ? 0 : 1)));
}

await main(import.meta, scriptTests);
