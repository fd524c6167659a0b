/**
 * Values that JavaScript has no type for: small frozen objects that return as what they were.
 *
 * Each class has its round trip, its equality, its JSON, and what a structured clone leaves of it.
 */
import { Ellipsis, NotImplemented, PyComplex, PyDecimal, PyFraction, PyRange, PySlice, tuple } from "isopy";
import { aRef, matching } from "../match.ts";
import type { Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

const numbers = "from decimal import *\nfrom fractions import *";

/** What `use` makes of the value of an expression. */
const seenAs =
  (use: (value: unknown) => unknown) =>
  (source: string, setup = "") =>
  async (t: Runner) => {
    const value = await t.evaluate({ source, setup });
    t.release(value);
    return use(value);
  };
const json = seenAs((value) => JSON.stringify(value));
const clone = seenAs((value) => structuredClone(value));

export const valueclasses = inGroup("valueclasses", [
  {
    name: "a complex number arrives as a PyComplex and returns",
    tags: ["complex round trip"],
    python: "1.5-2j",
    js: () => new PyComplex(1.5, -2),
  },
  {
    name: "a complex number keeps nan, inf and the signs of its zeros",
    tags: ["complex round trip"],
    python: "[complex(-0.0, 0.0), complex(0.0, -0.0), complex(float('nan'), float('-inf'))]",
    js: () => [new PyComplex(-0, 0), new PyComplex(0, -0), new PyComplex(Number.NaN, Number.NEGATIVE_INFINITY)],
  },
  {
    name: "complex numbers are equal as in Python",
    tags: ["complex equality"],
    act: async (t) => {
      const z = (await t.evaluate({ source: "1+2j" })) as PyComplex;
      return [z.equals(new PyComplex(1, 2)), z.equals(new PyComplex(1, -2)), new PyComplex(3, 0).equals(3), String(z)];
    },
    expect: [true, false, true, "(1+2j)"],
  },
  { name: "a complex number as JSON has both parts", tags: ["complex JSON"], act: json("1+2j"), expect: '{"re":1,"im":2}' },
  {
    name: "a structured clone of a complex number keeps both parts",
    tags: ["complex structured clone"],
    act: clone("1+2j"),
    expect: { re: 1, im: 2 },
  },
  { name: "a complex subclass stays a Python object", setup: "class Z(complex): pass", python: "Z(1)", expect: aRef, roundTrip: true },

  {
    name: "a range arrives as a PyRange, without its items",
    tags: ["range round trip"],
    python: "range(2, 10**12, 3)",
    js: () => new PyRange(2, 10 ** 12, 3),
  },
  {
    name: "a range with bounds beyond 2**53 has bigints",
    tags: ["range round trip"],
    python: "range(0, 2**70, 2**60)",
    js: () => new PyRange(0, 2n ** 70n, 2n ** 60n),
  },
  {
    name: "ranges are equal when their items are",
    tags: ["range equality"],
    act: async (t) => {
      const r = (await t.evaluate({ source: "range(0, 5, 2)" })) as PyRange;
      return [r.equals(new PyRange(0, 6, 2)), r.equals(new PyRange(0, 7, 2)), r.length, [...r], r.at(-1), r.includes(2), r.includes(3)];
    },
    expect: [true, false, 3, [0, 2, 4], 4, true, false],
  },
  {
    name: "a range as JSON has its three numbers",
    tags: ["range JSON"],
    act: json("range(1, 9, 2)"),
    expect: '{"start":1,"stop":9,"step":2}',
  },
  {
    name: "a structured clone of a range keeps its three numbers",
    tags: ["range structured clone"],
    act: clone("range(1, 9, 2)"),
    expect: { start: 1, stop: 9, step: 2 },
  },
  {
    name: "an empty and a falling range return as they were",
    python: "[range(0), range(5, 0, -1), range(3, 3)]",
    js: () => [new PyRange(0), new PyRange(5, 0, -1), new PyRange(3, 3)],
  },

  {
    name: "a slice arrives as a PySlice and returns",
    tags: ["slice round trip"],
    python: "slice(1, None, -2)",
    js: () => new PySlice(1, null, -2),
  },
  {
    name: "the parts of a slice are values of any type",
    tags: ["slice round trip"],
    python: "slice('a', (1, 2), None)",
    expect: new PySlice("a", tuple([1, 2]), null),
    roundTrip: true,
  },
  {
    name: "slices are equal by their parts",
    tags: ["slice equality"],
    act: async (t) => {
      const s = (await t.evaluate({ source: "slice(1, 2j)" })) as PySlice;
      return [s.equals(new PySlice(1, new PyComplex(0, 2))), s.equals(new PySlice(1)), String(new PySlice(1))];
    },
    expect: [true, false, "slice(1, None, None)"],
  },
  {
    name: "a slice as JSON has its three parts",
    tags: ["slice JSON"],
    act: json("slice(1, 2)"),
    expect: '{"start":1,"stop":2,"step":null}',
  },
  {
    name: "a structured clone of a slice keeps its three parts",
    tags: ["slice structured clone"],
    act: clone("slice(1, 2)"),
    expect: { start: 1, stop: 2, step: null },
  },

  { name: "Ellipsis is one object on each side", tags: ["Ellipsis round trip"], python: "[..., ...]", js: () => [Ellipsis, Ellipsis] },
  {
    name: "Ellipsis equals itself only",
    tags: ["Ellipsis equality"],
    act: async (t) => [
      (await t.evaluate({ source: "..." })) === Ellipsis,
      (await t.evaluate({ source: "Ellipsis" })) === (NotImplemented as unknown),
    ],
    expect: [true, false],
  },
  { name: "Ellipsis as JSON is its name", tags: ["Ellipsis JSON"], act: json("..."), expect: '"Ellipsis"' },
  { name: "a structured clone of Ellipsis is an empty object", tags: ["Ellipsis structured clone"], act: clone("..."), expect: {} },
  {
    name: "NotImplemented is one object on each side",
    tags: ["NotImplemented round trip"],
    python: "[NotImplemented]",
    js: () => [NotImplemented],
  },
  {
    name: "NotImplemented equals itself only",
    tags: ["NotImplemented equality"],
    act: async (t) => (await t.evaluate({ source: "NotImplemented" })) === NotImplemented,
    expect: true,
  },
  {
    name: "NotImplemented as JSON is its name",
    tags: ["NotImplemented JSON"],
    act: json("[NotImplemented]"),
    expect: '["NotImplemented"]',
  },
  {
    name: "a structured clone of NotImplemented is an empty object",
    tags: ["NotImplemented structured clone"],
    act: clone("NotImplemented"),
    expect: {},
  },

  {
    name: "a Decimal keeps its digits and trailing zeros",
    tags: ["Decimal round trip"],
    setup: numbers,
    python: "[Decimal('1.10'), Decimal('-0.00'), Decimal('1E+30'), Decimal('0.' + '1' * 60)]",
    js: () => [new PyDecimal("1.10"), new PyDecimal("-0.00"), new PyDecimal("1E+30"), new PyDecimal(`0.${"1".repeat(60)}`)],
  },
  {
    name: "a Decimal keeps NaN, sNaN with payload and infinities",
    tags: ["Decimal round trip"],
    setup: numbers,
    python: "[Decimal('NaN'), Decimal('-sNaN123'), Decimal('Infinity'), Decimal('-Infinity')]",
    js: () => [new PyDecimal("NaN"), new PyDecimal("-sNaN123"), new PyDecimal("Infinity"), new PyDecimal("-Infinity")],
  },
  {
    name: "a Decimal prints as Python prints it",
    setup: numbers,
    act: async (t) => {
      const texts = ["1E-7", "0.000001", "1.23E+5", "-0", "100", "1E+2", "-1.50E-10"];
      const made = (await t.evaluate({ setup: numbers, source: "[Decimal(x) for x in texts]", values: { texts } })) as PyDecimal[];
      return [made.map(String), await t.evaluate({ setup: numbers, source: "[str(Decimal(x)) for x in texts]", values: { texts } })];
    },
    expect: matching("two equal lists", ([a, b]: [string[], string[]]) => a.length === 7 && a.every((text, i) => text === b[i])),
  },
  {
    name: "Decimals are equal with their exponents",
    tags: ["Decimal equality"],
    act: async (t) => {
      const d = (await t.evaluate({ setup: numbers, source: "Decimal('1.0')" })) as PyDecimal;
      return [d.equals(new PyDecimal("1.0")), d.equals(new PyDecimal("1.00")), d.toNumber()];
    },
    expect: [true, false, 1],
  },
  { name: "a Decimal as JSON is its text", tags: ["Decimal JSON"], act: json("Decimal('1.10')", numbers), expect: '"1.10"' },
  {
    name: "a structured clone of a Decimal keeps sign, digits and exponent",
    tags: ["Decimal structured clone"],
    act: clone("Decimal('-1.10')", numbers),
    expect: { sign: 1, digits: "110", exponent: -2 },
  },
  { name: "decimal: 'string' gives text", setup: numbers, python: "[Decimal('1.10')]", options: { decimal: "string" }, expect: ["1.10"] },
  {
    name: "decimal: 'number' gives the nearest number",
    setup: numbers,
    python: "{'a': Decimal('1.10')}",
    options: { decimal: "number" },
    expect: { a: 1.1 },
  },

  {
    name: "a Fraction keeps two exact integers",
    tags: ["Fraction round trip"],
    setup: numbers,
    python: "[Fraction(-1, 3), Fraction(2**70, 3)]",
    js: () => [new PyFraction(-1, 3), new PyFraction(2n ** 70n, 3n)],
  },
  {
    name: "Fractions are equal in lowest terms",
    tags: ["Fraction equality"],
    act: async (t) => {
      const f = (await t.evaluate({ setup: numbers, source: "Fraction(2, 6)" })) as PyFraction;
      return [f.equals(new PyFraction(1, 3)), f.equals(new PyFraction(1, 4)), String(f)];
    },
    expect: [true, false, "1/3"],
  },
  {
    name: "a Fraction as JSON has both integers as text",
    tags: ["Fraction JSON"],
    act: json("Fraction(1, 3)", numbers),
    expect: '{"numerator":"1","denominator":"3"}',
  },
  {
    name: "a structured clone of a Fraction keeps both integers",
    tags: ["Fraction structured clone"],
    act: clone("Fraction(1, 3)", numbers),
    expect: { numerator: 1n, denominator: 3n },
  },
]);
