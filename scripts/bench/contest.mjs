/**
 * Runs the contenders in turn, several times, so that a slow moment of the machine hits each of them.
 */
import { median } from "../../bench/native/sampling.mjs";
import { exec, reported, tail } from "../setup/exec.mjs";

/**
 * @typedef {{ name: string, command: string, args: readonly string[], env?: Record<string, string | undefined> }} Contender
 * @typedef {{ figures: Record<string, number>, problems: Record<string, string> }} Outcome
 */

/**
 * @param {readonly Contender[]} contenders
 * @param {number} rounds
 * @param {(text: string) => void} say
 * @returns {Promise<Record<string, Outcome>>} Medians by contender and case.
 */
export async function contest(contenders, rounds, say) {
  /** @type {Record<string, { samples: Record<string, number[]>, problems: Record<string, string> }>} */
  const seen = Object.fromEntries(contenders.map(({ name }) => [name, { samples: {}, problems: {} }]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, command, args, env } of contenders) {
      say(`  round ${round} of ${rounds}: ${name}`);
      const outcome = await exec(command, args, { env, timeout: 240_000 });
      const own = seen[name];
      if (outcome.code !== 0) {
        own.problems["all of it"] = tail(outcome, 3);
        continue;
      }
      const { figures, problems } = reported(outcome);
      for (const [key, value] of Object.entries(figures)) (own.samples[key] ??= []).push(value);
      Object.assign(own.problems, problems);
    }
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, { samples, problems }]) => [
      name,
      { figures: Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)])), problems },
    ]),
  );
}

/**
 * Milliseconds from the start of a process to its first checked result, by contender; in turn.
 *
 * @param {Record<string, { args: readonly string[], env?: Record<string, string | undefined>, cwd?: string }>} programs
 */
export async function starts(programs, rounds = 9) {
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let round = -1; round < rounds; round++) {
    for (const [name, { args, ...options }] of Object.entries(programs)) {
      const begin = performance.now();
      const outcome = await exec(process.execPath, args, options);
      if (outcome.code !== 0) throw new Error(`${name} did not start: ${tail(outcome, 5)}`);
      if (round >= 0) (times[name] ??= []).push(performance.now() - begin);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}
