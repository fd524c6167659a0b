/**
 * The intents of python.js's 17 scenarios, asserted instead of printed.
 */
import { kw, type PyRef } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  const scenarios = (): PyRef => engine.py.import("seed_scenarios") as unknown as PyRef;
  beforeAll(() => loadFixture(engine.py, "seed_scenarios"));

  test("[PS-17] 1 an int", async () => expect(await scenarios().double(5)).toBe(10));
  test("[PS-17] 2 a float", async () => expect(await scenarios().half_more(7.5)).toBe(11.25));
  test("[PS-17] 3 a text", async () => expect(await scenarios().reply("hello javascript")).toBe("hello javascript, hello python"));
  test("[PS-17] 4 a bool", async () => {
    expect(await scenarios().negate(true)).toBe(false);
    expect(await scenarios().negate(false)).toBe(true);
  });
  test("[PS-17] 5 null and undefined are None", async () => {
    expect(await scenarios().only_none(null)).toBe(null);
    expect(await scenarios().only_none(undefined)).toBe(null);
    expect(await thrownBy(async () => await scenarios().only_none(0))).toMatchObject({ type: "ValueError" });
  });
  test("[PS-17] 6 a list", async () => expect(await scenarios().extend([1, 2, 3])).toEqual([1, 2, 3, 4, 5, 6]));
  test("[PS-17] 7 a dict", async () =>
    expect(await scenarios().update({ aaa: 111, bbb: 222 })).toEqual({ aaa: 111, bbb: 222, ccc: 333, ddd: 444 }));
  test("[PS-17] 8 a mixture with functions, both ways", async () => {
    const argument = { flag: true, add: (x: number, y: number) => x + y, list: [444, "555"], inner: { n: 1 } };
    const mixed = (await scenarios().mixed(argument)) as Map<unknown, unknown>;
    expect([...mixed.keys()]).toEqual(["number", 222, "flag", "float", "add", "list", "inner"]);
    expect(await (mixed.get("add") as PyRef)(2, 3)).toBe(5);
    expect(await engine.py.eval("v['add'](2, 3)", { locals: { v: argument } })).toBe(5);
  });
  test("[PS-17] 9 callbacks within callbacks", async () => {
    const middle = (await scenarios().relay((_: string, __: unknown, ___: unknown, inner: PyRef) => inner)) as PyRef;
    const innermost = (await middle("js", [222, "333", 444], { aaa: 555 })) as PyRef;
    expect(await innermost("js", 8, 9)).toBe(72);
  });
  test("[PS-17] 10 an exception through both languages", async () => {
    const throws = (): never => {
      throw "js_test_exception";
    };
    const error = await thrownBy(async () => await scenarios().rethrow(throws));
    expect(error).toMatchObject({ type: "RuntimeError", pythonMessage: "from python" });
  });
  test("[PS-17] 11 attributes of an instance", async () => {
    const point = (await scenarios().Point()) as PyRef;
    expect(await point.get_aaa()).toBe(11);
    await engine.verbs.set(point, "aaa", 22);
    await engine.verbs.set(point, "bbb", 33);
    expect([await point.get_aaa(), await point.get_bbb()]).toEqual([22, 33]);
  });
  test("[PS-17] 12 a list in a module is changed in place", async () => {
    await engine.py.exec("import seed_scenarios\nseed_scenarios.numbers[:] = [1, 2, 3]");
    await engine.py.exec("seed_scenarios.numbers[0] = 4; seed_scenarios.numbers.append(7)");
    expect(await scenarios().numbers).toEqual([4, 2, 3, 7]);
  });
  test("[PS-17] 13 items of a mapping", async () => {
    await engine.py.exec("class Table(dict): pass\ntable = Table(aaa=111, bbb=222)");
    const table = (await engine.py.globals.get("table")) as PyRef;
    await engine.verbs.setItem(table, "aaa", 333);
    expect([await engine.verbs.item(table, "aaa"), await engine.verbs.item(table, "bbb")]).toEqual([333, 222]);
    expect(await thrownBy(async () => await engine.verbs.item(table, "ccc"))).toMatchObject({ type: "KeyError" });
  });
  test("[PS-17] 14 a function is a value", async () => {
    const thrice = (await scenarios().thrice) as PyRef;
    expect(await engine.py.builtins.str(await thrice(8))).toBe("[8, 8, 8]");
  });
  test("[PS-17] 15 a bound this", async () => {
    const data = { aaa: 111 };
    const bound = function (this: typeof data): number {
      return this.aaa;
    }.bind(data);
    expect(await scenarios().answer_of(bound)).toBe(111);
  });
  test("[PS-17] 16 both outcomes of a slow call", async () => {
    expect(await scenarios().slow(kw({ fail: false }))).toBe("hello async");
    const error = await thrownBy(async () => await scenarios().slow());
    expect(error).toMatchObject({ type: "SyntaxError", pythonMessage: expect.stringContaining("async_exception") as string });
  });
  test("[PS-17] 17 functions in a list", async () => {
    const [first, second] = (await scenarios().functions()) as [PyRef, PyRef];
    expect([await first(), await second()]).toEqual([1, 2]);
  });
});
