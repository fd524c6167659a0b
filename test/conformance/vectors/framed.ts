/**
 * Built-in functions that work on their caller's frame, called from JavaScript: they see the context's globals.
 */
import type { Loose, Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

/** Runs a scene with a global of the default context. */
const withGlobal =
  (scene: (builtins: Loose, t: Runner) => Promise<unknown>) =>
  async (t: Runner): Promise<unknown> => {
    await t.py.globals.set("framed_row", 20);
    try {
      return await scene(t.py.builtins, t);
    } finally {
      await t.py.globals.delete("framed_row");
    }
  };

export const framed = inGroup("handles", [
  {
    name: "builtins.eval sees the globals of the context",
    parts: ["eval"],
    act: withGlobal(async (builtins) => [await builtins.eval("framed_row + 1"), await builtins.eval("(lambda: framed_row)()")]),
    expect: [21, 20],
  },
  {
    name: "builtins.eval with a namespace of its own sees that alone",
    parts: ["eval in a namespace"],
    act: withGlobal(async (builtins) => [await builtins.eval("x + 1", { x: 1 }), await builtins.eval("'framed_row' in globals()", {})]),
    expect: [2, false],
  },
  {
    name: "builtins.exec changes the globals of the context",
    parts: ["exec"],
    act: withGlobal(async (builtins, t) => {
      await builtins.exec("framed_row += 2");
      return await t.py.globals.get("framed_row");
    }),
    expect: 22,
  },
  {
    name: "builtins.dir without an argument names the globals of the context, and with one works on it",
    parts: ["dir"],
    act: withGlobal(async (builtins) => {
      const names = await builtins.dir();
      return [names.includes("framed_row"), names.includes("self"), (await builtins.dir(1)).includes("real")];
    }),
    expect: [true, false, true],
  },
  {
    name: "builtins.globals, locals and vars give the globals of the context",
    parts: ["globals"],
    act: withGlobal(async (builtins, t) => {
      const found: unknown[] = [];
      const kept = t.py.import("builtins", { convert: "ref" });
      for (const name of ["globals", "locals", "vars"]) {
        const all = await kept[name]();
        found.push(await builtins.eval("framed_row", all));
        t.release(all);
      }
      return found;
    }),
    expect: [20, 20, 20],
  },
  {
    name: "a failure inside builtins.eval is Python's own",
    parts: ["failure"],
    act: withGlobal((builtins) => builtins.eval("framed_row / 0")),
    throws: { type: "ZeroDivisionError" },
  },
]);
