/**
 * go-python: Python's C interface, reached through the facade and Python's own operator module.
 */
import { EngineError, kw, type PyRef, type PythonError, run, slice } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { asyncEngines, defineModule, everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_ops"));
  const vector = async (...items: number[]): Promise<PyRef> => (await engine.py.import("seed_ops").Vector(...items)) as PyRef;

  test("[GP-02] a string runs, a main program has its argv and its exit code", async () => {
    const { py } = engine;
    await py.exec("seen = 1");
    expect(await py.eval("seen")).toBe(1);
    await py.exec(
      [
        "import os, runpy, sys, tempfile",
        'program = os.path.join(tempfile.mkdtemp(), "program.py")',
        'with open(program, "w") as out: out.write("import sys\\nresult = [__name__, sys.argv[1:]]\\nsys.exit(3)\\n")',
        "def run_main(path, argv):",
        "    before, sys.argv = sys.argv, [path, *argv]",
        "    try: runpy.run_path(path, run_name='__main__')",
        "    finally: sys.argv = before",
      ].join("\n"),
    );
    const program = await py.globals.get("program");
    const runMain = (await py.globals.get("run_main")) as PyRef;
    const error = (await thrownBy(async () => await runMain(program, ["a", "b"]))) as PythonError;
    expect(error).toMatchObject({ type: "SystemExit", extra: { code: 3 } });
    expect(await py.eval("1 + 1")).toBe(2);
  });

  test("[GP-03] modules are imported, made from source, reloaded and found by relative import", async () => {
    const { py } = engine;
    await defineModule(py, "seed_made", "value = 7");
    expect(await py.import("seed_made").value).toBe(7);
    await py.exec("from seed_made import value as renamed");
    expect(await py.eval("renamed")).toBe(7);
    expect(await py.import("xml.etree.ElementTree").fromstring("<a b='1'/>").get("b")).toBe("1");
    const relative = await py.import("importlib").import_module(".decoder", kw({ package: "json" })).__name__;
    expect(relative).toBe("json.decoder");
    expect(await py.eval("'seed_made' in __import__('sys').modules")).toBe(true);
  });

  test("[GP-04] [GP-08] a call without arguments passes none, and a failed one raises", async () => {
    const { py } = engine;
    expect(await py.builtins.dict()).toEqual({});
    expect(await thrownBy(async () => await py.builtins.int("x"))).toMatchObject({ type: "ValueError" });
  });

  test("[GP-06] the object protocol", async () => {
    const { builtins } = engine.py;
    const [a, b] = [await vector(1, 2, 3), await vector(4, 5, 6)];
    expect(await builtins.repr(a)).toBe("Vector(1, 2, 3)");
    expect(await builtins.str(a)).toBe("<1, 2, 3>");
    expect(await builtins.hash(a)).toBe(await builtins.hash(await vector(1, 2, 3)));
    expect(await builtins.len(a)).toBe(3);
    expect(await builtins.list(a)).toEqual([1, 2, 3]);
    expect(await builtins.isinstance(a, await engine.py.import("seed_ops").Vector)).toBe(true);
    expect(await builtins.issubclass(await builtins.bool, await builtins.int)).toBe(true);
    expect(await builtins.dir(a)).toContain("items");
    expect(await engine.py.import("operator").lt(a, b)).toBe(true);
    expect(await engine.py.import("operator").eq(a, await vector(1, 2, 3))).toBe(true);
    expect(await builtins.type(a).__name__).toBe("Vector");
    expect(await engine.verbs.item(a, 0)).toBe(1);
    await engine.verbs.setItem(a, 0, 9);
    expect(await builtins.list(a)).toEqual([9, 2, 3]);
    await engine.verbs.set(a, "label", "x");
    expect(await builtins.hasattr(a, "label")).toBe(true);
    await engine.verbs.del(a, "label");
    expect(await builtins.hasattr(a, "label")).toBe(false);
  });

  test("[GP-07] numbers, sequences and mappings, through operator", async () => {
    const [a, b] = [await vector(1, 2, 3), await vector(4, 5, 6)];
    const op = (): PyRef => engine.py.import("operator") as unknown as PyRef;
    expect(await op().add(2, 3)).toBe(5);
    expect(await op().matmul(a, b)).toBe(32);
    expect(await op().floordiv(7, 2)).toBe(3);
    expect(await op().pow(2, 100)).toBe(2n ** 100n);
    expect(await engine.py.builtins.list(await op().iadd(a, b))).toEqual([5, 7, 9]);
    expect(await op().contains(b, 5)).toBe(true);
    expect(await engine.py.builtins.list(await engine.verbs.item(a, slice(1, null)))).toEqual([7, 9]);
    expect(await op().or_(new Set([1]), new Set([2]))).toEqual(new Set([1, 2]));
    expect(await engine.py.eval("{**d, 'b': 2}", { locals: { d: { a: 1 } } })).toEqual({ a: 1, b: 2 });
  });

  test("[GP-08] an exception made in JavaScript is raised, matched and caught", async () => {
    const { py } = engine;
    await py.exec("made = ValueError('x')");
    const made = (await py.globals.get("made")) as PythonError;
    await py.exec(
      "def raises(e):\n    raise e\ndef caught_as(f, kind):\n    try: f()\n    except kind as e: return [type(e).__name__, e.args[0]]\n",
    );
    const raises = (await py.globals.get("raises")) as PyRef;
    const error = await thrownBy(async () => await raises(made));
    expect(error).toMatchObject({ type: "ValueError", args: ["x"] });
    expect(await py.eval("e is made", { locals: { e: error } })).toBe(true);
    const caughtAs = (await py.globals.get("caught_as")) as PyRef;
    const throws = (): never => {
      throw made;
    };
    expect(await caughtAs(throws, await py.builtins.ValueError)).toEqual(["ValueError", "x"]);
    await py.exec("class SeedError(LookupError): pass");
    const own = (await thrownBy(async () => await raises(await py.eval("SeedError('mine')")))) as PythonError;
    expect(own.isA("LookupError")).toBe(true);
    const warned = await thrownBy(async () =>
      py.exec("import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('error')\n    warnings.warn('careful')"),
    );
    expect(warned).toMatchObject({ type: "UserWarning", pythonMessage: "careful" });
  });

  test("[GP-09] an object goes through pickle and back", async () => {
    const { py } = engine;
    const bytes = (await py.import("pickle").dumps(await vector(1, 2))) as Uint8Array;
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(await py.builtins.repr(await py.import("pickle").loads(bytes))).toBe("Vector(1, 2)");
  });
});

onEach(everyEngine, (engine) => {
  test("[GE-09] [DD-28] each kind of thing of JavaScript is used from Python", async () => {
    const { py } = engine;
    class Shape {
      constructor(readonly name: string) {}
      describe(...parts: string[]): string {
        return [this.name, ...parts].join(" ");
      }
    }
    class Circle extends Shape {
      override describe(...parts: string[]): string {
        return super.describe("round", ...parts);
      }
    }
    const config = { logs: { level: "info", targets: [1, 2.5, null, true] }, tags: new Map([["a", new Set([1])]]) };
    await py.registerModule("seed_features", {
      array: [1, 2, 3],
      constant: 42n,
      function: (a: number, b = 2) => a + b,
      bytes: new Uint8Array([1, 2]),
      text: "中😀",
      Shape,
      Circle,
      map: new Map([["k", 1]]),
      nothing: null,
      sequence: () => [1, 2, 3][Symbol.iterator](),
      fails: () => {
        throw new RangeError("out");
      },
      variadic: (...values: unknown[]) => values.length,
      get_config: (key: keyof typeof config) => config[key],
    });
    const found = await py.eval(
      `(lambda f: {
        "array": f.array, "slice": f.array[1:], "constant": f.constant, "function": [f.function(1), f.function(1, 1)],
        "bytes": f.bytes, "text": f.text, "method": f.Shape.new("plain").describe("x"), "inherited": f.Circle.new("c").describe("y"),
        "map": f.map, "nothing": f.nothing is None, "sequence": list(f.sequence()), "variadic": f.variadic(1, "2", [3]),
      })(__import__("seed_features"))`.replaceAll(/\n\s*/g, " "),
    );
    expect(found).toEqual({
      array: [1, 2, 3],
      slice: [2, 3],
      constant: 42,
      function: [3, 2],
      bytes: new Uint8Array([1, 2]),
      text: "中😀",
      method: "plain x",
      inherited: "c round y",
      map: { k: 1 },
      nothing: true,
      sequence: [1, 2, 3],
      variadic: 3,
    });
    expect(await thrownBy(async () => await py.import("seed_features").fails())).toBeInstanceOf(Error);
    const nested = "{'level': 'info', 'targets': [1, 2.5, None, True]}";
    expect(await py.eval(`__import__('seed_features').get_config('logs') == ${nested}`)).toBe(true);
    expect(await py.eval("__import__('seed_features').get_config('tags') == {'a': {1}}")).toBe(true);
  });

  test("[DD-30] a syntax error says where", async () => {
    const error = (await thrownBy(async () => await engine.py.exec("x = 1\ny = = 2\n"))) as PythonError;
    expect(error).toMatchObject({ type: "SyntaxError", extra: { lineno: 2 } });
  });
});

onEach(asyncEngines, (engine) => {
  test("[GP-01] stop, and start again", async () => {
    const first = await engine.start();
    expect(await first.eval("1")).toBe(1);
    await first.close();
    const second = await engine.start();
    expect(await second.eval("2")).toBe(2);
    await second.close();
  }, 60_000);

  test("[GP-10] argv, version and paths are in sys as they were given", async () => {
    const other = await engine.start({ args: ["--flag", "v"], paths: ["/seed/gp"] });
    expect(await other.eval("__import__('sys').argv[1:]")).toEqual(["--flag", "v"]);
    expect(await other.eval("'/seed/gp' in __import__('sys').path")).toBe(true);
    expect(await other.eval("__import__('platform').python_version()")).toBe(other.info.python);
    await other.close();
  }, 60_000);

  test("[GP-11] [LK-19] a running loop is interrupted and the engine keeps its state", async ({ skip }) => {
    const { py } = engine;
    skip(!py.info.capabilities.interrupt, "this engine cannot interrupt running code");
    await py.exec("kept = 1");
    const abort = new AbortController();
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const loop = run(py.exec("started()\nwhile True: pass", { locals: { started } }), { signal: abort.signal });
    loop.catch(() => undefined);
    await running;
    abort.abort();
    await expect(loop).rejects.toBe(abort.signal.reason);
    expect(await py.eval("kept")).toBe(1);
    const timeout = await thrownBy(() => run(py.exec("while True: pass"), { timeout: 100 }));
    expect(timeout).toMatchObject({ name: "TimeoutError" });
    expect(await py.eval("kept")).toBe(1);
    expect(timeout).not.toBeInstanceOf(EngineError);
  });
});
