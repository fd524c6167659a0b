/**
 * Python's Decimal, kept as the text that Python would print: no digit, sign, exponent or kind of
 * NaN is lost. It does no arithmetic.
 *
 * A structured clone is an ordinary object with `sign`, `digits` and `exponent`.
 */
import { EngineError } from "../errors.ts";

const FINITE = /^([-+]?)(?=\d|\.\d)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/;
const SPECIAL = /^([-+]?)(inf|infinity|(s?nan)(\d*))$/i;

export class PyDecimal {
  /** 1 when the sign bit is set. */
  readonly sign: 0 | 1;
  /** The digits of the coefficient, or of the payload of a NaN. */
  readonly digits: string;
  /** The power of ten, or which special value this is, as in `Decimal.as_tuple()`. */
  readonly exponent: number | "F" | "n" | "N";

  constructor(value: string | number | bigint) {
    const text = String(value).trim();
    const finite = FINITE.exec(text);
    const special = finite === null ? SPECIAL.exec(text) : null;
    if (finite !== null) {
      const [, sign, whole = "", fraction = "", exponent = "0"] = finite;
      this.sign = sign === "-" || Object.is(value, -0) ? 1 : 0;
      this.digits = (whole + fraction).replace(/^0+(?=\d)/, "");
      this.exponent = Number(exponent) - fraction.length;
      if (!Number.isSafeInteger(this.exponent)) throw new EngineError("ERR_ARGUMENT", "The exponent of a Decimal is beyond all bounds.");
    } else if (special !== null) {
      const [, sign, , nan, payload = ""] = special;
      this.sign = sign === "-" ? 1 : 0;
      this.digits = nan === undefined ? "0" : payload.replace(/^0+/, "");
      this.exponent = nan === undefined ? "F" : nan.length === 4 ? "N" : "n";
    } else {
      throw new EngineError("ERR_ARGUMENT", `${JSON.stringify(text)} is not a decimal number.`, 'Write it as Python does: "-1.50E+3".');
    }
    Object.freeze(this);
  }

  /** The same number with the same exponent: 1.0 and 1.00 are different, NaN equals NaN. */
  equals(other: unknown): boolean {
    return other instanceof PyDecimal && this.toString() === other.toString();
  }

  /** The nearest double. */
  toNumber(): number {
    if (this.exponent === "F") return this.sign === 1 ? -Infinity : Infinity;
    if (typeof this.exponent === "string") return Number.NaN;
    return Number(`${this.sign === 1 ? "-" : ""}${this.digits}e${this.exponent}`);
  }

  /** As Python's `str`. */
  toString(): string {
    const sign = this.sign === 1 ? "-" : "";
    if (this.exponent === "F") return `${sign}Infinity`;
    if (typeof this.exponent === "string") return `${sign}${this.exponent === "N" ? "sNaN" : "NaN"}${this.digits}`;
    const { digits, exponent } = this;
    // The point stands after the first digit when the number is too long or too small to be written out.
    const left = digits.length + exponent;
    if (exponent <= 0 && left > -6) {
      if (exponent === 0) return sign + digits;
      if (left > 0) return `${sign}${digits.slice(0, left)}.${digits.slice(left)}`;
      return `${sign}0.${"0".repeat(-left)}${digits}`;
    }
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const power = left - 1;
    return `${sign}${digits[0]}${fraction}E${power < 0 ? "" : "+"}${power}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
