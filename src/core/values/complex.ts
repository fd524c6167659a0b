/**
 * Python's complex number.
 *
 * A structured clone keeps `re` and `im` but not the class.
 */
import { floatText } from "./text.ts";

export class PyComplex {
  constructor(
    readonly re: number,
    readonly im: number = 0,
  ) {
    Object.freeze(this);
  }

  /** As Python's `==`: NaN equals nothing, 0 equals -0. */
  equals(other: unknown): boolean {
    if (typeof other === "number") return this.im === 0 && this.re === other;
    return other instanceof PyComplex && this.re === other.re && this.im === other.im;
  }

  /** As Python's `str`: `(1+2j)`, `2j`, `(-0+nanj)`. */
  toString(): string {
    const im = `${floatText(this.im)}j`;
    if (Object.is(this.re, 0)) return im;
    return `(${floatText(this.re)}${/^[-+]/.test(im) ? "" : "+"}${im})`;
  }

  toJSON(): { re: number; im: number } {
    return { re: this.re, im: this.im };
  }
}
