/**
 * Programs that were told to stop, and how long they may take.
 *
 * One that goes on after its grace condemns its engine, but only when nothing else keeps the engine
 * busy: a program that waits behind another one cannot hear anything, and somebody wants that one.
 */
import type { Condemnation, ProgramId } from "./backend.ts";

/** Milliseconds until one that is not to blame is looked at again. */
const AGAIN = 50;
/** Milliseconds more where nothing seems to run: the engine may not have come to its frames yet. */
const UNSEEN = 1_000;

export class Grace {
  readonly #milliseconds: number;
  readonly #condemnation: () => Condemnation | undefined;
  readonly #condemn: (condemnation: Condemnation, reason: string) => void;
  /** When each one's grace is over. */
  readonly #due = new Map<ProgramId, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #expected = 0;

  /** @param condemnation of the engine of today */
  constructor(
    milliseconds: number,
    condemnation: () => Condemnation | undefined,
    condemn: (condemnation: Condemnation, reason: string) => void,
  ) {
    this.#milliseconds = milliseconds;
    this.#condemnation = condemnation;
    this.#condemn = condemn;
  }

  interrupted(id: ProgramId): void {
    this.#due.set(id, performance.now() + this.#milliseconds);
    if (this.#timer === undefined) this.#wait(this.#milliseconds);
  }

  settled(id: ProgramId): void {
    if (this.#due.delete(id) && this.#due.size === 0) this.clear();
  }

  clear(): void {
    this.#due.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(milliseconds: number): void {
    this.#expected = performance.now() + milliseconds;
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    // JavaScript was busy: what the engine said meanwhile has not been read yet.
    const late = now - this.#expected > AGAIN;
    const condemnation = this.#condemnation();
    if (condemnation === undefined) return;
    let next = Number.POSITIVE_INFINITY;
    for (const [id, end] of this.#due) {
      const blocks = condemnation.blocks(id);
      const due = blocks === undefined ? end + UNSEEN : end;
      if (due <= now && !late && blocks !== false) {
        this.#condemn(condemnation, `A program went on for ${this.#milliseconds} ms after it was told to stop, so its engine was ended.`);
        return;
      }
      next = Math.min(next, Math.max(due - now, AGAIN));
    }
    if (this.#due.size > 0) this.#wait(next);
  }
}
