import { inGroup } from "../vector.ts";

class Account {
  #balance = 10;
  constructor(public owner = "ada") {}
  get balance(): number {
    return this.#balance;
  }
  deposit(amount: number): this {
    this.#balance += amount;
    return this;
  }
}

export const lentObjects = inGroup("handles", [
  { name: "a JavaScript function comes back as the very same function", js: () => Math.max, check: "callable(x)", roundTrip: "identical" },
  {
    name: "an object of JavaScript inside data comes back as the very same object",
    act: async (t) => {
      const mine = new Account();
      const back = (await t.evaluate({ source: "[v, {'v': v}]", values: { v: mine } })) as [unknown, { v: unknown }];
      return [back[0] === mine, back[1].v === mine];
    },
    expect: [true, true],
  },
  {
    name: "one JavaScript object is one object in Python",
    python: "a is b and a == b and hash(a) == hash(b)",
    values: () => {
      const o = new Account();
      return { a: o, b: o };
    },
    expect: true,
  },
  {
    name: "a callback answers before Python continues",
    needs: ["syncCallbacks"],
    python: "double(2) + 1",
    values: () => ({ double: (n: number) => n * 2 }),
    expect: 5,
  },
  {
    name: "keyword arguments reach a callback as one last plain object",
    needs: ["syncCallbacks"],
    python: "f(1, b=2)",
    values: () => ({ f: (...args: unknown[]) => args }),
    expect: [1, { b: 2 }],
  },
  {
    name: "an asynchronous callback gives Python an awaitable",
    needs: ["promises"],
    act: async (t) =>
      t.evaluate({
        setup: "async def sum_of(f): return await f(1) + await f(2)",
        source: "sum_of(f)",
        values: { f: t.api.proxy(async (n: number) => n * 10, { async: true }) },
      }),
    expect: 30,
  },
  {
    name: "without synchronous callbacks a call raises in Python, and nothing hangs",
    act: async (t) =>
      t.capabilities.syncCallbacks
        ? "raises"
        : t.evaluate({
            setup: "def attempt(f):\n    try:\n        return f()\n    except Exception as e:\n        return 'raises'",
            source: "attempt(f)",
            values: { f: () => 1 },
          }),
    expect: "raises",
  },
  {
    name: "Python reads, writes and calls an instance whose fields are private",
    needs: ["syncCallbacks"],
    setup: "def use(a):\n    a.owner = 'bob'\n    return [a.owner, a.balance, a.deposit(5) is a, a.balance]",
    python: "use(a)",
    values: () => ({ a: new Account() }),
    expect: ["bob", 10, true, 15],
  },
  {
    name: "a JavaScript class is constructed from Python",
    needs: ["syncCallbacks"],
    python: "[Account('eve').owner, Account.new('joe').owner]",
    values: () => ({ Account }),
    expect: ["eve", "joe"],
  },
  {
    name: "names that Python reserves have one trailing underscore",
    needs: ["syncCallbacks"],
    python: "[o.from_, o.class_]",
    values: () => ({ o: Object.assign(new (class Route {})(), { from: "here", class: "first" }) }),
    expect: ["here", "first"],
  },
  {
    name: "a missing property is an AttributeError, so hasattr works",
    needs: ["syncCallbacks"],
    python: "[hasattr(o, 'owner'), hasattr(o, 'nothing')]",
    values: () => ({ o: new Account() }),
    expect: [true, false],
  },
  {
    name: "len, in, [] and iteration work on what JavaScript lends",
    needs: ["syncCallbacks"],
    python: "[len(s), 2 in s, s[0], list(s), s[-1]]",
    values: () => ({ s: new (class Stack extends Array<number> {})(1, 2, 3) }),
    expect: [3, true, 1, [1, 2, 3], 3],
  },
  {
    name: "a JavaScript generator is a Python iterator, and close() runs its finally",
    needs: ["syncCallbacks"],
    act: async (t) => {
      let closed = false;
      function* numbers() {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          closed = true;
        }
      }
      const out = await t.evaluate({
        setup: "def take(g):\n    out = [next(g), next(g)]\n    g.close()\n    return out",
        source: "take(g)",
        values: { g: numbers() },
      });
      return [out, closed];
    },
    expect: [[1, 2], true],
  },
  {
    name: "an async iterable of JavaScript is one in Python",
    needs: ["promises"],
    act: async (t) => {
      async function* words() {
        yield "a";
        yield "b";
      }
      return t.evaluate({ setup: "async def read(s): return [x async for x in s]", source: "read(s)", values: { s: words() } });
    },
    expect: ["a", "b"],
  },
  {
    name: "str() and bool() of a JavaScript object ask JavaScript",
    needs: ["syncCallbacks"],
    python: "[str(o), bool(o)]",
    values: () => ({
      o: new (class Named {
        toString() {
          return "I am named";
        }
      })(),
    }),
    expect: ["I am named", true],
  },
  {
    name: "dir() lists what a JavaScript object has",
    needs: ["syncCallbacks"],
    python: "{'owner', 'deposit', 'balance'} <= set(dir(a))",
    values: () => ({ a: new Account() }),
    expect: true,
  },
  {
    name: "RegExp, URL, WeakMap and class instances are lent and come back as themselves",
    act: async (t) => {
      const mine = [/a(?<n>b)/gi, new URL("http://localhost/x"), new WeakMap(), new WeakSet(), new Account(), Symbol("s")];
      const back = (await t.evaluate({ source: "v", values: { v: mine } })) as unknown[];
      return back.every((item, i) => item === mine[i]);
    },
    expect: true,
  },
  {
    name: "a name that exec binds is there for eval",
    act: async (t) => {
      await t.py.exec("vector_global = 5");
      const seen = await t.py.eval("vector_global + 1");
      await t.py.exec("del vector_global");
      return seen;
    },
    expect: 6,
  },
]);
