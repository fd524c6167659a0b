/** Functions of JavaScript that Python calls inside a synchronous call: directly where scalars cross, with frames elsewhere, and no difference to be seen. */
import { createPythonSync, EngineError, kw, PythonError, proxy, type Untyped } from "isopy/sync";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { python } from "./support.ts";

const options = python === undefined ? {} : { python };
const py = createPythonSync(options);
afterAll(() => py.close());

/** How many calls have asked with a frame. A direct call does too when a message waits for JavaScript: another thread may tell it any time what was dropped. */
py.exec(`
from _isopy.lanes import asking_engine
_asker = asking_engine().asker
_ask = _asker.ask
frames = 0
def _counted(*operands):
    global frames
    frames += 1
    return _ask(*operands)
_asker.ask = _counted
`);
const frames = (): number => py.globals.get("frames") as number;
beforeEach(() => py.globals.set("frames", 0));

py.exec(`
def call(f, *args, **kwargs):
    return f(*args, **kwargs)

def loop(f, count):
    return [f(n) for n in range(count)]

def shape(value):
    text = repr(value)
    return type(value).__name__ + " " + (text if len(text) < 200 else str(len(text)) + text[-50:])

def outcome(f, *args):
    try:
        return shape(f(*args))
    except BaseException as error:
        return [type(error).__name__, [base.__name__ for base in type(error).__mro__], str(error), repr(getattr(error, "js", None)),
                bool(getattr(error, "stack", None))]

def both(f, *args):
    "The same call without a frame and with one."
    return [outcome(f, *args), outcome(f._isopy_call, *args)]
`);
const call = py.globals.get("call");
const both = py.globals.get("both");

describe("a direct call", () => {
  it("is what a call with scalars is, and frames are for the rest", () => {
    const echo = (...args: unknown[]) => args[0];
    for (const value of [1, -1.5, true, false, null, "text", "é😀", 2n ** 60n]) expect(call(echo, value)).toEqual(value);
    expect(call(echo)).toBe(null);
    expect(call((...args: unknown[]) => args.join(), 1, 2, 3, 4, 5, 6, 7, 8)).toBe("1,2,3,4,5,6,7,8");
    expect(py.globals.get("loop")((n: number) => n * n, 100)).toEqual(Array.from({ length: 100 }, (_, n) => n * n));
    expect(frames()).toBeLessThan(50);
    py.globals.set("frames", 0);
    expect(call(echo, [1])).toEqual([1]);
    expect(call((options: object) => JSON.stringify(options), kw({ a: 1 }))).toBe('{"a":1}');
    expect(call((...args: unknown[]) => args.length, 1, 2, 3, 4, 5, 6, 7, 8, 9)).toBe(9);
    expect(call((text: string) => text.length, "x".repeat(100_000))).toBe(100_000);
    expect(frames()).toBe(4);
  });

  it("gives and takes what a frame does", () => {
    const echo = (value: unknown) => value;
    const values = [
      ...[0, -0, 1, -1, 0.1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 5e-324],
      ...[true, false, null, undefined, "", "a\0b", "é", "日本", "😀", "\ud800", "x".repeat(70_000), "é".repeat(70_000)],
      ...[2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 200n), 12n],
    ];
    for (const value of values) {
      const [direct, framed] = both(echo, value);
      expect(direct).toEqual(framed);
    }
    const results: unknown[] = [
      [1, [2]],
      { a: 1 },
      new Map([[1, 2]]),
      new Set([1]),
      new Uint8Array([1]),
      new Date(0),
      echo,
      Symbol.iterator,
    ];
    for (const value of [...values, ...results, py.import("math"), Promise.resolve(1)]) {
      const [direct, framed] = both(() => value);
      expect(direct).toEqual(framed);
    }
    expect(both(() => new (class Own {})())[0]).toMatch(/^JsProxy <JsProxy Own>/);
  });

  it("with keywords goes with a frame, whichever call it is", () => {
    py.exec("def thrice(f): return [f(1), f(1, key=2), f(**{'key': 3}), f(4)]");
    const seen: unknown[] = [];
    expect(py.globals.get("thrice")((...args: unknown[]) => seen.push(args))).toEqual([1, 2, 3, 4]);
    expect(seen).toEqual([[1], [1, { key: 2 }], [{ key: 3 }], [4]]);
    expect(frames()).toBe(2);
  });

  it("takes exact scalars only: subclasses go as they are", () => {
    py.exec("import enum\nclass Mine(int): pass\nclass Colour(enum.IntEnum):\n    RED = 1\n");
    const seen: unknown[] = [];
    py.eval("lambda f: [f(x) for x in (Mine(5), Colour.RED, b'x', (1,), 1j)]")((value: unknown) => void seen.push(value));
    expect(frames()).toBe(5);
    expect(String(seen[2])).toBe("120");
  });

  it("has no `this`", () => {
    expect(
      call(function (this: unknown) {
        return this === undefined;
      }),
    ).toBe(true);
  });
});

describe("what a directly called function throws", () => {
  it("is the very error when nobody catches it", () => {
    const thrown = new RangeError("mine");
    const fail = () => {
      throw thrown;
    };
    for (let i = 0; i < 20; i++) expect(() => call(fail)).toThrow(expect.objectContaining({ cause: thrown }));
    for (const value of [undefined, null, 0, "text", { code: 7 }, Symbol.iterator, fail]) {
      const [direct, framed] = both(() => {
        throw value;
      });
      expect(direct).toEqual(framed);
    }
    for (const error of [new TypeError("t"), new SyntaxError("s"), new ReferenceError("r"), new EngineError("ERR_LIMIT", "l"), thrown]) {
      const [direct, framed] = both(() => {
        throw error;
      });
      expect(direct).toEqual(framed);
    }
  });

  it("can be caught in Python with name, message and stack", () => {
    const fail = (n: number) => {
      throw new TypeError(`no ${n}`);
    };
    py.exec(`
def caught(f):
    try:
        f(3)
    except TypeError as error:
        return [error.name, error.message, "direct-calls.test" in error.stack, type(error.js).__name__]
`);
    expect(py.globals.get("caught")(fail)).toEqual(["TypeError", "no 3", true, expect.any(String)]);
  });

  it("an exception of Python passes through JavaScript and is the same one", () => {
    py.exec(`
mine = KeyError("mine")
def fail():
    raise mine
def through(f):
    try:
        f(1)
    except KeyError as error:
        return error is mine
`);
    const fail = py.globals.get("fail");
    expect(py.globals.get("through")(() => fail())).toBe(true);
    expect(() => call(() => fail())).toThrow(PythonError);
  });

  it("leaves no error behind that a later call would meet", () => {
    py.exec("def swallow(f):\n    try:\n        f()\n    except Exception:\n        return 'swallowed'\n");
    const swallow = py.globals.get("swallow");
    const fail = () => {
      throw new Error("gone");
    };
    for (let i = 0; i < 100; i++) {
      expect(swallow(fail)).toBe("swallowed");
      expect(call((n: number) => n + 1, i)).toBe(i + 1);
    }
  });
});

describe("marks of functions", () => {
  it("once and async are kept, also when they are given later", () => {
    const once = proxy(() => 1, { once: true });
    expect(call(once)).toBe(1);
    expect(() => call(once)).toThrow(/a second time/);
    const later = () => 2;
    py.exec("kept = []\ndef hold(f):\n    kept.append(f)\n    return f()\n");
    const hold = py.globals.get("hold");
    expect(hold(later)).toBe(2);
    proxy(later, { once: true });
    expect(hold(later)).toBe(2);
    expect(() => hold(later)).toThrow(/a second time/);
    const later2 = proxy(async () => 3, { async: true });
    expect(py.eval("lambda f: type(f()).__name__")(later2)).toBe("Answer");
  });

  it("a class is constructed, a method keeps its `this`", () => {
    class Point {
      constructor(readonly x: number) {}
      twice(): number {
        return this.x * 2;
      }
    }
    expect(py.eval("lambda P: P(4).twice()")(Point)).toBe(8);
  });
});

describe("nesting", () => {
  it("fifty calls deep, each answer belongs to its question", () => {
    py.exec("def down(f, n):\n    return f(n) + n\n");
    const down = py.globals.get("down") as Untyped;
    const step = (n: number): number => (n === 0 ? 1000 : (down(step, n - 1) as number));
    expect(down(step, 50)).toBe(1000 + (50 * 51) / 2);
    expect(frames()).toBeLessThan(25);
  });

  it("without end is an error on one of the sides, and the engine goes on", () => {
    const down = py.globals.get("down") as Untyped;
    const step = (n: number): number => down(step, n + 1) as number;
    expect(() => down(step, 0)).toThrow(PythonError);
    expect(call(() => "alive")).toBe("alive");
  });

  it("into another engine and back", () => {
    const other = createPythonSync(options);
    try {
      const twice = other.eval("lambda f, n: f(n) * 2");
      expect(call((n: number) => twice((m: number) => call((k: number) => k + 1, m), n), 20)).toBe(42);
    } finally {
      other.close();
    }
  });

  it("an engine that its callback closes ends the call in order", () => {
    for (const end of [() => 1, () => ({ an: "object" }), () => fail("gone"), () => Symbol.iterator]) {
      const other = createPythonSync(options);
      const run = other.eval("lambda f: (f(), 5)[1]") as Untyped;
      const act = () => {
        other.close();
        return end();
      };
      try {
        expect(run(act)).toBe(5);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_CLOSED" });
      }
      expect(() => run(act)).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
    }
    expect(call(() => 1)).toBe(1);
  });
});

function fail(message: string): never {
  throw new Error(message);
}

describe("the order of things", () => {
  it("what was printed before is delivered before", () => {
    const seen: string[] = [];
    const other = createPythonSync({ ...options, stdout: (text: string) => void seen.push(text.trim()) });
    try {
      other.exec("def work(f):\n    f(0)\n    print('a')\n    f(1)\n    f(2)\n    print('b')\n");
      other.globals.get("work")((n: number) => void seen.push(String(n)));
      expect(seen.filter((text) => text !== "").join()).toBe("0,a,1,2,b");
    } finally {
      other.close();
    }
  });

  it("another thread asks with a frame, with the very proxy that was called directly", async () => {
    py.exec(`
import threading
def elsewhere(f):
    first = f(1)
    box = []
    thread = threading.Thread(target=lambda: box.append(f(first + 1)))
    thread.start()
    return [box, thread]
def joined(pair):
    pair[1].join()
    return pair[0]
`);
    const told = new Promise<number>((resolve) => {
      py.globals.get("elsewhere")((n: number) => {
        if (n > 1) resolve(n);
        return n;
      });
    });
    expect(await told).toBe(2);
    expect(frames()).toBeGreaterThan(0);
  });
});

describe("functions that Python drops", () => {
  it("are forgotten and collected", async () => {
    const collected: number[] = [];
    const registry = new FinalizationRegistry<number>((n) => void collected.push(n));
    for (let i = 0; i < 5000; i++) {
      const function_ = () => i;
      registry.register(function_, i);
      expect(call(function_)).toBe(i);
    }
    const held = Number(/(\d+) JavaScript objects held by Python/.exec(py.handles.report())?.[1]);
    expect(held).toBeLessThan(200);
    const { setFlagsFromString } = await import("node:v8");
    const { runInNewContext } = await import("node:vm");
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    for (let i = 0; i < 100 && collected.length < 4000; i++) {
      gc();
      await new Promise((resolve) => setImmediate(resolve));
      call(() => i);
    }
    expect(collected.length).toBeGreaterThan(4000);
    registry.unregister(collected); // a registry that nobody needs any more is collected itself, and then calls nobody
  });
});
