import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { call, del, get, isExpr, isRef, item, kw, ref, run, set, setItem, slice, tuple } from "../../src/index.ts";
import { ext, refTo, scriptedPython, turn } from "./scripted/index.ts";

describe("expressions", () => {
  it("a chain of any length is one program", async () => {
    const { py, sent } = await scriptedPython({ replies: [5.5] });
    expect(await py.import("numpy").arange(12).reshape(3, 4).mean()).toBe(5.5);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.instructions.map(([op]) => op)).toEqual(["import", "get", "call", "get", "call", "get", "call"]);
    expect(sent[0]?.instructions[4]).toEqual(["call", 3, [3, 4]]);
    expect(sent[0]?.outputs).toEqual([6, 0]);
  });

  it("building sends nothing", async () => {
    const { py, sent } = await scriptedPython();
    py.import("os").remove("everything");
    await turn();
    expect(sent).toHaveLength(0);
  });

  it("using an intermediate again later explains itself, with a stack of where it was built", async () => {
    const { py } = await scriptedPython({ replies: [1] });
    const x = py.import("random").random();
    await x.hex();
    function here() {
      return x.hex();
    }
    const error = await run(here()).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_EXPRESSION_SPENT", hint: expect.stringContaining("await") });
    expect((error as Error).stack).toContain("here");
  });

  it("awaiting what ran inside another expression is spent too", async () => {
    const { py } = await scriptedPython({ replies: [1] });
    const x = py.import("random").random();
    await x.hex();
    await expect(run(x)).rejects.toMatchObject({ code: "ERR_EXPRESSION_SPENT" });
  });

  it("awaiting twice runs once and gives the same ref", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(7)] });
    const x = py.import("m").make();
    const first = await x;
    expect(await x).toBe(first);
    expect(await run(x)).toBe(first);
    expect(sent).toHaveLength(1);
  });

  it("a failure stays the outcome", async () => {
    const { py, backend, sent } = await scriptedPython();
    backend.answers = [];
    const x = run(py.import("m").make());
    await turn();
    backend.reply(1, { failure: ext("", 0) && undefined } as never);
    await expect(x).rejects.toThrow();
    expect(sent).toHaveLength(1);
  });

  it("import, get and item may be built on again", async () => {
    const { py, sent } = await scriptedPython({ replies: [1, 2, 3] });
    const m = py.import("m");
    await m.a;
    await m.a.b;
    await item(m.a, 0);
    expect(sent.map((p) => p.instructions.map(([op]) => op).join(" "))).toEqual(["import get", "import get get", "import get item"]);
  });

  it("expressions are arguments, anywhere in them", async () => {
    const { py, sent } = await scriptedPython({ replies: [0] });
    const m = py.import("m");
    await m.f(m.a(), { deep: [m.b()] }, kw({ c: m.c() }));
    const ops = sent[0]?.instructions ?? [];
    const calls = ops.map(([op], slot) => [op, slot] as const).filter(([op]) => op === "call");
    expect(calls).toHaveLength(4);
    const last = ops[ops.length - 1] as readonly unknown[];
    expect(last[2]).toMatchObject([ext("slot", expect.any(Number)), { deep: [ext("slot", expect.any(Number))] }]);
    expect(last[3]).toMatchObject({ c: ext("slot", expect.any(Number)) });
  });

  it("what Python evaluates first comes first", async () => {
    const { py, sent } = await scriptedPython({ replies: [0] });
    const m = py.import("m");
    await m.f(m.a(), m.b());
    const names = sent[0]?.instructions.filter(([op]) => op === "get").map(([, , name]) => name);
    expect(names).toEqual(["f", "a", "b"]);
  });

  it("a shared sub-expression is evaluated once", async () => {
    const { py, sent } = await scriptedPython({ replies: [0] });
    const m = py.import("m");
    const x = m.x();
    await m.f(x, [x], x.y);
    expect(sent[0]?.instructions.filter(([op]) => op === "call")).toHaveLength(2);
  });

  it("has a promise's methods, which run it once", async () => {
    const { py, sent } = await scriptedPython({ replies: [7] });
    let over = 0;
    const x = py.import("m").f();
    expect(await x.finally(() => over++).catch(() => 0)).toBe(7);
    expect(await x.catch(() => 0)).toBe(7);
    expect(over).toBe(1);
    expect(sent).toHaveLength(1);
    const { catch: loose } = py.import("m").g();
    expect(() => loose(() => 0)).toThrow(/`catch` was taken off its expression/);
  });

  it("verbs reach what syntax cannot", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    const m = py.import("m");
    await get(m, "then");
    await get(m, "catch");
    await set(m, "x", 1);
    await setItem(m, "k", 2);
    await del(m, "x");
    await del(m.x);
    await del(item(m, "k"));
    await item(m, slice(0, 2));
    await item(m, tuple([1, slice()]));
    await call(m.f, [1], { a: 2 });
    const last = sent.map((p) => p.instructions[p.instructions.length - 1]);
    expect(last).toEqual([
      ["get", 0, "then"],
      ["get", 0, "catch"],
      ["set", 0, "x", 1],
      ["setitem", 0, "k", 2],
      ["del", 0, "x"],
      ["del", 0, "x"],
      ["delitem", 0, "k"],
      ["item", 0, ext("slice", 0, 2, null)],
      ["item", 0, [1, ext("slice", null, null, null)]],
      ["call", 1, [1], { a: 2 }],
    ]);
  });

  it("kwargs that are undefined are not passed, and kw comes last", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    const m = py.import("m");
    await m.f(1, kw({ a: undefined, b: null }));
    await m.f(kw({ a: undefined }));
    expect(sent[0]?.instructions[2]).toEqual(["call", 1, [1], { b: null }]);
    expect(sent[1]?.instructions[2]).toEqual(["call", 1, []]);
    expect(() => m.f(kw({ a: 1 }), 2)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    await expect(run(m.f([1, kw({ a: 1 })]))).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message: expect.stringMatching(/^args\[0\]\[1\] is kw/),
    });
  });

  it("new is a call", async () => {
    const { py, sent } = await scriptedPython({ replies: [0] });
    const { Decimal } = py.import("decimal");
    await new Decimal("1.5");
    expect(sent[0]?.instructions[2]).toEqual(["call", 1, ["1.5"]]);
  });

  it("assigning and deleting through a proxy throw and name the verb", async () => {
    const { py } = await scriptedPython({ replies: [refTo(1)] });
    const m = py.import("m");
    const r = await m.x;
    for (const target of [m, r]) {
      expect(() => {
        target.x = 1;
      }).toThrow(/set\(object, "x", value\)/);
      expect(() => {
        delete target.x;
      }).toThrow(/del\(object, "x"\)/);
      expect(() => Object.freeze(target)).toThrow(TypeError);
    }
  });

  it("looking at an expression or a ref is safe", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(9, "DataFrame")] });
    const m = py.import("m").f(1);
    expect(inspect(m)).toBe("<PyExpr import m.f(…), not awaited>");
    expect(`${m as string}`).toContain("not awaited");
    expect(() => m + 1).toThrow(/await/);
    expect(() => JSON.stringify({ m })).toThrow(expect.objectContaining({ code: "ERR_NOT_CONVERTIBLE" }));
    expect(Object.keys(m)).toEqual([]);
    expect("x" in m).toBe(false);
    expect("then" in m).toBe(true);
    const r = await m;
    expect(inspect(r)).toBe("<PyRef DataFrame #9>");
    expect(inspect({ deep: [r] })).toContain("<PyRef DataFrame #9>");
    expect("then" in r).toBe(false);
    expect(r.then).toBeUndefined();
    expect(() => JSON.stringify(r)).toThrow(expect.objectContaining({ code: "ERR_NOT_CONVERTIBLE" }));
    expect([isRef(r), isRef(m), isExpr(m), isExpr(r), isRef(() => 1), isRef(null)]).toEqual([true, false, true, false, false, false]);
    expect(sent).toHaveLength(1);
  });

  it("a chain of 100,000 compiles without recursion", async () => {
    const { py, sent } = await scriptedPython({ replies: [0] });
    let x = py.import("m");
    for (let i = 0; i < 50_000; i++) x = x.step();
    await x;
    expect(sent[0]?.instructions).toHaveLength(100_001);
  });

  it("an expression that contains itself is an error", async () => {
    const { py } = await scriptedPython();
    const list: unknown[] = [];
    const x = py.import("m").f(list);
    list.push(x);
    await expect(run(x)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  it("verbs refuse what is not Python", async () => {
    expect(() => get({} as never, "x")).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    await expect(run(5 as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(ref(null as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});
