/** The synchronous path of the addon: scalars, attributes, errors, callbacks, and what must not hang. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tuple } from "../../src/core/values/tags.ts";
import { decode, encode, silentHost, startRaw } from "./raw.ts";

let raw: ReturnType<typeof startRaw>;
let echo: number;
/** What the host answers to a call of Python. */
let answer: (frame: readonly unknown[]) => Uint8Array = () => encode(null);

beforeAll(() => {
  raw = startRaw({ ...silentHost, call: (frame) => answer(decode(frame) as readonly unknown[]) });
  echo = raw.handle("lambda *a: a[0]");
});
afterAll(() => raw.backend.close());

describe("scalars", () => {
  const exact = [0, -0, 1, -1, 0.5, 255, 256, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1, 1e308, Number.NaN, Infinity, -Infinity];
  const text = [
    "",
    "a",
    "a\0b",
    "é",
    "ÿ",
    "漢",
    "👍",
    "\ud800",
    "\udc00x",
    "x".repeat(254),
    "x".repeat(255),
    "x".repeat(256),
    "é".repeat(5000),
    "漢".repeat(5000),
  ];
  it.each([...exact, ...text, true, false, null])("%j comes back as itself", (value) => {
    expect(Object.is(raw.sync.call(echo, [value]), value)).toBe(true);
    expect(raw.sync.outcome).toBe(0);
  });

  it.each([
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n,
    -(2n ** 64n),
    2n ** 70n,
    10n ** 5000n,
    -(10n ** 5000n),
  ])("an integer of %i comes back exactly", (value) => {
    expect(raw.sync.call(echo, [value])).toBe(value);
  });

  it("a small bigint is a number, undefined is null", () => {
    expect(raw.sync.call(echo, [5n])).toBe(5);
    expect(raw.sync.call(echo, [undefined])).toBe(null);
  });

  it("int, float, bool and str keep their types in Python", () => {
    const kind = raw.handle("lambda v: type(v).__name__");
    expect([1, 1.5, -0, 2 ** 53, 2n ** 70n, true, "s", null].map((v) => raw.sync.call(kind, [v]))).toEqual([
      "int",
      "float",
      "float",
      "float",
      "int",
      "bool",
      "str",
      "NoneType",
    ]);
  });

  it("many arguments, and none", () => {
    const count = raw.handle("lambda *a: len(a)");
    for (const n of [0, 1, 2, 3, 7, 8, 9, 10, 500])
      expect(
        raw.sync.call(
          count,
          Array.from({ length: n }, (_, i) => i),
        ),
      ).toBe(n);
  });

  it("[N-60] [N-64] a string of a hundred million characters", () => {
    const long = "x".repeat(100_000_000);
    expect((raw.sync.call(echo, [long]) as string).length).toBe(long.length);
  });

  it("bytes come back as a Uint8Array, long streams in memory of their own", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i & 255);
    expect(raw.call(echo, bytes)).toEqual(bytes);
    const list = Array.from({ length: 50_000 }, (_, i) => i);
    expect(raw.call(echo, list)).toEqual(list);
  });
});

describe("what goes wrong", () => {
  it("an exception is an outcome, with its traceback", () => {
    const fails = raw.handle("lambda: 1 / 0");
    const stream = raw.sync.call(fails, []);
    expect(raw.sync.outcome).toBe(2);
    expect((decode(stream as Uint8Array) as Error).message).toContain("ZeroDivisionError");
  });

  it("SystemExit, KeyboardInterrupt and deep recursion are exceptions like others", () => {
    for (const source of [
      "lambda: __import__('sys').exit(3)",
      "lambda: (_ for _ in ()).throw(KeyboardInterrupt())",
      "(lambda f: lambda: f(f))(lambda f: f(f))",
    ]) {
      raw.sync.call(raw.handle(source), []);
      expect(raw.sync.outcome).toBe(2);
    }
  });

  it("[N-31] a handle that does not exist", () => {
    for (const handle of [12_345, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(() => raw.sync.call(handle, [])).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
    }
    for (const handle of [0, -1, 0.5, Number.NaN, null, undefined, {}, 2 ** 60]) {
      expect(() => raw.sync.call(handle as number, [])).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/ERR_ARGUMENT|ERR_HANDLE_DISPOSED/) }),
      );
    }
  });

  it("arguments of a wrong kind", () => {
    for (const value of [{}, [], () => 1, Symbol("s"), new Date()]) {
      expect(() => raw.sync.call(echo, [value as never])).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
    expect(() => raw.sync.callStream(echo, "text" as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => raw.sync.callStream(echo, new Uint16Array(4) as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => raw.sync.callStream(echo, encode([1]))).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => raw.sync.get(echo, 5 as never, false)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});

describe("attributes", () => {
  it("data, objects and missing ones", () => {
    const module = raw.handle("__import__('math')");
    expect(raw.sync.get(module, "pi", false)).toBe(Math.PI);
    const id = raw.sync.get(module, "sqrt", false);
    expect(raw.sync.outcome).toBe(5);
    expect(raw.sync.typeName).toBe("builtin_function_or_method");
    const ref = {};
    raw.sync.refs.bind(id as number, false, ref);
    expect(raw.sync.get(module, "sqrt", false)).toBe(ref);
    expect(raw.sync.outcome).toBe(0);
    raw.sync.get(module, "no_such_name", false);
    expect(raw.sync.outcome).toBe(2);
  });

  it("a coroutine is awaited", () => {
    const sleeper = raw.handle("(lambda a: lambda: a.sleep(0.01, 'slept'))(__import__('asyncio'))");
    expect(raw.sync.call(sleeper, [])).toBe("slept");
  });
});

describe("JavaScript inside a synchronous call", () => {
  const ask = "__import__('_isopy.engine', fromlist=['x']).ENGINES[-1].asker.ask";

  it("answers on the same thread, and may call Python again", () => {
    answer = ([token]) => {
      const nested = raw.sync.call(echo, ["nested"]);
      return encode(tuple([token as number, true, nested]));
    };
    const asks = raw.handle(`lambda: ${ask}(1, 0, (), None) + '!'`);
    expect(raw.sync.call(asks, [])).toBe("nested!");
    const deep = raw.handle(`lambda n: ${ask}(1, 0, (n,), None)`);
    answer = ([token, , , , args]) => {
      const [n] = args as [number];
      return encode(tuple([token as number, true, n === 0 ? "bottom" : raw.sync.call(deep, [n - 1])]));
    };
    expect(raw.sync.call(deep, [30])).toBe("bottom");
  });

  it("[N-01] another thread that asks meanwhile gets ERR_DEADLOCK after the bound, and the call goes on", () => {
    answer = ([token]) => encode(tuple([token as number, true, "too late"]));
    const waits = raw.define(
      "waits",
      `
import threading
def waits():
    found = []
    def other():
        try: found.append(${ask}(1, 0, (), None))
        except Exception as error: found.append(getattr(error, "code", repr(error)))
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    return found[0]
`,
    );
    const began = performance.now();
    expect(raw.sync.call(waits, [])).toBe("ERR_DEADLOCK");
    expect(performance.now() - began).toBeGreaterThan(250);
  });
});
