/**
 * python.ts: what its users do with it, through one facade on every engine.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { EngineError, isRef, kw, type PyRef, PythonError, ref, run, scope } from "isopy";
import { beforeAll, expect, test } from "vitest";
import { asyncEngines, everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_plugin"));

  test("[PT-02] import gives modules, dotted names and typed errors", async () => {
    const { py } = engine;
    expect(await py.import("sys").version).toMatch(/^3\.\d+/);
    expect(await py.import("os").listdir()).toBeInstanceOf(Array);
    expect(await py.import("urllib.parse").quote("a b/c")).toBe("a%20b/c");
    const error = await thrownBy(async () => await py.import("no_such_module_here").anything);
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({ type: "ModuleNotFoundError" });
    expect((error as PythonError).message).toContain("no_such_module_here");
  });

  test("[PT-03] members of an imported object are functions and current values", async () => {
    const digest = await engine.py.import("hashlib").md5(new TextEncoder().encode("123")).digest();
    expect(digest).toEqual(new Uint8Array(createHash("md5").update("123").digest()));
    const greeter = (await engine.py.import("seed_plugin").Greeter()) as PyRef;
    expect(await greeter.greet()).toBe("hello");
    expect(await greeter.calls).toBe(1);
  });

  test("[PT-04] a call takes positional and keyword arguments, and refuses wrong shapes", async () => {
    const plugin = engine.py.import("seed_plugin");
    expect(await plugin.add(1)).toBe(11);
    expect(await plugin.add(1, 2, 3, kw({ scale: 2 }))).toBe(12);
    expect(await plugin.add(kw({ a: 5, b: 6 }))).toBe(11);
    const unknown = await thrownBy(async () => await engine.py.import("seed_plugin").add(1, kw({ nonsense: 2 })));
    expect(unknown).toMatchObject({ type: "TypeError" });
    expect((unknown as Error).message).toContain("nonsense");
    const shape = await thrownBy(async () => kw(5 as unknown as Record<string, unknown>));
    expect(shape).toBeInstanceOf(EngineError);
  });

  test("[PT-05] exec runs many lines and keeps what they define", async () => {
    await engine.py.exec("def twice(x):\n    return x * 2\n\nbase = twice(4)\n");
    expect(await engine.py.eval("twice(base)")).toBe(16);
  });

  test("[PT-06] eval evaluates one expression and refuses a statement", async () => {
    await engine.py.exec("def f(a, b):\n    return a + b");
    expect(await engine.py.eval("f(1, 2)")).toBe(3);
    expect(await thrownBy(async () => await engine.py.eval("x = 1"))).toMatchObject({ type: "SyntaxError" });
  });

  test("[PT-08] a folder with a quote in its name can be put on sys.path", async () => {
    const { py } = engine;
    await py.exec(
      [
        "import os, sys, tempfile",
        'quoted = os.path.join(tempfile.mkdtemp(), "it\'s \\"here\\"")',
        "os.makedirs(quoted)",
        'with open(os.path.join(quoted, "seed_quoted.py"), "w") as out:',
        '    out.write("answer = 42\\n")',
      ].join("\n"),
    );
    const folder = await py.globals.get("quoted");
    await py.exec("sys.path.insert(0, folder)", { locals: { folder } });
    expect(await py.import("seed_quoted").answer).toBe(42);
    expect(await py.eval("sys.path.count(folder)", { locals: { folder } })).toBe(1);
  });

  test("[PT-09] a reload is seen through what was imported before", async () => {
    const { py } = engine;
    // Engines of one process share its modules.
    const name = `seed_edited_${engine.name.replaceAll(" ", "_")}`;
    await py.exec(
      [
        "import importlib, os, sys, tempfile",
        "sys.dont_write_bytecode = True",
        "folder = tempfile.mkdtemp()",
        "sys.path.insert(0, folder)",
        `edited = os.path.join(folder, "${name}.py")`,
        'with open(edited, "w") as out: out.write("value = 1\\n")',
        "importlib.invalidate_caches()",
      ].join("\n"),
    );
    const held = (await py.eval("__import__(name)", { locals: { name } })) as PyRef;
    expect(await held.value).toBe(1);
    await py.exec('with open(edited, "w") as out: out.write("value = 2  # changed\\n")');
    await py.import("importlib").reload(held);
    expect(await held.value).toBe(2);
  });

  test("[PT-10] an attribute is read when it is asked for", async () => {
    const { py } = engine;
    const sys = (await py.eval("__import__('sys')")) as PyRef;
    const version = await sys.version;
    await py.exec("import sys; sys.version = '3.8.6'");
    try {
      expect(await sys.version).toBe("3.8.6");
    } finally {
      await py.exec("import sys; sys.version = version", { locals: { version } });
    }
    expect(await sys.version).toBe(version);
  });

  test("[PT-13] a ref is known as one, data is not", async () => {
    const module = await engine.py.eval("__import__('os')");
    expect(isRef(module)).toBe(true);
    expect(isRef({ a: 1 })).toBe(false);
    expect(isRef(null)).toBe(false);
  });

  test("[PT-14] a disposed ref leaves the registry and explains later use", async () => {
    const { py } = engine;
    const before = py.handles.count;
    const held = (await py.eval("object()")) as PyRef;
    expect(py.handles.count).toBe(before + 1);
    held[Symbol.dispose]();
    expect(py.handles.count).toBe(before);
    const late = await thrownBy(async () => await py.builtins.repr(held));
    expect(late).toMatchObject({ code: "ERR_HANDLE_DISPOSED" });
    const after = py.handles.count;
    held[Symbol.dispose]();
    expect(py.handles.count).toBe(after);
  });

  test("[PT-20] the same object is the same ref while it is held", async () => {
    const { py } = engine;
    const os = (await py.eval("__import__('os')")) as PyRef;
    const again = await py.eval("__import__('os')");
    expect(again).toBe(os);
    expect(await os.path).toBe(await os.path);
  });

  test("[PT-21] cycles and shared references keep their shape in both directions", async () => {
    const { py } = engine;
    const cycle = (await py.eval("(lambda a: (a.append(a), a)[1])([1])")) as unknown[];
    expect(cycle[0]).toBe(1);
    expect(cycle[1]).toBe(cycle);
    const shared = (await py.eval("(lambda a: {'x': a, 'y': a, 'l': [a, a]})([])")) as Record<string, unknown>;
    expect(shared["x"]).toBe(shared["y"]);
    expect((shared["l"] as unknown[])[0]).toBe(shared["x"]);
    const node: Record<string, unknown> = { name: "n" };
    node["self"] = node;
    expect(await py.eval("node['self'] is node", { locals: { node } })).toBe(true);
    const leaf = [1];
    expect(await py.eval("v[0] is v[1]['k']", { locals: { v: [leaf, { k: leaf }] } })).toBe(true);
  });

  test("[PT-22] values keep their types and their contents", async () => {
    const { py } = engine;
    const source =
      "{'none': None, 'true': True, 'int': 7, 'big': 2**70, 'float': 0.5, 'nul': 'a\\0b', 'bytes': b'\\0\\xff', 'tuple': (1, 2), 'set': {1}, 'keys': {1: 'a', '1': 'b'}}";
    const value = (await py.eval(source)) as Record<string, unknown>;
    expect(value).toMatchObject({ none: null, true: true, int: 7, big: 2n ** 70n, float: 0.5, nul: "a\0b" });
    expect(value["bytes"]).toEqual(new Uint8Array([0, 255]));
    expect(value["tuple"]).toEqual([1, 2]);
    expect(value["set"]).toEqual(new Set([1]));
    expect(value["keys"]).toEqual(new Map<unknown, unknown>([[1, "a"], ["1", "b"]])); // biome-ignore format: pairs
    const types = "[type(x).__name__ for x in xs]";
    const xs = [null, undefined, true, 7, 7.5, -0, 2n ** 70n, "a\0b", new Uint8Array(2), [1], { a: 1 }];
    expect(await py.eval(types, { locals: { xs } })).toEqual([
      "NoneType",
      "NoneType",
      "bool",
      "int",
      "float",
      "float",
      "int",
      "str",
      "bytes",
      "list",
      "dict",
    ]);
    expect(await py.eval("len(s)", { locals: { s: "a\0b" } })).toBe(3);
  });

  test("[PT-23] an error carries type, text and frames", async () => {
    const error = (await thrownBy(async () => await engine.py.import("seed_plugin").outer())) as PythonError;
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({ type: "ValueError", qualifiedType: "ValueError", pythonMessage: "bad input: 7" });
    expect(error.mro).toContain("Exception");
    expect(error.traceback).toContain("ValueError: bad input: 7");
    expect(error.frames.map((frame) => frame.function).slice(-2)).toEqual(["outer", "inner"]);
    expect(error.frames.at(-1)).toMatchObject({ file: "seed_plugin.py" });
  });

  test("[PT-24] Python's own threads go on between calls", async ({ skip }) => {
    const { py } = engine;
    skip(!py.info.capabilities.threads, "this engine has one thread and refuses (see the refusal)");
    await py.exec("import seed_plugin; seed_plugin.counter = 0; threads = []");
    for (let i = 0; i < 100; i += 1) {
      await py.import("seed_plugin").increase(1);
      await py.exec("threads.append(seed_plugin.increase_in_thread(1))");
    }
    await py.import("seed_plugin").increase_in_executor(100);
    await py.exec("for thread in threads: thread.join()");
    expect(await py.import("seed_plugin").counter).toBe(300);
  });

  test("[PT-24] refuses a thread with a typed error where there is one thread", async ({ skip }) => {
    skip(engine.py.info.capabilities.threads, "this engine has threads");
    const error = await thrownBy(async () => await engine.py.import("seed_plugin").increase_in_thread(1));
    expect(error).toMatchObject({ type: "RuntimeError" });
    expect((error as PythonError).message).toMatch(/thread/i);
  });

  test("[PT-32] an object with methods reads back the cell that was written", async () => {
    const book = (await engine.py.import("seed_plugin").Workbook()) as PyRef;
    await book.write(0, 1, "A");
    await book.write(1, 1, 2.5);
    expect(await book.read(0, 1)).toBe("A");
    expect(await book.read(1, 1)).toBe(2.5);
    expect(await book.read(9, 9)).toBe(null);
  });
});

onEach(asyncEngines, (engine) => {
  test("[PT-01] options have defaults and a wrong one is explained", async () => {
    expect(engine.py.info.python).toMatch(/^3\.\d+\.\d+/);
    expect(engine.py.info.fallback).toBe(null);
    const typo = await thrownBy(() => engine.start({ pahts: [] } as unknown as { paths: string[] }));
    expect(typo).toMatchObject({ code: "ERR_OPTION" });
    expect((typo as Error).message).toContain("paths");
  });

  test("[PT-07] calls overlap, and JavaScript goes on meanwhile", async () => {
    const { py } = engine;
    expect(await Promise.all([py.eval("1 + 2"), py.eval("2 + 3"), py.eval("3 + 4")])).toEqual([3, 5, 7]);
    const order: string[] = [];
    const slept = run(py.eval("__import__('time').sleep(0.2)")).then(() => order.push("python"));
    await new Promise((resolve) => setTimeout(resolve, 5)).then(() => order.push("timer"));
    await slept;
    expect(order).toEqual(["timer", "python"]);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let answered = 0;
    const waiting = Array.from({ length: 8 }, () =>
      run(py.eval("wait()", { locals: { wait: () => gate } })).then(() => {
        answered += 1;
      }),
    );
    await readFile(new URL(import.meta.url));
    expect(answered).toBe(0);
    open();
    await Promise.all(waiting);
    expect(answered).toBe(8);
  });

  test("[PT-07] an error of an overlapping call is typed, also when the text looks like one", async () => {
    await expect(run(engine.py.eval("1 / 0"))).rejects.toBeInstanceOf(PythonError);
    expect(await engine.py.eval("'python-ts is fine'")).toBe("python-ts is fine");
  });

  test("[PT-11] names of one context are not seen in another", async () => {
    const one = await engine.py.context({ isolation: "namespace" });
    const two = await engine.py.context({ isolation: "namespace" });
    await one.exec("a = 1");
    expect(await one.eval("a")).toBe(1);
    await expect(run(two.eval("a"))).rejects.toMatchObject({ type: "NameError" });
    await one.close();
    await two.close();
  });

  test("[PT-12] an object of another engine is refused, also deep inside a value", async () => {
    const other = await engine.start();
    try {
      const foreign = await ref(other.import("os"));
      for (const value of [foreign, [foreign], { deep: { deeper: [foreign] } }, kw({ x: foreign })]) {
        const error = await thrownBy(async () => await engine.py.builtins.print(value));
        expect(error).toMatchObject({ code: "ERR_CROSS_CONTEXT" });
      }
      expect(await other.import("inspect").ismodule(foreign)).toBe(true);
    } finally {
      await other.close();
    }
  }, 60_000);

  test("[PT-15] everything a scope made is released at its end, the rest is kept", async () => {
    const { py } = engine;
    const kept = await ref(py.eval("object()"));
    const before = py.handles.count;
    const inside = await scope(async (s) => {
      const made = [await s.ref(py.eval("object()")), await s.ref(py.eval("object()"))];
      expect(py.handles.count).toBe(before + 2);
      return made.length;
    });
    expect(inside).toBe(2);
    expect(py.handles.count).toBe(before);
    expect(await py.builtins.isinstance(kept, py.builtins.object)).toBe(true);
    kept[Symbol.dispose]();
  });

  test("[PT-16] after close every call is refused, and closing twice is harmless", async () => {
    const other = await engine.start();
    const held = await ref(other.import("os"));
    await other.close();
    await other.close();
    expect(await thrownBy(async () => await other.eval("1"))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await thrownBy(async () => await held.getcwd())).toBeInstanceOf(EngineError);
  }, 60_000);

  test("[PT-17] a new engine starts after another was closed", async () => {
    const first = await engine.start();
    await first.exec("marker = 1");
    await first.close();
    const second = await engine.start();
    expect(await second.eval("'marker' in globals()")).toBe(false);
    await second.close();
  }, 60_000);

  test("[PT-19] the list of what is held shrinks when a ref is disposed", async () => {
    const { py } = engine;
    const before = py.handles.list().length;
    const held = await ref(py.eval("object()"));
    expect(py.handles.list()).toHaveLength(before + 1);
    held[Symbol.dispose]();
    expect(py.handles.list()).toHaveLength(before);
  });
});

onEach(asyncEngines, (engine) => {
  const isolate = () => (engine.name === "native" ? engine.py.context({ isolation: "interpreter" }) : engine.start());

  test("[PT-11] an isolated context has names and modules of its own", async () => {
    const other = await isolate();
    await other.exec("a = 1\nimport json; json.dumps = lambda value: 'patched'");
    expect(await other.import("json").dumps([1])).toBe("patched");
    expect(await engine.py.import("json").dumps([1])).toBe("[1]");
    expect(await engine.py.eval("'a' in globals()")).toBe(false);
    const foreign = await ref(other.import("os"));
    const refused = await thrownBy(async () => await engine.py.builtins.print([{ deep: foreign }]));
    expect(refused).toMatchObject({ code: "ERR_CROSS_CONTEXT" });
    await other.close();
  }, 60_000);

  test("[PT-31] an isolated context does not wait for one that computes, or says why it does", async () => {
    const other = await isolate();
    const interpreter = other.info.interpreter;
    if (interpreter?.gil === "shared") {
      expect(interpreter.reason).toContain("Python 3.");
    } else {
      // Nobody may ask it for a lock that it holds: with one GIL for both, ours would answer after the loop only.
      await other.exec("import sys, time\nsys.setswitchinterval(1000)");
      let over = false;
      const computing = run(other.exec("end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass")).then(() => {
        over = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await engine.py.eval("1 + 1")).toBe(2);
      expect(over).toBe(false);
      await computing;
    }
    await other.close();
  }, 60_000);
});
