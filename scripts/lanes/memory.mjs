/** The allocation-failure run (`test/lanes/memory.ts`): no allocation that fails may end the process. */
import { compile } from "../checks/script.mjs";
import { fail, merge, pass, skip } from "../checks/tally.mjs";
import { exec, reported, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";

/** @param {number} points  How many allocations of each operation are tried. */
export async function allocationFailures(points) {
  const title = "allocation failures";
  const program = await compile("test/lanes/memory.ts");
  const args = [program, `--points=${points}`, `--python=${inRoot("test/lanes")}`];
  const outcome = await exec(process.execPath, args, { timeout: 30 * 60_000 });
  const found = reported(outcome);
  if (found === undefined) return fail(title, `ended with ${outcome.code ?? outcome.signal} after\n${tail(outcome, 12)}`);
  const { missing, counts, problems } = found;
  if (missing !== undefined) return skip(title, missing);
  const refused = Object.values(counts).reduce((sum, one) => sum + one.refused, 0);
  console.log(`    ${title}: ${Object.keys(counts).length} operations × ${points} points, ${refused} refused, ${problems.length} wrong`);
  if (refused === 0) return fail(title, "no allocation ever failed: the hook does not work");
  return problems.length > 0
    ? fail(title, problems.join("\n"))
    : merge(
        title,
        Object.keys(counts).map((name) => pass(`${title}, ${name}`)),
      );
}
