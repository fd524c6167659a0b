/**
 * How every contender is timed: medians of samples that are long enough to be measured.
 *
 * Plain JavaScript, because the peers' programs run as they are.
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const SAMPLE_MS = 15;
const SAMPLES = 7;

/**
 * Microseconds of one call of `body`. The number of calls in a sample is found first.
 *
 * @param {() => unknown} body
 */
export function perCall(body) {
  let loops = 1;
  for (;;) {
    const begin = performance.now();
    for (let loop = 0; loop < loops; loop++) body();
    const spent = performance.now() - begin;
    if (spent >= SAMPLE_MS) break;
    loops = Math.ceil(spent < 1 ? loops * 8 : (loops * SAMPLE_MS * 1.2) / spent);
  }
  const times = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const begin = performance.now();
    for (let loop = 0; loop < loops; loop++) body();
    times.push(((performance.now() - begin) * 1000) / loops);
  }
  return median(times);
}

/**
 * Milliseconds of one call of `body` that moves megabytes. The event loop turns between the calls, untimed,
 * because the memory of the last one is given back there.
 *
 * @param {() => unknown} body
 */
export async function perBigCall(body, samples = 25) {
  const times = [];
  for (let sample = -3; sample < samples; sample++) {
    const begin = performance.now();
    body();
    if (sample >= 0) times.push(performance.now() - begin);
    await new Promise(setImmediate);
  }
  return median(times);
}

/**
 * Calls a second with so many in flight: all of a round are awaited together.
 *
 * @param {(index: number) => PromiseLike<unknown>} call
 * @param {number} inFlight
 * @param {number} total  Calls of one sample.
 */
export async function perSecond(call, inFlight, total) {
  const rates = [];
  for (let sample = -1; sample < 5; sample++) {
    const begin = performance.now();
    if (inFlight === 1) {
      for (let index = 0; index < total; index++) await call(index);
    } else {
      for (let done = 0; done < total; done += inFlight) {
        const round = [];
        for (let index = 0; index < inFlight; index++) round.push(call(index));
        await Promise.all(round);
      }
    }
    if (sample >= 0) rates.push(total / ((performance.now() - begin) / 1000));
  }
  return median(rates);
}

/**
 * Milliseconds of one run of `body`, as the median of some.
 *
 * @param {() => unknown} body
 */
export async function milliseconds(body, samples = 5) {
  const times = [];
  for (let sample = -1; sample < samples; sample++) {
    const begin = performance.now();
    await body();
    if (sample >= 0) times.push(performance.now() - begin);
  }
  return median(times);
}

/** The data that every contender sends. */
export const data = {
  text: "x".repeat(1024),
  dict: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key${index}`, index * 1.5])),
  nested: nest(3),
  floats: Array.from({ length: 100_000 }, (_, index) => index + 0.5),
  bytes: new Uint8Array(10_000_000).fill(7),
  array: new Float64Array(1_000_000).fill(1.5),
};

function nest(depth) {
  return Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`k${index}`, depth === 1 ? index : nest(depth - 1)]));
}

/**
 * Calls what throws.
 *
 * @param {() => unknown} body
 * @returns {unknown} What it threw.
 */
export function caught(body) {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("wrong answer: it did not throw");
}

/** A wrong answer is not worth a time. */
export function check(condition, what) {
  if (!condition) throw new Error(`wrong answer: ${what}`);
}

/**
 * Runs the cases by name and prints their figures as the last line; one that fails is left out, with its reason.
 *
 * @param {Record<string, () => number | Promise<number>>} cases
 */
export async function contend(cases) {
  const figures = {};
  const problems = {};
  const only = process.env.ISOPY_BENCH_ONLY?.split(",");
  for (const [name, body] of Object.entries(cases)) {
    if (only && !only.includes(name)) continue;
    try {
      figures[name] = await body();
    } catch (error) {
      problems[name] = String(error?.message ?? error).split("\n")[0];
    }
  }
  process.stdout.write(`${JSON.stringify({ figures, problems })}\n`, () => process.exit(0));
}
