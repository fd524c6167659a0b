/** The value classes by themselves, and there and back again. */
import { describe, expect, it } from "vitest";
import { PyComplex } from "../../src/core/values/complex.ts";
import { PyDecimal } from "../../src/core/values/decimal.ts";
import { PyEnumMember } from "../../src/core/values/enum.ts";
import { float, PyFloat } from "../../src/core/values/float.ts";
import { PyFraction } from "../../src/core/values/fraction.ts";
import { NDArray } from "../../src/core/values/ndarray.ts";
import { PyRange } from "../../src/core/values/range.ts";
import { Ellipsis, NotImplemented } from "../../src/core/values/singletons.ts";
import { PySlice } from "../../src/core/values/slice.ts";
import {
  bytearray,
  frozenset,
  isBytearray,
  isFrozenset,
  isOrdered,
  isTuple,
  markNamedTuple,
  markOrdered,
  namedTupleType,
  tuple,
} from "../../src/core/values/tags.ts";
import { Boundary, decode, encode, FakeRef, there } from "./marshal-support.ts";

describe("PyComplex", () => {
  it.each([
    [new PyComplex(1, 2), "(1+2j)"],
    [new PyComplex(0, 2), "2j"],
    [new PyComplex(-0, 2), "(-0+2j)"],
    [new PyComplex(1, -0), "(1-0j)"],
    [new PyComplex(Number.NaN, Infinity), "(nan+infj)"],
    [new PyComplex(1, -Infinity), "(1-infj)"],
    [new PyComplex(1.5, 1e20), "(1.5+1e+20j)"],
    [new PyComplex(1e-7, 1e16), "(1e-07+1e+16j)"],
    [new PyComplex(0.0001, 123456789012345), "(0.0001+123456789012345j)"],
  ])("%s prints as Python does", (value, text) => expect(String(value)).toBe(text));
  it("equals as in Python", () => {
    expect(new PyComplex(0, 1).equals(new PyComplex(-0, 1))).toBe(true);
    expect(new PyComplex(Number.NaN).equals(new PyComplex(Number.NaN))).toBe(false);
    expect(new PyComplex(2).equals(2)).toBe(true);
  });
  it("keeps nan, inf and -0 on the way", () => {
    const back = there(new PyComplex(-0, Number.NaN)) as PyComplex;
    expect(back).toStrictEqual(new PyComplex(-0, Number.NaN));
    expect(JSON.stringify(there(new PyComplex(1, 2)))).toBe('{"re":1,"im":2}');
    expect(structuredClone(new PyComplex(1, 2))).toEqual({ re: 1, im: 2 });
  });
});

describe("PyRange", () => {
  it("has length, items and membership", () => {
    const range = new PyRange(10, 0, -3);
    expect([...range]).toEqual([10, 7, 4, 1]);
    expect(range.length).toBe(4);
    expect([range.at(0), range.at(-1), range.at(4), range.at(1.5)]).toEqual([10, 1, undefined, undefined]);
    expect([range.includes(7), range.includes(8), range.includes(-2), range.includes(7n), range.includes("7")]).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect([...new PyRange(3)]).toEqual([0, 1, 2]);
    expect([...new PyRange(0)]).toEqual([]);
  });
  it("reaches beyond 2^53 exactly", () => {
    const range = new PyRange(2n ** 64n, 2n ** 64n + 3n);
    expect([...range]).toEqual([2n ** 64n, 2n ** 64n + 1n, 2n ** 64n + 2n]);
    expect(new PyRange(0, 2n ** 70n).length).toBe(2n ** 70n);
    expect(new PyRange(0, 10 ** 12).length).toBe(10 ** 12);
    expect(new PyRange(2 ** 53 - 2, 2n ** 53n + 1n).at(2)).toBe(2n ** 53n);
    expect([...new PyRange(2 ** 53 - 2, 2n ** 53n + 1n)]).toEqual([2 ** 53 - 2, 2 ** 53 - 1, 2n ** 53n]);
    expect(there(range)).toStrictEqual(range);
  });
  it("prints, compares and refuses as Python does", () => {
    expect(String(new PyRange(1, 5))).toBe("range(1, 5)");
    expect(String(new PyRange(1, 5, 2))).toBe("range(1, 5, 2)");
    expect(new PyRange(0, 3, 2).equals(new PyRange(0, 4, 2))).toBe(true);
    expect(new PyRange(0).equals(new PyRange(5, 5, 7))).toBe(true);
    expect(() => new PyRange(0, 1, 0)).toThrow(/step of a range/);
    expect(() => new PyRange(0.5)).toThrow(/integer bounds/);
    expect(JSON.stringify(new PyRange(0, 2n ** 60n))).toBe('{"start":0,"stop":"1152921504606846976","step":1}');
  });
});

describe("PySlice and the singletons", () => {
  it("print and compare", () => {
    expect(String(new PySlice(1, null, 2n))).toBe("slice(1, None, 2)");
    expect(new PySlice(1).equals(new PySlice(1))).toBe(true);
    expect(new PySlice(new PyComplex(1)).equals(new PySlice(new PyComplex(1)))).toBe(true);
    expect(new PySlice(1).equals(new PySlice(2))).toBe(false);
    expect(there(new PySlice("a", [1], null))).toStrictEqual(new PySlice("a", [1], null));
    expect(`${Ellipsis} ${NotImplemented}`).toBe("Ellipsis NotImplemented");
    expect(there([Ellipsis, NotImplemented])).toEqual([Ellipsis, NotImplemented]);
    expect((there([Ellipsis]) as unknown[])[0]).toBe(Ellipsis);
  });
});

describe("PyDecimal", () => {
  it.each([
    ["1.10", 0, "110", -2, "1.10"],
    ["-0", 1, "0", 0, "-0"],
    ["0.00", 0, "0", -2, "0.00"],
    ["1E+3", 0, "1", 3, "1E+3"],
    ["-1.50e-10", 1, "150", -12, "-1.50E-10"],
    ["0.000001", 0, "1", -6, "0.000001"],
    ["0.0000001", 0, "1", -7, "1E-7"],
    ["123456789012345678901234567890.5", 0, "1234567890123456789012345678905", -1, "123456789012345678901234567890.5"],
    ["NaN", 0, "", "n", "NaN"],
    ["-sNaN123", 1, "123", "N", "-sNaN123"],
    ["Infinity", 0, "0", "F", "Infinity"],
    ["-inf", 1, "0", "F", "-Infinity"],
    [".5", 0, "5", -1, "0.5"],
    ["5.", 0, "5", 0, "5"],
  ] as const)("%s keeps sign, digits and exponent", (text, sign, digits, exponent, printed) => {
    const value = new PyDecimal(text);
    expect([value.sign, value.digits, value.exponent]).toEqual([sign, digits, exponent]);
    expect(String(value)).toBe(printed);
    expect(there(value)).toStrictEqual(value);
  });
  it("converts when asked", () => {
    expect(new PyDecimal("1.10").toNumber()).toBe(1.1);
    expect(new PyDecimal("-Infinity").toNumber()).toBe(-Infinity);
    expect(new PyDecimal("sNaN").toNumber()).toBeNaN();
    expect(Object.is(new PyDecimal("-0").toNumber(), -0)).toBe(true);
    expect(there(new PyDecimal("1.10"), { decimal: "string" })).toBe("1.10");
    expect(there(new PyDecimal("1.10"), { decimal: "number" })).toBe(1.1);
    expect(new PyDecimal("1.0").equals(new PyDecimal("1.00"))).toBe(false);
    expect(JSON.stringify(new PyDecimal("1.10"))).toBe('"1.10"');
    expect(() => new PyDecimal("1,5")).toThrow(/not a decimal/);
    expect(() => new PyDecimal("1e99999999999999999999")).toThrow(/exponent/);
  });
});

describe("PyFraction, PyFloat and PyEnumMember", () => {
  it("a fraction is in lowest terms", () => {
    expect(String(new PyFraction(6, -4))).toBe("-3/2");
    expect(String(new PyFraction(4, 2))).toBe("2");
    expect(new PyFraction(1, 2).toNumber()).toBe(0.5);
    expect(there(new PyFraction(2n ** 70n, 3))).toStrictEqual(new PyFraction(2n ** 70n, 3));
    expect(() => new PyFraction(1, 0)).toThrow(/denominator/);
    expect(() => new PyFraction(0.5)).toThrow(/integers/);
    expect(JSON.stringify(new PyFraction(1, 3))).toBe('{"numerator":"1","denominator":"3"}');
  });
  it("float() is a float on the wire and a number after it", () => {
    expect(encode(float(2))[2]).toBe(0x47);
    expect(there(float(2))).toBe(2);
    expect(float(2)).toBeInstanceOf(PyFloat);
    expect(+float(2) + 1).toBe(3);
  });
  it("an enum member goes out as its handle and comes in through the boundary", () => {
    const boundary = new Boundary();
    const member = new PyEnumMember("RED", 1, "Color");
    boundary.members.set(member, 12);
    const bytes = encode(member, boundary);
    expect(Buffer.from(bytes).includes("enum")).toBe(true);
    expect(`${member.toString()} ${JSON.stringify(member)} ${(member as unknown as number) + 1}`).toBe("Color.RED 1 2");
  });
});

describe("tags", () => {
  it("tuple() freezes a copy", () => {
    const source = [1, 2];
    const t = tuple(source);
    source.push(3);
    expect(t).toEqual([1, 2]);
    expect(Object.isFrozen(t) && isTuple(t)).toBe(true);
    expect(isTuple([...t])).toBe(false);
    expect(isTuple(Object.freeze([1]))).toBe(false);
    expect(Reflect.ownKeys(t)).toEqual(["0", "1", "length"]);
    expect(isTuple(there(t))).toBe(true);
  });
  it("named tuples have both styles of access", () => {
    const cls = new FakeRef(4);
    const point = markNamedTuple([1, 2, 3], { cls, typeName: "Point", fields: ["x", "length", "then"] });
    expect((point as unknown as { x: number }).x).toBe(1);
    expect(point.length).toBe(3);
    expect(namedTupleType(point)?.fields).toEqual(["x", "length", "then"]);
    const boundary = new Boundary();
    const back = decode(encode(point, boundary), undefined, boundary) as readonly unknown[];
    expect(namedTupleType(back)).toMatchObject({ typeName: "Point", fields: ["x", "length", "then"], cls: { id: 4 } });
    expect([...back]).toEqual([1, 2, 3]);
    expect(isTuple(back) && Object.isFrozen(back)).toBe(true);
  });
  it("sets, maps and bytes keep theirs on the way", () => {
    expect(isFrozenset(there(frozenset([1, 2])) as object)).toBe(true);
    expect(isFrozenset(there(new Set([1])) as object)).toBe(false);
    expect(isOrdered(there(markOrdered(new Map([["a", 1]]))) as object)).toBe(true);
    expect(isBytearray(there(bytearray(new Uint8Array(3))) as object)).toBe(true);
    expect(isBytearray(there(new Uint8Array(3)) as object)).toBe(false);
    expect(() => bytearray([1] as unknown as Uint8Array)).toThrow(/Uint8Array/);
  });
});

describe("arrays", () => {
  const grid = new NDArray(
    Float64Array.from({ length: 6 }, (_, i) => i),
    { shape: [2, 3] },
  );
  it("know their layout", () => {
    expect([grid.ndim, grid.length, grid.order, grid.strides]).toEqual([2, 6, "C", [3, 1]]);
    expect(grid.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect([grid.at(1, 2), grid.at(-1, 0), grid.at(2, 0)]).toEqual([5, 3, undefined]);
    const turned = new NDArray(grid.data, { shape: [3, 2], strides: [1, 3] });
    expect([turned.order, turned.toArray()]).toEqual([
      "F",
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ]);
    expect(turned.compact().data).toEqual(Float64Array.of(0, 3, 1, 4, 2, 5));
    const back = new NDArray(grid.data, { shape: [6], strides: [-1], offset: 5 });
    expect([...back]).toEqual([5, 4, 3, 2, 1, 0]);
    expect([...new NDArray(grid.data, { shape: [2, 2], strides: [0, 1] })]).toEqual([0, 1, 0, 1]);
    expect(new NDArray(Float64Array.of(7), { shape: [] }).toArray()).toBe(7);
    expect(new NDArray(new Float64Array(0), { shape: [0, 3] }).toArray()).toEqual([]);
  });
  it("refuse shapes that do not fit", () => {
    expect(() => new NDArray(grid.data, { shape: [7] })).toThrow(/needs the elements 0 to 6/);
    expect(() => new NDArray(grid.data, { shape: [2], strides: [-1] })).toThrow(/-1 to 0/);
    expect(() => new NDArray(grid.data, { shape: [-1] })).toThrow(/not negative/);
    expect(() => new NDArray(grid.data, { shape: [2], strides: [] })).toThrow(/1 axes/);
  });
  it("go there and back", () => {
    expect(there(grid)).toStrictEqual(grid);
    expect(there(new NDArray(grid.data, { shape: [3, 2], strides: [1, 3] }))).toStrictEqual(
      new NDArray(Float64Array.of(0, 3, 1, 4, 2, 5), { shape: [3, 2] }),
    );
    expect(there(new NDArray(Float64Array.of(1, 2)))).toStrictEqual(Float64Array.of(1, 2));
    const bools = new NDArray(Uint8Array.of(1, 0), { dtype: "bool" });
    expect(there(bools)).toStrictEqual(bools);
    expect([...bools]).toEqual([true, false]);
    const waves = new NDArray(Float64Array.of(1, 2, 3, 4), { dtype: "complex128" });
    expect(there(waves)).toStrictEqual(waves);
    expect([waves.length, waves.at(1)]).toEqual([2, [3, 4]]);
    const times = new NDArray(BigInt64Array.of(5n), { dtype: "datetime64[ns]", extra: { unit: "ns" } });
    expect(there(times)).toStrictEqual(times);
    expect(JSON.stringify(times)).toBe('{"dtype":"datetime64[ns]","shape":[1],"data":["5"]}');
    expect(there(new NDArray(["a", "b"], { dtype: "str" }))).toEqual(["a", "b"]);
    expect(grid.equals(there(grid))).toBe(true);
    expect(String(grid)).toBe("NDArray(float64, [2, 3])");
  });
  it.each([Int8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array])(
    "%o keeps its kind, bits and place",
    (Kind) => {
      const whole = Kind.from([1, 2, 3, 4]);
      expect(there(whole.subarray(1, 3))).toStrictEqual(Kind.from([2, 3]));
    },
  );
  it("64-bit integers narrow only when they can", () => {
    expect(there(BigInt64Array.of(1n, -2n))).toStrictEqual(BigInt64Array.of(1n, -2n));
    expect(there(BigInt64Array.of(1n, -2n), { narrow: true })).toStrictEqual(Float64Array.of(1, -2));
    expect(() => there({ a: BigUint64Array.of(2n ** 63n) }, { narrow: true })).toThrow(
      /value\.a cannot come from Python: its element 0 is 9223372036854775808/,
    );
  });
});

describe("options of decoding", () => {
  it("none, dict and int", () => {
    expect(there([null, { a: undefined }], { none: "undefined" })).toStrictEqual([undefined, { a: undefined }]);
    expect(there({ a: { b: 1 } }, { dict: "map" })).toStrictEqual(new Map([["a", new Map([["b", 1]])]]));
    expect(there({ a: new Map([[1, 2]]) }, { dict: "entries" })).toStrictEqual([["a", [[1, 2]]]]);
    expect(there({ a: { b: 1 } }, { dict: "object" })).toStrictEqual({ a: { b: 1 } });
    expect(there(markOrdered(new Map([["a", 1]])), { dict: "object" })).toStrictEqual({ a: 1 });
    expect(there([1, 2n ** 60n], { int: "bigint" })).toStrictEqual([1n, 2n ** 60n]);
    expect(there([1, 300, 70000, -1], { int: "bigint" })).toStrictEqual([1n, 300n, 70000n, -1n]);
  });
  it("what an option cannot do names the path", () => {
    expect(() => there({ a: [1, { b: 2n ** 60n }] }, { int: "number" })).toThrow(
      /^value\.a\[1\]\.b cannot come from Python: it is an int beyond 2\^53/,
    );
    expect(() => there([new Map([[1, 2]])], { dict: "object" })).toThrow(/^value\[0\].*cannot come from Python: its dict has a key/);
  });
  it("a dict whose `then` is a function arrives as a Map, so that await leaves it alone", async () => {
    const f = (): number => 1;
    const boundary = new Boundary();
    boundary.marks.set(f, 0);
    const value = Object.defineProperty({ a: 1 }, "then", { get: () => f, enumerable: true });
    for (let i = 0; i < 3; i++) {
      const back = decode(encode([value], boundary), undefined, boundary) as unknown[];
      expect(back[0]).toStrictEqual(
        new Map<string, unknown>([
          ["a", 1],
          ["then", f],
        ]),
      );
    }
    expect(await there({ then: 1, a: 2 })).toStrictEqual({ then: 1, a: 2 });
  });
});
