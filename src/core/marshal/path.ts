/**
 * Where a value is, as JavaScript would write it: `value.users[3].born`.
 * A long way is cut in its middle.
 */
import { describe } from "./keys.ts";

const WORD = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

export class Path {
  #parts: string[] = [];
  constructor(readonly root: string) {}

  key(name: unknown): void {
    const text = String(name);
    this.#parts.push(WORD.test(text) ? `.${text}` : `[${describe(text)}]`);
  }
  index(at: number): void {
    if (at >= 0) this.#parts.push(`[${at}]`);
  }
  /** A member of a Set. */
  member(at: number): void {
    if (at >= 0) this.#parts.push(`<member ${at}>`);
  }
  /** A key of a Map, or the value of one. */
  entry(key: unknown, isKey: boolean): void {
    this.#parts.push(isKey ? `<key ${describe(key)}>` : `.get(${describe(key)})`);
  }

  get text(): string {
    const parts = this.#parts;
    const shown = parts.length <= 20 ? parts : [...parts.slice(0, 10), `…(${parts.length - 20} more)…`, ...parts.slice(-10)];
    return this.root + shown.join("");
  }
}
