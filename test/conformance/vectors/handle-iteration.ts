import { aRef } from "../match.ts";
import type { Loose, Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

const keep = { convert: "ref" } as const;
const refTo = async (t: Runner, source: string, setup = ""): Promise<Loose> => t.evaluate({ source, setup, options: keep });
const shelf = "import sys, types\nshelf = sys.modules.setdefault('vector_shelf', types.ModuleType('vector_shelf'))\n";

export const handleIteration = inGroup("handles", [
  {
    name: "a generator yields its values in order",
    act: async (t) => {
      const g = await refTo(t, "(i * i for i in range(5))");
      const out: unknown[] = [];
      for await (const x of g) out.push(x);
      t.release(g);
      return out;
    },
    expect: [0, 1, 4, 9, 16],
  },
  {
    name: "leaving a generator early runs its finally",
    tags: ["generator close"],
    act: async (t) => {
      const g = await refTo(
        t,
        "numbers()",
        `${shelf}shelf.closed = False\ndef numbers():\n    try:\n        while True: yield 1\n    finally:\n        shelf.closed = True`,
      );
      for await (const x of g) if (x === 1) break;
      t.release(g);
      return t.evaluate({ setup: shelf, source: "shelf.closed" });
    },
    expect: true,
  },
  {
    name: "an exception inside a generator ends the loop with that error",
    act: async (t) => {
      const g = await refTo(t, "bad()", "def bad():\n    yield 1\n    raise KeyError('k')");
      const out: unknown[] = [];
      try {
        for await (const x of g) out.push(x);
      } catch (error) {
        out.push((error as { type?: string }).type);
      }
      t.release(g);
      return out;
    },
    expect: [1, "KeyError"],
  },
  {
    name: "lists and dicts that stayed in Python iterate too",
    act: async (t) => {
      const [xs, d] = [await refTo(t, "[1, 'b']"), await refTo(t, "{'a': 1, 'b': 2}")];
      const out: unknown[] = [];
      for await (const x of xs) out.push(await t.settle(x));
      for await (const k of d) out.push(await t.settle(k));
      t.release([xs, d]);
      return out;
    },
    expect: [1, "b", "a", "b"],
  },
  {
    name: "an async generator yields its values in order",
    tags: ["async generator"],
    act: async (t) => {
      const g = await refTo(
        t,
        "count()",
        "import asyncio\nasync def count():\n    for i in range(3):\n        await asyncio.sleep(0)\n        yield i",
      );
      const out: unknown[] = [];
      for await (const x of g) out.push(x);
      t.release(g);
      return out;
    },
    expect: [0, 1, 2],
  },
  {
    name: "leaving an async generator early runs its finally",
    tags: ["async generator"],
    act: async (t) => {
      const g = await refTo(
        t,
        "count()",
        `${shelf}shelf.aclosed = False\nasync def count():\n    try:\n        while True: yield 1\n    finally:\n        shelf.aclosed = True`,
      );
      for await (const x of g) if (x === 1) break;
      t.release(g);
      return t.evaluate({ setup: shelf, source: "shelf.aclosed" });
    },
    expect: true,
  },
  {
    name: "enter runs __enter__, and leaving runs __exit__",
    tags: ["context manager"],
    act: async (t) => {
      const cm = await refTo(
        t,
        "CM()",
        `${shelf}shelf.log = []\nclass CM:\n    def __enter__(self): shelf.log.append('enter'); return 'value'\n    def __exit__(self, *error): shelf.log.append(error[0] is None)`,
      );
      const entered = await t.api.enter(cm);
      const leave = entered[Symbol.asyncDispose] ?? entered[Symbol.dispose];
      await leave.call(entered);
      t.release(cm);
      return t.evaluate({ setup: shelf, source: "shelf.log" });
    },
    expect: ["enter", true],
  },
  { name: "a coroutine is awaited: its value arrives", setup: "async def answer(): return [42]", python: "answer()", expect: [42] },
  {
    name: "await: false keeps the coroutine",
    setup: "async def answer(): return 42\ndef start():\n    c = answer()\n    import gc\n    return c",
    python: "start()",
    options: { await: false },
    expect: aRef,
  },
  {
    name: "a promise that JavaScript passes is awaitable in Python",
    needs: ["promises"],
    setup: "async def plus(p): return await p + 1",
    python: "plus(p)",
    values: () => ({ p: Promise.resolve(41) }),
    expect: 42,
  },
  {
    name: "a promise that is rejected raises at await, with the very error",
    needs: ["promises"],
    act: async (t) => {
      const thrown = new TypeError("late");
      const rejected = Promise.reject(thrown);
      return t
        .evaluate({
          setup: "async def caught(p):\n    try:\n        await p\n    except TypeError as e:\n        return e.js",
          source: "caught(p)",
          values: { p: rejected },
        })
        .then((e) => e === thrown);
    },
    expect: true,
  },
]);
