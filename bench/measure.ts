/** Samples and medians. Each figure is the median of at least five samples after a warm-up. */
import { median } from "./native/sampling.mjs";

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
