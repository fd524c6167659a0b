/**
 * The C++ codec and Python's own agree: on random values, in both directions, and on what they
 * refuse. The addon counts the streams that its fast half took, so that agreement is no accident.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytearray, frozenset, tuple } from "../../src/core/values/tags.ts";
import { decode, encode, operands, startRaw } from "./raw.ts";

let raw: ReturnType<typeof startRaw>;
let same: number;
let give: number;
let slowly: number;
let echo: number;

beforeAll(() => {
  raw = startRaw();
  const engine = "__import__('_isopy.engine', fromlist=['x']).ENGINES[-1]";
  echo = raw.handle("lambda value: value");
  // Exact types, key order, sharing and the sign of zero: spelled out.
  raw.define(
    "spell",
    `
import struct
def spell(value, seen=None):
    seen = {} if seen is None else seen
    kind = type(value).__name__
    if kind in ("list", "dict", "set", "bytearray") or kind == "tuple" and value:
        if id(value) in seen: return "shared %d" % seen[id(value)]
        seen[id(value)] = len(seen)
    if kind in ("list", "tuple"): return kind + "(" + ",".join(spell(item, seen) for item in value) + ")"
    if kind == "dict": return "dict(" + ",".join(spell(k, seen) + ":" + spell(v, seen) for k, v in value.items()) + ")"
    if kind in ("set", "frozenset"): return kind + "(" + ",".join(sorted(spell(item) for item in value)) + ")"
    if kind == "float": return "float " + struct.pack(">d", value).hex()
    return kind + " " + (hex(value) if kind == "int" else repr(value))
`,
  );
  same = raw.handle(`lambda value, stream: (spell(value), spell(${engine}.decode(stream)))`);
  give = raw.handle(`lambda stream: ${engine}.decode(stream)`);
  slowly = raw.handle(`lambda stream: ${engine}.codec.stream(${engine}.decode(stream))`);
});
afterAll(() => raw.backend.close());

const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -0,
    255,
    256,
    65_535,
    65_536,
    -1,
    2 ** 31,
    -(2 ** 31) - 1,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    Number.NaN,
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 2100n), max: 2n ** 2100n }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 250, maxLength: 270 }),
  fc.constantFrom("", "a\0b", "\ud800", "x\udc00y", "é", "漢字", "👍"),
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => bytearray(bytes)),
);
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 6 }).map((items) => tuple(items)),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 6 }),
    fc
      .uniqueArray(fc.tuple(fc.integer(), tie("value")), { selector: ([key]) => key, maxLength: 4 })
      .map((entries) => new Map<unknown, unknown>(entries)),
    fc.uniqueArray(fc.integer(), { maxLength: 5 }).map((items) => new Set(items)),
    fc.uniqueArray(fc.integer(), { maxLength: 5 }).map((items) => frozenset(items)),
    tie("value").map((shared) => [shared, shared, { again: shared }]),
  ),
}));

const fast = () => raw.fastCount();

describe("the C++ codec and Python's", () => {
  it("read the same value from a stream", () => {
    const before = fast();
    fc.assert(
      fc.property(anything, (value) => {
        const stream = encode(value);
        // The value goes through the C++ reader; its stream, as bytes, through Python's.
        const [here, there] = raw.call(same, value, stream) as [string, string];
        expect(here).toBe(there);
      }),
      { numRuns: 1500 },
    );
    expect(fast() - before).toBeGreaterThan(1500);
  });

  it("write streams that JavaScript reads as the same value", () => {
    const before = fast();
    fc.assert(
      fc.property(anything, (value) => {
        const stream = encode(value);
        const quick = raw.call(give, stream);
        const slow = decode(raw.call(slowly, stream) as Uint8Array);
        expect(quick).toStrictEqual(slow);
      }),
      { numRuns: 1500 },
    );
    expect(fast() - before).toBeGreaterThan(1500);
  });

  it("agree on cycles", () => {
    const list: unknown[] = [1];
    list.push(list, { back: list });
    const [here, there] = raw.call(same, list, encode(list)) as [string, string];
    expect(here).toBe(there);
    const back = raw.call(echo, list) as [number, unknown, { back: unknown }];
    expect(back[1]).toBe(back);
    expect(back[2].back).toBe(back);
    const cyclicTuple = raw.call(raw.handle("lambda: (lambda l: (l.append((l, 1)), l)[1])([])")) as [[unknown, number]];
    expect(cyclicTuple[0][0]).toBe(cyclicTuple);
  });

  it("agree on deep and on wide values", () => {
    let deep: unknown = 0;
    for (let i = 0; i < 3_000; i++) deep = [deep];
    let levels = 0;
    for (let at = raw.call(echo, deep); Array.isArray(at); at = at[0]) levels++;
    expect(levels).toBe(3_000);
    const wide = Array.from({ length: 100_000 }, (_, i) => ({ id: i, name: `n${i % 10}` }));
    expect(raw.call(echo, wide)).toStrictEqual(wide);
  });

  it("hostile bytes are refused with a typed error, whatever they are", () => {
    const good = operands([{ a: [1, "two", 3.5, null, tuple([1, 2])], b: new Set([1]) }]);
    const attempt = (bytes: Uint8Array) => {
      try {
        raw.sync.callStream(echo, bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_ARGUMENT" });
      }
    };
    for (let cut = 0; cut < good.length; cut++) attempt(good.subarray(0, cut));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        attempt(bytes);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), attempt), { numRuns: 3_000 });
    expect(raw.call(echo, "alive")).toBe("alive");
  });
});
