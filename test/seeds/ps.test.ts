/**
 * python.js: objects that feel like JavaScript's, on every engine.
 */
import { EngineError, type PyRef, PythonError, ref, run, toJs } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { createAlone } from "./alone.ts";
import { asyncEngines, everyEngine, loadFixture, onEach, syncEngine } from "./engines.ts";
import { collectGarbage, until } from "./garbage.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_scenarios"));

  test("[PS-01] attributes are read by name, items by item(), and a missing one is an error", async () => {
    const point = (await engine.py.import("seed_scenarios").Point()) as PyRef;
    expect(await point.get_aaa()).toBe(11);
    expect(await point.aaa).toBe(11);
    expect(await thrownBy(async () => await point.bbb)).toMatchObject({ type: "AttributeError" });
    await engine.py.exec("class Keyed(dict): keys_seen = 3\nkeyed = Keyed(aaa=111)");
    const keyed = (await engine.py.globals.get("keyed")) as PyRef;
    expect(await engine.verbs.item(keyed, "aaa")).toBe(111);
    expect(await keyed.keys_seen).toBe(3);
    expect(await thrownBy(async () => await engine.verbs.item(keyed, "none"))).toMatchObject({ type: "KeyError" });
  });

  test("[PS-02] attributes and items are set by set() and setItem(); an assignment says so", async () => {
    const point = (await engine.py.import("seed_scenarios").Point()) as PyRef;
    await engine.verbs.set(point, "aaa", 22);
    await engine.verbs.set(point, "bbb", 33);
    expect(await point.get_aaa()).toBe(22);
    expect(await point.get_bbb()).toBe(33);
    const assigned = await thrownBy(() => {
      (point as unknown as Record<string, unknown>)["aaa"] = 1;
    });
    expect(String(assigned)).toContain("set(");
    await engine.py.exec("class Table(dict): pass\ntable = Table(aaa=111)");
    const table = (await engine.py.globals.get("table")) as PyRef;
    await engine.verbs.setItem(table, "aaa", 333);
    await engine.verbs.setItem(table, "ccc", 555);
    expect(await engine.py.eval("dict(table)")).toEqual({ aaa: 333, ccc: 555 });
  });

  test("[PS-03] sequences are indexed with item(), and out of range is an IndexError", async () => {
    await engine.py.exec("class Numbers(list): pass\nnumbers = Numbers([1, 2, 3])");
    const numbers = (await engine.py.globals.get("numbers")) as PyRef;
    expect(await engine.verbs.item(numbers, 0)).toBe(1);
    expect(await engine.verbs.item(numbers, -1)).toBe(3);
    await engine.verbs.setItem(numbers, 0, 4);
    await numbers.append(7);
    expect(await engine.py.eval("list(numbers)")).toEqual([4, 2, 3, 7]);
    expect(await thrownBy(async () => await engine.verbs.item(numbers, 9))).toMatchObject({ type: "IndexError" });
    expect(await thrownBy(async () => await engine.verbs.setItem(numbers, 9, 0))).toMatchObject({ type: "IndexError" });
  });

  test("[PS-04] dir() lists the names of an object", async () => {
    const point = (await engine.py.import("seed_scenarios").Point()) as PyRef;
    expect(await engine.py.builtins.dir(point)).toEqual(expect.arrayContaining(["aaa", "get_aaa", "get_bbb"]));
  });

  test("[PS-05] an object that can be called is called like a function", async () => {
    const scenarios = engine.py.import("seed_scenarios");
    expect(await scenarios.double(5)).toBe(10);
    expect(await engine.py.import("seed_scenarios").half_more(7.5)).toBe(11.25);
    const double = (await engine.py.import("seed_scenarios").double) as PyRef;
    expect(await double(21)).toBe(42);
  });

  test("[PS-06] a value converts deeply: callables stay callable, exceptions are Errors", async () => {
    const mixed = (await engine.py.import("seed_scenarios").mixed(null)) as Map<unknown, unknown>;
    expect(mixed.get("number")).toBe(111);
    expect(mixed.get(222)).toBe("bbb");
    expect(mixed.get("list")).toEqual([444, "555", 666]);
    const inner = mixed.get("inner") as Map<unknown, unknown>;
    expect(await (inner.get("multiply") as PyRef)(6, 7)).toBe(42);
    const returned = await engine.py.eval("[ValueError('as a value')]");
    expect((returned as unknown[])[0]).toBeInstanceOf(Error);
    expect((returned as unknown[])[0]).toMatchObject({ type: "ValueError", pythonMessage: "as a value" });
  });

  test("[PS-07] str() of an object is Python's text for it", async () => {
    await engine.py.exec("class Named:\n    def __str__(self): return 'I am Named'");
    const named = (await engine.py.eval("Named()")) as PyRef;
    expect(await engine.py.builtins.str(named)).toBe("I am Named");
    expect(await engine.py.builtins.repr([1, "a"])).toBe("[1, 'a']");
  });

  test("[PS-08] a function from JavaScript is a Python callable, three levels deep", async () => {
    const calls: string[] = [];
    const outer = (caller: string, x: unknown, y: unknown, innermost: PyRef): unknown => {
      calls.push(`${caller} ${JSON.stringify(x)} ${y instanceof Map ? y.size : JSON.stringify(y)}`);
      return innermost;
    };
    const middle = (await engine.py.import("seed_scenarios").relay(outer)) as PyRef;
    const innermost = (await middle("js", [222, "333"], { aaa: 555 })) as PyRef;
    expect(calls).toEqual(['middle [222,"333"] {"aaa":555}']);
    expect(await innermost("js", 8, 9)).toBe(72);
  });

  test("[PS-08] keyword arguments arrive as a last object, and None as null", async () => {
    const seen: unknown[][] = [];
    const record = (...values: unknown[]): void => {
      seen.push(values);
    };
    expect(await engine.py.eval("f(1, None, size=2)", { locals: { f: record } })).toBe(null);
    expect(seen).toEqual([[1, null, { size: 2 }]]);
  });

  test("[PS-09] a bound function keeps its this, and so does a method", async () => {
    const data = { aaa: 111 };
    const bound = function (this: typeof data): number {
      return this.aaa;
    }.bind(data);
    expect(await engine.py.import("seed_scenarios").answer_of(bound)).toBe(111);
    class Counter {
      #value = 5;
      next(): number {
        this.#value += 1;
        return this.#value;
      }
    }
    expect(await engine.py.eval("[c.next(), c.next()]", { locals: { c: new Counter() } })).toEqual([6, 7]);
  });

  test("[PS-10] what JavaScript throws is caught by its Python kind, message kept", async () => {
    const scenarios = (): PyRef => engine.py.import("seed_scenarios") as unknown as PyRef;
    const cases: [unknown, string, string][] = [
      [new RangeError("out"), "IndexError", "out"],
      [new ReferenceError("no x"), "NameError", "no x"],
      [new SyntaxError("bad"), "SyntaxError", "bad"],
      [new TypeError("wrong"), "TypeError", "wrong"],
      [new Error("plain"), "Exception", "plain"],
      ["only text", "Exception", "only text"],
    ];
    for (const [thrown, kind, message] of cases) {
      const throwing = (): never => {
        throw thrown;
      };
      const [kinds, text] = (await scenarios().classify(throwing)) as [string[], string];
      expect(kinds).toContain(kind);
      expect(text).toContain(message);
    }
  });

  test("[PS-10] what Python raises is told apart by its name", async () => {
    for (const name of ["IndexError", "NameError", "SyntaxError", "TypeError", "Exception"]) {
      const error = await thrownBy(async () => await engine.py.import("seed_scenarios").raise_named(name, "text"));
      expect(error).toBeInstanceOf(PythonError);
      expect(error).toMatchObject({ type: name, pythonMessage: "text" });
    }
  });

  test("[PS-10] an error through Python keeps the JavaScript error as its cause", async () => {
    const thrown = new Error("from javascript");
    const error = (await thrownBy(
      async () =>
        await engine.py.import("seed_scenarios").rethrow(() => {
          throw thrown;
        }),
    )) as PythonError;
    expect(error).toMatchObject({ type: "RuntimeError", pythonMessage: "from python" });
    expect((error.cause as Error).cause ?? error.cause).toBe(thrown);
  });

  test("[PS-15] integers and strings are exact", async () => {
    const ints = [2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1];
    expect(await engine.py.eval("xs", { locals: { xs: ints } })).toEqual(ints);
    expect(await engine.py.eval("2**53 + 1")).toBe(2n ** 53n + 1n);
    expect(await engine.py.eval("x + 1", { locals: { x: 2n ** 64n } })).toBe(2n ** 64n + 1n);
    expect(await engine.py.eval("'\\u4e2d\\U0001f600'")).toBe("中😀");
  });
});

onEach(asyncEngines, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_scenarios"));

  test("[PS-11] both outcomes of a call arrive later, without blocking", async () => {
    const scenarios = engine.py.import("seed_scenarios");
    const outcomes = await Promise.allSettled([run(scenarios.slow(false)), run(engine.py.import("seed_scenarios").slow())]);
    expect(outcomes[0]).toMatchObject({ status: "fulfilled", value: "hello async" });
    expect(outcomes[1]).toMatchObject({ status: "rejected", reason: { type: "SyntaxError" } });
  });

  test("[PS-12] [DD-04] thousands of entries from many tasks keep their answers apart", async () => {
    const { py } = engine;
    const lanes = Array.from({ length: 16 }, async (_, lane) => {
      let sum = 0;
      for (let i = 0; i < 500; i += 1) sum += (await py.import("operator").add(lane, i)) as number;
      return sum;
    });
    const expected = Array.from({ length: 16 }, (_, lane) => lane * 500 + (499 * 500) / 2);
    expect(await Promise.all(lanes)).toEqual(expected);
  });

  test("[PS-13] a ref that JavaScript forgot is let go in Python", async () => {
    const { py } = engine;
    await py.exec("import weakref\nclass Kept: pass\nkept = Kept()\nalive = weakref.ref(kept)");
    await (async () => {
      const held = await ref(py.eval("kept"));
      expect(await held.__class__.__name__).toBe("Kept");
    })();
    await py.exec("del kept");
    await until(async () => {
      await collectGarbage();
      return (await py.eval("alive() is None")) === true;
    });
  }, 30_000);

  test("[PS-14] exit handlers run when the last engine is closed", async () => {
    const result = await createAlone(
      { backend: engine.name },
      { PATH: process.env["PATH"] ?? "" },
      "import atexit; atexit.register(print, 'goodbye')",
    );
    expect(result).toMatchObject({ value: 42, written: "goodbye\n" });
  }, 60_000);

  test("[PS-06] toJs copies what was kept as a ref", async () => {
    const numbers = await ref(engine.py.eval("[1, [2, 3]]"));
    expect(await toJs(numbers)).toEqual([1, [2, 3]]);
    const nothing = await thrownBy(() => toJs(engine.py.eval("object()")));
    expect(nothing).toBeInstanceOf(EngineError);
    expect(nothing).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    numbers[Symbol.dispose]();
  });
});

onEach(syncEngine, (engine) => {
  test("[PS-12] [DD-04] a hundred thousand sync entries keep their answers", () => {
    const add = engine.py.import("operator").add as unknown as (a: number, b: number) => number;
    let wrong = 0;
    for (let i = 0; i < 100_000; i += 1) if (add(i, 1) !== i + 1) wrong += 1;
    expect(wrong).toBe(0);
  });
});
