/**
 * Objects as handles: identity, how long they live, attributes and calls.
 */
import { EngineError, isRef } from "isopy";
import { aRef, matching } from "../match.ts";
import type { Loose, Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

const keep = { convert: "ref" } as const;
const refTo = async (t: Runner, source: string, setup = ""): Promise<Loose> => t.evaluate({ source, setup, options: keep });
const codeOf = async (attempt: () => unknown): Promise<unknown> => {
  try {
    await attempt();
    return "nothing was thrown";
  } catch (error) {
    return error instanceof EngineError ? error.code : error;
  }
};
const dispose = (value: Loose): void => value[Symbol.dispose]();
const shelf = "import sys, types\nshelf = sys.modules.setdefault('vector_shelf', types.ModuleType('vector_shelf'))\n";

export const handles = inGroup("handles", [
  { name: "a function arrives as a ref and returns as itself", python: "len", expect: aRef, roundTrip: true },
  {
    name: "modules, classes, instances, generators and methods arrive as refs and return as themselves",
    setup: "import math\nclass K:\n    def m(self): pass",
    python: "[math, K, K(), (i for i in ()), K().m, 'a'.upper, __import__('functools').partial(len)]",
    expect: Array.from({ length: 7 }, () => aRef),
    roundTrip: true,
  },
  {
    name: "the same object is the same ref while it is held",
    tags: ["identity"],
    act: async (t) => {
      const get = () => t.evaluate({ setup: `${shelf}if not hasattr(shelf, 'one'): shelf.one = object()`, source: "shelf.one" });
      const [a, b] = [await get(), await get()];
      const same = a === b;
      t.release(a);
      return same;
    },
    expect: true,
  },
  {
    name: "one object in two places of one answer is one ref",
    tags: ["identity"],
    setup: "class K: pass\nk = K()",
    python: "[k, {'k': k}]",
    expect: matching("the same ref twice", (v: [unknown, { k: unknown }]) => v[0] === v[1].k && isRef(v[0])),
    roundTrip: true,
  },
  {
    name: "two equal objects are two refs",
    tags: ["identity"],
    setup: "class K:\n    def __eq__(self, other): return True\n    __hash__ = object.__hash__",
    python: "[K(), K()]",
    expect: matching("two refs", (v: unknown[]) => v[0] !== v[1]),
  },
  {
    name: "an object whose every hook raises arrives as a ref all the same",
    setup:
      "class Hostile:\n    def __repr__(self): raise ValueError\n    __str__ = __len__ = __bool__ = __iter__ = __hash__ = __repr__\n    def __eq__(self, other): raise ValueError\n    def __getattribute__(self, name): raise ValueError(name)",
    python: "Hostile()",
    expect: aRef,
  },
  {
    name: "a ref is no promise: awaiting it gives the ref",
    act: async (t) => {
      const r = await refTo(t, "object()");
      const same = (await r) === r;
      t.release(r);
      return same;
    },
    expect: true,
  },
  {
    name: "[N-32] disposing a ref twice is harmless and counts once",
    tags: ["dispose twice"],
    act: async (t) => {
      const before = t.handles();
      const r = await refTo(t, "object()");
      const during = t.handles();
      dispose(r);
      dispose(r);
      return [during - before, t.handles() - before];
    },
    expect: [1, 0],
  },
  {
    name: "[N-31] calling a disposed ref is a typed error",
    tags: ["use after"],
    act: async (t) => {
      const r = await refTo(t, "len");
      dispose(r);
      return codeOf(() => r([1]));
    },
    expect: "ERR_HANDLE_DISPOSED",
  },
  {
    name: "[N-31] an attribute of a disposed ref is a typed error",
    tags: ["use after"],
    act: async (t) => {
      const r = await refTo(t, "object()");
      dispose(r);
      return codeOf(() => r.x);
    },
    expect: "ERR_HANDLE_DISPOSED",
  },
  {
    name: "passing a disposed ref is a typed error",
    tags: ["use after"],
    act: async (t) => {
      const r = await refTo(t, "object()");
      dispose(r);
      return codeOf(() => t.evaluate({ source: "x", values: { x: [r] } }));
    },
    expect: "ERR_HANDLE_DISPOSED",
  },
  {
    name: "a ref of another engine is refused",
    tags: ["other context"],
    act: async (t) => {
      const other = await t.limited();
      const r = await refTo(other, "object()");
      const code = await codeOf(() => t.evaluate({ source: "x", values: { x: r } }));
      other.release(r);
      return code;
    },
    expect: "ERR_CROSS_CONTEXT",
  },
  {
    name: "an enum member of another engine is refused",
    tags: ["other context"],
    act: async (t) => {
      const other = await t.limited();
      const member = await other.evaluate({ setup: "import enum\nclass E(enum.Enum): A = 1", source: "E.A" });
      return codeOf(() => t.evaluate({ source: "x", values: { x: member } }));
    },
    expect: matching("a code", (c: string) => c === "ERR_NOT_CONVERTIBLE" || c === "ERR_CROSS_CONTEXT"),
  },
  {
    name: "[N-32] a ref cannot be cloned into another worker",
    tags: ["other worker"],
    act: async (t) => {
      const r = await refTo(t, "object()");
      try {
        structuredClone(r);
        return "it was cloned";
      } catch (error) {
        return (error as DOMException).name;
      } finally {
        t.release(r);
      }
    },
    expect: "DataCloneError",
  },
  {
    name: "JSON of a ref is refused instead of leaving it out",
    act: async (t) => {
      const r = await refTo(t, "object()");
      const code = await codeOf(() => JSON.stringify({ r }));
      t.release(r);
      return code;
    },
    expect: "ERR_NOT_CONVERTIBLE",
  },
  {
    name: "a disposed ref lets Python free the object",
    tags: ["GC release"],
    act: async (t) => {
      const r = await refTo(t, "k", `${shelf}import weakref\nclass K: pass\nk = K()\nshelf.watch = weakref.ref(k)`);
      const alive = () => t.evaluate({ setup: `${shelf}import gc\ngc.collect()`, source: "shelf.watch() is not None" });
      const held = await alive();
      dispose(r);
      // The release travels by itself: it is there within a few programs, not necessarily before the next one.
      for (let program = 0; program < 20; program++) if ((await alive()) === false) return [held, "freed"];
      return [held, "still there after 20 programs"];
    },
    expect: [true, "freed"],
  },
  {
    name: "a ref that is held keeps its object alive",
    tags: ["GC release"],
    act: async (t) => {
      const r = await refTo(t, "[1, 2, 3]");
      await t.evaluate({ setup: "import gc", source: "gc.collect()" });
      const size = await t.settle(r.__len__());
      t.release(r);
      return size;
    },
    expect: 3,
  },
  {
    name: "keyword arguments reach a function, in any order",
    tags: ["callable kwargs"],
    act: async (t) => {
      const f = await refTo(t, "lambda a, b=2, *rest, c, **more: [a, b, list(rest), c, more]");
      const out = await f(1, 9, 8, t.api.kw({ d: 4, c: 3 }));
      t.release(f);
      return out;
    },
    expect: [1, 9, [8], 3, { d: 4 }],
  },
  {
    name: "keyword arguments may be Python's reserved words",
    tags: ["callable kwargs"],
    act: async (t) => {
      const f = await refTo(t, "dict");
      const out = await f(t.api.kw({ class: 1, lambda: 2, "not a name": 3 }));
      t.release(f);
      return out;
    },
    expect: { class: 1, lambda: 2, "not a name": 3 },
  },
  {
    name: "[N-58] a trailing object is an argument, never keyword arguments",
    tags: ["callable kwargs"],
    act: async (t) => {
      const f = await refTo(t, "lambda *a, **k: [list(a), k]");
      const out = await f(1, { b: 2 });
      t.release(f);
      return out;
    },
    expect: [[1, { b: 2 }], {}],
  },
  {
    name: "a missing argument is Python's own TypeError",
    act: async (t) => {
      const f = await refTo(t, "lambda a, b: a");
      try {
        return await f(1);
      } finally {
        t.release(f);
      }
    },
    throws: { type: "TypeError", message: /missing 1 required positional argument/ },
  },
  {
    name: "a class is called and constructed alike",
    act: async (t) => {
      const K = await refTo(t, "K", "class K:\n    def __init__(self, x): self.x = x");
      const made = await K(5);
      const out = await made.x;
      t.release([K, made]);
      return out;
    },
    expect: 5,
  },
  {
    name: "set, item, setItem and del reach attributes and items",
    act: async (t) => {
      const { set, item, setItem, del, get } = t.api;
      const o = await refTo(t, "K()", "class K(dict): pass");
      await set(o, "x", [1]);
      await setItem(o, "key", 2);
      const seen = [await o.x, await item(o, "key"), await o.__len__()];
      await del(o, "x");
      await codeOf(() => get(o, "x"));
      const left = await t.evaluate({ source: "hasattr(o, 'x')", values: { o } });
      t.release(o);
      return [...seen, left];
    },
    expect: [[1], 2, 1, false],
  },
  {
    name: "a slice reads part of a sequence",
    act: async (t) => {
      const xs = await refTo(t, "list(range(10))");
      const out = await t.settle(t.api.item(xs, t.api.slice(2, 9, 3)));
      t.release(xs);
      return out;
    },
    expect: [2, 5, 8],
  },
  {
    name: "a tuple of slices reads like numpy's indexing",
    act: async (t) => {
      const g = await refTo(t, "G()", "class G:\n    def __getitem__(self, key): return [type(k).__name__ for k in key]");
      const out = await t.api.item(g, t.api.tuple([0, t.api.slice(), t.api.Ellipsis]));
      t.release(g);
      return out;
    },
    expect: ["int", "slice", "ellipsis"],
  },
  {
    name: "assigning through a ref throws and says what to write",
    act: async (t) => {
      const o = await refTo(t, "object()");
      try {
        o.x = 1;
        return "it was assigned";
      } catch (error) {
        return (error as EngineError).code;
      } finally {
        t.release(o);
      }
    },
    expect: "ERR_ARGUMENT",
  },
  {
    name: "an attribute called then or toJSON is reached through get",
    act: async (t) => {
      const o = await refTo(t, "K()", "class K:\n    then = 1\n    toJSON = 2");
      const out = [await t.api.get(o, "then"), await t.api.get(o, "toJSON")];
      t.release(o);
      return out;
    },
    expect: [1, 2],
  },
  {
    name: "a list that stayed in Python is changed in place",
    act: async (t) => {
      const xs = await refTo(t, "[3, 1]");
      await xs.append(2);
      await xs.sort();
      const out = await t.toJs(xs, {});
      t.release(xs);
      return out;
    },
    expect: [1, 2, 3],
  },
]);
