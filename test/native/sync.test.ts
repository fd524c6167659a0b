/** `isopy/sync` on the native engine: the lazy default, options, errors, callbacks and output. */
import { createPython } from "isopy";
import { createPythonSync, kw, python as lazy, PythonError, toJs } from "isopy/sync";
import { afterAll, describe, expect, it } from "vitest";
import { output, python } from "./support.ts";

const options = python === undefined ? {} : { python };
const py = createPythonSync(options);
afterAll(() => py.close());

describe("createPythonSync", () => {
  it("a get or a call evaluates at once", () => {
    expect(py.import("math").sqrt(16)).toBe(4);
    expect(py.import("json").dumps({ b: 1, a: [true, null] }, kw({ sort_keys: true }))).toBe('{"a": [true, null], "b": 1}');
    expect(py.eval("2 ** 70")).toBe(2n ** 70n);
    expect(py.eval`[x * 2 for x in ${[1, 2, 3]}]`).toEqual([2, 4, 6]);
    expect(py.info).toMatchObject({ backend: "native", capabilities: { sync: true } });
  });

  it("what Python raises is thrown where it was called", () => {
    expect(() => py.eval("1 / 0")).toThrow(PythonError);
    expect(() => py.import("no_such_module_at_all")).toThrow(/ModuleNotFoundError/);
    expect(() => py.import("sys").exit(3)).toThrow(/SystemExit/);
  });

  it("functions and objects of JavaScript work inside a call", () => {
    expect(py.builtins.list(py.builtins.map((n: number) => n * n, [1, 2, 3]))).toEqual([1, 4, 9]);
    const thrown = new RangeError("mine");
    const fail = () => {
      throw thrown;
    };
    expect(() => py.eval("lambda f: f()")(fail)).toThrow(expect.objectContaining({ cause: thrown }));
  });

  it("functions that Python drops are forgotten, without any asynchronous traffic", () => {
    const call = py.eval("lambda f: f()");
    for (let i = 0; i < 1000; i++) expect(call(() => i)).toBe(i);
    const held = Number(/(\d+) JavaScript objects held by Python/.exec(py.handles.report())?.[1]);
    expect(held).toBeLessThan(200);
  });

  it("objects are refs, toJs copies them", () => {
    const counter = py.import("collections").Counter("mississippi");
    expect(counter.most_common(1)).toEqual([["i", 4]].map((pair) => expect.arrayContaining(pair)));
    expect(toJs(counter)).toEqual({ m: 1, i: 4, s: 4, p: 2 });
  });

  it("a coroutine is awaited", () => {
    expect(py.import("asyncio").sleep(0.01, "slept")).toBe("slept");
  });

  it("what Python prints is delivered before the caller goes on, in order with callbacks", () => {
    const seen: string[] = [];
    const other = createPythonSync({ ...options, stdout: (text: string) => void seen.push(text) });
    try {
      other.exec("def work(f):\n    print('one')\n    f()\n    print('three')\n");
      other.globals.get("work")(() => void seen.push("two"));
      expect(seen.join("|").replaceAll("\n", "")).toBe("one|two|three");
    } finally {
      other.close();
    }
  });

  it("runs beside an asynchronous engine, in one Python", async () => {
    const beside = await createPython({ backend: "native", ...options });
    const sleep = Promise.resolve(beside.import("time").sleep(0.05));
    expect(py.eval("1 + 1")).toBe(2);
    await sleep;
    await beside.close();
  });
});

describe("the lazy default", () => {
  it("starts with its first use", () => {
    expect(lazy.import("math").hypot(3, 4)).toBe(5);
    expect(lazy.builtins.len([1, 2])).toBe(2);
    lazy.close();
  });

  it("does not keep the process alive, and a closed one says so", async () => {
    const printed = await output(`
      import { createPythonSync } from "isopy/sync";
      const { backend: _, ...options } = native;
      const py = createPythonSync(options);
      const f = py.eval("lambda: 1");
      console.log(f());
      py.close();
      py.close();
      try { f(); } catch (error) { console.log(error.code); }
    `);
    expect(printed).toMatch(/^1\nERR_(CLOSED|HANDLE_DISPOSED)$/);
  });
});
