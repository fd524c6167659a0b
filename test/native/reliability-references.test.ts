/** The failure catalogue: references and memory. Counts, not estimates: what is alive is asked of Python. */
import { describe, expect, it } from "vitest";
import { output, scale, startSync, workers } from "./support.ts";

/** Python: `make()` gives an object that is counted while it lives; `alive()` is how many. */
const counted = `import gc, weakref
class Counted:
    pass
_all = weakref.WeakSet()
def make():
    one = Counted()
    _all.add(one)
    return one
def alive():
    gc.collect()
    return len(_all)
`;

describe("references", () => {
  it("[N-03] refs that JavaScript's collector drops in eight workers are dropped in Python", async () => {
    const printed = await output(
      `${workers}
      const body = ${JSON.stringify(`
        const py = await createPython(native);
        await py.exec(${JSON.stringify(counted)});
        const make = await py.eval("make");
        for (let round = 0; round < ${3 * scale}; round++) {
          await Promise.all(Array.from({ length: 500 }, () => make().then(() => {})));
          globalThis.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        let left = 1;
        for (let i = 0; left > 0 && i < 200; i++) {
          globalThis.gc();
          await new Promise((resolve) => setTimeout(resolve, 10));
          left = await py.eval("alive()");
        }
        parentPort.postMessage(left);
        await py.close();`)};
      const left = await Promise.all(Array.from({ length: 8 }, async () => (await once(start(body), "message"))[0]));
      console.log(left.join());
    `,
      { flags: ["--expose-gc"] },
    );
    expect(printed).toBe("0,0,0,0,0,0,0,0");
  });

  it("[N-04] a release whose __del__ makes, lends and drops other objects", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec(\`
made = 0
class Evil:
    def __init__(self, depth): self.depth = depth
    def __del__(self):
        global made
        made += 1
        if self.depth: note(Evil(self.depth - 1))
\`);
      const note = (ref) => ref[Symbol.dispose]();
      await py.eval("globals().__setitem__('note', f)", { locals: { f: note } });
      const make = await py.eval("Evil");
      const refs = await Promise.all(Array.from({ length: ${100 * scale} }, () => make(3)));
      for (const ref of refs) ref[Symbol.dispose]();
      while ((await py.eval("made")) < ${400 * scale}) await new Promise((resolve) => setImmediate(resolve));
      console.log(await py.eval("made"), await py.eval("1 + 1"));
      await py.eval("globals().__delitem__('note')");
      await py.close();
    `);
    expect(printed).toBe(`${400 * scale} 2`);
  });

  it("[N-07] objects that wait to be dropped do not disturb process.exit", async () => {
    for (let i = 0; i < 3 * scale; i++) {
      const printed = await output(`
        import { createPython } from "isopy";
        const py = await createPython(native);
        const refs = await Promise.all(Array.from({ length: 2000 }, () => py.builtins.object()));
        for (const ref of refs) ref[Symbol.dispose]();
        console.log("leaving");
        process.exit();
      `);
      expect(printed).toBe("leaving");
    }
  });

  it("[N-31] every use of a disposed ref is the same typed error", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const ref = await py.import("collections").deque([1]);
      ref[Symbol.dispose]();
      const uses = [() => ref.append(1), () => ref.maxlen, () => ref(), async () => { for await (const _ of ref); }, () => py.builtins.len(ref)];
      const codes = [];
      for (const use of uses) codes.push(await (async () => await use())().then(() => "none", (error) => error.code));
      console.log(codes.join());
      await py.close();
    `);
    expect(printed).toBe(Array(5).fill("ERR_HANDLE_DISPOSED").join());
  });

  it("[N-32] a ref sent to another worker is refused, and the worker cannot dispose it", async () => {
    const printed = await output(`${workers}
      const { createPython } = await import("isopy");
      const py = await createPython(native);
      const ref = await py.builtins.object();
      const worker = start("parentPort.once('message', () => {});");
      let refused;
      try { worker.postMessage(ref); } catch (error) { refused = error.name; }
      worker.postMessage("end");
      console.log(refused, py.handles.count);
      await py.close();
    `);
    expect(printed).toBe("DataCloneError 1");
  });

  it("[N-33] cycles through both languages made inside a scope are gone after it", async () => {
    const printed = await output(
      `
      import { createPython, scope, set } from "isopy";
      const py = await createPython(native);
      await py.exec(${JSON.stringify(counted)});
      const lent = new Set();
      await scope(async (s) => {
        for (let i = 0; i < ${100 * scale}; i++) {
          const one = await s(py.eval("make()"));
          const holder = { one, call: () => one };
          lent.add(new WeakRef(holder.call));
          await set(one, "keep", holder.call);
        }
      });
      let left = 1, held = 1;
      for (let i = 0; (left > 0 || held > 0) && i < 300; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10)); // deref() keeps its target until the end of the turn
        globalThis.gc();
        left = await py.eval("alive()");
        held = [...lent].filter((one) => one.deref() !== undefined).length;
      }
      console.log(left, held);
      await py.close();
    `,
      { flags: ["--expose-gc"] },
    );
    expect(printed).toBe("0 0");
  });

  it("[N-23] the library loaded twice in one process uses the one Python that runs", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const again = await import(import.meta.resolve("isopy") + "?again");
      const one = await createPython(native);
      const two = await again.createPython(native);
      console.log(createPython === again.createPython, (await one.eval("id(__import__('sys'))")) === (await two.eval("id(__import__('sys'))")));
      await one.close();
      console.log(await two.eval("1 + 1"));
      await two.close();
    `);
    expect(printed).toBe("false true\n2");
  });

  it("[N-53] values 100,000 deep are a typed error or arrive, both ways, async and sync", async () => {
    const printed = await output(`${startSync}
      import { createPython } from "isopy";
      const py = await createPython(native);
      const sync = startSync();
      let deep = [];
      for (let i = 0; i < 100_000; i++) deep = [deep];
      const source = "__import__('functools').reduce(lambda a, _: [a], range(100000), [])";
      const outcome = (error) => error.code;
      const seen = [
        await py.eval(source).then(() => "arrived", outcome),
        await py.builtins.type(deep).then(() => "arrived", outcome),
      ];
      for (const use of [() => sync.eval(source), () => sync.builtins.type(deep)]) {
        try { use(); seen.push("arrived"); } catch (error) { seen.push(outcome(error)); }
      }
      console.log(seen.join(), await py.eval("1"), sync.eval("2"));
      await py.close();
    `);
    expect(printed).toMatch(/^(ERR_LIMIT,?){4} 1 2$/);
  });
});
