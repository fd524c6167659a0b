/** What cannot cross: one typed error each, with the path, and nothing half done. */
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { PyComplex } from "../../src/core/values/complex.ts";
import { PyDecimal } from "../../src/core/values/decimal.ts";
import { PyEnumMember } from "../../src/core/values/enum.ts";
import { float } from "../../src/core/values/float.ts";
import { PyFraction } from "../../src/core/values/fraction.ts";
import { PyRange } from "../../src/core/values/range.ts";
import { PySlice } from "../../src/core/values/slice.ts";
import { bytearray, frozenset, markOrdered, tuple } from "../../src/core/values/tags.ts";
import { Boundary, decode, encode, FakeRef, limits, there } from "./marshal-support.ts";

function refused(value: unknown, options: Parameters<typeof encode>[2] = {}): EngineError {
  try {
    encode(value, new Boundary(), options);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("it was sent");
}

describe("values that cannot be sent", () => {
  const detached = new ArrayBuffer(8);
  const viewOfDetached = new Float64Array(detached);
  const empty = new Uint8Array(new ArrayBuffer(0));
  structuredClone(null, { transfer: [detached, empty.buffer] });
  const { proxy, revoke } = Proxy.revocable({}, {});
  const callable = Proxy.revocable(() => {}, {});
  revoke();
  callable.revoke();

  it.each([
    ["a detached ArrayBuffer", detached, /detached/],
    ["a view of a detached buffer", viewOfDetached, /detached/],
    ["an empty view of a detached buffer", empty, /detached/],
    ["an invalid Date", new Date(Number.NaN), /invalid Date/],
    ["a Date before the year 1", new Date(-1e15), /year is -29719/],
    ["a revoked Proxy", proxy, /revoked/],
    ["a revoked function Proxy", callable.proxy, /revoked/],
    ["a member of another engine's Enum", new PyEnumMember("RED", 1, "Color"), /Color\.RED/],
    ["a hook without end", endless(), /one hook after another/],
  ])("%s is refused with its path", (_name, value, why) => {
    const error = refused({ users: [1, { "a b": value }] });
    expect(error.code).toBe("ERR_NOT_CONVERTIBLE");
    expect(error.message).toMatch(/^value\.users\[1\]\["a b"\] cannot be sent to Python: /);
    expect(error.message).toMatch(why);
  });

  it("names the root as the caller does", () => {
    expect(refused(new Date(Number.NaN), { root: "args" }).message).toMatch(/^args cannot/);
    expect(refused(new Map([["k", new Date(Number.NaN)]])).message).toMatch(/^value\.get\("k"\) cannot/);
    expect(refused(new Set([new Date(Number.NaN)])).message).toMatch(/invalid Date|cannot be a key/);
    expect(refused(tuple([0, new Date(Number.NaN)])).message).toMatch(/^value\[1\] cannot/);
  });

  it("shortens a long path", () => {
    let value: unknown = new Date(Number.NaN);
    for (let i = 0; i < 500; i++) value = [value];
    const { message } = refused(value);
    expect(message).toMatch(/480 more/);
    expect(message.length).toBeLessThan(300);
  });

  it("a throwing getter throws what it throws", () => {
    const thrown = new RangeError("mine");
    const value = {
      get a(): never {
        throw thrown;
      },
    };
    expect(() => encode([value])).toThrow(thrown);
    expect(there([1])).toEqual([1]);
  });

  it("runs each getter and hook once", () => {
    const runs: string[] = [];
    const value = {
      get a() {
        runs.push("a");
        return 1;
      },
      get then() {
        runs.push("then");
        return 2;
      },
      b: {
        [Symbol.for("py.toPython")]: () => {
          runs.push("hook");
          return 3;
        },
      },
    };
    expect(there(value)).toEqual({ a: 1, then: 2, b: 3 });
    expect(runs).toEqual(["a", "then", "hook"]);
  });

  it("a getter may use the codec itself", () => {
    const value = {
      a: 1,
      get inner() {
        return there({ x: [1, 2, "y"] });
      },
      b: 2,
    };
    expect(there(value)).toEqual({ a: 1, inner: { x: [1, 2, "y"] }, b: 2 });
  });

  it("lets the boundary's own errors through", () => {
    const disposed = new EngineError("ERR_HANDLE_DISPOSED", "gone");
    const boundary = new Boundary();
    boundary.handle = (value) => {
      if (value instanceof FakeRef) throw disposed;
      return undefined;
    };
    expect(() => encode([new FakeRef(1)], boundary)).toThrow(disposed);
  });

  it("lends what proxy() marked instead of copying it", () => {
    const boundary = new Boundary();
    const [list, object, map] = [[1], { a: 1 }, new Map()];
    for (const value of [list, object, map]) boundary.marks.set(value, 0);
    encode([list, object, map], boundary);
    expect(boundary.lends.map(({ value }) => value)).toEqual([list, object, map]);
    expect(boundary.lends[0]?.flags).toBe(4 | 128 | 1024);
  });
});

function endless(): object {
  const hook = { [Symbol.for("py.toPython")]: (): object => endless() };
  return hook;
}

describe("keys that Python cannot tell apart, or cannot hash", () => {
  it.each(
    [
      [[true, 1], /true and 1 are one and the same key/],
      [[1, 1n], /1 and 1n/],
      [[0, false], /0 and false/],
      [[null, undefined], /null and undefined/],
      [[2 ** 60, 2n ** 60n], /1152921504606847000 and 1152921504606846976n/],
      [[tuple([1, 2]), tuple([1, 2])], /a tuple and a tuple/],
      [[tuple([1, tuple([true])]), tuple([1n, tuple([1])])], /a tuple and a tuple/],
      [[frozenset(new Set([1, "a"])), frozenset(new Set(["a", true]))], /same key/],
      [[new Uint8Array([1]), new Uint8Array([1])], /same key/],
      [[new Date(5), new Date(5)], /same key/],
      [["a", Object("a")], /same key/],
      [[float(1), 1], /same key/],
      [[new PyComplex(1), 1], /same key/],
      [[new PyFraction(1, 2), 0.5], /same key/],
      [[new PyFraction(4, 2), 2n], /same key/],
      [[new PyDecimal("0.5"), 0.5], /same key/],
      [[new PyDecimal("1E+2"), 100], /same key/],
      [[new PyDecimal("1.0"), new PyDecimal("1.00")], /same key/],
      [[new PyRange(0, 0), new PyRange(5, 3)], /same key/],
      [[[1]], /can change/],
      [[{ a: 1 }], /can change/],
      [[new Map()], /can change/],
      [[new Set()], /can change/],
      [[bytearray(new Uint8Array(1))], /can change/],
      [[tuple([1, [2]])], /can change/],
      [[frozenset(new Set([new Set()]))], /can change/],
      [[new PySlice(1)], /can change/],
      [[new Float64Array(1)], /can change/],
    ].map(([keys, why]) => ({ keys: keys as unknown[], why: why as RegExp, name: inspect(keys) })),
  )("$name are refused in a Map and in a Set", ({ keys, why }) => {
    const map = refused({ m: new Map(keys.map((key, i) => [key, i] as const)) });
    expect(map.code).toBe("ERR_NOT_CONVERTIBLE");
    expect(map.message).toMatch(/^value\.m.* cannot be sent to Python: the (Map|Set)/);
    expect(map.message).toMatch(why);
    expect(refused(new Set(keys)).message).toMatch(why);
  });

  it.each(
    (
      [
        [[1, "1", 1.5, 2n ** 64n, null, "null", true && 2]],
        [[tuple([1, 2]), tuple([12]), tuple(["1", "2"]), tuple([1, "2"])]],
        [[tuple([null]), tuple([]), tuple([tuple([])]), frozenset(new Set())]],
        [[2n ** 60n + 1n, 2 ** 60]],
        [[new PyFraction(1, 3), 1 / 3, new PyDecimal("0.1"), 0.1]],
        [[Number.NaN, "NaN", new PyDecimal("NaN")]],
        [[() => 1, () => 1, Symbol("a"), Symbol("a"), new (class A {})()]],
      ] as unknown[][][]
    ).map(([keys]) => ({ keys: keys as unknown[], name: inspect(keys) })),
  )("$name are different keys", ({ keys }) => {
    expect(() => encode(new Map(keys.map((key) => [key, 0] as const)))).not.toThrow();
  });
});

describe("limits", () => {
  const nested = (depth: number): unknown => {
    let value: unknown[] = [];
    for (let i = 1; i < depth; i++) value = [value];
    return value;
  };
  it("maxDepth counts containers", () => {
    expect(there(nested(10_000))).toBeInstanceOf(Array);
    expect(refused(nested(10_001)).code).toBe("ERR_LIMIT");
    expect(refused(nested(4), { limits: { ...limits, maxDepth: 3 } }).message).toMatch(/maxDepth \(3\)/);
  });
  it("maxNodes counts parts", () => {
    const tight = { limits: { ...limits, maxNodes: 5 } };
    expect(() => encode([1, 2, 3, 4, 5], new Boundary(), tight)).not.toThrow();
    expect(refused([1, 2, 3, 4, 5, 6], tight).message).toMatch(/maxNodes \(5\)/);
    expect(
      refused(
        [
          [1, 2],
          [3, 4],
        ],
        tight,
      ).code,
    ).toBe("ERR_LIMIT");
  });
  it("maxBytes counts the stream", () => {
    const tight = { limits: { ...limits, maxBytes: 1000 } };
    expect(() => encode("x".repeat(900), new Boundary(), tight)).not.toThrow();
    for (const value of [
      "x".repeat(1000),
      new Uint8Array(1000),
      new Uint8Array(1e6),
      [new Float64Array(200)],
      2n ** 9000n,
      Array(600).fill(1),
      "é".repeat(1e6),
    ]) {
      expect(refused(value, tight).code).toBe("ERR_LIMIT");
    }
  });
  it("a frozenset inside itself is refused and ends", () => {
    const set = frozenset(new Set<unknown>());
    set.add(tuple([set]));
    expect(["ERR_NOT_CONVERTIBLE", "ERR_LIMIT"]).toContain(refused(set).code);
    const ordered = markOrdered(new Map<string, unknown>());
    ordered.set("self", ordered);
    expect(refused(ordered).message).toMatch(/contains itself/);
  });
  it("depth costs no stack in any kind of container", () => {
    const kinds: ((inner: unknown) => unknown)[] = [
      (inner) => ({ a: inner }),
      (inner) => new Map([[1, inner]]),
      (inner) => tuple([inner]),
      (inner) => markOrdered(new Map([["k", inner]])),
      (inner) => new PySlice(inner),
    ];
    for (const wrap of kinds) {
      let value: unknown = 1;
      for (let i = 0; i < 4_000; i++) value = wrap(value);
      const bytes = encode(value);
      expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0);
    }
  });
});

describe("values of another realm", () => {
  const other = (source: string): unknown => runInNewContext(source);
  it.each([
    ["[1, [2]]", [1, [2]]],
    ["({ a: { b: 1 } })", { a: { b: 1 } }],
    ["new Map([[1, 2]])", new Map([[1, 2]])],
    ["new Set([1])", new Set([1])],
    ["new Uint8Array([1, 2])", new Uint8Array([1, 2])],
    ["new Uint8Array([1, 2]).buffer", new Uint8Array([1, 2])],
    ["Object.create(null)", {}],
    ["(function () { return arguments })(1)", [1]],
    ["Object('x')", "x"],
  ])("%s is data", (source, value) => {
    expect(there(other(source))).toStrictEqual(value);
  });
  it.each([
    "new (class extends Map {})",
    "new (class A {})",
    "(() => 1)",
    "new Error('x')",
    "new (class extends Array {})",
    "Promise.resolve(1)",
  ])("%s is lent", (source) => {
    const value = other(source);
    const boundary = new Boundary();
    expect(decode(encode(value, boundary), undefined, boundary)).toBe(value);
  });
});

describe("objects that only look like data", () => {
  it.each([
    ["Object.create(Map.prototype)", () => Object.create(Map.prototype) as object],
    ["Object.create(Date.prototype)", () => Object.create(Date.prototype) as object],
    [
      "an object that calls itself Number",
      () =>
        new (class {
          get [Symbol.toStringTag]() {
            return "Number";
          }
        })(),
    ],
    [
      "an iterable object literal",
      () => ({
        *[Symbol.iterator]() {
          yield 1;
        },
      }),
    ],
    ["JSON", () => JSON],
    [
      "an instance of a class",
      () =>
        new (class Point {
          x = 1;
        })(),
    ],
    ["an object with an object for a prototype", () => Object.create({ a: 1 }) as object],
  ])("%s is lent", (_name, make) => {
    const value = make();
    const boundary = new Boundary();
    expect(decode(encode(value, boundary), undefined, boundary)).toBe(value);
  });
});
