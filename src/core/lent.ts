/**
 * The table of what JavaScript lent to Python.
 *
 * Invariant: while an object is lent it has one id, and `count` equals its introductions to Python
 * minus what Python gave back.
 */
import type { CallbackId } from "./backend.ts";
import { EngineError } from "./errors.ts";
import { proxied } from "./lending.ts";

export interface Lent {
  readonly id: CallbackId;
  readonly value: unknown;
  readonly flags: number;
  count: number;
  /** A once-callback that was called. */
  spent: boolean;
  /** Python calls the function without asking for it, so its mark cannot change any more. */
  direct: boolean;
}

export class LentTable {
  readonly #most: number;
  readonly #byId = new Map<CallbackId, Lent>();
  readonly #byValue = new Map<unknown, Lent>();
  #next = 1;
  /** Ids introduced by encodings that are under way, so that one that fails can be undone. */
  #log: CallbackId[] = [];

  /** @param most how many may be lent at a time */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** @throws {EngineError} `ERR_LIMIT` when as many are lent as may be */
  lend(value: unknown, flags: number): CallbackId {
    let lent = this.#byValue.get(value);
    // Marked as a once-callback after Python had it: from now on it is another thing to Python.
    if (lent?.direct && proxied(value)?.once) lent = undefined;
    if (lent === undefined) {
      if (this.#byId.size >= this.#most) {
        throw new EngineError(
          "ERR_LIMIT",
          `Python holds ${this.#most.toLocaleString("en")} JavaScript objects, and may hold no more.`,
          "Lend fewer at a time, let Python drop those that it keeps, or raise limits.maxCallbacks in createPython().",
        );
      }
      // Python may await it turns later; a rejection that nobody listens to until then would end a Node process.
      if (value instanceof Promise) value.catch(() => undefined);
      lent = { id: this.#next++, value, flags, count: 0, spent: false, direct: false };
      this.#byValue.set(value, lent);
      this.#byId.set(lent.id, lent);
    }
    lent.count++;
    this.#log.push(lent.id);
    return lent.id;
  }

  /** Where the log is now, for `undo` or `commit`; encodings nest when a getter calls Python. */
  mark(): number {
    return this.#log.length;
  }

  /** What was introduced since `mark` never left. */
  undo(mark: number): void {
    for (const id of this.#log.splice(mark)) this.forget(id, 1);
  }

  /** What was introduced since `mark` is on its way. */
  commit(mark: number): void {
    this.#log.length = mark;
  }

  /** @throws {EngineError} `ERR_PROTOCOL` for an id that is not lent */
  get(id: CallbackId): Lent {
    const lent = this.#byId.get(id);
    if (lent !== undefined) return lent;
    throw new EngineError("ERR_PROTOCOL", `The engine named a JavaScript object (${id}) that is not lent to it.`);
  }

  forget(id: CallbackId, count: number): void {
    const lent = this.#byId.get(id);
    if (lent === undefined) return; // closed meanwhile
    lent.count -= count;
    if (lent.count > 0) return;
    this.#byId.delete(id);
    if (this.#byValue.get(lent.value) === lent) this.#byValue.delete(lent.value);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** What is still lent, for the leak report. */
  list(): readonly Lent[] {
    return [...this.#byId.values()];
  }

  clear(): void {
    this.#byId.clear();
    this.#byValue.clear();
    this.#log = [];
  }
}
