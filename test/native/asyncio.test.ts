/** Coroutines, futures and async generators as promises and async iterables; cancellation; loops. */
import { createPython, enter, type Python, PythonError, proxy, run } from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { native, output } from "./support.ts";

let py: Python;
let minor = 0;
beforeAll(async () => {
  py = await createPython(native);
  minor = (await py.eval("__import__('sys').version_info[1]")) as number;
  await py.exec(`
import asyncio, concurrent.futures, contextvars, threading, types
async def value(x): return x
async def later(x):
    await asyncio.sleep(0.001)
    return x
class Awaitable:
    def __init__(self, make): self.make = make
    def __await__(self): return self.make()
class Twice:
    """An iterator that is no generator."""
    def __init__(self): self.left = 2
    def __iter__(self): return self
    def __next__(self):
        self.left -= 1
        if self.left < 0: raise StopIteration("iterated")
        return None
@types.coroutine
def old():
    yield
    return "old"
async def spawn(coroutine): return asyncio.ensure_future(coroutine)
`);
});
afterAll(() => py.close());

describe("what Python awaits is a promise", () => {
  it.each([
    ["a coroutine that never waits", "value(1)", 1],
    ["a coroutine that waits", "later(2)", 2],
    ["a generator-based coroutine", "old()", "old"],
    ["an object with __await__", "Awaitable(lambda: later(3).__await__())", 3],
    ["an object with __await__ that is a plain iterator", "Awaitable(Twice)", "iterated"],
    ["a task", "await spawn(later(4))", 4],
    ["a future", "asyncio.wrap_future(f, loop=(await value(asyncio)).get_running_loop())", 5],
    ["a future of a thread", "concurrent.futures.ThreadPoolExecutor(1).submit(lambda: 6)", 6],
    ["a gather", "await asyncio.gather(later(1), value(2))", [1, 2]],
    ["a thread of asyncio", "await asyncio.to_thread(lambda: 7)", 7],
  ] as const)("%s", async (_, source, expected) => {
    await py.exec("f = concurrent.futures.Future(); f.set_result(5)");
    expect(await py.eval(source)).toEqual(expected);
  });

  it("also as the result of a call, a hundred at once, each with its own", async () => {
    const [value, later] = [await py.eval("value"), await py.eval("later")];
    const all = Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? later(i) : value(i)));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    value[Symbol.dispose]();
    later[Symbol.dispose]();
  });

  it("what it raises is the promise's reason", async () => {
    await expect(Promise.resolve(py.eval("later(1/0)"))).rejects.toMatchObject({ type: "ZeroDivisionError" });
    await py.exec("async def bad(wait):\n    if wait: await asyncio.sleep(0)\n    raise LookupError('mine')");
    for (const wait of ["False", "True"])
      await expect(Promise.resolve(py.eval(`bad(${wait})`))).rejects.toMatchObject({ type: "LookupError" });
    await expect(Promise.resolve(py.eval("concurrent.futures.ThreadPoolExecutor(1).submit(lambda: 1/0)"))).rejects.toMatchObject({
      type: "ZeroDivisionError",
    });
  });

  it("timeouts and task groups of asyncio work from the first step on", async () => {
    if (minor < 11) return;
    await py.exec(`
async def timed():
    try:
        async with asyncio.timeout(0.01): await asyncio.sleep(60)
    except TimeoutError: return "timed out"
async def grouped():
    async with asyncio.TaskGroup() as group: tasks = [group.create_task(later(i)) for i in range(3)]
    return [task.result() for task in tasks]
`);
    expect(await py.eval("timed()")).toBe("timed out");
    expect(await py.eval("grouped()")).toEqual([0, 1, 2]);
  });

  it("an async generator that is left early runs its finally", async () => {
    await py.exec(`
log = []
async def numbers():
    try:
        for i in range(1000):
            await asyncio.sleep(0)
            yield i
    finally:
        await asyncio.sleep(0)
        log.append("closed")
`);
    const seen: unknown[] = [];
    for await (const item of py.eval("numbers()")) {
      seen.push(item);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([0, 1, 2]);
    await expect.poll(() => py.eval("log")).toEqual(["closed"]);
  });

  it("an async context manager is entered and left on the loop", async () => {
    await py.exec(`
class Managed:
    async def __aenter__(self):
        await asyncio.sleep(0)
        self.loop = asyncio.get_running_loop()
        return "inside"
    async def __aexit__(self, *details):
        await asyncio.sleep(0)
        log.append(("left", asyncio.get_running_loop() is self.loop))
log = []
`);
    const managed = await enter(py.eval("Managed()"));
    expect(managed.value).toBe("inside");
    await managed[Symbol.asyncDispose]();
    expect(await py.eval("log")).toEqual([["left", true]]);
  });
});

describe("tasks and variables", () => {
  it("a coroutine has a task from its first step on, and nothing of it reaches the next one", async () => {
    await py.exec(`
ended = []
kept = []
async def keep(): kept.append(asyncio.current_task())
async def watched(n): asyncio.current_task().add_done_callback(lambda task: ended.append((n, task.done())))
async def cancelled():
    asyncio.current_task().cancel()
    return "done before it could strike"
async def innocent():
    await asyncio.sleep(0)
    return asyncio.current_task() is not None
`);
    const names = ["keep", "watched", "cancelled", "innocent"];
    const [keep, watched, cancelled, innocent] = await Promise.all(names.map((name) => py.eval(name)));
    const turn = Array.from({ length: 10 }, (_, n) => [run(keep!()), run(watched!(n)), run(cancelled!()), run(innocent!())]).flat();
    const results = await Promise.all(turn);
    expect(results.filter((result) => result === true).length).toBe(10);
    expect(results.filter((result) => result === "done before it could strike").length).toBe(10);
    await expect.poll(() => py.eval("sorted(ended)")).toEqual(Array.from({ length: 10 }, (_, n) => [n, true]));
    expect(await py.eval("len(set(map(id, kept)))")).toBe(10);
  });

  it("context variables are kept across awaits, and are each call's own", async () => {
    await py.exec(`
variable = contextvars.ContextVar("variable", default="unset")
async def own(n):
    before = variable.get()
    variable.set(n)
    await asyncio.sleep(0.001 * (n % 3))
    inner = await asyncio.ensure_future(asyncio.sleep(0, variable.get()))
    return [before, variable.get(), inner]
`);
    const own = await py.eval("own");
    expect(await Promise.all(Array.from({ length: 30 }, (_, n) => own(n)))).toEqual(Array.from({ length: 30 }, (_, n) => ["unset", n, n]));
    expect(await py.eval("variable.get()")).toBe("unset");
  });
});

describe("promises of JavaScript", () => {
  it("are awaited in Python, with what they reject", async () => {
    const ask = proxy(async (n: number) => n * 2, { async: true });
    expect(await py.eval("[await ask(i) for i in range(3)]", { locals: { ask } })).toEqual([0, 2, 4]);
    const reason = new RangeError("mine");
    const fail = proxy(() => Promise.reject(reason), { async: true });
    await expect(Promise.resolve(py.eval("await fail()", { locals: { fail } }))).rejects.toMatchObject({ cause: reason });
    expect(await py.eval("await promise", { locals: { promise: Promise.resolve(5) } })).toBe(5);
    expect(await py.eval("await asyncio.gather(*(ask(i) for i in range(50)))", { locals: { ask } })).toEqual(
      Array.from({ length: 50 }, (_, i) => i * 2),
    );
  });

  it("an aborted call cancels its task: CancelledError once, finally runs, and a late answer is dropped", async () => {
    const answer: { now?: () => void } = {};
    const never = proxy(() => new Promise<string>((resolve) => (answer.now = () => resolve("late"))), { async: true });
    const controller = new AbortController();
    let begun = () => {};
    const waits = new Promise<void>((resolve) => (begun = resolve));
    await py.exec(`
seen = []
async def careful(ask, begun):
    try:
        await begun()
        await ask()
    except BaseException as error:
        seen.append(type(error).__name__)
        raise
    finally:
        await asyncio.sleep(0.001)
        seen.append("cleaned")
`);
    const begin = proxy(async () => void setTimeout(begun, 5), { async: true });
    const call = run(py.eval("careful(never, begin)", { locals: { never, begin } }), { signal: controller.signal });
    await waits;
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => py.eval("seen")).toEqual(["CancelledError", "cleaned"]);
    answer.now?.();
    expect(await py.eval("await asyncio.sleep(0, 1)")).toBe(1);
  });

  it("a task that Python cancels tells JavaScript", async () => {
    await py.exec(
      "async def gives_up():\n    asyncio.get_running_loop().call_later(0.005, asyncio.current_task().cancel)\n    await asyncio.sleep(60)",
    );
    const error = await run(py.eval("gives_up()")).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({ type: expect.stringContaining("CancelledError") });
  });

  it("aborted before, in and after the first step, a coroutine is over and the next one is not touched", async () => {
    await py.exec("async def steps(n):\n    for i in range(n): await asyncio.sleep(0)\n    return n");
    const steps = await py.eval("steps");
    let aborted = 0;
    for (let i = 0; i < 400; i++) {
      const controller = new AbortController();
      const call = run(steps(i % 20), { signal: controller.signal }).catch((error: Error) => {
        aborted++;
        return error.name;
      });
      if (i % 2 === 0) controller.abort();
      else setImmediate(() => controller.abort());
      expect(await steps(3)).toBe(3);
      expect([i % 20, "AbortError"]).toContain(await call);
    }
    expect(aborted).toBeGreaterThan(0);
    await expect.poll(() => py.eval("len(asyncio.all_tasks(asyncio.get_running_loop())) if await asyncio.sleep(0) is None else 0")).toBe(1);
  });
});

describe("loops", () => {
  const where = "await asyncio.sleep(0, id(asyncio.get_running_loop()))";

  it("the default context has one, a session has its own", async () => {
    const [first, second] = [await py.eval(where), await py.eval(where)];
    expect(second).toBe(first);
    const session = await py.session();
    const inside = await session.run(`import asyncio\n${where}`).result;
    expect(inside).not.toBe(first);
    await session.close();
  });

  it("[N-86] a future of another loop is an error of the one who awaits it", async () => {
    await py.exec("other = asyncio.new_event_loop()\nstranger = other.create_future()\nasync def wrong(): await stranger");
    await expect(Promise.resolve(py.eval("wrong()"))).rejects.toMatchObject({
      type: "RuntimeError",
      message: expect.stringContaining("different loop"),
    });
    await py.exec("other.close()");
    expect(await py.eval("later(1)")).toBe(1);
  });

  it("[N-86] closing an engine ends what catches its cancellation and goes on", async () => {
    const text = await output(`
import { createPython } from "isopy";
const py = await createPython(native);
let begun;
const waits = new Promise((resolve) => { begun = resolve; });
await py.exec("import asyncio, atexit\\nseen = []\\natexit.register(lambda: print(seen, flush=True))\\nasync def deaf(begun):\\n    begun()\\n    for attempt in (1, 2):\\n        try:\\n            await asyncio.sleep(60)\\n        except asyncio.CancelledError:\\n            seen.append(attempt)\\n            if attempt == 2: raise");
py.eval("deaf(begun)", { locals: { begun: () => begun() } }).catch(() => {});
await waits;
await py.close();
`);
    expect(text).toBe("[1, 2]");
  });

  it("[N-86] closing an engine does not cut short the clean-up of what was cancelled just before", async () => {
    const text = await output(`
import { createPython, run } from "isopy";
const py = await createPython(native);
let tidying;
const tidies = new Promise((resolve) => { tidying = resolve; });
await py.exec("import asyncio, atexit\\nseen = []\\natexit.register(lambda: print(seen, flush=True))\\nasync def wait(tidying):\\n    try:\\n        await asyncio.sleep(60)\\n    finally:\\n        tidying()\\n        await asyncio.sleep(0.1)\\n        seen.append('cleaned')");
const stop = new AbortController();
const call = run(py.eval("wait(tidying)", { locals: { tidying: () => tidying() } }), { signal: stop.signal }).catch((error) => error.name);
setTimeout(() => stop.abort(), 100);
await tidies;
await py.close();
console.log(await call);
`);
    expect(text.split("\n")).toEqual(["['cleaned']", "AbortError"]);
  });

  it("[N-86] closing an engine cancels what it awaits, says so to Python, and makes no noise", async () => {
    const text = await output(`
import { createPython, run } from "isopy";
const py = await createPython(native);
let begun;
const waits = new Promise((resolve) => { begun = resolve; });
await py.exec("import asyncio, atexit\\nseen = []\\natexit.register(lambda: print(seen, flush=True))\\nasync def wait(begun):\\n    try:\\n        begun()\\n        await asyncio.sleep(60)\\n    except asyncio.CancelledError:\\n        seen.append('CancelledError')\\n        raise\\n    finally:\\n        await asyncio.sleep(0)\\n        seen.append('cleaned')");
const call = run(py.eval("wait(begun)", { locals: { begun: () => begun() } })).catch((error) => error.name);
await waits;
await py.close();
console.log(await call);
`);
    expect(text.split("\n")).toEqual(["['CancelledError', 'cleaned']", expect.stringMatching(/CancelledError|EngineError/)]);
  });
});
