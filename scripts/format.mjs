/** `npm run format`: every formatter over everything, and the fixes that change no meaning. */
import fs from "node:fs";
import { bin } from "./setup/build.mjs";
import { exec, tail } from "./setup/exec.mjs";
import { clangFormatFile, linters, ruffFile } from "./setup/linters.mjs";
import { inRoot } from "./setup/paths.mjs";
import { step } from "./setup/step.mjs";

await step("linters", linters);
const native = fs.existsSync(inRoot("native"))
  ? fs
      .readdirSync(inRoot("native"))
      .filter((name) => /\.(cc|cpp|h)$/.test(name))
      .map((name) => inRoot("native", name))
  : [];
const runs = [
  [bin("biome"), ["check", "--write", "."]],
  [ruffFile(), ["check", "--fix", "--quiet", "."]],
  [ruffFile(), ["format", "--quiet", "."]],
  [native.length > 0 ? clangFormatFile() : undefined, ["-i", ...native]],
];
for (const [command, args] of runs) {
  if (command === undefined) continue;
  const outcome = await exec(command, args);
  if (outcome.code !== 0) {
    console.log(tail(outcome, 40));
    process.exitCode = 1;
  }
}
