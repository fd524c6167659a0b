/** Samples and medians. Each figure is the median of at least five samples after a warm-up. */

export interface Figure {
  readonly name: string;
  /** Ours, in `unit`. */
  readonly ours: number;
  readonly unit: string;
  /** What was measured beside it in the same run; absent when there is nothing to compare with. */
  readonly baseline?: { readonly name: string; readonly value: number };
  /** The bar: `ours` alone, or against the baseline. */
  readonly bar: {
    readonly kind: "at most" | "at least" | "at most, times the baseline" | "times better than the baseline";
    readonly value: number;
  };
  /** Why a baseline is missing. */
  readonly note?: string;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

/** Milliseconds of one sample: the median over `samples` runs of `body`, after one that does not count. */
export async function timed(body: () => Promise<unknown>, samples = 7): Promise<number> {
  const times: number[] = [];
  await body();
  for (let sample = 0; sample < samples; sample++) {
    const begin = performance.now();
    await body();
    times.push(performance.now() - begin);
  }
  return median(times);
}

/** Milliseconds of one call of a synchronous function, by loops long enough to be measured. */
export function timedSync(body: () => unknown, loops: number, samples = 9): number {
  const times: number[] = [];
  for (let sample = -2; sample < samples; sample++) {
    const begin = performance.now();
    for (let loop = 0; loop < loops; loop++) body();
    if (sample >= 0) times.push((performance.now() - begin) / loops);
  }
  return median(times);
}

/** Two things in turn, so that a slow moment of the machine hits both. */
export async function interleaved(
  ours: () => Promise<unknown>,
  baseline: () => Promise<unknown>,
  samples = 9,
): Promise<[ours: number, baseline: number]> {
  const times: [number[], number[]] = [[], []];
  for (let sample = -1; sample < samples; sample++) {
    for (const [index, body] of [ours, baseline].entries()) {
      const begin = performance.now();
      await body();
      if (sample >= 0) times[index as 0 | 1].push(performance.now() - begin);
    }
  }
  return [median(times[0]), median(times[1])];
}

/** The last line of a bench program; `scripts/bench.mjs` reads it. */
export const publish = (figures: readonly Figure[]): void => console.log(JSON.stringify({ figures }));
