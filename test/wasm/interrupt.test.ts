/** Interrupting Python in the WebAssembly engine: each way it can be busy, and what must survive. */
import { createPython, type Python, PythonError, run } from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let py: Python;
const unhandled: string[] = [];
beforeAll(async () => {
  py = await createPython({ backend: "wasm", onUnhandled: (error) => unhandled.push(error.message) });
});
afterAll(() => py.close());

/** Runs a program, aborts it once Python says that it has begun, and gives the milliseconds until Python was free again. */
async function aborted(source: string): Promise<{ reason: unknown; freeAfter: number }> {
  const began = deferred();
  const controller = new AbortController();
  const outcome = run(py.exec(source, { locals: { begin: () => began.resolve() } }), { signal: controller.signal }).then(
    () => "ended",
    (error: unknown) => error,
  );
  await began.promise;
  const start = performance.now();
  controller.abort("enough");
  const reason = await outcome;
  await py.eval("0");
  return { reason, freeAfter: performance.now() - start };
}

function deferred() {
  let resolve!: () => void;
  const promise = new Promise<void>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}

describe("an aborted program", () => {
  it.for([
    ["a busy loop", "begin()\nwhile True: pass"],
    ["time.sleep", "import time\nbegin()\ntime.sleep(20)"],
    ["a regular expression that goes back and forth", "import re\nbegin()\nre.match('(a+)+$', 'a' * 40 + 'b')"],
    ["a long sort", "begin()\nsorted(range(10**6), key=lambda n: -n)"],
    ["a chain of generators", "begin()\nfor _ in iter(int, 1): pass"],
  ] as const)("ends %s", async ([, source]) => {
    const { reason, freeAfter } = await aborted(source);
    expect(reason).toBe("enough");
    expect(freeAfter).toBeLessThan(5_000);
  });

  it("[W-14] ends an await", async () => {
    const controller = new AbortController();
    const sleeping = run(py.import("asyncio").sleep(20), { signal: controller.signal }).then(
      () => "ended",
      (error: unknown) => error,
    );
    await py.eval("0"); // it has begun: programs of the default context start in order
    controller.abort("enough");
    expect(await sleeping).toBe("enough");
    expect(unhandled).toEqual([]);
    expect(await py.eval("len([t for t in __import__('asyncio').all_tasks() if 'sleep' in repr(t)])")).toBe(0);
  });

  it("[W-12] is a KeyboardInterrupt in Python, and state is kept", async () => {
    await py.exec("seen = []");
    await aborted("try:\n  begin()\n  while True: pass\nexcept BaseException as e:\n  seen.append(type(e).__name__)\n  raise");
    expect(await py.eval("seen")).toEqual(["KeyboardInterrupt"]);
  });

  it("never hits the next one", async () => {
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const quick = run(py.eval("sum(range(1000))"), { signal: controller.signal }).catch((error: unknown) => error);
      controller.abort("enough");
      const next = py.eval`sum(range(${20_000 + round}))`;
      await quick;
      await expect(run(next)).resolves.toBeGreaterThan(0);
    }
  });

  it("is stopped once, even if it catches the interrupt", async () => {
    const { reason } = await aborted("try:\n  begin()\n  while True: pass\nexcept KeyboardInterrupt:\n  caught = sum(range(300_000))");
    expect(reason).toBe("enough");
    expect(await py.eval("caught")).toBe(44999850000);
  });
});

describe("what must not end the worker", () => {
  it.for([
    ["sys.exit", "import sys\nsys.exit(3)", "SystemExit"],
    ["a KeyboardInterrupt of the program's own", "raise KeyboardInterrupt", "KeyboardInterrupt"],
    ["quit()", "raise SystemExit", "SystemExit"],
  ] as const)("%s", async ([, source, type]) => {
    const error = await py.exec(source).then(undefined, (e: unknown) => e);
    expect(error).toBeInstanceOf(PythonError);
    expect((error as PythonError).type).toBe(type);
    expect(await py.eval("1 + 1")).toBe(2);
  });

  it("sys.exit in a coroutine", async () => {
    await py.exec("async def leave():\n  import sys\n  sys.exit(3)");
    await expect(run(py.eval("leave()"))).rejects.toMatchObject({ type: "SystemExit" });
    expect(await py.eval("1 + 1")).toBe(2);
  });

  it.for([
    ["an error", "raise ValueError('lost')", "ValueError: lost"],
    ["sys.exit", "raise SystemExit(3)", "SystemExit: 3"],
    ["a KeyboardInterrupt", "raise KeyboardInterrupt", "KeyboardInterrupt"],
  ] as const)("%s in a background task, which is reported once", async ([, statement, message]) => {
    unhandled.length = 0;
    await py.exec(`import asyncio\nasync def bad():\n  ${statement}\ntask = asyncio.ensure_future(bad())`);
    await py.import("asyncio").sleep(0.01);
    await py.exec("del task\nimport gc\ngc.collect()");
    expect(await py.eval("1 + 1")).toBe(2);
    expect(unhandled).toEqual([message]);
  });
});
