/**
 * The intents of pemja's own tests.
 */

import { kw, PyDecimal, type PyRef, proxy, run } from "isopy";
import { Temporal } from "temporal-polyfill";
import { beforeAll, expect, test } from "vitest";
import { asyncEngines, everyEngine, loadFixture, onEach } from "./engines.ts";

onEach(everyEngine, (engine) => {
  const calls = (): PyRef => engine.py.import("seed_calls") as unknown as PyRef;
  const echo = async (value: unknown): Promise<unknown> => {
    await engine.py.globals.set("echoed", value);
    return await engine.py.globals.get("echoed");
  };
  beforeAll(() => loadFixture(engine.py, "seed_calls"));

  test("[PJ-26] 1 values of every kind are set and read", async () => {
    const plain = [true, 127, 32767, -2147483648, -(2n ** 63n), 1.12, Math.PI, "中国", ["中国", 123], [1, "pemja"]];
    for (const value of plain) expect(await echo(value)).toEqual(value);
    const bytes = new TextEncoder().encode("中国");
    expect(await echo(bytes)).toEqual(bytes);
    for (const array of [
      [true, false],
      [-32768, 32767],
      [Number.MIN_VALUE, Number.MAX_VALUE],
      [-(2n ** 63n), 2n ** 63n],
    ]) {
      expect(await echo(array)).toEqual(array);
    }
    const nested = [[1, [2, [3]]], { deep: [{ er: null }] }];
    expect(await echo(nested)).toEqual(nested);
    const map = new Map<unknown, unknown>([[1, "pemja"], ["pemja", 2]]); // biome-ignore format: pairs
    expect(await echo(map)).toEqual(map);
    const decimal = new PyDecimal("1000000000000000000.05999999999999999899999999999");
    expect(String(await echo(decimal))).toBe(String(decimal));
    for (const temporal of [Temporal.PlainDate.from("2021-09-22"), Temporal.PlainTime.from("00:01:40.000001")]) {
      expect(String(await echo(temporal))).toBe(String(temporal));
    }
  });

  test("[PJ-26] 2 functions are called with every kind of argument list", async () => {
    expect(await calls().no_args()).toBe("no arg");
    expect(await calls().one_arg(1)).toBe(1);
    expect(await calls().variable_args(1)).toBe(1);
    expect(await calls().keyword_args(kw({ a: 2 }))).toBe(2);
    expect(await calls().all_args(1, kw({ a: 2 }))).toBe(3);
    const a = (await calls().Calculator()) as PyRef;
    expect([await a.add(3), await a.minus(2), await a.add_all(1, 2, 3)]).toEqual([3, 1, 7]);
  });

  test("[PJ-26] 3 an object's attribute follows what is done to it", async () => {
    const a = (await calls().Calculator(2)) as PyRef;
    const values = [await a.value];
    await engine.verbs.set(a, "value", 4);
    values.push(await a.value, await a.add(12), await a.add_all(1, 2, 3));
    expect(values).toEqual([2, 4, 16, 22]);
  });

  test("[PJ-26] 4 objects of JavaScript are used in Python and come back the same", async () => {
    const list = [1, 2, 3];
    expect(await calls().one_arg(proxy(list))).toBe(list);
    const map = new Map([["a", 1]]);
    expect(await engine.py.eval("[len(m), 'a' in m, list(m.keys())]", { locals: { m: proxy(map) } })).toEqual([1, true, ["a"]]);
  });

  test("[PJ-26] 9 one statement", async () => {
    await engine.py.globals.set("a", "abcde");
    await engine.py.exec("b = a.upper()");
    expect(await engine.py.globals.get("b")).toBe("ABCDE");
  });

  test("[PJ-26] 10 many statements, and a function that sees a changed global", async () => {
    await engine.py.exec("n = 23\ndef plus(x):\n    return n + x\n");
    expect(await engine.py.eval("plus(1)")).toBe(24);
    await engine.py.exec("n = 123");
    expect(await engine.py.eval("plus(1)")).toBe(124);
  });

  test("[PJ-26] 11 Python calls back", async () => {
    const host = { join: (...parts: string[]) => parts.join(""), hex: (n: number) => n.toString(16) };
    const source = "host.join('pemja', 'js', 'python', host.hex(2**31 - 1))";
    expect(await engine.py.eval(source, { locals: { host: proxy(host) } })).toBe("pemjajspython7fffffff");
  });
});

onEach(asyncEngines, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_calls"));

  test("[PJ-26] 5 two contexts of one environment see the same sys.path", async () => {
    const [one, two] = [await engine.py.context(), await engine.py.context()];
    const path = "__import__('sys').path";
    expect(await one.eval(path)).toEqual(await two.eval(path));
    await one.close();
    await two.close();
  });

  test("[PJ-26] 6 interpreters of their own run the same code at once, each with its modules", async () => {
    const { py } = engine;
    const open = () => (engine.name === "native" ? py.context({ isolation: "interpreter" }) : engine.start());
    const three = await Promise.all([open(), open(), open()]);
    const source = "import math, json\nxs = [0, math.pi / 2, math.pi]\njson.seed_number = number\ns = json.dumps({'a': 1})";
    await Promise.all(three.map((one, number) => run(one.exec(source, { locals: { number } }))));
    for (const [number, one] of three.entries()) {
      expect(await one.eval("[__import__('json').seed_number]")).toEqual([number]);
      await one.close();
    }
    expect(await py.eval("hasattr(__import__('json'), 'seed_number')")).toBe(false);
  }, 60_000);

  test("[PJ-26] 7 8 two contexts run the same code at once", async () => {
    const contexts = [await engine.py.context(), await engine.py.context()];
    const source = "import math, json\nxs = [0, math.pi / 2, math.pi / 3, math.pi]\ns = json.dumps({'a': 1, 'b': 7})";
    await Promise.all(contexts.map((context) => run(context.exec(source))));
    for (const context of contexts) {
      expect(await context.eval("xs")).toEqual([0, Math.PI / 2, Math.PI / 3, Math.PI]);
      expect(await context.eval("s")).toBe('{"a": 1, "b": 7}');
      await context.close();
    }
  });

  test("[PJ-26] 12 threads of Python's own call back", async ({ skip }) => {
    const { py } = engine;
    skip(!py.info.capabilities.threads, "this engine has one thread (PT-24 refuses)");
    const squares = await py.import("seed_calls").in_threads((n: number) => n * n, 20);
    expect(squares).toEqual(Array.from({ length: 20 }, (_, n) => n * n));
  });

  test("[PJ-26] 13 a generator is iterated, its None kept", async () => {
    const seen: unknown[] = [];
    for await (const value of engine.py.import("seed_calls").generate(3)) seen.push(value);
    expect(seen).toEqual([0, 1, 2, "haha", null]);
  });
});
