/** The codec against CPython's own pickle, in both directions. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PyComplex } from "../../src/core/values/complex.ts";
import { float } from "../../src/core/values/float.ts";
import { bytearray, frozenset, isFrozenset, isTuple, tuple } from "../../src/core/values/tags.ts";
import { Boundary, CPython, decode, encode, FakeExpr, FakeRef, pythonMissing } from "./marshal-support.ts";

describe.skipIf(pythonMissing !== undefined)(
  `CPython reads and writes the same streams${pythonMissing === undefined ? "" : ` (skipped: ${pythonMissing})`}`,
  () => {
    let python: CPython;
    beforeAll(() => {
      python = new CPython();
    });
    afterAll(() => python.close());

    const cyclic: unknown[] = [1];
    cyclic.push(cyclic);
    const shared = { x: 1 };
    class Thing {}

    const outward: readonly (readonly [name: string, value: unknown, text: string])[] = [
      ["null", null, "NoneType None"],
      ["undefined", undefined, "NoneType None"],
      ["true", true, "bool True"],
      ["zero", 0, "int 0"],
      ["minus zero", -0, "float -0.0"],
      ["255, 256, 65535, 65536", [255, 256, 65535, 65536], "list [255, 256, 65535, 65536]"],
      ["negative ints", [-1, -128, -129, -(2 ** 31), -(2 ** 31) - 1], "list [-1, -128, -129, -2147483648, -2147483649]"],
      ["the safe bounds", [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER], "list [9007199254740991, -9007199254740991]"],
      ["2^53 as a float", 2 ** 53, "float 9007199254740992.0"],
      ["NaN and infinities", [Number.NaN, Infinity, -Infinity], "list [nan, inf, -inf]"],
      ["a denormal", 5e-324, "float 5e-324"],
      ["an integral float", float(2), "float 2.0"],
      ["a bigint", 2n ** 70n, "int 1180591620717411303424"],
      [
        "bigints around 64 bits",
        [2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n],
        "list [9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809]",
      ],
      ["a small bigint", 5n, "int 5"],
      ["text", "a\0é€😀", "str 'a\\x00\\xe9\\u20ac\\U0001f600'"],
      ["lone surrogates", "\ud800x\udc00", "str '\\ud800x\\udc00'"],
      ["a reversed pair", "\udc00\ud800", "str '\\udc00\\ud800'"],
      ["long text with a lone surrogate", `${"x".repeat(60)}\udfff`, `str '${"x".repeat(60)}\\udfff'`],
      ["bytes", new Uint8Array([0, 255]), "bytes b'\\x00\\xff'"],
      ["an ArrayBuffer", new Uint8Array([1]).buffer, "bytes b'\\x01'"],
      ["a Buffer", Buffer.from("hi"), "bytes b'hi'"],
      ["a view of a part", new Uint8Array([1, 2, 3, 4]).subarray(1, 3), "bytes b'\\x02\\x03'"],
      ["a bytearray", bytearray(new Uint8Array([1])), "bytearray bytearray(b'\\x01')"],
      ["a list with a hole", [1, , 3], "list [1, None, 3]"],
      [
        "tuples",
        tuple([1, tuple([]), tuple([1, 2]), tuple([1, 2, 3]), tuple([1, 2, 3, 4])]),
        "tuple (1, (), (1, 2), (1, 2, 3), (1, 2, 3, 4))",
      ],
      ["an object", { b: 1, a: [] }, "dict {'b': 1, 'a': []}"],
      ["an object without prototype", Object.assign(Object.create(null), { a: 1 }), "dict {'a': 1}"],
      ["own __proto__ and constructor", JSON.parse('{"__proto__": 1, "constructor": 2}'), "dict {'__proto__': 1, 'constructor': 2}"],
      ["a symbol key", { [Symbol("s")]: 1, a: 2 }, "dict {'a': 2}"],
      [
        "a Map",
        new Map<unknown, unknown>([
          [1, "a"],
          ["1", "b"],
          [null, tuple([1])],
        ]),
        "dict {1: 'a', '1': 'b', None: (1,)}",
      ],
      ["a Map with tuple keys", new Map([[tuple([1, "a"]), 1]]), "dict {(1, 'a'): 1}"],
      ["a Set", new Set(["a"]), "set {'a'}"],
      ["an empty Set", new Set(), "set set()"],
      ["a frozenset", frozenset(new Set([1])), "frozenset frozenset({1})"],
      ["a set of frozensets", new Set([frozenset(new Set([1]))]), "set {frozenset({1})}"],
      ["a cycle", cyclic, "list [1, [...]]"],
      ["boxed primitives", [Object(1), Object("s"), Object(true), Object(1n)], "list [1, 's', True, 1]"],
      [
        "arguments",
        (function (..._: number[]) {
          return arguments;
        })(1, 2),
        "list [1, 2]",
      ],
      [
        "a getter",
        {
          get a() {
            return 1;
          },
        },
        "dict {'a': 1}",
      ],
      ["a hook", { [Symbol.for("py.toPython")]: () => [1] }, "list [1]"],
      [
        "a class with a hook",
        new (class {
          [Symbol.for("py.toPython")]() {
            return { a: 1 };
          }
        })(),
        "dict {'a': 1}",
      ],
      ["a ref", new FakeRef(7), "Ext ('ref', 7)"],
      ["an expression", new FakeExpr(3), "Ext ('slot', 3)"],
      ["a function", function named() {}, "Ext ('js', 1, 1, 'named')"],
      ["a class", Thing, "Ext ('js', 1, 3, 'Thing')"],
      ["an instance", new Thing(), "Ext ('js', 1, 0, 'Thing')"],
      ["a subclass of Array", new (class Row extends Array {})(), "Ext ('js', 1, 1156, 'Row')"],
      ["a subclass of Map", new (class Deep extends Map {})(), "Ext ('js', 1, 1028, 'Deep')"],
      ["a symbol", Symbol("s"), "Ext ('js', 1, 64, 's')"],
      ["a promise", Promise.resolve(1), "Ext ('js', 1, 16, 'Promise')"],
      ["a thenable object", { then() {} }, "Ext ('js', 1, 16, 'Object')"],
      ["a generator", (function* () {})(), "Ext ('js', 1, 516, 'Generator')"],
      ["an async generator", (async function* () {})(), "Ext ('js', 1, 8, 'AsyncGenerator')"],
      ["a RegExp", /x/, "Ext ('js', 1, 0, 'RegExp')"],
      ["a WeakMap", new WeakMap(), "Ext ('js', 1, 0, 'WeakMap')"],
      [
        "an error",
        Object.assign(new TypeError("x"), { stack: "s" }),
        "Ext ('thrown', 'TypeError', 'x', 's', ('js', 1, 32, 'TypeError'), (), ())",
      ],
      ["Math", Math, "Ext ('js', 1, 0, 'Object')"],
      ["a Date", new Date(86_400_001), "Ext ('zoned', 1970, 1, 2, 0, 0, 0, 1000, 0, None)"],
      ["doubles", new Float64Array([1.5]), "Ext ('buffer', 'd', b'\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?')"],
      ["a DataView", new DataView(new Uint8Array([1, 2, 3]).buffer, 1), "Ext ('buffer', 'B', b'\\x02\\x03')"],
      ["clamped bytes", new Uint8ClampedArray([300]), "Ext ('buffer', 'B', b'\\xff')"],
      ["an unaligned view's bytes", new Int16Array(new Uint8Array([0, 0, 1, 0]).buffer, 2, 1), "Ext ('buffer', 'h', b'\\x01\\x00')"],
      ["shared memory", new Uint8Array(new SharedArrayBuffer(2)), "bytes b'\\x00\\x00'"],
      ["a shared buffer", new SharedArrayBuffer(1), "bytes b'\\x00'"],
    ];
    it.each(outward)("%s arrives in Python", async (_name, value, text) => {
      const found = await python.text(encode(value));
      expect(found).toBe(text);
    });

    it("keeps shared references and cycles", async () => {
      const value: Record<string, unknown> = { a: shared, b: shared, t: tuple([shared]), m: new Map([[1, shared]]) };
      value["self"] = value;
      const back = decode(await python.echo(encode(value))) as typeof value;
      expect(back["a"]).toBe(back["b"]);
      expect((back["t"] as unknown[])[0]).toBe(back["a"]);
      expect((back["m"] as Map<number, unknown>).get(1)).toBe(back["a"]);
      expect(back["self"]).toBe(back);
    });

    it("keeps what hundreds of containers share, long lists of numbers and repeated shapes among them", async () => {
      const source = [
        "n = list(range(300)); d = {'a': n, 'b': 1}",
        "result = [n, d, n] + [{'a': n, 'b': d} for _ in range(300)] + [[n, d]]",
        "n.append(n); d['self'] = d",
      ].join("\n");
      for (const bytes of [await python.make(source), encode(decode(await python.make(source)))]) {
        const [n, d, again, ...rest] = decode(bytes) as [unknown[], Record<string, unknown>, unknown[], ...Record<string, unknown>[]];
        expect(again).toBe(n);
        expect(n).toHaveLength(301);
        expect(n[300]).toBe(n);
        expect(d["self"]).toBe(d);
        expect(d["a"]).toBe(n);
        for (const one of rest.slice(0, 300)) expect(one["a"] === n && one["b"] === d).toBe(true);
        expect(rest[300]).toStrictEqual([n, d]);
      }
    });

    it("keeps a tuple that a list of its own leads back to, in every length", async () => {
      for (let length = 1; length < 6; length++) {
        const list: unknown[] = [];
        const value = tuple([list, ...Array.from({ length: length - 1 }, (_, i) => i)]);
        list.push(value);
        for (const slowly of [false, true]) {
          const back = decode(await python.echo(encode(value), slowly)) as unknown[][];
          expect(isTuple(back)).toBe(true);
          expect(back).toHaveLength(length);
          expect((back[0] as unknown[])[0]).toBe(back);
        }
      }
    });

    it.each([
      ["result = None", null],
      [
        "result = [True, False, 0, 255, 256, 65535, 65536, -1, 2**31, -2**31, 2**53-1, -2**53+1]",
        [true, false, 0, 255, 256, 65535, 65536, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1],
      ],
      [
        "result = [2**53, 2**53+1, -2**53, 2**63, 2**64, -2**63, 10**40, -10**40]",
        [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), 2n ** 63n, 2n ** 64n, -(2n ** 63n), 10n ** 40n, -(10n ** 40n)],
      ],
      ["result = 10**5000", 10n ** 5000n],
      ["result = [0.5, -0.0, 1.0, 5e-324, float('inf')]", [0.5, -0, 1, 5e-324, Infinity]],
      ["result = 'a\\x00\\xe9\\u20ac\\U0001f600\\ud800'", "a\0é€😀\ud800"],
      ["result = '\\ud83d\\ude00'", "😀"],
      ["result = 'x' * 1000000", "x".repeat(1_000_000)],
      ["result = '\\xe9' * 300", "é".repeat(300)],
      ["result = b'\\x00\\xff'", new Uint8Array([0, 255])],
      ["result = b'x' * 70000", new Uint8Array(70_000).fill(120)],
      ["result = list(range(2500))", Array.from({ length: 2500 }, (_, i) => i)],
      ["result = [i / 2 for i in range(30000)]", Array.from({ length: 30_000 }, (_, i) => i / 2)],
      ["result = [i if i % 2000 else 'x' for i in range(5000)]", Array.from({ length: 5000 }, (_, i) => (i % 2000 ? i : "x"))],
      ["result = [[1, None, True], [2.5] * 70]", [[1, null, true], Array(70).fill(2.5)]],
      ["result = {'a': 1, 'b': {'c': []}}", { a: 1, b: { c: [] } }],
      ["result = {str(i): i for i in range(2500)}", Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [String(i), i]))],
      ["result = {}", {}],
      [
        "result = {1: 2, '1': 3}",
        new Map<unknown, number>([
          [1, 2],
          ["1", 3],
        ]),
      ],
      [
        "result = {'a': 1, 2: 3}",
        new Map<unknown, number>([
          ["a", 1],
          [2, 3],
        ]),
      ],
      [
        "result = dict([(str(i), i) for i in range(1500)] + [(1, 2)])",
        new Map<unknown, number>([...Array.from({ length: 1500 }, (_, i): [unknown, number] => [String(i), i]), [1, 2]]),
      ],
      ["result = {1, 2}", new Set([1, 2])],
      ["result = set(range(2500))", new Set(Array.from({ length: 2500 }, (_, i) => i))],
    ] as readonly (readonly [string, unknown])[])("%s arrives in JavaScript", async (source, value) => {
      const bytes = await python.make(source);
      expect(decode(bytes)).toStrictEqual(value);
    });

    it("tags what JavaScript has no type for", async () => {
      const [list, frozen, mutable] = decode(await python.make("result = [(1, (2,)), frozenset([3]), bytearray(b'x')]")) as [
        readonly unknown[],
        Set<unknown>,
        Uint8Array,
      ];
      expect(isTuple(list) && Object.isFrozen(list) && isTuple(list[1])).toBe(true);
      expect(isFrozenset(frozen)).toBe(true);
      expect(await python.text(encode([list, frozen, mutable]))).toBe("list [(1, (2,)), frozenset({3}), bytearray(b'x')]");
    });

    it("patches every reference to a dict that turns out to be a Map", async () => {
      const source = "d = {}; t = (d,); l = [d]; d['a'] = t; d['b'] = l; d['self'] = d; d[1] = l; result = [t, d, l]";
      for (const bytes of [await python.make(source), await python.echo(await python.make(source), true)]) {
        const [t, d, l] = decode(bytes) as [readonly unknown[], Map<unknown, unknown>, unknown[]];
        expect(d).toBeInstanceOf(Map);
        expect(t[0]).toBe(d);
        expect(l[0]).toBe(d);
        expect(d.get("self")).toBe(d);
        expect(d.get("a")).toBe(t);
        expect(d.get(1)).toBe(l);
        expect(Object.isFrozen(t)).toBe(true);
      }
    });

    it("reads extension values however they are marked", async () => {
      const bytes = await python.make("result = [Ext(('complex', 1.0, 2.0)), Ext(('ref', 9, 3, 'list')), Ext(('complex', 1.0, 2.0))]");
      expect(bytes.includes(0x93)).toBe(true);
      const marked = [new PyComplex(1, 2), new FakeRef(9, 3, "list"), new PyComplex(1, 2)];
      expect(decode(bytes)).toStrictEqual(marked);
      expect(decode(encode([new PyComplex(1, 2)]))).toStrictEqual([new PyComplex(1, 2)]);
    });

    it("goes through 10,000 levels that CPython's own pickler could not", async () => {
      let value: unknown[] = [];
      for (let i = 1; i < 10_000; i++) value = [value];
      const bytes = encode(value);
      expect(await python.depth(bytes)).toBe(10_000);
      let depth = 0;
      for (let at: unknown = decode(bytes); Array.isArray(at); at = at[0]) depth++;
      expect(depth).toBe(10_000);
    });

    it("agrees on any data (property)", async () => {
      const key = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "1", "then", "length"));
      const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof({ depthSize: "small" }, tie("leaf"), tie("list"), tie("dict"), tie("map"), tie("tuple")),
        leaf: fc.oneof(
          fc.integer(),
          fc.maxSafeInteger(),
          fc.double(),
          fc.boolean(),
          fc.constant(null),
          fc.string({ unit: "binary" }),
          fc.uint8Array(),
          fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
        ),
        list: fc.array(tie("tree")),
        dict: fc.array(fc.tuple(key, tie("tree"))).map((entries) => Object.fromEntries(entries)),
        map: fc.array(fc.tuple(fc.integer(), tie("tree")), { minLength: 1 }).map((entries) => new Map(entries)),
        tuple: fc.array(tie("tree")).map((items) => tuple(items)),
      }));
      await fc.assert(
        fc.asyncProperty(tree, fc.boolean(), async (value, slowly) => {
          const boundary = new Boundary();
          // Not toStrictEqual, which asks an own property named `constructor` for the class.
          const back = decode(await python.echo(encode(value, boundary), slowly));
          if (!isDeepStrictEqual(back, value)) expect(back).toStrictEqual(value);
          expect(boundary.lends).toEqual([]);
        }),
        { seed: 20_26, numRuns: 150 },
      );
    });
  },
);
