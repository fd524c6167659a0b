/**
 * JavaScript stacks of where expressions were built, taken within a budget.
 *
 * A stack costs 2 to 4 µs (Node 20; bench/facade.ts), more than the rest of a call. Programs that make
 * up to a thousand calls a second get a stack for each; those that make more get one for some.
 */
import type { Site } from "./expression.ts";

const CAPACITY = 64;
/** Each millisecond earns this many. */
const REFILL = 1;

interface StackCapture {
  captureStackTrace?(target: object, below?: unknown): void;
}

export class SiteBudget {
  #left = CAPACITY;
  #since = 0;

  /** A turn is over: time may have passed. */
  turn(): void {
    if (this.#left >= CAPACITY) return;
    const now = Date.now();
    this.#left = Math.min(CAPACITY, this.#left + Math.max(0, now - this.#since) * REFILL);
    this.#since = now;
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
