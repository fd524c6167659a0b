/**
 * Python's range: three integers, however far they reach.
 *
 * Bounds are numbers while all three are safe, and BigInts otherwise, so every item is exact.
 * A structured clone keeps the three numbers but not the class.
 */
import { EngineError } from "../errors.ts";

type Int = number | bigint;

export class PyRange implements Iterable<Int> {
  readonly start: Int;
  readonly stop: Int;
  readonly step: Int;

  /** As Python's: `new PyRange(stop)` or `new PyRange(start, stop, step)`. */
  constructor(stop: Int);
  constructor(start: Int, stop: Int, step?: Int);
  constructor(first: Int, second?: Int, step: Int = 1) {
    const [start, stop] = second === undefined ? [0, first] : [first, second];
    for (const part of [start, stop, step]) {
      if (typeof part !== "bigint" && !Number.isSafeInteger(part)) {
        throw new EngineError("ERR_ARGUMENT", `A range has integer bounds, not ${String(part)}.`, "Use a BigInt beyond 2^53.");
      }
    }
    if (BigInt(step) === 0n) throw new EngineError("ERR_ARGUMENT", "The step of a range cannot be 0.");
    this.start = narrow(start);
    this.stop = narrow(stop);
    this.step = narrow(step);
    Object.freeze(this);
  }

  /** How many items; a BigInt when that is no safe integer. */
  get length(): Int {
    return narrow(this.#length());
  }

  #length(): bigint {
    const [start, stop, step] = [BigInt(this.start), BigInt(this.stop), BigInt(this.step)];
    const span = step > 0n ? stop - start : start - stop;
    const stride = step > 0n ? step : -step;
    return span <= 0n ? 0n : (span + stride - 1n) / stride;
  }

  /** The item at an index; negative counts from the end; undefined beyond. */
  at(index: Int): Int | undefined {
    if (typeof index !== "bigint" && !Number.isInteger(index)) return undefined;
    const length = this.#length();
    const at = BigInt(index) < 0n ? BigInt(index) + length : BigInt(index);
    if (at < 0n || at >= length) return undefined;
    return narrow(BigInt(this.start) + at * BigInt(this.step));
  }

  includes(value: unknown): boolean {
    if (typeof value !== "bigint" && !Number.isInteger(value)) return false;
    const [start, step, wanted] = [BigInt(this.start), BigInt(this.step), BigInt(value as Int)];
    const offset = (wanted - start) / step;
    return (wanted - start) % step === 0n && offset >= 0n && offset < this.#length();
  }

  /** As Python's `==`: the same items, not the same bounds. */
  equals(other: unknown): boolean {
    if (!(other instanceof PyRange)) return false;
    const length = this.#length();
    if (length !== other.#length()) return false;
    if (length === 0n) return true;
    return this.start === other.start && (length === 1n || this.step === other.step);
  }

  *[Symbol.iterator](): Generator<Int, void, undefined> {
    const length = this.#length();
    const last = BigInt(this.start) + length * BigInt(this.step);
    if (typeof this.start === "number" && typeof this.step === "number" && typeof narrow(last) === "number") {
      const { start, step } = this;
      for (let i = 0, count = Number(length); i < count; i++) yield start + i * step;
      return;
    }
    for (let i = 0n; i < length; i++) yield narrow(BigInt(this.start) + i * BigInt(this.step));
  }

  toString(): string {
    const step = BigInt(this.step) === 1n ? "" : `, ${this.step}`;
    return `range(${this.start}, ${this.stop}${step})`;
  }

  toJSON(): { start: Int; stop: Int; step: Int } {
    return { start: json(this.start), stop: json(this.stop), step: json(this.step) } as { start: Int; stop: Int; step: Int };
  }
}

function narrow(value: Int): Int {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number + 0 : value;
}

/** JSON has no BigInt: beyond the safe integers the digits go as text. */
function json(value: Int): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}
