/**
 * One step of set-up: what it is, how it ended, how long it took, in one line.
 *
 * A step ends in one of three ways: `done` (it did something), `ready` (nothing to do), `missing`
 * (it could not, and says what is then missing). Only a step marked as required stops set-up.
 */

/**
 * @typedef {{ state: "done" | "ready" | "missing", note: string, value?: any }} Ending
 */

/** @returns {Ending} */
export const done = (note, value) => ({ state: "done", note, value });
/** @returns {Ending} */
export const ready = (note, value) => ({ state: "ready", note, value });
/** @returns {Ending} */
export const missing = (note, value) => ({ state: "missing", note, value });

/** Set-up cannot go on; the message is for a person. */
export class SetupError extends Error {
  name = "SetupError";
}

/**
 * Runs a step and prints its line.
 *
 * @param {string} name
 * @param {() => Promise<Ending> | Ending} body
 * @returns {Promise<Ending & { name: string, seconds: number }>}
 */
export async function step(name, body) {
  const begin = performance.now();
  const ending = await body();
  const seconds = (performance.now() - begin) / 1000;
  const word = { done: "done", ready: "ready", missing: "MISSING" }[ending.state];
  console.log(`  ${name.padEnd(14)} ${word.padEnd(8)} ${ending.note} (${seconds.toFixed(1)} s)`);
  return { ...ending, name, seconds };
}
