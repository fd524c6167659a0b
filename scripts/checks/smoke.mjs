/** Check: the built package and the one addon work on every supported Node version. */
import fs from "node:fs";
import { addonFile } from "../setup/addon.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { NODE_VERSIONS, nodeFile } from "../setup/nodes.mjs";
import { inRoot } from "../setup/paths.mjs";
import { fail, main, merge, pass, skip } from "./tally.mjs";

export async function smoke() {
  const engines = addonFile() === undefined ? ["wasm"] : ["native", "wasm"];
  const nodes = [[process.versions.node, process.execPath], ...NODE_VERSIONS.map((version) => [String(version), nodeFile(version)])];
  const found = [];
  for (const [version, file] of nodes) {
    for (const engine of engines) {
      const name = `Node ${version}, ${engine}`;
      if (!fs.existsSync(file)) {
        found.push(skip(name, `Node ${version} is not installed`));
        continue;
      }
      const outcome = await exec(file, [inRoot("scripts/checks/smoke-program.mjs"), engine], { timeout: 120_000 });
      const ok = outcome.code === 0 && outcome.stdout.trim().endsWith("smoke ok");
      console.log(`    ${ok ? "ok    " : "FAILED"} ${name}`);
      found.push(ok ? pass(name) : fail(name, `exit ${outcome.code ?? outcome.signal}\n${tail(outcome, 20)}`));
    }
  }
  return merge("smoke on every Node", found);
}

await main(import.meta, smoke);
