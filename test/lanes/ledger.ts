/**
 * What became of each call: submitted once, settled once, with one outcome. Nothing silent, nothing twice.
 */
export type Ending = "ok" | "error" | "cancelled";

const OPEN = 0;
const SETTLED = 1;
/** A wrong run is told by its first problems. */
const TOLD = 3;

export class Ledger {
  #entries = new Uint8Array(1024);
  #count = 0;
  readonly #endings: Record<Ending, number> = { ok: 0, error: 0, cancelled: 0 };
  readonly #kinds = new Map<string, number>();
  readonly #problems: string[] = [];

  /** @returns the entry to settle */
  submit(kind: string): number {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    if (this.#count === this.#entries.length) {
      const larger = new Uint8Array(this.#count * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    return this.#count++;
  }

  settle(entry: number, ending: Ending): void {
    if (this.#entries[entry] !== OPEN) this.#problem(`call ${entry} settled twice`);
    this.#entries[entry] = SETTLED;
    this.#endings[ending]++;
  }

  /** Settled, but not as it should. */
  fail(entry: number, error: unknown): void {
    if (this.#entries[entry] !== OPEN) this.#problem(`call ${entry} settled twice`);
    this.#entries[entry] = SETTLED;
    this.#problem(`call ${entry}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  #problem(text: string): void {
    if (this.#problems.length < TOLD) this.#problems.push(text);
  }

  summary() {
    const silent = this.#entries.subarray(0, this.#count).filter((state) => state === OPEN).length;
    if (silent > 0) this.#problem(`${silent} calls never settled`);
    return {
      kinds: Object.fromEntries(this.#kinds),
      submitted: this.#count,
      ok: this.#endings.ok,
      errors: this.#endings.error,
      cancelled: this.#endings.cancelled,
      problems: this.#problems,
    };
  }
}
