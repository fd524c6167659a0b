/** Contexts with an interpreter of their own: what is separate, what works in them, and how they end. */
import { existsSync } from "node:fs";
import { createPython, type Python, PythonError, ref, run } from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interpreterFor } from "../../src/backends/native/interpreter.ts";
import { inNode, native, output, workers } from "./support.ts";

const isolation = "interpreter" as const;
const printed: string[] = [];
let py: Python;
let isolated: Python;

beforeAll(async () => {
  py = await createPython({ ...native, stdout: (text) => void printed.push(text) });
  isolated = await py.context({ isolation });
});
afterAll(() => py.close());

const caught = async (work: () => PromiseLike<unknown>): Promise<unknown> => {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};
const minor = () => Number(py.info.python.split(".")[1]);

describe("what is separate", () => {
  it("names, __main__, modules and what is patched in them", async () => {
    await isolated.exec("a = 1\nimport json\njson.dumps = lambda value: 'patched'\nimport sys\nsys.modules['only_here'] = json");
    expect(await isolated.import("json").dumps([1])).toBe("patched");
    expect(await py.import("json").dumps([1])).toBe("[1]");
    expect(await py.eval("'a' in globals(), 'only_here' in __import__('sys').modules")).toEqual([false, false]);
    expect(await isolated.eval("__import__('__main__').a")).toBe(1);
    expect(await isolated.eval("id(__import__('sys').modules)")).not.toBe(await py.eval("id(__import__('sys').modules)"));
  });

  it("[PT-12] a ref of one is refused in the other, nested in arguments too", async () => {
    const ours = await ref(py.import("os"));
    const theirs = await ref(isolated.import("os"));
    for (const [home, foreign] of [
      [py, theirs],
      [isolated, ours],
    ] as const) {
      for (const value of [foreign, [foreign], { deep: [{ deeper: foreign }] }, new Map([["key", foreign]])]) {
        expect(await caught(() => home.builtins.print(value))).toMatchObject({ code: "ERR_CROSS_CONTEXT" });
      }
    }
    expect(await isolated.builtins.isinstance(theirs, isolated.builtins.type)).toBe(false);
    ours[Symbol.dispose]();
    theirs[Symbol.dispose]();
  });

  it("what it is, and why, is told", () => {
    expect(py.info.interpreter).toBeNull();
    expect(isolated.info.interpreter).toEqual(interpreterFor(py.info.python, undefined));
    expect(isolated.info.capabilities).toEqual({ ...py.info.capabilities, sync: false, sharedMemory: false });
  });

  it("the GIL: its own from 3.13 on, on 3.12 when asked for, else shared with a reason", async () => {
    expect(interpreterFor("3.13.0", undefined).gil).toBe("own");
    expect(interpreterFor("3.13.0", "shared").gil).toBe("shared");
    expect(interpreterFor("3.12.1", undefined)).toEqual({ gil: "shared", reason: expect.stringContaining("datetime") as string });
    expect(interpreterFor("3.12.1", "own").gil).toBe("own");
    expect(interpreterFor("3.11.2", undefined)).toEqual({ gil: "shared", reason: expect.stringContaining("one GIL") as string });
    expect(() => interpreterFor("3.11.2", "own")).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }) as Error);
    if (minor() < 12) expect(await caught(() => py.context({ isolation, gil: "own" }))).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("an interpreter with its own GIL does not wait for one that computes", async ({ skip }) => {
    skip(isolated.info.interpreter?.gil !== "own", "this Python has one GIL");
    // Nobody asks this interpreter for its GIL, so a shared one would be let go at the end of the loop only.
    await isolated.exec("import sys, time\nsys.setswitchinterval(1000)");
    const computing = run(isolated.exec("end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"));
    const first = await Promise.race([
      computing.then(() => "the loop"),
      new Promise((done) => setTimeout(done, 100)).then(() => py.eval("'we'")),
    ]);
    expect(first).toBe("we");
    await computing;
    await isolated.exec("sys.setswitchinterval(0.005)");
  });

  it("two that compute use two cores: neither is ever blocked by the other", async ({ skip }) => {
    skip(isolated.info.interpreter?.gil !== "own", "this Python has one GIL");
    skip(!existsSync("/proc/thread-self/schedstat"), "this system does not say how long a thread waited for a core");
    // Milliseconds of a thread that computed and that it was blocked; waiting for a free core is neither.
    const source = `
import time
def stat():
    ran, queued, _ = open("/proc/thread-self/schedstat").read().split()
    return int(ran) / 1e6, int(queued) / 1e6, time.perf_counter() * 1e3
def compute():
    begin, total = stat(), 0
    for i in range(1_500_000): total += i * i
    ran, queued, wall = (after - before for before, after in zip(begin, stat()))
    return [ran, wall - ran - queued]
`;
    const other = await py.context({ isolation });
    await Promise.all([isolated.exec(source), other.exec(source)]);
    const cores: number[] = [];
    for (let round = 0; round < 3; round++) {
      const both = (await Promise.all([isolated.eval("compute()"), other.eval("compute()")])) as [number, number][];
      cores.push(both.reduce((sum, [ran]) => sum + ran, 0) / Math.max(...both.map(([ran, blocked]) => ran + blocked)));
    }
    expect(Math.max(...cores)).toBeGreaterThan(1.6);
    await other.close();
  });

  it("options are read once, and unknown ones are errors", async () => {
    expect(await caught(() => py.context({ isolation, ordered: true } as never))).toMatchObject({ code: "ERR_OPTION" });
    expect(await caught(() => py.context({ isolation, gil: "none" } as never))).toMatchObject({ code: "ERR_OPTION" });
    expect(await caught(() => py.context({ gil: "own" } as never))).toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("what works in it", () => {
  it("many calls at once, callbacks, coroutines on a loop of its own, and output", async () => {
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    expect(await Promise.all(numbers.map((n) => isolated.eval(`${n} * 2`)))).toEqual(numbers.map((n) => n * 2));
    expect(await isolated.eval("[f(i) for i in range(20)]", { locals: { f: (n: number) => n + 1 } })).toHaveLength(20);
    const loop = "import asyncio, threading\nasync def where():\n    await asyncio.sleep(0)\n    return threading.get_ident()";
    await Promise.all([isolated.exec(loop), py.exec(loop)]);
    const [here, there] = await Promise.all([isolated.eval("where()"), py.eval("where()")]);
    expect(here).not.toBe(there);
    await isolated.exec("print('from within')");
    expect(printed.join("")).toContain("from within\n");
  });

  it("JavaScript promises are awaited in it, and what it raises has all its facts", async () => {
    const later = async (n: number) => n * 3;
    await isolated.exec("async def ask(f):\n    return await f(14)");
    expect(await isolated.eval("ask(f)", { locals: { f: later } })).toBe(42);
    const error = await caught(() => run(isolated.eval("1 / 0")));
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({ type: "ZeroDivisionError" });
  });

  it("a signal and a timeout end what runs in it, and nothing else", async () => {
    for (const source of [
      "while True: pass",
      "import time; time.sleep(60)",
      "import threading; threading.Lock().acquire() and threading.Event().wait()",
    ]) {
      await expect(run(isolated.exec(source), { timeout: 100 })).rejects.toMatchObject({ name: "TimeoutError" });
      const controller = new AbortController();
      const began = new Promise<void>((resolve) => {
        void caught(() => run(isolated.exec(`began()\n${source}`, { locals: { began: () => resolve() } }), { signal: controller.signal }));
      });
      await began;
      controller.abort();
      expect(await Promise.all([isolated.eval("1"), py.eval("2")])).toEqual([1, 2]);
    }
  });

  it("sessions, and namespaces within", async () => {
    const session = await isolated.session();
    const { status, value } = await session.run("x = 20\nx + 1").result;
    expect([status, value]).toEqual(["ok", 21]);
    const inner = await isolated.context();
    expect(
      await inner.eval("'x' in globals(), __import__('sys').modules is m", { locals: { m: await ref(isolated.import("sys").modules) } }),
    ).toEqual([false, true]);
    await inner.close();
    await session.close();
  });

  it("child processes; fork is refused", async ({ skip }) => {
    skip(process.platform === "win32", "there is no fork");
    const source =
      "__import__('subprocess').run([__import__('sys').executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout";
    expect((await isolated.eval(source)).trim()).toBe("42");
    expect(await caught(() => run(isolated.eval("__import__('os').fork()")))).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("[N-48] callbacks of sqlite3 and ctypes, which use PyGILState, come back to it", async () => {
    await isolated.exec(`
import sqlite3
connection = sqlite3.connect(":memory:", check_same_thread=False)
connection.create_function("twice", 1, lambda n: n * 2)
answer = connection.execute("select twice(21)").fetchone()[0]
connection.close()
`);
    expect(await isolated.eval("answer")).toBe(42);
    await isolated.exec(`
import ctypes
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 5)(3, 1, 2, 5, 4)
ctypes.CDLL(None).qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
`);
    expect(await isolated.eval("list(numbers)")).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("modules that refuse", () => {
  it("[N-46] NumPy is refused before it is loaded, in each of three", async () => {
    const three = await Promise.all([1, 2, 3].map(() => py.context({ isolation })));
    for (const one of three) {
      const error = await caught(() => run(one.import("numpy").zeros(3)));
      expect(error).toMatchObject({ type: "ModuleRefused", extra: { code: "ERR_UNSUPPORTED" } });
      expect((error as PythonError).isA("ImportError")).toBe(true);
      expect((error as Error).message).toMatch(/'numpy'[\s\S]*isolation: "namespace"/);
      expect(await one.eval("[m for m in __import__('sys').modules if m.startswith('numpy')]")).toEqual([]);
    }
    await Promise.all(three.map((one) => one.close()));
  });

  it("[N-47] lists and buffers cross without a look at NumPy", async () => {
    expect(
      await isolated.eval("x", {
        locals: {
          x: [
            [1.5, 2.5],
            [3, 4],
          ],
        },
      }),
    ).toEqual([
      [1.5, 2.5],
      [3, 4],
    ]);
    expect(await isolated.eval("len(x)", { locals: { x: new Float64Array([1, 2, 3]) } })).toBe(3);
    expect(await isolated.eval("'numpy' in __import__('sys').modules")).toBe(false);
  });

  it("code that has a fallback finds it", async () => {
    await isolated.exec("try:\n    import readline\nexcept ImportError:\n    readline = None");
    expect(await isolated.eval("readline is None")).toBe(true);
  });

  it("with the shared GIL, extension modules from elsewhere are refused, those of the standard library are not", async () => {
    const shared = await py.context({ isolation, gil: "shared" });
    await shared.exec(`
import glob, importlib.util, os, shutil, sysconfig, tempfile
source = sorted(glob.glob(os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload", "_bisect*.so"))
                or glob.glob(os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload", "_*.so")))[0]
name = os.path.basename(source).split(".")[0]
folder = tempfile.mkdtemp()
elsewhere = shutil.copy(source, folder)
def load(path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.__name__ == name
`);
    expect(await caught(() => run(shared.eval("load(elsewhere)")))).toMatchObject({ type: "ModuleRefused" });
    expect(await shared.eval("load(source)")).toBe(true);
    await shared.exec("shutil.rmtree(folder)\nimport datetime, decimal, sqlite3, ctypes, ssl, asyncio");
    await shared.close();
  });
});

describe("how it ends", () => {
  const busy: readonly (readonly [what: string, source: string])[] = [
    ["computes", "began()\nwhile True: pass"],
    ["sleeps", "began()\ntime.sleep(600)"],
    ["waits for a lock", "lock = threading.Lock(); lock.acquire(); began(); lock.acquire()"],
    ["has an executor that nobody shut down", "ThreadPoolExecutor(2).submit(time.sleep, 0.2); began(); time.sleep(600)"],
    ["has a thread of its own", "def turn():\n    while True: pass\nthreading.Thread(target=turn).start(); began()\nwhile True: pass"],
    ["awaits", ""],
  ];
  for (const [what, source] of busy) {
    it(`while it ${what}, with ERR_CLOSED for what was pending`, async () => {
      const one = await py.context({ isolation });
      await one.exec("import asyncio, threading, time\nfrom concurrent.futures import ThreadPoolExecutor");
      await one.exec("async def wait(began):\n    began()\n    await asyncio.sleep(600)");
      let pending: Promise<unknown> = Promise.resolve();
      await new Promise<void>((resolve) => {
        const locals = { began: () => resolve() };
        pending = caught(() => (what === "awaits" ? run(one.eval("wait(began)", { locals })) : run(one.exec(source, { locals }))));
      });
      const start = performance.now();
      await one.close();
      expect(performance.now() - start).toBeLessThan(8_000);
      expect(await pending).toMatchObject({ code: "ERR_CLOSED" });
      expect(await caught(() => one.eval("1"))).toMatchObject({ code: "ERR_CLOSED" });
      expect(await py.eval("1 + 1")).toBe(2);
    }, 30_000);
  }

  it("leaves behind what cannot be ended, and the others go on", async () => {
    const one = await py.context({ isolation });
    await one.exec(`
import threading, time
leave = threading.Event()
def stubborn():
    while True:
        try:
            while not leave.is_set(): time.sleep(0.001)
            return
        except BaseException: pass
threading.Thread(target=stubborn).start()
`);
    await one.close();
    expect(await Promise.all([py.eval("1 + 1"), isolated.eval("2 + 2")])).toEqual([2, 4]);
    const next = await py.context({ isolation });
    expect(await next.eval("3")).toBe(3);
    await next.close();
  }, 30_000);

  it("a callback that waits for JavaScript is let go", async () => {
    const one = await py.context({ isolation });
    let answer: (value: number) => void = () => {};
    let pending: Promise<unknown> = Promise.resolve();
    await new Promise<void>((asked) => {
      const never = () => {
        asked();
        return new Promise<number>((resolve) => {
          answer = resolve;
        });
      };
      pending = caught(() =>
        run(one.exec("import asyncio\nasync def ask(f):\n    await f()")).then(() => one.eval("ask(f)", { locals: { f: never } })),
      );
    });
    await one.close();
    expect(await pending).toMatchObject({ code: "ERR_CLOSED" });
    answer(1);
    expect(await py.eval("1")).toBe(1);
  });

  it("with the Python that made it, however deep; closing twice is harmless", async () => {
    const parent = await createPython(native);
    const child = await parent.context({ isolation });
    const grandchild = await child.context({ isolation });
    await parent.close();
    await parent.close();
    for (const one of [parent, child, grandchild]) expect(await caught(() => one.eval("1"))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await caught(() => parent.context({ isolation }))).toMatchObject({ code: "ERR_CLOSED" });
    await child.close();
  });

  it("runs its own exit handlers, once", async () => {
    const one = await py.context({ isolation });
    await one.exec("import atexit\natexit.register(print, 'goodbye from within')");
    await one.close();
    expect(printed.join("").split("goodbye from within").length).toBe(2);
  });

  it("two dozen in turn, with C modules loaded in each, some at once", async () => {
    const modules = "import sqlite3, decimal, datetime, zoneinfo, json, re, hashlib, ssl, asyncio, xml.etree.ElementTree\n";
    // Not stderr: libmpdec says there that it was initialised before.
    const { stdout, code } = await inNode(
      `import { createPython } from "isopy";
      const py = await createPython(native);
      const gils = ["shared", ...(Number(py.info.python.split(".")[1]) >= 12 ? ["own"] : [])];
      for (const gil of gils) {
        for (let round = 0; round < 4; round++) {
          const three = await Promise.all([1, 2, 3].map(() => py.context({ isolation: "interpreter", gil })));
          await Promise.all(three.map((one) => one.exec(${JSON.stringify(`${modules}d = str(decimal.Decimal(1) / 3)\nsqlite3.connect(":memory:").execute("create table t(a)")`)})));
          await Promise.all(three.map((one) => one.close()));
        }
      }
      console.log(await py.eval("1 + 1"));
      await py.close();`,
      { timeout: 55_000 },
    );
    expect([code, stdout]).toEqual([0, "2"]);
  }, 60_000);

  it("[N-14] with the worker that made it, in the middle of its programs", async () => {
    const text = await output(
      `${workers}
      const body = \`
        const py = await createPython(native);
        const one = await py.context({ isolation: "interpreter" });
        const spin = one.exec("began()\\\\nwhile True: pass", { locals: { began: () => parentPort.postMessage("up") } });
        spin.then(() => {}, () => {});
        await new Promise(() => setInterval(() => {}, 1000));\`;
      for (let i = 0; i < 3; i++) {
        const worker = start(body);
        await once(worker, "message");
        await worker.terminate();
      }
      const { createPython } = await import("isopy");
      const py = await createPython(native);
      const one = await py.context({ isolation: "interpreter" });
      console.log("alive", await py.eval("1 + 1"), await one.eval("2 + 2"));
      await py.close();`,
      { timeout: 55_000 },
    );
    expect(text).toBe("alive 2 4");
  }, 60_000);

  it("process.exit while it computes ends the process with its code", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const one = await py.context({ isolation: "interpreter" });
      const spin = one.exec("began()\\nwhile True: pass", { locals: { began: () => process.exit(7) } });
      spin.then(() => {}, () => {});`);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 7, stderr: "" });
  });

  it("an idle one does not keep the process alive", async () => {
    const text = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const one = await py.context({ isolation: "interpreter" });
      console.log(await one.eval("1"));`);
    expect(text).toBe("1");
  });
});
