/**
 * pemja: an interpreter with names, calls, objects, callbacks, streams and an end, on every engine.
 */
import { as, kw, PyDecimal, type PyRef, PythonError, proxy, ref, run } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { allPythons } from "../../scripts/setup/pythons.mjs";
import { asyncEngines, everyEngine, loadFixture, nativeEngine, onEach, syncEngine } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  const calls = (): PyRef => engine.py.import("seed_calls") as unknown as PyRef;
  beforeAll(() => loadFixture(engine.py, "seed_calls"));

  test("[PJ-05] every kind of scalar can be set by name", async () => {
    const { globals } = engine.py;
    const scalars: [string, unknown][] = [
      ["a", true],
      ["b", 127],
      ["d", -(2 ** 31)],
      ["e", -(2n ** 63n)],
      ["f", 1.12],
      ["h", "中"],
      ["j", new TextEncoder().encode("中国")],
      ["n", null],
    ];
    for (const [name, value] of scalars) {
      await globals.set(name, value);
      expect(await globals.get(name)).toEqual(value);
    }
    expect(await globals.has("a")).toBe(true);
    await globals.delete("a");
    expect(await globals.has("a")).toBe(false);
  });

  test("[PJ-06] a name is read, and a missing one is an error", async () => {
    await engine.py.exec("wide = 2**40; real = 0.1");
    expect(await engine.py.globals.get("wide")).toBe(2 ** 40);
    expect(await engine.py.globals.get("real")).toBe(0.1);
    const error = await thrownBy(async () => await engine.py.globals.get("never_defined"));
    expect(error).toBeInstanceOf(PythonError);
    expect(["NameError", "KeyError"]).toContain((error as PythonError).type);
  });

  test("[PJ-07] statements share names, and a closure sees an updated global", async () => {
    const { py } = engine;
    await py.exec("base = 100\ndef closure(x):\n    return base + x");
    expect(await py.eval("closure(1)")).toBe(101);
    await py.exec("base = 123");
    expect(await py.eval("closure(1)")).toBe(124);
  });

  test("[PJ-08] a dotted name is called with any mix of arguments", async () => {
    expect(await calls().no_args()).toBe("no arg");
    expect(await calls().one_arg(1)).toBe(1);
    expect(await calls().variable_args(1, 2)).toBe(1);
    expect(await calls().keyword_args(kw({ a: 2 }))).toBe(2);
    expect(await calls().all_args(1, kw({ a: 2 }))).toBe(3);
    expect(await engine.py.import("os.path").join("a", "b")).toMatch(/^a.b$/);
  });

  test("[PJ-09] methods of a named global", async () => {
    await engine.py.exec("import seed_calls\nnamed = seed_calls.Calculator()");
    const named = (await engine.py.globals.get("named")) as PyRef;
    expect(await named.add(3)).toBe(3);
    expect(await named.minus(2)).toBe(1);
    expect(await named.add_all(1, 2, 3)).toBe(7);
  });

  test("[PJ-10] a handle reads, sets, calls and is closed", async () => {
    const calculator = (await calls().Calculator(2)) as PyRef;
    expect(await calculator.value).toBe(2);
    await engine.verbs.set(calculator, "value", 4);
    expect(await calculator.value).toBe(4);
    expect(await calculator.add(12)).toBe(16);
    expect(await calculator.add_all(1, 2, 3)).toBe(22);
    calculator[Symbol.dispose]();
    expect(await thrownBy(async () => await calculator.value)).toMatchObject({ code: "ERR_HANDLE_DISPOSED" });
  });

  test("[PJ-13] collections of JavaScript work in Python and come back themselves", async () => {
    const mapping = new Map([["a", 1]]);
    const array = [1, 2, 3];
    const values = new Set([3, 4]);
    const seen = await calls().collections(proxy(mapping), proxy(array), proxy(values));
    expect(seen).toEqual({
      lengths: [1, 3, 2],
      contains: [true, false, true, false],
      items: [1, 1, 3],
      iterated: [
        [1, 2, 3],
        [3, 4],
      ],
      keys: ["a"],
      values: [1],
    });
    expect(await calls().one_arg(proxy(mapping))).toBe(mapping);
    await engine.py.exec("m['b'] = 2; m['c'] = 3; del m['c']", { locals: { m: proxy(mapping) } });
    expect([...mapping]).toEqual([["a", 1], ["b", 2]]); // biome-ignore format: pairs
  });

  test("[PJ-14] what JavaScript gives arrives as Python's type for it", async () => {
    const types = "[type(v).__name__ for v in vs]";
    const date = new Date(0);
    const vs = [null, "s", true, 1, 2 ** 53, 0.5, new Uint8Array(1), [1], new Map([[1, 2]]), new Set([1]), date];
    expect(await engine.py.eval(types, { locals: { vs } })).toEqual(
      ["NoneType", "str", "bool", "int", "float", "float", "bytes", "list", "dict", "set", "datetime"], // biome-ignore format: a table
    );
    expect(await engine.py.eval(types, { locals: { vs: [new PyDecimal("1.10"), Symbol("s"), () => 1] } })).toEqual(
      expect.arrayContaining(["Decimal"]),
    );
  });

  test("[PJ-15] what Python gives arrives as JavaScript's type for it", async () => {
    const { py } = engine;
    expect(await py.eval("[None, 'x', True, 7, 0.5, b'a', [1], (1,), {'k': 1}]")).toEqual([
      null,
      "x",
      true,
      7,
      0.5,
      new Uint8Array([97]),
      [1],
      [1],
      { k: 1 },
    ]);
    expect(String(await py.eval("__import__('decimal').Decimal('1.10')"))).toBe("1.10");
    await py.exec("class Metres(int): pass");
    const metres = await py.eval("Metres(5)");
    expect(typeof metres).not.toBe("number");
    expect(await py.builtins.int(metres)).toBe(5);
  });

  test("[PJ-16] dates keep their zone and their microseconds", async () => {
    const { py } = engine;
    await py.exec("from datetime import datetime, timedelta, timezone");
    await py.exec("aware = datetime(2021, 9, 22, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))");
    const aware = (await py.eval("aware")) as { toString(): string };
    expect(aware.toString()).toContain("2021-09-22T01:02:03.999999+05:30");
    expect(await py.eval("a == aware and a.utcoffset() == aware.utcoffset()", { locals: { a: aware } })).toBe(true);
  });

  test("[PJ-17] big integers stay integers", async () => {
    expect(await engine.py.eval("10**40")).toBe(10n ** 40n);
    expect(await engine.py.eval("[n, type(n).__name__]", { locals: { n: 10n ** 40n } })).toEqual([10n ** 40n, "int"]);
  });

  test("[PJ-18] a Python error shows its frames above JavaScript's", async () => {
    const error = (await thrownBy(async () => await engine.py.exec("def broken():\n    return 1 / 0\n\nbroken()"))) as PythonError;
    expect(error.type).toBe("ZeroDivisionError");
    expect(error.message).toBe("ZeroDivisionError: division by zero");
    expect(error.frames.at(-1)).toMatchObject({ function: "broken", line: 2 });
    const lines = (error.stack ?? "").split("\n");
    const python = lines.findIndex((line) => line.includes("broken"));
    const javascript = lines.findIndex((line) => line.includes("pj.test.ts"));
    expect(python).toBeGreaterThan(0);
    expect(javascript).toBeGreaterThan(python);
  });

  test("[PJ-19] an error of JavaScript is read in Python, and comes out as itself", async () => {
    const { py } = engine;
    const thrown = new RangeError("too far");
    const throws = (): never => {
      throw thrown;
    };
    await py.exec("def read(f):\n    try:\n        f()\n    except Exception as e:\n        return [e.name, e.message, bool(e.stack)]");
    expect(await ((await py.globals.get("read")) as PyRef)(throws)).toEqual(["RangeError", "too far", true]);
    const error = (await thrownBy(async () => await py.eval("f()", { locals: { f: throws } }))) as Error;
    expect(error === thrown || error.cause === thrown).toBe(true);
    const text = (): never => {
      throw "only text";
    };
    const other = (await thrownBy(async () => await py.eval("f()", { locals: { f: text } }))) as Error;
    expect(other.cause).toBe("only text");
  });

  test("[PJ-22] close is idempotent and later use is refused at once", async () => {
    const other = await engine.start();
    expect(await other.eval("1")).toBe(1);
    await other.close();
    await other.close();
    expect(await thrownBy(async () => await other.eval("1"))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await thrownBy(async () => await other.import("os").getcwd())).toMatchObject({ code: "ERR_CLOSED" });
  }, 60_000);
});

onEach(asyncEngines, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_calls"));

  test("[PJ-06] a typed target checks the range in Python", async () => {
    const { py } = engine;
    await py.exec("small = 127; wide = 2**40; text = 'x'");
    expect(await run(py.eval("small"), { as: as.int8() })).toBe(127);
    const range = await thrownBy(() => run(py.eval("wide"), { as: as.int32() }));
    expect(range).toMatchObject({ type: "OverflowError" });
    expect(await thrownBy(() => run(py.eval("text"), { as: as.int32() }))).toMatchObject({ type: "TypeError" });
  });

  test("[PJ-01] paths keep their order and a repeated one counts once", async () => {
    const other = await engine.start({ paths: ["/seed/one", "/seed/two", "/seed/one"] });
    const path = (await other.eval("list(__import__('sys').path)")) as string[];
    expect(path.filter((entry) => entry.startsWith("/seed/"))).toEqual(expect.arrayContaining(["/seed/one", "/seed/two"]));
    expect(path.indexOf("/seed/one")).toBeLessThan(path.indexOf("/seed/two"));
    expect(path.filter((entry) => entry === "/seed/one")).toHaveLength(1);
    await other.close();
  }, 60_000);

  test("[PJ-03] [GE-10] JavaScript stays responsive while Python spins", async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 10);
    await engine.py.exec("import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass");
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });

  test("[PJ-04] a namespace shares modules; an interpreter of its own does not, or is refused and not faked", async () => {
    const { py } = engine;
    const one = await py.context({ isolation: "namespace" });
    await one.exec("import json; json.seed_mark = 1");
    expect(await py.eval("__import__('json').seed_mark")).toBe(1);
    if (engine.name === "native") {
      const isolated = await py.context({ isolation: "interpreter" });
      expect(await isolated.eval("hasattr(__import__('json'), 'seed_mark')")).toBe(false);
      expect(isolated.info.interpreter?.gil).toMatch(/^(own|shared)$/);
      await isolated.close();
    } else {
      const refused = await thrownBy(async () => await py.context({ isolation: "interpreter" }));
      expect(refused).toMatchObject({ code: "ERR_UNSUPPORTED", hint: expect.stringContaining("worker") as string });
    }
    await py.exec("del __import__('json').seed_mark");
    await one.close();
  });

  test("[PJ-11] a generator is an async iterator, and leaving it early runs its finally", async () => {
    const { py } = engine;
    const seen: unknown[] = [];
    for await (const value of py.import("seed_calls").generate(3)) seen.push(value);
    expect(seen).toEqual([0, 1, 2, "haha", null]);
    await py.exec("import seed_calls; seed_calls.closed.clear()");
    for await (const value of py.import("seed_calls").generate(3)) if (value === 1) break;
    expect(await py.eval("seed_calls.closed")).toEqual(["closed"]);
  });

  test("[PJ-12] [DD-16] a registered JavaScript module is imported in Python", async () => {
    const { py } = engine;
    const sent: unknown[][] = [];
    await py.registerModule("seed_host", {
      Map,
      version: "1.2",
      submit: (...values: unknown[]) => {
        sent.push(values);
        return values.length;
      },
      fail: () => {
        throw new TypeError("host says no");
      },
    });
    await py.exec("import seed_host\nfrom seed_host import Map, submit\nm = Map.new()\nm.set('k', 1)");
    expect(await py.eval("[m.get('k'), m.size, seed_host.version]")).toEqual([1, 1, "1.2"]);
    expect(await py.eval("submit(1, 'two', [3], {'four': 4}, None, tag='x')")).toBe(6);
    expect(sent).toEqual([[1, "two", [3], { four: 4 }, null, { tag: "x" }]]);
    await py.exec("try:\n    seed_host.fail()\nexcept TypeError as e:\n    caught = str(e)");
    expect(await py.eval("caught")).toContain("host says no");
    const unknown = await thrownBy(() => run(py.exec("from seed_host import nothing_like_it")));
    expect(unknown).toMatchObject({ type: "ImportError" });
    const context = await py.context({ isolation: "namespace" });
    expect(await context.eval("__import__('seed_host').version")).toBe("1.2");
    await context.close();
  });

  test("[PJ-20] output arrives whole, in order, and stdout and stderr apart", async () => {
    const written: [string, string][] = [];
    const other = await engine.start({
      stdout: (text: string) => written.push(["out", text]),
      stderr: (text: string) => written.push(["err", text]),
    });
    await other.exec("import sys\nsys.stdout.write('a\\n'); sys.stderr.write('b\\n'); sys.stdout.write('c\\n')");
    await other.exec("print('中'); print('😀', end=''); sys.stdout.flush()");
    await other.close();
    const of = (name: string): string => written.flatMap(([from, text]) => (from === name ? [text] : [])).join("");
    expect(of("out")).toBe("a\nc\n中\n😀");
    expect(of("err")).toBe("b\n");
    expect(written.slice(0, 3).map(([from]) => from)).toEqual(["out", "err", "out"]);
  }, 60_000);

  test("[PJ-23] two contexts compute at the same time without mixing", async () => {
    const contexts = [await engine.py.context(), await engine.py.context()];
    const source = "total = 0\nfor i in range(20_000):\n    total += i * factor";
    await Promise.all(contexts.map((context, i) => run(context.exec(`factor = ${i + 1}\n${source}`))));
    const totals = await Promise.all(contexts.map((context) => run(context.eval("total"))));
    expect(totals).toEqual([199_990_000, 399_980_000]);
    for (const context of contexts) await context.close();
  });

  test("[PJ-23] two interpreters compute at the same time without mixing", async () => {
    const { py } = engine;
    const open = () => (engine.name === "native" ? py.context({ isolation: "interpreter" }) : engine.start());
    const two = await Promise.all([open(), open()]);
    const source = "total = 0\nfor i in range(20_000):\n    total += i * factor";
    await Promise.all(two.map((one, i) => run(one.exec(`factor = ${i + 1}\n${source}`))));
    expect(await Promise.all(two.map((one) => run(one.eval("total"))))).toEqual([199_990_000, 399_980_000]);
    const called = await Promise.all(
      two.map((one, i) => run(one.eval("[f(n) for n in range(5)]", { locals: { f: (n: number) => n * (i + 1) } }))),
    );
    expect(called).toEqual([
      [0, 1, 2, 3, 4],
      [0, 2, 4, 6, 8],
    ]);
    await Promise.all(two.map((one) => one.close()));
  }, 60_000);

  test("[PJ-25] ten thousand objects made, parked and let go leave nothing behind", async () => {
    const { py } = engine;
    const before = py.handles.count;
    for (let round = 0; round < 10; round += 1) {
      const made = await Promise.all(Array.from({ length: 1000 }, () => ref(py.eval("object()"))));
      for (const one of made) one[Symbol.dispose]();
    }
    expect(py.handles.count).toBe(before);
  }, 60_000);
});

onEach([nativeEngine], (engine) => {
  test("[PJ-03] a second Python in one process is refused with both names", async ({ skip }) => {
    const { executable, python } = engine.py.info;
    const other = allPythons().find((found) => found.shared && found.version !== python);
    if (other === undefined) return skip("this machine has one CPython with a shared library");
    const refused = await thrownBy(() => engine.start({ python: other.path }));
    expect(refused).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
    expect((refused as Error).message).toContain(other.version);
    expect((refused as Error).message).toContain(python);
    expect(await engine.py.eval("__import__('sys').executable")).toBe(executable);
  });
});

onEach(syncEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_calls"));

  test("[PJ-11] a generator is an iterator, and leaving it early runs its finally", () => {
    const generate = (): Iterable<unknown> => engine.py.import("seed_calls").generate(3) as unknown as Iterable<unknown>;
    expect([...generate()]).toEqual([0, 1, 2, "haha", null]);
    engine.py.exec("import seed_calls; seed_calls.closed.clear()");
    for (const value of generate()) if (value === 1) break;
    expect(engine.py.eval("seed_calls.closed")).toEqual(["closed"]);
  });

  test("[PJ-12] [DD-16] a registered JavaScript module is imported in Python", async () => {
    await engine.py.registerModule("seed_sync_host", { Map, twice: (n: number) => n * 2 });
    engine.py.exec("import seed_sync_host\nm = seed_sync_host.Map.new()\nm.set('k', 1)");
    expect(engine.py.eval("[m.get('k'), m.size, seed_sync_host.twice(4)]")).toEqual([1, 1, 8]);
  });
});
