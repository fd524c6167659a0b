import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createFacade } from "../../src/core/start.ts";
import { EngineError, type Python, PythonError, ref, run } from "../../src/index.ts";
import { raises, refTo, refuses, ScriptedBackend, scriptedPython, stream, turn, wireError } from "./scripted/index.ts";

const failure = (py: Python): Promise<PythonError> => run(py.import("m").f()).catch((reason: unknown) => reason) as Promise<PythonError>;

describe("an engine's life", () => {
  it("duplicate and unknown replies are dropped", async () => {
    const { py, backend } = await scriptedPython();
    const result = run(py.import("m").f());
    await turn();
    backend.reply(1, 1);
    backend.reply(1, 2);
    backend.reply(77, 3);
    expect(await result).toBe(1);
  });

  it("a lost engine rejects what is pending and what comes, with its reason", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(1)] });
    const held = await py.import("m").x;
    const pending = run(py.import("m").f());
    const queued = run(py.import("m").g());
    const both = Promise.allSettled([pending, queued]);
    await turn();
    backend.lose({ kind: "exit", reason: "the worker died", exitCode: 3, tail: "Segmentation fault" });
    backend.lose({ kind: "exit", reason: "again" });
    for (const result of await both) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: {
          code: "ERR_ENGINE_LOST",
          message: expect.stringContaining("Segmentation fault"),
          details: { reason: "the worker died", exitCode: 3 },
        },
      });
    }
    await expect(run(py.import("m").h())).rejects.toMatchObject({ code: "ERR_ENGINE_LOST" });
    await expect(run(held.x)).rejects.toBeInstanceOf(EngineError);
    held[Symbol.dispose]();
    await turn();
    expect(backend.released).toEqual([]);
    await py.close();
  });

  it("after close everything is ERR_CLOSED, and close is idempotent", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(1)] });
    const held = await py.import("m").x;
    const pending = expect(run(py.import("m").f())).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await Promise.all([py.close(), py.close(), py[Symbol.asyncDispose]()]);
    await pending;
    expect(backend.closed).toBe(1);
    expect(backend.interrupted).toEqual([2]);
    await expect(run(py.import("m").f())).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await expect(run(held.x)).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("a backend that does not start is closed, and its error is the caller's", async () => {
    const backend = new ScriptedBackend();
    const failure = new EngineError("ERR_BACKEND_UNAVAILABLE", "no");
    backend.start = async () => {
      throw failure;
    };
    await expect(createFacade(backend)).rejects.toBe(failure);
    expect(backend.closed).toBe(1);
  });

  it("another protocol is refused", async () => {
    const backend = new ScriptedBackend();
    const start = backend.start.bind(backend);
    backend.start = async (options, host) => ({ ...(await start(options, host)), protocol: 2 });
    await expect(createFacade(backend)).rejects.toMatchObject({ code: "ERR_PROTOCOL" });
  });

  it("a reply with too few outputs, or bytes that are no stream, is ERR_PROTOCOL", async () => {
    const { py, backend } = await scriptedPython();
    const short = expect(run(py.import("m").f())).rejects.toMatchObject({ code: "ERR_PROTOCOL" });
    const broken = expect(run(py.import("m").g())).rejects.toMatchObject({ code: "ERR_PROTOCOL" });
    await turn();
    backend.reply(1);
    expect(backend.host.settle(2, 1, new Uint8Array([1, 2, 3]))).toBe(true);
    expect(backend.host.settle(2, 0, null)).toBe(false);
    await short;
    await broken;
  });

  it("info has the engine's facts and why it was chosen", async () => {
    const { py } = await scriptedPython();
    expect(py.info).toMatchObject({ backend: "scripted", python: "3.14.0", fallback: null, resolution: [] });
  });

  it("output outside of cells goes to the sinks", async () => {
    const seen: unknown[] = [];
    const sink = (name: string) => (x: unknown) => seen.push([name, x]);
    const { backend } = await scriptedPython({
      always: () => [null],
      create: { stdout: sink("out"), stderr: sink("err"), onLog: sink("log"), onUnhandled: sink("bad") },
    });
    backend.event("stream", 0, 0, "stdout", "a");
    backend.event("stream", 0, 0, "stderr", "b");
    backend.event("log", 0, 0, "INFO", "root", "hello");
    backend.event("unhandled", 0, 0, wireError());
    backend.event("of the future", 0, 0);
    expect(seen).toEqual([
      ["out", "a"],
      ["err", "b"],
      ["log", { type: "log", level: "INFO", logger: "root", message: "hello" }],
      ["bad", expect.any(PythonError)],
    ]);
  });
});

describe("cancellation", () => {
  it("a signal rejects at once with its reason, and interrupts the program", async () => {
    const { py, backend } = await scriptedPython();
    const controller = new AbortController();
    const result = run(py.import("m").f(), { signal: controller.signal });
    await turn();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(backend.interrupted).toEqual([1]);
  });

  it("an aborted signal sends nothing", async () => {
    const { py, backend } = await scriptedPython();
    await expect(run(py.import("m").f(), { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    const controller = new AbortController();
    const result = run(py.import("m").f(), { signal: controller.signal });
    controller.abort("later");
    await expect(result).rejects.toBe("later");
    await turn();
    expect(backend.sent).toHaveLength(0);
    expect(backend.interrupted).toEqual([]);
  });

  it("a timeout rejects with a TimeoutError", async () => {
    const { py, backend } = await scriptedPython();
    await expect(run(py.import("m").f(), { timeout: 1 })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(backend.interrupted).toEqual([1]);
  });

  it("the late reply is dropped and its handles are given back", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(5)] });
    const kept = await py.import("m").x;
    const controller = new AbortController();
    const result = run(py.import("m").f(), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(result).rejects.toMatchObject({ name: "AbortError" });
    backend.reply(2, [refTo(5), refTo(6)]);
    await turn();
    expect(backend.released).toEqual([5, 1, 6, 1]);
    expect(py.handles.list()).toMatchObject([{ id: 5, count: 1 }]);
    expect(kept).toBeDefined();
  });

  it("listeners do not stay on the signal", async () => {
    const { py } = await scriptedPython({ always: () => [1] });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    for (let i = 0; i < 3; i++) await run(py.import("m").f(i), { signal });
    expect(listeners).toBe(0);
  });

  it("a program that somebody else awaits is not interrupted", async () => {
    const { py, backend } = await scriptedPython();
    const x = py.import("m").f();
    const controller = new AbortController();
    const mine = run(x, { signal: controller.signal });
    const theirs = run(x);
    await turn();
    controller.abort("mine");
    await expect(mine).rejects.toBe("mine");
    expect(backend.interrupted).toEqual([]);
    backend.reply(1, 5);
    expect(await theirs).toBe(5);
  });
});

describe("errors", () => {
  it("a PythonError has all of its facts", async () => {
    const { py } = await scriptedPython({
      replies: [
        raises({
          name: "KeyError",
          type: "app.KeyError",
          mro: ["app.KeyError", "KeyError", "LookupError", "Exception", "BaseException", "object"],
          notes: ["a note"],
          cause: wireError({ name: "OSError", message: "cause" }),
          extra: { errno: 2 },
          suppress: true,
        }),
      ],
    });
    const error = (await run(py.import("m").f()).catch((e: unknown) => e)) as PythonError;
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({
      name: "PythonError",
      type: "KeyError",
      qualifiedType: "app.KeyError",
      message: "KeyError: no",
      pythonMessage: "no",
      args: ["no"],
      notes: ["a note"],
      suppressContext: true,
      extra: { errno: 2 },
      context: null,
      errors: null,
    });
    expect(error.frames).toEqual([{ file: "app.py", line: 7, endLine: 7, column: 3, function: "work", source: "raise ValueError('no')" }]);
    expect(error.cause).toMatchObject({ type: "OSError" });
    expect(error.isA("LookupError")).toBe(true);
    expect(error.isA("KeyError")).toBe(true);
    expect(error.isA("ValueError")).toBe(false);
  });

  it("a call or source that is written as in JavaScript fails with a hint", async () => {
    const { py } = await scriptedPython({
      replies: [
        raises({ name: "TypeError", message: "f() takes 0 positional arguments", frames: [] }),
        raises({ name: "TypeError", message: "inside" }),
        raises({ name: "TypeError", frames: [] }),
        raises({ name: "ValueError", frames: [] }),
        raises({ name: "SyntaxError", frames: [] }),
        raises({ name: "SyntaxError", frames: [] }),
        raises({ name: "AttributeError", frames: [] }),
        raises({ name: "ModuleNotFoundError", frames: [] }),
        raises({ name: "ModuleNotFoundError" }),
      ],
    });
    const f = py.import("m").f;
    const failed = (promise: Promise<unknown>): Promise<PythonError> =>
      promise.then(
        () => expect.fail("it succeeded"),
        (error) => error,
      );
    const bare = await failed(run(f(1, { axis: 0 })));
    expect(bare.hint).toMatch(/kw\(\{/);
    expect(bare.stack).toMatch(/takes 0 positional arguments\n {2}.*kw\(\{.*\n {4}at /);
    expect((await failed(run(f({ axis: 0 })))).hint).toBeUndefined();
    expect((await failed(run(f({ axis: 0 }, [1])))).hint).toBeUndefined();
    expect((await failed(run(f({ axis: 0 })))).hint).toBeUndefined();
    expect((await failed(run(py.eval("x = 1")))).hint).toMatch(/exec/);
    expect((await failed(run(py.eval("len([1, 2")))).hint).toBeUndefined();
    expect((await failed(run(py.import("m")[0]))).hint).toMatch(/item\(object, 0\)/);
    expect((await failed(run(py.import("numpyy")))).hint).toMatch(/paths/);
    expect((await failed(run(py.import("m").imports_inside()))).hint).toBeUndefined();
  });

  it("an error shows its stack and not its fields, and a log gets its text", async () => {
    const { py } = await scriptedPython({ replies: [raises({ name: "KeyError", message: "a", args: [1n] })] });
    const error = (await run(py.import("m").f()).catch((thrown: unknown) => thrown)) as PythonError;
    expect(Object.keys(error)).toEqual(["name"]);
    expect(inspect(error)).not.toMatch(/mro|suppressContext/);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name: "PythonError", message: "KeyError: a", notes: [] });
    expect(Object.getPrototypeOf(error).type).toBeUndefined();
  });

  it("PJ-18: the stack lists py file:line before the JS frames", async () => {
    const { py } = await scriptedPython({ replies: [raises()] });
    async function userCode() {
      return await py.import("m").f();
    }
    const error = await userCode().catch((e: Error) => e);
    const lines = (error.stack ?? "").split("\n");
    expect(lines[0]).toBe("PythonError: ValueError: no");
    expect(lines[1]).toContain("py app.py:7");
    expect(lines.findIndex((line: string) => line.includes("userCode"))).toBeGreaterThan(1);
    expect(error.stack).not.toContain("src/core/expression");
  });

  it("the text of a stack is made when it is read, once, and may be replaced", async () => {
    const { py } = await scriptedPython({ replies: [raises(), raises()] });
    const prepare = Error.prepareStackTrace;
    let made = 0;
    let error: PythonError;
    try {
      Error.prepareStackTrace = (failed, frames) => {
        made++;
        return [failed, ...frames].join("\n    at ");
      };
      error = await run(py.import("m").f()).catch((reason) => reason);
      made = 0;
      expect(error.message).toBe("ValueError: no");
      expect(made).toBe(0);
      expect(error.stack).toBe(error.stack);
      expect(made).toBe(1);
    } finally {
      Error.prepareStackTrace = prepare;
    }
    expect(Object.keys(error)).not.toContain("stack");
    expect(structuredClone(error).stack).toBe(error.stack);
    error.stack = "mine";
    expect(error.stack).toBe("mine");
    expect((Object.create(await failure(py)) as Error).stack).toBeUndefined();
  });

  it("making an error leaves the length of stacks as it is, also where it cannot be set", async () => {
    const { py } = await scriptedPython({ replies: [raises(), raises()] });
    const before = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit") as PropertyDescriptor;
    expect(await failure(py)).toBeInstanceOf(PythonError);
    expect(Error.stackTraceLimit).toBe(before.value);
    try {
      Object.defineProperty(Error, "stackTraceLimit", { ...before, writable: false });
      expect(await failure(py)).toBeInstanceOf(PythonError);
    } finally {
      Object.defineProperty(Error, "stackTraceLimit", before);
    }
  });

  it("what Python cancelled is an AbortError", async () => {
    const mro = ["asyncio.exceptions.CancelledError", "BaseException", "object"];
    const { py } = await scriptedPython({ replies: [raises({ name: "CancelledError", type: mro[0], mro, message: "" })] });
    await expect(run(py.import("m").f())).rejects.toMatchObject({ name: "AbortError", type: "CancelledError", message: "CancelledError" });
  });

  it("an error of the engine is an EngineError", async () => {
    const { py } = await scriptedPython({ replies: [refuses("ERR_NOT_CONVERTIBLE", "cannot")] });
    await expect(run(py.import("m").f())).rejects.toMatchObject({ name: "EngineError", code: "ERR_NOT_CONVERTIBLE", hint: "hint" });
  });

  it("refs made for one call are not kept by an error", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(4), raises()] });
    const a = await ref(py.import("m").a);
    await expect(run(py.import("m").f(a))).rejects.toBeInstanceOf(PythonError);
    a[Symbol.dispose]();
    await turn();
    expect(backend.released).toEqual([4, 1]);
  });

  it("a stream helper of these tests is what the engine would send", () => {
    expect(stream(1)[0]).toBe(0x80);
  });
});
