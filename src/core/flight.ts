/**
 * The programs in flight, by id.
 *
 * Ids count up, so a program's place is its id modulo a power of two: no hashing, and nothing is
 * allocated per program. A program that is still there when its place is needed again has been
 * overtaken by a whole round of younger ones; it moves to a Map, so that one slow program never makes
 * the table grow.
 */
import type { ProgramId } from "./backend.ts";
import type { Wait } from "./wait.ts";

const SMALLEST = 256;
const LARGEST = 1 << 16;

export class Flight {
  #places: (Wait | undefined)[] = new Array<Wait | undefined>(SMALLEST).fill(undefined);
  readonly #overtaken = new Map<ProgramId, Wait>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param first the first output of the program, which knows the others and the program's id */
  add(first: Wait): void {
    if (++this.#size > this.#places.length >> 1 && this.#places.length < LARGEST) this.#grow();
    this.#place(first);
  }

  #place(first: Wait): void {
    const places = this.#places;
    const at = first.program & (places.length - 1);
    const older = places[at];
    if (older !== undefined) this.#overtaken.set(older.program, older);
    places[at] = first;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Array<Wait | undefined>(old.length * 2).fill(undefined);
    for (const first of old) if (first !== undefined) this.#place(first);
  }

  get(id: ProgramId): Wait | undefined {
    const found = this.#places[id & (this.#places.length - 1)];
    return found?.program === id ? found : this.#overtaken.get(id);
  }

  /** Takes a program out. */
  take(id: ProgramId): Wait | undefined {
    const at = id & (this.#places.length - 1);
    const found = this.#places[at];
    if (found?.program === id) {
      this.#places[at] = undefined;
      this.#size--;
      return found;
    }
    const overtaken = this.#overtaken.get(id);
    if (overtaken !== undefined) {
      this.#overtaken.delete(id);
      this.#size--;
    }
    return overtaken;
  }

  /** The first outputs of all programs, oldest first. */
  list(): Wait[] {
    const placed = this.#places.filter((first) => first !== undefined);
    return [...this.#overtaken.values(), ...placed].sort((a, b) => a.program - b.program);
  }

  clear(): void {
    this.#places = new Array<Wait | undefined>(SMALLEST).fill(undefined);
    this.#overtaken.clear();
    this.#size = 0;
  }
}
