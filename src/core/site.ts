/**
 * JavaScript stacks of where expressions were built, taken within a budget.
 *
 * A stack costs about 4 µs (Node 20, 10 frames; bench/facade.ts), more than the rest of a call. Programs that make
 * few calls per turn get a stack for each; a thousand calls at once get one for the first few.
 */
import type { Site } from "./expression.ts";

const CAPACITY = 64;
/** Each turn earns this many. */
const REFILL = 2;

interface StackCapture {
  captureStackTrace?(target: object, below?: unknown): void;
}

export class SiteBudget {
  #left = CAPACITY;

  turn(): void {
    this.#left = Math.min(CAPACITY, this.#left + REFILL);
  }

  /** @param below frames above and including this function are left out, where the platform can */
  take(below: unknown, always: boolean): Site | undefined {
    if (this.#left === 0 && !always) return undefined;
    if (this.#left > 0) this.#left--;
    const { captureStackTrace } = Error as StackCapture;
    if (captureStackTrace === undefined) return new Error("built here");
    const site: Site = {};
    captureStackTrace(site, below);
    return site;
  }
}
