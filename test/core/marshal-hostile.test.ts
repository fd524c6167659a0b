/** A stream is hostile input: whatever the bytes are, the answer is a value or ERR_PROTOCOL, soon. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { PyComplex } from "../../src/core/values/complex.ts";
import { PyDecimal } from "../../src/core/values/decimal.ts";
import { markOrdered, tuple } from "../../src/core/values/tags.ts";
import { loadTemporal } from "../../src/core/values/temporal.ts";
import { Boundary, decode, encode, FakeRef } from "./marshal-support.ts";

await loadTemporal();

const bytes = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      parts.map((part) => (typeof part === "number" ? Buffer.of(part) : typeof part === "string" ? Buffer.from(part, "latin1") : part)),
    ),
  );
const stream = (...parts: Parameters<typeof bytes>): Uint8Array => bytes(0x80, 5, ...parts, ".");

function outcome(input: Uint8Array, options?: Parameters<typeof decode>[1]): string {
  try {
    decode(input, options);
    return "a value";
  } catch (error) {
    if (error instanceof EngineError) return error.code;
    throw error;
  }
}

describe("malformed streams", () => {
  it.each([
    ["nothing", bytes()],
    ["no STOP", bytes(0x80, 5, "N")],
    ["no value", stream()],
    ["two values", stream("NN")],
    ["bytes after the end", bytes(0x80, 5, "N.N")],
    ["a mark that stays", stream("(N")],
    ["protocol 6", bytes(0x80, 6, "N.")],
    ["a short int", bytes(0x80, 5, "J", 1, 2)],
    ["a short float", bytes(0x80, 5, "G", 0)],
    ["text longer than the stream", stream(0x8c, 200, "abc")],
    ["4 GB of text", stream("X", 0xff, 0xff, 0xff, 0xff)],
    ["2^63 bytes", stream(0x8e, 0, 0, 0, 0, 0, 0, 0, 0x80)],
    ["2^60 bytes of bytearray", stream(0x96, 0, 0, 0, 0, 0, 0, 0, 0x10)],
    ["2 GB of int", stream(0x8b, 0xff, 0xff, 0xff, 0x7f)],
    ["text that is not UTF-8", stream(0x8c, 1, 0xff)],
    ["an overlong form", stream(0x8c, 2, 0xc0, 0x80)],
    ["half a character", stream(0x8c, 2, 0xe2, 0x82)],
    ["a code point beyond Unicode", stream(0x8c, 4, 0xf5, 0x80, 0x80, 0x80)],
    ["long text that is not UTF-8", stream("X", 60, 0, 0, 0, "x".repeat(59), 0xff)],
    ["POP of nothing", stream("0")],
    ["POP_MARK without a mark", stream("N1")],
    ["TUPLE without a mark", stream("t")],
    ["TUPLE3 of two", stream("NN", 0x87)],
    ["TUPLE1 across a mark", stream("N(", 0x85)],
    ["APPEND to nothing", stream("Na")],
    ["APPEND to a number", stream("K", 1, "Na")],
    ["APPENDS to bytes", stream("C", 0, "(Ne")],
    ["APPENDS to a tuple", stream(")(Ne")],
    ["APPENDS to a dict", stream("}(Ne")],
    ["APPENDS to a list from the memo", stream("]q", 0, "h", 0, "(Ne", 0x86)],
    ["SETITEM on a list", stream("]NNs")],
    ["SETITEMS of an odd count", stream("}(NNNu")],
    ["SETITEMS on a set", stream(0x8f, "(NNu")],
    ["ADDITEMS to a list", stream("](N", 0x90)],
    ["filling a lent object", stream("K", 2, 0x8c, 2, "js", "K", 1, 0x86, "Q", "(NNu")],
    ["an unset memo index", stream("h", 7)],
    ["a memo index of 4 billion", stream("Nr", 0xff, 0xff, 0xff, 0xff)],
    ["an unset index of 4 billion", stream("j", 0xff, 0xff, 0xff, 0xff)],
    ["a global", stream("cos\nsystem\n")],
    ["a stack global", stream(0x8c, 2, "os", 0x8c, 6, "system", 0x93)],
    ["our marker alone", stream(0x8c, 6, "_isopy", 0x8c, 1, "v", 0x93)],
    ["our marker in a list", stream("]", 0x8c, 6, "_isopy", 0x8c, 1, "v", 0x93, "a")],
    ["our marker twice from the memo", stream(0x8c, 6, "_isopy", 0x8c, 1, "v", 0x93, 0x94, "h", 0, ")", "R")],
    ["REDUCE of a string", stream(0x8c, 1, "x", ")R")],
    ["REDUCE without operands", stream(0x8c, 6, "_isopy", 0x8c, 1, "v", 0x93, ")R")],
    ["BUILD", stream("}}b")],
    ["INST", stream("(ios\nsystem\n")],
    ["EXT1", stream(0x82, 1)],
    ["a text PERSID", stream("P1\n")],
    ["NEXT_BUFFER", stream(0x97)],
    ["DUP", stream("N2", 0x86)],
    ["BINPERSID of a string", stream(0x8c, 3, "ref", "Q")],
    ["BINPERSID of nothing", stream("Q")],
    ["an unknown extension", stream(0x8c, 4, "evil", 0x85, "Q")],
    ["an extension named like a method", stream(0x8c, 11, "constructor", 0x85, "Q")],
    ["a slot towards JavaScript", stream(0x8c, 4, "slot", "K", 1, 0x86, "Q")],
    ["a ref with a text id", stream(0x8c, 3, "ref", 0x8c, 1, "1", 0x86, "Q")],
    ["a ref with id 0", stream(0x8c, 3, "ref", "K", 0, 0x86, "Q")],
    ["a ref with a negative id", stream(0x8c, 3, "ref", "J", 0xff, 0xff, 0xff, 0xff, 0x86, "Q")],
    ["a complex of text", stream(0x8c, 7, "complex", 0x8c, 1, "1", 0x86, "Q")],
    ["a range of floats", stream("(", 0x8c, 5, "range", "G", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, "K", 1, "K", 1, "tQ")],
    ["a named tuple without names", stream("(", 0x8c, 10, "namedtuple", "NNNNtQ")],
    ["an odict of numbers", stream(0x8c, 5, "odict", "K", 1, 0x85, 0x86, "Q")],
    ["an error without fields", stream(0x8c, 5, "error", "}", 0x86, "Q")],
    ["an array with another size", stream("(", 0x8c, 7, "ndarray", 0x8c, 7, "float64", "](K", 9, "K", 9, "eC", 8, "12345678", "tQ")],
    ["an array of negative size", stream("(", 0x8c, 7, "ndarray", 0x8c, 7, "float64", "](J", 0xff, 0xff, 0xff, 0xff, "eC", 0, "tQ")],
    ["half an element", stream(0x8c, 6, "buffer", 0x8c, 1, "d", "C", 3, "123", 0x87, "Q")],
  ])("%s is ERR_PROTOCOL", (_name, input) => {
    expect(outcome(input)).toBe("ERR_PROTOCOL");
  });

  it.each([
    ["a fraction with the denominator 0", stream(0x8c, 8, "fraction", "K", 1, "K", 0, 0x87, "Q")],
    ["a range without a step", stream("(", 0x8c, 5, "range", "K", 1, "K", 1, "K", 0, "tQ")],
    ["a decimal that is no number", stream(0x8c, 7, "decimal", 0x8c, 1, "x", 0x86, "Q")],
    ["a buffer of pointers", stream(0x8c, 6, "buffer", 0x8c, 1, "P", "C", 8, "12345678", 0x87, "Q")],
  ])("%s is ERR_NOT_CONVERTIBLE", (_name, input) => {
    expect(outcome(input)).toBe("ERR_NOT_CONVERTIBLE");
  });

  it("does not look for `__proto__` anywhere", () => {
    const value = decode(stream("}(", 0x8c, 9, "__proto__", "}", 0x8c, 8, "polluted", "K", 1, "su")) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("defines properties even when a prototype is polluted with a setter", () => {
    const caught: unknown[] = [];
    Object.defineProperty(Object.prototype, "trap", { configurable: true, set: (value) => caught.push(value) });
    try {
      const input = encode(JSON.parse('{"trap": 1, "other": 2}'));
      for (let i = 0; i < 3; i++)
        expect(Object.entries(decode(input) as object)).toEqual([
          ["trap", 1],
          ["other", 2],
        ]);
    } finally {
      delete (Object.prototype as { trap?: unknown }).trap;
    }
    expect(caught).toEqual([]);
  });

  it("reads 100,000 nested marks, lists and tuples without recursion", () => {
    const depth = 100_000;
    expect(outcome(stream("(".repeat(depth)))).toBe("ERR_PROTOCOL");
    expect(outcome(stream("]".repeat(depth), "a".repeat(depth - 1)))).toBe("a value");
    expect(outcome(stream(")", "\x85".repeat(depth)))).toBe("a value");
    expect(outcome(stream("}".repeat(depth), "(".repeat(depth)))).toBe("ERR_PROTOCOL");
  });

  it("patches many dicts in linear time", () => {
    const one = bytes("}q", 0, "K", 1, "h", 0, "s");
    const input = stream("](", ...Array.from({ length: 20_000 }, () => one), "e");
    const list = decode(input) as Map<number, unknown>[];
    expect(list).toHaveLength(20_000);
    expect(list.every((map) => map.get(1) === map)).toBe(true);
  });
});

describe("mutated streams", () => {
  const boundary = new Boundary();
  const rich = {
    text: "héllo",
    list: [1, 2.5, -3, 2n ** 80n, null, true, [1, 2, 3]],
    tuple: tuple([1, tuple([])]),
    map: new Map([[1, { a: 1 }]]),
    set: new Set([1, "x"]),
    bytes: new Uint8Array([1, 2, 3]),
    complex: new PyComplex(1, 2),
    decimal: new PyDecimal("1.5"),
    ref: new FakeRef(3),
    date: new Date(0),
    ordered: markOrdered(new Map([["a", 1]])),
    floats: new Float64Array([1, 2]),
    f: () => 1,
    many: Array.from({ length: 100 }, (_, i) => i * 1.5),
  };
  const valid = encode(rich, boundary);

  it("answers every prefix with ERR_PROTOCOL", () => {
    for (let size = 0; size < valid.length; size++) expect(outcome(valid.slice(0, size))).toBe("ERR_PROTOCOL");
  });

  const fine = ["a value", "ERR_PROTOCOL", "ERR_NOT_CONVERTIBLE", "ERR_LIMIT", "ERR_UNSUPPORTED"];
  it("answers any change of bytes (property)", () => {
    const change = fc.record({
      at: fc.nat(valid.length - 1),
      byte: fc.integer({ min: 0, max: 255 }),
      how: fc.constantFrom("set", "insert", "delete", "repeat"),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(
          undefined,
          { dict: "entries" },
          { dict: "map" },
          { dict: "object", int: "number" },
          { int: "bigint", none: "undefined" },
        ) as fc.Arbitrary<undefined>,
        (changes, options) => {
          const mutant = [...valid];
          for (const { at, byte, how } of changes) {
            if (how === "set") mutant[at] = byte;
            else if (how === "insert") mutant.splice(at, 0, byte);
            else if (how === "delete") mutant.splice(at, 1);
            else mutant.splice(at, 0, ...mutant.slice(at, at + byte));
          }
          expect(fine).toContain(outcome(Uint8Array.from(mutant), options));
        },
      ),
      { seed: 7, numRuns: 1500 },
    );
  });

  it("answers any opcodes (property)", () => {
    const codes = [..."NJKMGX(]ea)t}su0qhjrlRQ.", 0x88, 0x89, 0x8a, 0x8c, 0x8f, 0x90, 0x91, 0x85, 0x86, 0x87, 0x93, 0x94, 0x95].map(
      (code) => (typeof code === "number" ? code : code.charCodeAt(0)),
    );
    const part = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...codes) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        expect(fine).toContain(outcome(Uint8Array.from([...parts, 0x2e])));
      }),
      { seed: 11, numRuns: 3000 },
    );
  });
});
