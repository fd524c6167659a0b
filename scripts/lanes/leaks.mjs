/** The leak run: what each operation of the API leaves behind, as a slope (`test/lanes/leaks.ts`). */
import { compile } from "../checks/script.mjs";
import { fail, merge, pass } from "../checks/tally.mjs";
import { exec, reported, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";

/**
 * @param {string} title
 * @param {{ rounds: number, env?: Record<string, string | undefined> }} options
 */
export async function leakRun(title, { rounds, env = {} }) {
  const program = await compile("test/lanes/leaks.ts");
  const args = ["--expose-gc", program, `--rounds=${rounds}`, `--python=${inRoot("test/lanes")}`];
  const outcome = await exec(process.execPath, args, { env, timeout: 30 * 60_000 });
  const found = reported(outcome);
  if (found === undefined) return fail(title, tail(outcome, 20));
  const { slopes, problems } = found;
  console.log(`    ${title}: ${Object.keys(slopes).length} operations × ${rounds} rounds, ${problems.length} leave something`);
  const leaking = (name) => problems.find((problem) => problem.startsWith(`${name} leaves`));
  return merge(
    title,
    Object.keys(slopes).map((name) => (leaking(name) ? fail(`${title}, ${name}`, leaking(name)) : pass(`${title}, ${name}`))),
  );
}
