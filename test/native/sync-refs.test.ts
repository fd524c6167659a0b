/** Refs of `isopy/sync`: identity, names, modules, and what is released without leaving the job. */
import { createPythonSync, get, item, kw, set, setItem, tuple, type Untyped } from "isopy/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectGarbage, until } from "../seeds/garbage.ts";
import { output, python, startSync } from "./support.ts";

const options = python === undefined ? {} : { python };
const py = createPythonSync(options);
let thing: Untyped;
beforeAll(() => {
  py.exec(`
import sys, types, weakref
class Thing:
    def __init__(self, name="thing"): self.name = name; self.child = None; self.items = []
    def me(self): return self
    def other(self): return 2
    def pair(self, a, b=None): return (a is self, b)
    def __getitem__(self, key): return (key, self) if key == "pair" else key
    def __setitem__(self, key, value): self.items.append((key, value))
thing = Thing()
thing.child = Thing("child")
`);
  thing = py.globals.get("thing");
});
afterAll(() => py.close());

describe("[PT-20] the same live object is the same ref", () => {
  it("by attribute, call, item, container and global", () => {
    const { child } = thing;
    expect(thing.child).toBe(child);
    expect(child.me()).toBe(child);
    expect(py.eval`[thing.child, {"c": thing.child}]`).toEqual([child, { c: child }]);
    expect(py.eval`[thing.child]`[0]).toBe(child);
    expect(py.globals.get("thing")).toBe(thing);
    expect(item(thing, "pair")[1]).toBe(thing);
    expect(thing.child === thing).toBe(false);
  });

  it("bound methods: one for each function and object", () => {
    expect(thing.me).toBe(thing.me);
    expect(thing.me === thing.other).toBe(false);
    expect(thing.me === thing.child.me).toBe(false);
    const words = py.import("sys", { convert: "ref" }).path;
    expect(words.index).toBe(words.index);
    expect(words.index === words.count).toBe(false);
  });

  it("a held method is the one that was got, whatever the name means later", () => {
    const { other } = thing;
    thing.child; // something in between
    py.exec("Thing.other = lambda self: 3");
    expect(other()).toBe(2);
    expect(thing.other()).toBe(3);
    expect(thing.other === other).toBe(false);
  });

  it("a ref that keeps is another object, and each lives for itself", () => {
    const sys = py.import("sys", { convert: "ref" });
    expect(sys === py.import("sys")).toBe(false);
    expect(py.import("sys", { convert: "ref" })).toBe(sys);
    expect(sys.path).toBe(sys.path);
    sys[Symbol.dispose]();
    expect(py.import("sys").maxsize).toBeGreaterThan(0);
    expect(() => sys.path).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
  });

  it("a disposed one has a successor", () => {
    const { child } = thing;
    child[Symbol.dispose]();
    expect(() => child.name).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
    const next = thing.child;
    expect(next === child).toBe(false);
    expect(next.name).toBe("child");
  });
});

describe("what crosses without a program", () => {
  it("refs among arguments, of this engine and usable", () => {
    expect(thing.pair(thing, 1)).toEqual([true, 1]);
    expect(thing.pair(thing.child, thing)[1]).toBe(thing);
    expect(thing.pair(thing, kw({ b: thing }))[1]).toBe(thing);
    const gone = py.eval`Thing("gone")`;
    gone[Symbol.dispose]();
    expect(() => thing.pair(gone)).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
    const other = createPythonSync(options);
    try {
      expect(() => thing.pair(other.eval`object()`)).toThrow(expect.objectContaining({ code: "ERR_CROSS_CONTEXT" }));
    } finally {
      other.close();
    }
    const many = py.eval`lambda *a: len(a)`;
    expect(many(...Array.from({ length: 40 }, (_, i) => (i % 2 ? thing : i)))).toBe(40);
  });

  it("get, set, item and setItem of scalars, and their errors", () => {
    expect(set(thing, "name", "ada")).toBeNull();
    expect(get(thing, "name")).toBe("ada");
    expect(thing.name).toBe("ada");
    expect(item(thing, 2n ** 70n)).toBe(2n ** 70n);
    expect(setItem(thing, "k", 1.5)).toBeNull();
    expect(setItem(thing, tuple([1, 2]), [3])).toBeNull();
    expect(thing.items).toEqual([
      ["k", 1.5],
      [[1, 2], [3]],
    ]);
    expect(() => set(py.builtins.object(), "x", 1)).toThrow(/AttributeError/);
    expect(() => item(py.builtins.object(), 1)).toThrow(/TypeError/);
    expect(() => thing.no_such_name).toThrow(/AttributeError/);
  });

  it("names: more than are remembered, and strange ones", () => {
    const space = py.eval`types.SimpleNamespace(**{f"n{i}": i for i in range(6000)})`;
    for (let i = 0; i < 6000; i++) if (get(space, `n${i}`) !== i) throw new Error(`n${i}`);
    for (const name of ["", "é", "漢", "a\0b", "👍", "\ud800"]) {
      set(space, name, name);
      expect(get(space, name)).toBe(name);
    }
  });

  it("a module is what sys.modules says now", () => {
    py.exec("sys.modules['made_up'] = types.ModuleType('made_up')\nsys.modules['made_up'].value = 1");
    const first = py.import("made_up");
    expect(py.import("made_up")).toBe(first);
    py.exec("sys.modules['made_up'] = types.ModuleType('made_up')\nsys.modules['made_up'].value = 2");
    expect(py.import("made_up").value).toBe(2);
    expect(first.value).toBe(1);
    py.exec("del sys.modules['made_up']");
    expect(() => py.import("made_up")).toThrow(/ModuleNotFoundError/);
    py.exec("sys.modules['made_up'] = None");
    expect(() => py.import("made_up")).toThrow(/ModuleNotFoundError/);
    py.exec("del sys.modules['made_up']");
    expect(py.import("os.path").basename("a/b")).toBe("b");
  });

  it("classes that come and go are told apart", () => {
    const make = py.eval`lambda i: type(f"T{i}", (), {})()`;
    for (let i = 0; i < 3000; i++) {
      const made = make(i);
      if (i % 500 === 0) expect(py.handles.list().some(({ type }) => type.endsWith(`T${i}`))).toBe(true);
      made[Symbol.dispose]();
    }
  });
});

describe("rules", () => {
  it("hold for what is encoded afterwards, both ways", () => {
    const ruled = createPythonSync(options);
    try {
      const uuid = ruled.import("uuid");
      const before = uuid.UUID(int);
      expect(typeof before).toBe("function");
      ruled.rules.add({ python: "uuid.UUID", encode: "str" });
      expect(uuid.UUID(int)).toBe("12345678-1234-5678-1234-567812345678");
      ruled.rules.add({ js: URL, encode: (url: URL) => url.href, decode: "lambda text: ('url', text)" });
      expect(ruled.eval`lambda v: v`(new URL("http://a/b"))).toEqual(["url", "http://a/b"]);
      expect(() => ruled.rules.add({ python: "no.such.Class", encode: "str" })).toThrow(/ModuleNotFoundError/);
      expect(() => ruled.rules.add({ python: "uuid.UUID" } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    } finally {
      ruled.close();
    }
  });
  const int = "12345678123456781234567812345678";
});

describe("refs that were dropped", () => {
  it("are given back: nothing is held after a collection", async () => {
    const other = createPythonSync(options);
    try {
      other.exec(
        "import weakref\nclass Thing: pass\nalive = weakref.WeakSet()\ndef make():\n    t = Thing()\n    alive.add(t)\n    return t\n",
      );
      (() => {
        const make = other.globals.get("make");
        for (let i = 0; i < 3000; i++) make();
        for (let i = 0; i < 100; i++) other.eval`[make(), make()]`;
      })();
      for (let turn = 0; turn < 20 && other.handles.count > 0; turn++) await collectGarbage();
      expect(other.handles.count).toBe(0);
      await until(async () => other.eval`len(alive)` === 0); // another thread lets go of them
    } finally {
      other.close();
    }
  });

  it("live on while anybody holds them, and what they hold", async () => {
    const made = py.eval`Thing("held")`;
    const { me } = py.eval`Thing("by its method")`;
    await collectGarbage();
    await collectGarbage();
    expect(made.name).toBe("held");
    expect(me().name).toBe("by its method");
  });

  it("[N-27] are released inside a loop that never yields, and memory with them", async () => {
    const printed = await output(
      `${startSync}
      const py = startSync();
      py.exec("count = 0\\nclass Thing:\\n    def __init__(self):\\n        global count\\n        count += 1\\n    def __del__(self):\\n        global count\\n        count -= 1\\n");
      const make = py.globals.get("Thing");
      for (let i = 0; i < 20_000; i++) make();
      const before = process.memoryUsage.rss();
      let most = 0;
      for (let i = 0; i < 200_000; i++) {
        make();
        if (i % 1000 === 0) most = Math.max(most, py.eval("count"));
      }
      const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
      console.log(JSON.stringify({ most, grown }));
      py.close();`,
    );
    const { most, grown } = JSON.parse(printed) as { most: number; grown: number };
    expect(most).toBeLessThan(150_000);
    expect(grown).toBeLessThan(60);
  });
});
