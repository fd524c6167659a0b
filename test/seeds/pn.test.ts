/**
 * PyNode: a module's functions called by name, and JavaScript objects used from Python.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { EngineError, kw, type PyRef, type PythonError, run } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { asyncEngines, everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

class Speaker {
  readonly label = "speaker";
  readonly #voice = "hey";
  shout(mark: string): string {
    return this.#voice.toUpperCase() + mark;
  }
  toString(): string {
    return "a speaker";
  }
}

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_tools"));

  test("[PN-03] sys.path is extended in front and at the end, in order", async () => {
    const { py } = engine;
    const before = (await py.eval("list(__import__('sys').path)")) as string[];
    await py.exec("import sys; sys.path.append('/seed/last'); sys.path.insert(0, '/seed/first')");
    const after = (await py.eval("list(__import__('sys').path)")) as string[];
    expect(after).toEqual(["/seed/first", ...before, "/seed/last"]);
    await py.exec("sys.path.remove('/seed/last'); sys.path.remove('/seed/first')");
    expect(await py.eval("list(__import__('sys').path)")).toEqual(before);
  });

  test("[PN-04] a module's function is reached by its name", async () => {
    const tools = (await engine.py.eval("__import__('seed_tools')")) as PyRef;
    expect(await tools.total([1, 2, 3])).toBe(6);
  });

  test("[PN-05] a wrong number of arguments is Python's own TypeError, and defaults are accepted", async () => {
    const tools = (): PyRef => engine.py.import("seed_tools") as unknown as PyRef;
    const error = await thrownBy(async () => await tools().same(9, 9, 9));
    expect(error).toMatchObject({ type: "TypeError" });
    expect((error as PythonError).pythonMessage).toBe("same() takes 1 positional argument but 3 were given");
    expect(await tools().with_default(1)).toBe(3);
    expect(await tools().with_default(1, 1, 1, 1)).toBe(4);
    expect(await tools().with_default(kw({ a: 1, b: 1 }))).toBe(2);
  });

  test("[PN-06] a statement either runs or says what is wrong", async () => {
    expect(await engine.py.exec("import sys")).toBeFalsy();
    const error = await thrownBy(async () => await engine.py.exec("import no_such_module_eleven"));
    expect(error).toMatchObject({ type: "ModuleNotFoundError" });
  });

  test("[PN-07] import reaches the built-in modules", async () => {
    expect(await engine.py.import("builtins").len([1, 2, 3])).toBe(3);
    expect(await engine.py.import("math").floor(2.9)).toBe(2);
  });

  test("[PN-08] errors on handles are typed", async () => {
    const tools = (await engine.py.eval("__import__('seed_tools')")) as PyRef;
    expect(await thrownBy(async () => await tools.not_there)).toMatchObject({ type: "AttributeError" });
    await engine.py.exec("class Silent: pass");
    const silent = (await engine.py.eval("Silent()")) as PyRef;
    const call = await thrownBy(async () => await silent());
    expect(call).toMatchObject({ type: "TypeError" });
    expect((call as Error).message).toContain("not callable");
    expect(await engine.py.builtins.repr(silent)).toContain("Silent object");
  });

  test("[PN-09] a JavaScript object works inside Python", async () => {
    const tools = (): PyRef => engine.py.import("seed_tools") as unknown as PyRef;
    expect(await tools().uses(new Speaker())).toEqual(["speaker", "HEY!", "a speaker"]);
    const collator = new Intl.Collator("en");
    const compare = (a: string, b: string): number => collator.compare(a, b);
    expect(await tools().collate(compare, ["b", "á", "a"])).toEqual(["a", "á", "b"]);
    expect(await tools().protocols(new Speaker())).toEqual({
      added: 3,
      deleted: true,
      missing: "default",
      equal: true,
      hash: true,
      truth: true,
      dir: true,
    });
  });

  test("[PN-09] a JavaScript class is constructed in Python", async () => {
    class Adder {
      constructor(readonly base: number) {}
      add(n: number): number {
        return this.base + n;
      }
    }
    expect(await engine.py.eval("cls.new(2).add(3)", { locals: { cls: Adder } })).toBe(5);
  });

  test("[PN-10] a plain object is copied as a dict, an instance keeps its identity", async () => {
    const { py } = engine;
    expect(await py.eval("type(x) is dict", { locals: { x: { a: 1 } } })).toBe(true);
    expect(await py.eval("type(x) is dict", { locals: { x: Object.create(null) as object } })).toBe(true);
    const speaker = new Speaker();
    expect(await py.eval("x", { locals: { x: speaker } })).toBe(speaker);
    expect(await py.eval("[x, {'k': x}]", { locals: { x: speaker } })).toEqual([speaker, { k: speaker }]);
    expect(await py.eval("x is y", { locals: { x: speaker, y: speaker } })).toBe(true);
  });

  test("[PN-12] a failing call names the frame and the line", async () => {
    const error = (await thrownBy(async () => await engine.py.import("seed_tools").fails())) as PythonError;
    expect(error).toMatchObject({ type: "NameError" });
    expect(error.message).toContain("name 'secon' is not defined");
    expect(error.frames.at(-1)).toMatchObject({ function: "fails", file: "seed_tools.py" });
    expect(error.traceback).toContain("in fails");
  });

  test("[PN-13] mixed values arrive whole", async () => {
    const same = async (value: unknown): Promise<unknown> => await engine.py.import("seed_tools").same(value);
    expect(await engine.py.eval("[(1, 2), None, b'a\\0b', 2**64]")).toEqual([[1, 2], null, new Uint8Array([97, 0, 98]), 2n ** 64n]);
    expect(await same(2n ** 64n)).toBe(2n ** 64n);
    expect(await same([null, [undefined]])).toEqual([null, [null]]);
  });
});

onEach(asyncEngines, (engine) => {
  test("[PN-02] starting twice is allowed, with paths of its own", async () => {
    const second = await engine.start({ paths: ["/seed/paths/a", "/seed/paths/b"] });
    try {
      const path = (await second.eval("list(__import__('sys').path)")) as string[];
      expect(path.indexOf("/seed/paths/a")).toBeGreaterThanOrEqual(0);
      expect(path.indexOf("/seed/paths/b")).toBe(path.indexOf("/seed/paths/a") + 1);
      expect(await engine.py.eval("1 + 1")).toBe(2);
    } finally {
      await second.close();
    }
  }, 60_000);

  test("[PN-05] a result is an ordinary promise", async () => {
    await loadFixture(engine.py, "seed_tools");
    const promise = run(engine.py.import("seed_tools").same("x"));
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise.then((value) => value)).toBe("x");
  });

  test("[PN-11] workers have Pythons of their own, and one that is terminated hurts nobody", async () => {
    const started = [10, 100].map((n) => {
      const workerData = { backend: engine.name, n };
      return new Worker(new URL("./fixtures/worker.mjs", import.meta.url), { workerData });
    });
    const ready = await Promise.all(started.map(async (worker) => (await once(worker, "message"))[0] as { sum: number }));
    expect(ready.map(({ sum }) => sum)).toEqual([45, 4950]);
    const [doomed, survivor] = started as [Worker, Worker];
    doomed.postMessage("spin");
    expect((await once(doomed, "message"))[0]).toEqual({ kind: "spinning" });
    await doomed.terminate();
    // Node may give the last message and the exit in one turn, before an await goes on.
    const exited = once(survivor, "exit");
    survivor.postMessage("close");
    expect((await once(survivor, "message"))[0]).toEqual({ kind: "closed" });
    await exited;
    expect(await engine.py.eval("6 * 7")).toBe(42);
  }, 60_000);

  test("[FA-28] [PJ-25] a ref cannot be smuggled into another worker", async () => {
    const held = (await engine.py.eval("object()")) as PyRef;
    const { port1, port2 } = new MessageChannel();
    expect(() => port1.postMessage(held)).toThrow();
    port1.close();
    port2.close();
    held[Symbol.dispose]();
    expect(await thrownBy(async () => await held.anything)).toBeInstanceOf(EngineError);
  });
});
