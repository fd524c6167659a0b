/**
 * Python's slice: three values of any type, `null` for those left out.
 *
 * A structured clone keeps the three parts but not the class.
 */
export class PySlice {
  constructor(
    readonly start: unknown = null,
    readonly stop: unknown = null,
    readonly step: unknown = null,
  ) {
    Object.freeze(this);
  }

  /** Whether all three parts are the same (`Object.is`) or equal as values. */
  equals(other: unknown): boolean {
    return other instanceof PySlice && same(this.start, other.start) && same(this.stop, other.stop) && same(this.step, other.step);
  }

  toString(): string {
    return `slice(${[this.start, this.stop, this.step].map((part) => (part === null ? "None" : String(part))).join(", ")})`;
  }

  toJSON(): { start: unknown; stop: unknown; step: unknown } {
    return { start: this.start, stop: this.stop, step: this.step };
  }
}

interface Comparable {
  equals(other: unknown): boolean;
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || a === null || typeof (a as Partial<Comparable>).equals !== "function") return false;
  return (a as Comparable).equals(b);
}
