/**
 * Hostile and mistaken users: every wrong thing gets one typed error, and the engine lives on.
 */
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { call, type EngineError, float, frozenset, kw, PyDecimal, type PythonError, tuple } from "isopy";
import { expect, test } from "vitest";
import { asyncEngines, onEach, wasmEngine } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

const hidden = ["args", "__traceback__", "__cause__", "__context__", "__notes__", "__suppress_context__", "__class__", "__dict__"];

/** The error of some Python, whatever it is. */
const raised = async (run: () => PromiseLike<unknown>): Promise<PythonError> => (await thrownBy(async () => await run())) as PythonError;

onEach(asyncEngines, (engine) => {
  test.each(hidden)("an exception whose %s raises arrives as itself", async (name) => {
    const source = `class Hiding(Exception):\n    @property\n    def ${name}(self): raise ValueError('hidden')\nraise Hiding('x')`;
    expect(await raised(() => engine.py.exec(source))).toMatchObject({ type: "Hiding", pythonMessage: "x" });
    expect(await engine.py.eval("6 * 7")).toBe(42);
  });

  test("an exception whose attributes exit Python arrives as itself", async () => {
    const source = "class Exiting(OSError):\n    def __getattribute__(self, name): raise SystemExit(4)\nraise Exiting('x')";
    expect(await raised(() => engine.py.exec(source))).toMatchObject({ type: "Exiting", pythonMessage: "x" });
    expect(await engine.py.eval("6 * 7")).toBe(42);
  });

  test("a group in a group in a group costs what its members cost", async ({ skip }) => {
    if (!(await engine.py.eval("hasattr(__import__('builtins'), 'ExceptionGroup')"))) skip("ExceptionGroup came with Python 3.11");
    const source = "group = ValueError('leaf')\nfor _ in range(40): group = ExceptionGroup('g', [group])\nraise group";
    let error = await raised(() => engine.py.exec(source));
    for (let depth = 0; depth < 40; depth++) {
      expect(error.args).toEqual(["g", error.errors]);
      error = error.errors?.[0] as PythonError;
    }
    expect(error).toMatchObject({ type: "ValueError", pythonMessage: "leaf" });
  }, 10_000);

  test("a wide group loses no member", async ({ skip }) => {
    if (!(await engine.py.eval("hasattr(__import__('builtins'), 'ExceptionGroup')"))) skip("ExceptionGroup came with Python 3.11");
    const error = await raised(() => engine.py.exec("raise ExceptionGroup('g', [ValueError(i) for i in range(500)])"));
    expect(error.errors?.map((member) => (member as PythonError).pythonMessage)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });

  test("exceptions among the arguments of exceptions are all there", async () => {
    let error = await raised(() => engine.py.exec("error = Exception(0)\nfor _ in range(25): error = Exception(error)\nraise error"));
    for (let depth = 0; depth < 25; depth++) error = error.args?.[0] as PythonError;
    expect(error.args).toEqual([0]);
  }, 10_000);

  test("a syntax error has no frame of Python's library", async () => {
    const { py } = engine;
    const session = await py.session();
    const cell = (await session.run("1\nx = ").result).error as PythonError;
    expect(cell).toMatchObject({ type: "SyntaxError", frames: [], extra: { lineno: 2 } });
    expect(await raised(() => py.exec("x = ", { locals: { y: 1 } }))).toMatchObject({ type: "SyntaxError", frames: [] });
    await session.close();
  });

  test("a decimal beyond the engine's exponents crosses or is an error, never another number", async () => {
    const text = (value: string) => Promise.resolve(engine.py.builtins.str(new PyDecimal(value))).catch((error: EngineError) => error.code);
    const far = await text("1E+999999999999");
    expect(["1E+999999999999", "ERR_NOT_CONVERTIBLE"]).toContain(far);
  });

  test("a revoked proxy is an error with its path, also as the last argument", async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    await expect(Promise.resolve(engine.py.builtins.repr(proxy))).rejects.toMatchObject({
      code: "ERR_NOT_CONVERTIBLE",
      message: expect.stringContaining("args[0]"),
    });
    await expect(Promise.resolve(engine.py.builtins.print(1, proxy))).rejects.toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
  });

  test("what is no array, no number and no keyword arguments is refused", () => {
    const { py } = engine;
    const wrong: Record<string, () => unknown> = {
      "tuple of a number": () => tuple(5 as never),
      "tuple of letters": () => tuple("ab" as never),
      "frozenset of a number": () => frozenset(5 as never),
      "float of text": () => float("x" as never),
      "float of an int beyond every float": () => float(2n ** 2000n),
      "call with no array": () => call(py.builtins.len, 5 as never),
      "kw of a Map": () => kw(new Map([["a", 1]]) as never),
    };
    for (const [what, attempt] of Object.entries(wrong)) {
      expect(attempt, what).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
    expect(() => py.eval("1", { locals: 5 } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => py.eval("1", { locals: new Map([["x", 1]]) } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => py.eval("1", null as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });

  test("text that the system would cut at its NUL is refused before anything starts", async () => {
    for (const options of [
      { paths: ["a\0"] },
      { args: ["a\0"] },
      { env: { A: "\0" } },
      { env: { "A\0": "" } },
      { env: { "A=B": "" } },
      { python: "a\0" },
    ]) {
      await expect(engine.start(options)).rejects.toMatchObject({ code: "ERR_OPTION" });
    }
  });

  test("an aborted or a timed out start does not keep the process alive", async () => {
    const script = new URL(`./fixtures/aborted-start-${process.pid}-${engine.name}.mjs`, import.meta.url);
    const source = [
      'import { createPython } from "isopy";',
      `const options = { ...${JSON.stringify({ backend: engine.name })} };`,
      "const names = [];",
      "for (const more of [{ signal: AbortSignal.timeout(20) }, { startTimeout: 1 }])",
      "  await createPython({ ...options, ...more }).then((py) => py.close(), (error) => names.push(error.name));",
      "console.log(JSON.stringify(names));",
    ].join("\n");
    await writeFile(script, source);
    try {
      // Its own watchdog waits for a minute: a timer that is left behind fails here.
      const { stdout } = await promisify(execFile)(process.execPath, [script.pathname], { timeout: 30_000 });
      expect(JSON.parse(stdout)).toBeInstanceOf(Array);
    } finally {
      await rm(script);
    }
  }, 40_000);
});

onEach([wasmEngine], (engine) => {
  test.each(["builtins.len = None", "builtins.__import__ = None", "sys.modules.clear()"])(
    "an engine whose ground is taken away (%s) is lost, and nothing hangs",
    async (sabotage) => {
      const py = await engine.start();
      try {
        const errors: unknown[] = [];
        await Promise.resolve(py.exec(`import builtins, sys\n${sabotage}`)).catch((error: unknown) => errors.push(error));
        // Whether this call still works depends on what was taken; that it settles does not.
        await Promise.resolve(py.eval("[print, {1: object()}]")).catch((error: unknown) => errors.push(error));
        for (const error of errors) expect(error).toBeInstanceOf(Error);
      } finally {
        await py.close();
      }
    },
    20_000,
  );
});
