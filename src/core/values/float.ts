import { EngineError } from "../errors.ts";

/**
 * A number that must be a Python float although it is integral.
 *
 * JavaScript has one number type, so `2` goes out as an int; `float(2)` goes out as `2.0`.
 */
export class PyFloat {
  constructor(readonly value: number) {
    Object.freeze(this);
  }
  valueOf(): number {
    return this.value;
  }
  toString(): string {
    return String(this.value);
  }
  toJSON(): number {
    return this.value;
  }
}

/**
 * Sends a number as a Python float, whatever its value.
 *
 * @example
 * await py.builtins.repr(float(2));    // "2.0"
 */
export function float(value: number | bigint): PyFloat {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new EngineError("ERR_ARGUMENT", `float() takes a number or a bigint, not ${value === null ? "null" : typeof value}.`);
  }
  const number = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(number)) {
    throw new EngineError("ERR_ARGUMENT", "float() has no float for a bigint of this size.", "Send the bigint itself: it becomes an int.");
  }
  return new PyFloat(number);
}
