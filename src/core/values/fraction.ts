/**
 * Python's Fraction: two integers in lowest terms, the denominator positive.
 *
 * A structured clone keeps both integers but not the class.
 */
import { EngineError } from "../errors.ts";

export class PyFraction {
  readonly numerator: bigint;
  readonly denominator: bigint;

  constructor(numerator: number | bigint, denominator: number | bigint = 1n) {
    const [n, d] = [whole(numerator), whole(denominator)];
    if (d === 0n) throw new EngineError("ERR_ARGUMENT", "The denominator of a fraction cannot be 0.");
    const divisor = gcd(n, d) * (d < 0n ? -1n : 1n);
    this.numerator = n / divisor;
    this.denominator = d / divisor;
    Object.freeze(this);
  }

  equals(other: unknown): boolean {
    return other instanceof PyFraction && this.numerator === other.numerator && this.denominator === other.denominator;
  }

  /** The quotient as a double. */
  toNumber(): number {
    return Number(this.numerator) / Number(this.denominator);
  }

  toString(): string {
    return this.denominator === 1n ? `${this.numerator}` : `${this.numerator}/${this.denominator}`;
  }

  toJSON(): { numerator: string; denominator: string } {
    return { numerator: this.numerator.toString(), denominator: this.denominator.toString() };
  }
}

function whole(value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new EngineError("ERR_ARGUMENT", `A fraction is made of integers, not ${value}.`, "Use BigInts beyond 2^53.");
  }
  return BigInt(value);
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
