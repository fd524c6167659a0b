/**
 * Flat slots and streams carry the same values, both ways and in every case, and what slots cannot say goes as a
 * stream before anything is lost. Seeds of the random values are printed; `ISOPY_SEED` repeats a run.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PyFloat } from "../../src/core/values/float.ts";
import { bytearray, frozenset, isBytearray, isFrozenset, isTuple, tuple } from "../../src/core/values/tags.ts";
import { Handle, startRaw } from "./raw.ts";
import { inNode, startSync } from "./support.ts";

let raw: ReturnType<typeof startRaw>;
let spell: number;
let echo: number;
let keep: number;
let kept: number;

const seed = Number(process.env["ISOPY_SEED"] ?? (Math.random() * 0x7fffffff) | 0);
console.info(`flat.test.ts: ISOPY_SEED=${seed}`);

beforeAll(() => {
  raw = startRaw();
  echo = raw.handle("lambda value: value");
  keep = raw.handle("lambda value: globals().__setitem__('kept', value)");
  kept = raw.handle("lambda: kept");
  // Exact types, key order, sharing and the sign of zero: spelled out.
  spell = raw.define(
    "spell",
    `
import struct
def spell(value):
    seen, out, todo = {}, [], [value]
    while todo:
        value = todo.pop()
        kind = type(value).__name__
        if kind in ("list", "dict", "set", "bytearray") or kind in ("bytes", "tuple", "frozenset") and len(value) > 1:
            if id(value) in seen:
                out.append("shared %d" % seen[id(value)])
                continue
            seen[id(value)] = len(seen)
        if kind in ("list", "tuple"):
            out.append("%s %d" % (kind, len(value)))
            todo.extend(reversed(value))
        elif kind == "dict":
            out.append("dict %d" % len(value))
            for key, item in reversed(list(value.items())):
                todo.append(item)
                todo.append(key)
        elif kind in ("set", "frozenset"):
            out.append(kind + repr(sorted(map(repr, value))))
        elif kind == "float":
            out.append("float " + struct.pack(">d", value).hex())
        elif kind == "str":
            out.append("str " + ascii(value))
        elif kind in ("memoryview", "SymbolProxy"):
            out.append(kind + (value.format + value.hex() if kind == "memoryview" else ""))
        else:
            out.append(kind + " " + (hex(value) if kind == "int" else repr(value)))
    return "\\n".join(out)
`,
  );
});
afterAll(() => raw.backend.close());

/** What a JavaScript value is, down to sharing, tags, order and the sign of zero. */
function look(root: unknown): string {
  const seen = new Map<object, number>();
  const out: string[] = [];
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const value = todo.pop();
    if (typeof value !== "object" || value === null) {
      out.push(Object.is(value, -0) ? "-0" : typeof value === "string" ? JSON.stringify(value) : `${typeof value} ${String(value)}`);
      continue;
    }
    // One and the same object wherever it occurs in Python, so its identity says nothing.
    const single = value instanceof Uint8Array && !isBytearray(value) && value.length < 2;
    const known = single ? undefined : seen.get(value);
    if (known !== undefined) {
      out.push(`shared ${known}`);
      continue;
    }
    if (!single) seen.set(value, seen.size);
    const proto = (Object.getPrototypeOf(value) as { constructor?: { name?: string } }).constructor?.name;
    if (Array.isArray(value)) {
      out.push(`${isTuple(value) ? "tuple" : "array"} ${value.length} ${Object.isFrozen(value)} ${proto}`);
      todo.push(...[...value].reverse());
    } else if (value instanceof Map) {
      out.push(`map ${value.size}`);
      todo.push(...[...value].flat(1).reverse());
    } else if (value instanceof Set) {
      out.push(`${isFrozenset(value) ? "frozenset" : "set"} ${value.size}`);
      todo.push(...[...value].reverse());
    } else if (value instanceof Uint8Array) {
      out.push(`${isBytearray(value) ? "bytearray" : "bytes"} ${proto} ${value.byteOffset} ${value.buffer.byteLength} ${value.join(" ")}`);
    } else if (value instanceof Handle) {
      out.push("handle");
    } else {
      const entries = Object.entries(Object.getOwnPropertyDescriptors(value));
      out.push(`${proto} ${entries.length}`);
      for (const [key, { value: item, writable, enumerable, configurable }] of entries.reverse())
        todo.push(item, `${key} ${writable} ${enumerable} ${configurable}`);
    }
  }
  return out.join("\n");
}

/** What happens, an error included. */
function outcome(act: () => unknown): string {
  try {
    return look(act());
  } catch (error) {
    const { name, code, message } = error as { name?: string; code?: string; message?: string };
    return `${name} ${code} ${message}`;
  }
}

const texts = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 10, maxLength: 40 }),
  fc.constantFrom(
    "",
    "a\0b",
    "\ud800",
    "x\udc00y",
    "é",
    "ÿ",
    "Ā",
    "漢字",
    "👍",
    "👍".repeat(9),
    "x".repeat(24),
    "x".repeat(25),
    "é".repeat(200),
  ),
);
const keys = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.constantFrom(
    "__proto__",
    "then",
    "constructor",
    "toString",
    "0",
    "1",
    "42",
    "length",
    "",
    "\ud800",
    "a\0b",
    "漢",
    '"];throw 1//',
    "\u2028",
  ),
);
const easy = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    255,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    2 ** 53,
    Number.NaN,
    -Infinity,
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  texts,
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 500, maxLength: 530 }),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => bytearray(bytes)),
  fc.double().map((number) => new PyFloat(number)),
  fc.oneof(
    fc.float64Array({ maxLength: 9 }),
    fc.int16Array({ maxLength: 9 }),
    fc.uint8ClampedArray({ maxLength: 9 }),
    fc.bigUint64Array({ maxLength: 4 }),
  ),
  fc.uint32Array({ minLength: 3, maxLength: 9 }).map((array) => array.subarray(1)),
);
/** Of what slots cannot say. */
const hard = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(new Date(86_400_000), Symbol("s"), new (class Foo {})(), () => 1),
  fc.constant(new Float64Array([1, 2])),
  fc.constant(new Map<unknown, unknown>([[tuple([1]), 2], [true, 1], ["x", 3]])), // biome-ignore format: one value
);
const values = (leaf: fc.Arbitrary<unknown>) =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "small", withCrossShrink: true },
      leaf,
      fc.array(tie("value"), { maxLength: 6 }),
      fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 8 }),
      fc.array(tie("value"), { maxLength: 6 }).map((items) => tuple(items)),
      fc.uniqueArray(fc.tuple(keys, tie("value")), { selector: ([key]) => key, maxLength: 6 }).map((entries) => {
        const object: Record<string, unknown> = {};
        for (const [key, value] of entries)
          Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
        return object;
      }),
      fc.array(fc.record({ id: fc.integer(), name: texts, nested: tie("value") }), { maxLength: 4 }),
      fc.uniqueArray(fc.tuple(fc.integer(), tie("value")), { selector: ([key]) => key, maxLength: 4 }).map((entries) => new Map(entries)),
      fc.uniqueArray(fc.tuple(texts, tie("value")), { selector: ([key]) => key, maxLength: 4 }).map((entries) => new Map(entries)),
      fc.uniqueArray(fc.integer(), { maxLength: 5 }).map((items) => new Set(items)),
      fc.uniqueArray(texts, { maxLength: 5 }).map((items) => frozenset(items)),
      tie("value").map((shared) => [shared, shared, { again: shared }]),
      tie("value").map((held) => {
        const list: unknown[] = [held];
        list.push(list, { list });
        return list;
      }),
    ),
  })).value;

describe("flat slots and streams", () => {
  it("bring the same values to Python", () => {
    const before = raw.fastCount();
    fc.assert(
      fc.property(values(easy), (value) => {
        expect(outcome(() => raw.callData(spell, value))).toBe(outcome(() => raw.call(spell, value)));
      }),
      { seed, numRuns: 2000 },
    );
    expect(raw.fastCount() - before).toBeGreaterThan(1500);
  });

  it("bring the same values to Python when something in them must be a stream, with the same errors", () => {
    fc.assert(
      fc.property(values(fc.oneof({ weight: 6, arbitrary: easy }, { weight: 1, arbitrary: hard })), (value) => {
        expect(outcome(() => raw.callData(spell, value))).toBe(outcome(() => raw.call(spell, value)));
      }),
      { seed, numRuns: 1500 },
    );
  });

  it("bring the same values to JavaScript", () => {
    fc.assert(
      fc.property(values(easy), (value) => {
        raw.callData(keep, value);
        const flat = outcome(() => raw.callData(kept));
        expect(flat).toBe(raw.withStreams(() => outcome(() => raw.call(kept))));
        expect(outcome(() => raw.callData(echo, value))).toBe(raw.withStreams(() => outcome(() => raw.call(echo, value))));
      }),
      { seed, numRuns: 400 },
    );
  });

  it("run each getter once, whatever happens after it", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(easy, fc.constant("list"), fc.constant("hard")), { minLength: 1, maxLength: 12 }), (parts) => {
        const build = () => {
          let runs = 0;
          const make = (at: number): unknown => {
            if (at >= parts.length) return at;
            const part = parts[at];
            if (part === "hard") return new Date(0);
            const object = {} as Record<string, unknown>;
            const read = (value: unknown) => () => {
              runs++;
              if (runs === 3) object["late"] = "came while it was read";
              return value;
            };
            Object.defineProperty(object, "a", { get: read(part === "list" ? [1, 2.5, make(at + 1)] : part), enumerable: true });
            object["plain"] = [1, 2, 3];
            Object.defineProperty(object, "b", { get: read(make(at + 1)), enumerable: true });
            return at % 3 === 2 ? tuple([at, object]) : object;
          };
          return { value: make(0), runs: () => runs };
        };
        const flat = build();
        const stream = build();
        expect(outcome(() => raw.callData(spell, flat.value))).toBe(outcome(() => raw.call(spell, stream.value)));
        expect(flat.runs()).toBe(stream.runs());
      }),
      { seed, numRuns: 800 },
    );
  });
});

/** The same value by slots and by streams, both ways. */
function agree(value: unknown): void {
  expect(outcome(() => raw.callData(spell, value))).toBe(outcome(() => raw.call(spell, value)));
  expect(outcome(() => raw.callData(echo, value))).toBe(raw.withStreams(() => outcome(() => raw.call(echo, value))));
}

describe("what is hard about", () => {
  it.each<[string, () => unknown]>([
    [
      "keys that are no names",
      () => [1, 2, 3].map((n) => JSON.parse(`{"__proto__":${n},"10":1,"2":2,"constructor":{"x":1},"":0,"a\\u0000b":1}`)),
    ],
    [
      "keys that look like code",
      () => Array.from({ length: 20 }, (_, n) => ({ '"+process.exit(1)+"': n, "\u2028": n, "\\": n, "`${1}`": n })),
    ],
    [
      "more keys than a shape has",
      () => Array.from({ length: 3 }, () => Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`k${n}`, n]))),
    ],
    [
      "many shapes, more than there are places",
      () => Array.from({ length: 3000 }, (_, n) => [0, 1, 2].map((m) => ({ [`k${n}`]: n, [`l${n % 700}`]: m }))),
    ],
    [
      "a shape inside a dict of the same place",
      () => Array.from({ length: 2000 }, (_, n) => ({ a: { [`x${n >> 1}`]: { a: 1, b: 2 } }, b: n })),
    ],
    ["a PyFloat that was read before something refused", () => ({ a: [new PyFloat(0), new PyFloat(-0), 2 ** 60, 1.5], b: { then: 1 } })],
    ["then", () => [{ then: 1 }, new Map([["then", 2]])]],
    [
      "zeros, NaN and the edges of int",
      () => [-0, 0, [-0, 0, Number.NaN, 1, 2], [2 ** 31, 2 ** 31 - 1, 1, 1], [2 ** 53, 1.5, -0, 2 ** 53 - 1], new PyFloat(3)],
    ],
    [
      "lists that change their kind",
      () => [
        [1, 2, 3, 4, "x"],
        [1.5, 2.5, 3.5, 4.5, 1],
        [1, 2, 3, 2 ** 40],
        ["a", 1, 2, 3, "b", 4],
        [true, 1, 1.5, null],
      ],
    ],
    ["holes and undefined", () => [new Array(5), [1, , 3], { u: undefined }]],
    [
      "long and short text, mixed",
      () => ["a", "é", "👍", "x".repeat(1000), "漢".repeat(30), "", "short", "y".repeat(13), "\ud83d", "z".repeat(12)],
    ],
    [
      "repeated text",
      () => Array.from({ length: 200 }, (_, n) => ({ kind: n % 2 ? "odd one out" : "even", text: "the same long text in each of them" })),
    ],
    ["the deepest that slots take, and one more", () => [79, 80, 81, 120].map((levels) => nest(levels))],
    ["one object in many places", () => [((one) => [one, { one }, tuple([one, one]), new Map([[1, one]])])({ a: [1] })]],
    ["a dict inside itself", () => ((d: Record<string, unknown>) => Object.assign(d, { a: 1, self: d, list: [d], 1: d }))({})],
    ["a Map inside itself", () => ((m: Map<unknown, unknown>) => m.set(1, m).set(2, [m]))(new Map())],
    ["a tuple inside itself through a list", () => ((list: unknown[]) => [list.push(tuple([1, list])), list])([])],
    [
      "objects of no prototype, and of another realm's look",
      () => [Object.assign(Object.create(null), { a: 1 }), Object.create({ inherited: 1 })],
    ],
    ["proxies", () => new Proxy({ a: [1, 2], b: new Proxy([1, "x"], {}) }, {})],
    ["bytes of every size", () => [0, 1, 7, 8, 511, 512, 513, 70_000].map((n) => new Uint8Array(n).fill(n))],
    [
      "a Buffer of the pool, and a view at an offset",
      () => [Buffer.from("abc"), new Uint8Array(new ArrayBuffer(20), 3, 5), Buffer.alloc(3000, 1).subarray(5)],
    ],
    ["shared memory", () => new Uint8Array(new SharedArrayBuffer(3000))],
    ["Maps and Sets whose keys Python would merge", () => new Map<unknown, unknown>([[1, "a"], [true, "b"]])], // biome-ignore format: one value
  ])("%s", (_, make) => {
    for (let round = 0; round < 3; round++) agree(make());
  });

  const nest = (levels: number): unknown => {
    let value: unknown = "bottom";
    for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { value };
    return value;
  };

  it("a detached buffer is refused with the same error", () => {
    const bytes = new Uint8Array(600);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    agree([bytes]);
  });

  it("a getter that calls Python, and one that throws", () => {
    const nested = { get a() { return raw.callData(echo, { b: [1, 2.5, "x"] }); }, c: [1] }; // biome-ignore format: one value
    expect(raw.callData(echo, nested)).toStrictEqual({ a: { b: [1, 2.5, "x"] }, c: [1] });
    const bad = { a: { n: 1 }, get b() { throw new RangeError("mine"); } }; // biome-ignore format: one value
    for (let i = 0; i < 4; i++) expect(() => raw.callData(echo, bad)).toThrow("mine");
    expect(raw.callData(echo, [{ n: 1 }, { n: 2 }])).toStrictEqual([{ n: 1 }, { n: 2 }]);
  });

  it("is the same where the host makes no code from strings", async () => {
    const script = `${startSync}
      const py = startSync();
      const echo = py.eval("lambda value: value");
      for (let i = 0; i < 50; i++) {
        const value = [{ ["__proto__"]: i, a: 1, "2": 3 }, { ["__proto__"]: i, a: 2, "2": 4 }];
        const back = echo(value);
        if (JSON.stringify(back) !== JSON.stringify(value) || !Object.hasOwn(back[0], "__proto__")) throw new Error(JSON.stringify(back));
      }
      let forbidden = false;
      try { new Function("1"); } catch { forbidden = true; }
      console.log("same", forbidden);
      py.close();`;
    const { stdout, stderr } = await inNode(script, { flags: ["--disallow-code-generation-from-strings"] });
    expect({ stdout, stderr }).toEqual({ stdout: "same true", stderr: "" });
  });

  it("a part of a long text does not keep the text alive, and is right", () => {
    const part = raw.handle("lambda: ['x' * 100000, 'thirteen characters', 'y' * 50]");
    expect(raw.callData(part)).toStrictEqual(["x".repeat(100_000), "thirteen characters", "y".repeat(50)]);
  });

  it("slots that make no sense are an error and no crash", () => {
    const own = startRaw();
    const { engine } = own.sync.data;
    const target = own.handle("lambda value: value");
    const memory = new Int32Array(2000);
    engine.useMemory(memory.buffer);
    expect(() => engine.useMemory(new Uint8Array(8) as never)).toThrow("ArrayBuffer");
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer()), fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer())),
          { maxLength: 40 },
        ),
        fc.nat(60),
        fc.oneof(fc.constant(undefined), fc.string()),
        (slots, count, text) => {
          memory.fill(0);
          memory[0] = 1;
          slots.forEach(([tag, argument], at) => memory.set([tag, argument], 2 + at * 2));
          try {
            engine.callFlat(target, count, text, [new Uint8Array(600)]);
          } catch (error) {
            expect(error).toMatchObject({ code: "ERR_ARGUMENT" });
          }
          expect(engine.state[5]).toBe(0);
        },
      ),
      { seed, numRuns: 5000 },
    );
    void own.backend.close();
  });
});

describe("after many calls", () => {
  it("as many blocks and references as before", () => {
    const blocks = raw.define("blocks", "import gc, sys\ndef blocks():\n    gc.collect()\n    return sys.getallocatedblocks()");
    const bad = raw.handle("lambda value: 1 / 0");
    const value = (n: number) => ({
      a: 1,
      b: 2.5,
      c: `text ${n}`,
      d: [1, 2, 3],
      e: { x: new Uint8Array(9) },
      f: new Set([1, 2]),
      g: new Map([[1, 2]]),
      [`k${n % 300}`]: null,
    });
    const rounds: ((n: number) => void)[] = [
      (n) => void raw.callData(echo, [value(n), value(n)]),
      (n) => void raw.callData(echo, { ...value(n), huge: 2n ** 80n }),
      (n) => expect(() => raw.callData(bad, value(n))).toThrow("ZeroDivisionError"),
    ];
    for (const round of rounds) {
      for (let n = 0; n < 1000; n++) round(n);
      const before = raw.call(blocks) as number;
      for (let n = 0; n < 4_000; n++) round(n);
      expect((raw.call(blocks) as number) - before).toBeLessThan(800);
    }
  });
});
