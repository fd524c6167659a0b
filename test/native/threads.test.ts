/** Programs side by side: the pool, the GIL, callbacks, and what must not block. */
import { readFile } from "node:fs/promises";
import { createPython, type Python, run } from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inNode, native, output } from "./support.ts";

let py: Python;
beforeAll(async () => {
  py = await createPython(native);
});
afterAll(() => py.close());

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

describe("programs of the default context", () => {
  it("sixteen sleeps of a quarter second take far less than a second", async () => {
    const sleep = py.import("time").sleep;
    const took = await timed(() => Promise.all(Array.from({ length: 16 }, () => sleep(0.25))));
    expect(took).toBeGreaterThanOrEqual(245);
    expect(took).toBeLessThan(900);
  });

  it("[N-13] a short call does not wait behind a sleep", async () => {
    const slow = run(py.import("time").sleep(1));
    expect(await timed(() => Promise.all(Array.from({ length: 50 }, (_, i) => py.eval(`${i}`))))).toBeLessThan(500);
    await slow;
  });

  it("[N-10] [N-11] a file is read and timers fire while eight programs sleep", async () => {
    const sleeps = Array.from({ length: 8 }, () => run(py.import("time").sleep(0.5)));
    expect(await timed(() => readFile(new URL(import.meta.url)))).toBeLessThan(200);
    let ticks = 0;
    const interval = setInterval(() => ticks++, 10);
    await Promise.all(sleeps);
    clearInterval(interval);
    expect(ticks).toBeGreaterThan(20);
  });

  it("programs run in threads of their own", async () => {
    const names = await Promise.all(
      Array.from({ length: 4 }, () => py.eval("(__import__('time').sleep(0.1), __import__('threading').get_ident())[1]")),
    );
    expect(new Set(names).size).toBe(4);
    expect(names).not.toContain(await py.eval("__import__('threading').main_thread().ident"));
  });

  it("a thousand programs in one turn each settle with their own result", async () => {
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => py.eval(`${i} * 2`)));
    expect(results).toEqual(Array.from({ length: 1000 }, (_, i) => i * 2));
  });

  it("many programs from many turns while others sleep", async () => {
    const sleeps = Array.from({ length: 6 }, () => run(py.import("time").sleep(0.3)));
    for (let turn = 0; turn < 100; turn++) {
      const expected = Array.from({ length: 10 }, (_, i) => turn * 10 + i);
      expect(await Promise.all(expected.map((n) => py.eval(`${n}`)))).toEqual(expected);
    }
    await Promise.all(sleeps);
  });
});

describe("recursion on pool threads", () => {
  for (const [name, source] of [
    ["a function", "(lambda f: f(f))(lambda f: f(f))"],
    ["repr", "(lambda l: (l.append([l]), repr(__import__('functools').reduce(lambda a, _: [a], range(200000), []))))([])"],
    ["a sort key", "(lambda f: f(f))(lambda f: sorted([1], key=lambda _: f(f)))"],
    ["json", "__import__('json').dumps(__import__('functools').reduce(lambda a, _: [a], range(200000), []))"],
  ] as const) {
    it(`[N-52] ${name}: RecursionError, and the engine lives on`, async () => {
      await expect(Promise.resolve(py.eval(source))).rejects.toMatchObject({ type: "RecursionError" });
      expect(await py.eval("1")).toBe(1);
    });
  }
});

describe("callbacks", () => {
  it("[N-82] answer on any thread, also those that Python started", async () => {
    const seen: number[] = [];
    await py.exec(
      `
import threading
threads = [threading.Thread(target=lambda n=n: note(n)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
`,
      { locals: { note: (n: number) => void seen.push(n) } },
    );
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("[N-01] eight threads call JavaScript a thousand times each while JavaScript calls Python", async () => {
    let calls = 0;
    const storm = run(
      py.exec(
        `
import threading
def work():
    for i in range(1000): assert inc(i) == i + 1
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
`,
        {
          locals: {
            inc: (n: number) => {
              calls++;
              return n + 1;
            },
          },
        },
      ),
    );
    for (let i = 0; i < 200; i++) expect(await py.eval(`${i} + 1`)).toBe(i + 1);
    await storm;
    expect(calls).toBe(8000);
  });

  it("what a callback throws comes back as the same object", async () => {
    const thrown = new RangeError("mine");
    const fail = () => {
      throw thrown;
    };
    await expect(Promise.resolve(py.eval("f()", { locals: { f: fail } }))).rejects.toMatchObject({ cause: thrown });
  });

  it("handles survive a storm from many programs", async () => {
    const before = py.handles.count;
    const make = await py.eval("lambda n: type('C%d' % n, (), {'n': n})()");
    const refs = await Promise.all(Array.from({ length: 2000 }, (_, i) => make(i)));
    const values = await Promise.all(refs.map((ref) => ref.n));
    expect(values).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    for (const ref of refs) ref[Symbol.dispose]();
    make[Symbol.dispose]();
    expect(py.handles.count).toBe(before);
  });
});

describe("cancellation", () => {
  it("a timeout interrupts a loop, and its finally runs", async () => {
    const state: string[] = [];
    // The loop has a frame of its own: CPython 3.11 and 3.12 skip the finally around a bare jump.
    const spin = py.exec(
      `
def spin():
    while True: pass
try:
    spin()
finally:
    note('cleaned')
`,
      { locals: { note: (text: string) => void state.push(text) } },
    );
    await expect(run(spin, { timeout: 100 })).rejects.toMatchObject({ name: "TimeoutError" });
    await expect.poll(() => state, { timeout: 10_000 }).toEqual(["cleaned"]);
  });

  it("an aborted time.sleep ends long before its time, whenever the abort comes", async () => {
    for (const delay of [0, 1, 5, 50]) {
      const controller = new AbortController();
      let over = () => {};
      const ended = new Promise<void>((resolve) => {
        over = resolve;
      });
      const begun = () => void setTimeout(() => controller.abort(), delay);
      const source = "import time\ntry:\n    begun()\n    time.sleep(20)\nfinally:\n    over()";
      const sleep = run(py.exec(source, { locals: { begun, over: () => over() } }), { signal: controller.signal });
      await expect(sleep).rejects.toMatchObject({ name: "AbortError" });
      await ended;
    }
  }, 10_000);

  it("[N-41] [N-42] of ten thousand cancelled at random moments none leaves a lock, a finally or an interrupt behind", async () => {
    await py.exec(`
import threading, time
lock, inside, begun, ended = threading.Lock(), [], [], []
def work(n):
    try:
        begun.append(n)
        with lock:
            inside.append(n)
            try:
                for i in range(n % 60): str(i)
            finally:
                inside.pop()
        if n % 3 == 0: time.sleep(0.0005)
    finally:
        ended.append(n)
    return n
`);
    const work = await py.eval("work");
    const outcomes = { done: 0, AbortError: 0 };
    let next = 0;
    const one = async () => {
      while (next < 10_000) {
        const n = next++;
        const controller = new AbortController();
        const call = run(work(n), { signal: controller.signal });
        if (n % 2 === 0) setTimeout(() => controller.abort(), Math.random() * 3);
        else setImmediate(() => controller.abort());
        await call.then(
          (value) => {
            outcomes.done++;
            expect(value).toBe(n);
          },
          (error: Error) => {
            expect(error.name).toBe("AbortError");
            outcomes.AbortError++;
          },
        );
        if (n % 4 === 0) expect(await work(-1)).toBe(-1); // innocent
      }
    };
    await Promise.all(Array.from({ length: 8 }, one));
    work[Symbol.dispose]();
    await expect.poll(() => py.eval("(lock.locked(), len(inside), len(begun) - len(ended))")).toEqual([false, 0, 0]);
    expect(await py.eval("sum(len(e.interrupts.pending) for e in __import__('_isopy.engine').engine.ENGINES)")).toBe(0);
    expect(outcomes.done).toBeGreaterThan(100);
    expect(outcomes.AbortError).toBeGreaterThan(100);
  }, 60_000);

  it("an interrupt never reaches a later program", async () => {
    for (let i = 0; i < 300; i++) {
      const controller = new AbortController();
      const first = run(py.eval("sum(range(200))"), { signal: controller.signal }).then(
        () => "done",
        () => "aborted",
      );
      queueMicrotask(() => queueMicrotask(() => controller.abort()));
      expect(await py.eval("sum(range(300))")).toBe(44850);
      expect(["done", "aborted"]).toContain(await first);
    }
  });
});

describe("a call that cannot be interrupted", () => {
  it("[N-42] is given up: its thread is written off and replaced, its late result dropped, and nothing stays", async () => {
    const text = await output(`
import { readdirSync } from "node:fs";
import { createPython, run } from "isopy";
const logs = [];
const py = await createPython({ ...native, onLog: (record) => logs.push(record) });
await py.exec("import os\\npipes = []\\nclass Thing: pass\\ndef stuck():\\n    pipe = os.pipe()\\n    pipes.append(pipe)\\n    try:\\n        os.read(pipe[0], 1)\\n    except KeyboardInterrupt:\\n        pass\\n    ended.append(1)\\n    return Thing()\\nended = []");
const stuck = await py.eval("stuck");
const threads = () => readdirSync("/proc/self/task").length;
const handles = py.handles.count;
const before = await py.eval("len(__import__('_isopy.engine').engine.ENGINES[0].handles)");
let stuckOnes = 0;
while (stuckOnes < 70) { // more than the pool has threads; a call that has not begun at its deadline is only withdrawn
  const calls = Array.from({ length: 20 }, () => run(stuck(), { timeout: 100 }).then(() => "returned", (error) => error.name));
  if ((await Promise.all(calls)).some((name) => name !== "TimeoutError")) throw new Error("not timed out");
  stuckOnes = await py.eval("len(pipes)");
  while (logs.length < stuckOnes) await new Promise((resolve) => setTimeout(resolve, 5));
}
const most = threads();
console.log(await py.eval("1 + 1"), logs[0].level, logs[0].logger, /written off and replaced/.test(logs[0].message));
await py.exec("for _, w in pipes: os.write(w, b'x')");
while ((await py.eval("len(ended)")) < stuckOnes) await new Promise((resolve) => setTimeout(resolve, 5));
while (threads() > most - stuckOnes + 64) await new Promise((resolve) => setTimeout(resolve, 5));
const engine = "__import__('_isopy.engine').engine.ENGINES[0]";
while ((await py.eval(engine + ".interrupts.lost == set() == " + engine + ".interrupts.pending")) !== true) await new Promise((resolve) => setTimeout(resolve, 5));
console.log((await py.eval("len(" + engine + ".handles)")) - before, py.handles.count - handles);
await Promise.all(Array.from({ length: 100 }, (_, i) => py.eval(String(i))));
await py.close();
`);
    expect(text.split("\n")).toEqual(["2 WARNING isopy true", "0 0"]);
  }, 30_000);

  it.runIf(process.platform === "linux")("does not keep Node alive", async () => {
    const ended = await inNode(`
import { createPython, run } from "isopy";
const py = await createPython(native);
await run(py.exec("import os\\nos.read(os.pipe()[0], 1)"), { timeout: 50 }).catch((error) => console.log(error.name));
`);
    expect(ended).toMatchObject({ code: 0, stdout: "TimeoutError" });
    expect(ended.took).toBeLessThan(10_000);
  });
});
