/**
 * Flink Agents' embedded Python: environments, lazy start, awaitables stepped or awaited, portable values.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EngineError, kw, type PyRef, PythonError, ref, run } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { asyncEngines, everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_actions"));

  test("[FA-23] a nested qualified name is called, and an arity error shows the signature", async () => {
    const actions = (): PyRef => engine.py.import("seed_actions") as unknown as PyRef;
    expect(await actions().Outer.Inner.describe("x")).toBe("inner x");
    const error = (await thrownBy(async () => await actions().Outer.Inner.describe())) as PythonError;
    expect(error).toMatchObject({ type: "TypeError" });
    expect(error.pythonMessage).toContain("missing 1 required positional argument: 'name'");
  });

  test("[FA-31] an error reports its explicit causes, an implicit one apart, and a loop ends", async () => {
    const raise = async (name: string): Promise<PythonError> =>
      (await thrownBy(async () => await engine.py.import("seed_actions")[name]())) as PythonError;
    const explicit = await raise("explicit_chain");
    expect(explicit.type).toBe("RuntimeError");
    expect((explicit.cause as PythonError).type).toBe("ValueError");
    expect(((explicit.cause as PythonError).cause as PythonError).type).toBe("KeyError");
    const implicit = await raise("implicit_chain");
    expect(implicit.cause).toBe(undefined);
    expect((implicit.context as PythonError).type).toBe("KeyError");
    expect((await raise("own_cause")).type).toBe("ValueError");
  });
});

onEach(asyncEngines, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_actions"));

  test("[FA-01] two contexts of one environment do not see each other's names", async () => {
    const [a, b] = [await engine.py.context(), await engine.py.context()];
    await a.exec("x = 1");
    expect(await a.eval("x")).toBe(1);
    expect(await thrownBy(() => run(b.eval("x")))).toMatchObject({ type: "NameError" });
    expect(await thrownBy(() => run(engine.py.eval("x")))).toMatchObject({ type: "NameError" });
    await a.close();
    await b.close();
  });

  test("[FA-15] a function that is done answers, one that waits goes on later, one that fails keeps its cause", async () => {
    const actions = engine.py.import("seed_actions");
    expect(await actions.done({ kind: "input" })).toBe(null);
    expect(await engine.py.import("seed_actions").waits("a")).toBe("a later");
    const error = await thrownBy(() => run(engine.py.import("seed_actions").explicit_chain()));
    expect((error as PythonError).cause).toBeInstanceOf(PythonError);
  });

  test("[FA-16] a coroutine is stepped by hand or awaited", async () => {
    const coroutine = await ref(engine.py.import("seed_actions").three_steps());
    const steps: unknown[] = [];
    for (let i = 0; i < 3; i += 1) steps.push(await coroutine.send(null));
    expect(steps).toEqual([1, 2, 3]);
    const end = await thrownBy(() => run(coroutine.send(null)));
    expect(end).toMatchObject({ type: "StopIteration", extra: { value: "done" } });
    expect(await engine.py.import("seed_actions").waits("b")).toBe("b later");
    const gone = await thrownBy(() => run(coroutine.send(null)));
    expect(gone).toMatchObject({ type: "RuntimeError" });
  });

  test("[FA-16] JavaScript's promises are awaited in Python", async () => {
    const later = async (n: number): Promise<number> => n + 1;
    expect(await engine.py.import("seed_actions").awaits(later, 4)).toBe(5);
    const fails = async (): Promise<never> => {
      throw new RangeError("not today");
    };
    const error = (await thrownBy(() => run(engine.py.import("seed_actions").awaits(fails, 1)))) as Error;
    expect(String(error)).toContain("not today");
  });

  test("[FA-18] Python's own pools have names of their own", async ({ skip }) => {
    const { py } = engine;
    skip(!py.info.capabilities.threads, "this engine has one thread (PT-24 refuses)");
    const names = (await py.import("seed_actions").pool_names(kw({ pools: ["seed-1", "seed-2"] }))) as string[][];
    expect(names[0]?.every((name) => /^seed-1_\d+$/.test(name))).toBe(true);
    expect(names[1]?.every((name) => /^seed-2_\d+$/.test(name))).toBe(true);
  });

  test("[FA-19] a call that nobody awaits never runs", async () => {
    const { py } = engine;
    await py.exec("import seed_actions; seed_actions.counter = 0");
    const built = py.import("seed_actions").count();
    py.import("seed_actions").count();
    await py.eval("1");
    expect(await py.import("seed_actions").counter).toBe(0);
    expect(await built).toBe(1);
    expect(await built).toBe(1);
    expect(await py.import("seed_actions").counter).toBe(1);
    const error = await thrownBy(() => run(py.import("seed_actions").explicit_chain()));
    expect(error).toBeInstanceOf(PythonError);
  });

  test("[FA-26] a portable value holds data only, and what is none is named with its path", async () => {
    const { py } = engine;
    const fine = "{'a': [None, True, 1, 0.5, 'x', b'y', {'k': []}]}";
    expect(await run(py.eval(fine), { convert: "portable" })).toEqual({
      a: [null, true, 1, 0.5, "x", new Uint8Array([121]), { k: [] }],
    });
    for (const source of ["object()", "len", "__import__('uuid').uuid4()", "type('B', (bytes,), {})(b'x')"]) {
      const error = await thrownBy(() => run(py.eval(`{'a': [1, 2, ${source}]}`), { convert: "portable" }));
      expect(error).toBeInstanceOf(EngineError);
      expect(error).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
      expect((error as Error).message).toMatch(/\['?"?a"?'?\]\[2\]|a\[2\]|\.a\[2\]/);
    }
  });

  test("[FA-33] [PT-28] the chosen engine and the reason for it are told", async () => {
    const { info } = engine.py;
    expect(info.fallback).toBe(null);
    expect(info.resolution.length).toBeGreaterThan(0);
  });
});

// No engine: what is proved is that none is started.
test("[FA-13] [DD-01] importing the library starts no Python", async () => {
  const script = [
    'const isopy = await import("isopy");',
    "const loaded = process.report.getReport().sharedObjects.filter((name) => /libpython|isopy.*node$/.test(name));",
    "console.log(JSON.stringify([typeof isopy.createPython, process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort|Process/.test(name)), loaded]));",
  ].join("\n");
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL("../..", import.meta.url),
  });
  expect(JSON.parse(stdout)).toEqual(["function", [], []]);
});
