/**
 * What a check found: how many passed, what failed, what was skipped and why.
 *
 * Invariant: a skip always has a reason, and nothing is counted twice.
 */

/**
 * @typedef {{ name: string, reason: string }} Noted
 * @typedef {{ name: string, passed: number, failed: Noted[], skipped: Noted[], seconds?: number }} Tally
 */

/** @returns {Tally} */
export const tally = (name, passed = 0, failed = [], skipped = []) => ({ name, passed, failed, skipped });

/** One check that holds. */
export const pass = (name) => tally(name, 1);
/** One check that does not hold; `reason` is for a person. */
export const fail = (name, reason) => tally(name, 0, [{ name, reason }]);
/** One check that could not be made. */
export const skip = (name, reason) => tally(name, 0, [], [{ name, reason }]);

/** Several tallies as one, under a new name. */
export function merge(name, tallies) {
  return tally(
    name,
    tallies.reduce((sum, one) => sum + one.passed, 0),
    tallies.flatMap((one) => one.failed),
    tallies.flatMap((one) => one.skipped),
  );
}

/** The closing line: the only line of its form in a run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
}

/** Prints one check's result. */
export function report(one) {
  const parts = [`${one.passed} ok`];
  if (one.failed.length > 0) parts.push(`${one.failed.length} FAILED`);
  if (one.skipped.length > 0) parts.push(`${one.skipped.length} skipped`);
  console.log(`  ${one.name}: ${parts.join(", ")}${one.seconds === undefined ? "" : ` (${one.seconds.toFixed(1)} s)`}`);
  for (const { name, reason } of one.failed) console.log(`    FAILED ${name}\n${indent(reason, 6)}`);
}

export const indent = (text, by) => text.replace(/^/gm, " ".repeat(by));

/** Makes a script's check runnable by itself: `node scripts/check-x.mjs`. */
export async function main(meta, check) {
  const { pathToFileURL } = await import("node:url");
  if (process.argv[1] === undefined || meta.url !== pathToFileURL(process.argv[1]).href) return;
  const begin = performance.now();
  const result = await check();
  report({ ...result, seconds: (performance.now() - begin) / 1000 });
  for (const { name, reason } of result.skipped) console.log(`    skipped ${name}: ${reason}`);
  process.exitCode = result.failed.length > 0 ? 1 : 0;
}
