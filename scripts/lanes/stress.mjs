/**
 * The stress run: mixed calls over four worker threads and the pool, each answer checked, each call settled exactly
 * once, and no handle alive afterwards. What each kind did is printed.
 */

import { compile } from "../checks/script.mjs";
import { fail, pass } from "../checks/tally.mjs";
import { exec, reported, tail } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";

/**
 * @param {string} title
 * @param {{ calls: number, env?: Record<string, string | undefined>, timeout?: number }} options
 */
export async function stressRun(title, { calls, env = {}, timeout = 60 * 60_000 }) {
  const folder = inCache("run");
  const driver = await compile("test/lanes/stress.ts", folder);
  const worker = await compile("test/lanes/stress-worker.ts", folder);
  const args = ["--expose-gc", driver, `--calls=${calls}`, `--worker=${worker}`, `--python=${inRoot("test/lanes")}`];
  const outcome = await exec(process.execPath, args, { env, timeout });
  const ledger = reported(outcome);
  if (ledger === undefined) return fail(title, `no ledger; exit code ${outcome.code}, signal ${outcome.signal}\n${tail(outcome, 30)}`);
  const kinds = Object.entries(ledger.kinds)
    .map(([kind, count]) => `${kind} ${count.toLocaleString("en-US")}`)
    .join(", ");
  console.log(
    `    ${title}: ${ledger.submitted.toLocaleString("en-US")} calls in ${ledger.seconds} s (seed ${ledger.seed}): ` +
      `${ledger.ok} ok + ${ledger.errors} errors + ${ledger.cancelled} cancelled, ${ledger.handles} handles alive\n      ${kinds}`,
  );
  if (ledger.problems.length > 0) return fail(title, `seed ${ledger.seed}\n${ledger.problems.join("\n")}`);
  if (outcome.code !== 0)
    return fail(title, `the ledger adds up, but the process ended with ${outcome.code ?? outcome.signal}\n${tail(outcome, 20)}`);
  return pass(title);
}

export const stressLane = (calls) => stressRun("stress", { calls });
