import { describe, expect, it } from "vitest";
import { handlesOf, kw, ref, run, scope, toJs, type Untyped } from "../../src/index.ts";
import { extension, refTo, scriptedPython, turn } from "./scripted/index.ts";

describe("handles", () => {
  it("the same handle is the same ref, and each introduction counts", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(5, "Box"), refTo(5, "Box"), [refTo(5), refTo(5)]] });
    const m = py.import("m");
    const a = await m.a;
    const b = await m.b;
    expect(a).toBe(b);
    const [c, d] = await m.c();
    expect([c, d]).toEqual([a, a]);
    expect(py.handles.count).toBe(1);
    expect(py.handles.list()).toMatchObject([{ id: 5, type: "Box", count: 4 }]);
    a[Symbol.dispose]();
    await turn();
    expect(backend.released).toEqual([5, 4]);
    expect(py.handles.count).toBe(0);
  });

  it("disposing twice releases once", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(5)] });
    const a = await py.import("m").a;
    a[Symbol.dispose]();
    a[Symbol.dispose]();
    await a[Symbol.asyncDispose]();
    await turn();
    expect(backend.released).toEqual([5, 1]);
  });

  it("using disposes at the end of the block", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(5)] });
    {
      using a = await ref(py.import("m").a);
      expect(a).toBeDefined();
    }
    await turn();
    expect(backend.released).toEqual([5, 1]);
  });

  it("a disposed ref says so, as target and as argument", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(5, "Box")] });
    const a = await py.import("m").a;
    a[Symbol.dispose]();
    const expected = { code: "ERR_HANDLE_DISPOSED", message: expect.stringContaining("Box #5") };
    await expect(run(a.x)).rejects.toMatchObject(expected);
    await expect(run(a())).rejects.toMatchObject(expected);
    await expect(run(py.import("m").f([{ a }]))).rejects.toMatchObject(expected);
    await expect(run(py.import("m").f(kw({ a })))).rejects.toMatchObject(expected);
    expect(sent).toHaveLength(1);
  });

  it("a handle that comes again after its release is a new ref", async () => {
    const { py } = await scriptedPython({ replies: [refTo(5), refTo(5)] });
    const m = py.import("m");
    const a = await m.a;
    a[Symbol.dispose]();
    const b = await m.b;
    expect(b).not.toBe(a);
    await expect(run(a.x)).rejects.toMatchObject({ code: "ERR_HANDLE_DISPOSED" });
    expect(py.handles.list()).toMatchObject([{ id: 5, count: 1 }]);
  });

  it("what only looks is fetched again after its ref was disposed; a call is not", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(5), refTo(6), refTo(7)] });
    const m = py.import("m");
    const first = await m;
    first[Symbol.dispose]();
    const second = await m;
    expect(second).not.toBe(first);
    const made = m.make();
    (await made)[Symbol.dispose]();
    await expect(run((await made).x)).rejects.toMatchObject({ code: "ERR_HANDLE_DISPOSED" });
    expect(sent).toHaveLength(3);
  });

  it("a ref that a program uses is released after it", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(5)] });
    const a = await py.import("m").a;
    const result = run(a.work());
    a[Symbol.dispose](); // what was started before still runs
    await turn();
    expect(backend.sent).toHaveLength(2);
    expect(backend.released).toEqual([]);
    backend.reply(2, 1);
    expect(await result).toBe(1);
    await turn();
    expect(backend.released).toEqual([5, 1]);
  });

  it("handles are negative targets, and refs inside arguments are marked", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(5), 1] });
    const a = await py.import("m").a;
    await a.x(a, [a]);
    expect(sent[1]?.instructions[0]).toEqual(["get", -5, "x"]);
    expect(sent[1]?.instructions[1]).toEqual(["call", 0, [{ tag: "ref", operands: [5] }, [{ tag: "ref", operands: [5] }]]]);
  });

  it("run, ref and toJs of a ref are programs with its value", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(5), 1, refTo(6), [1]] });
    const a = await py.import("m").a;
    expect(await run(a)).toBe(1);
    expect(await ref(a)).toBeDefined();
    expect(await toJs(a)).toEqual([1]);
    expect(sent.slice(1).map((p) => p.outputs)).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
    expect(sent[1]?.instructions).toEqual([["value", { tag: "ref", operands: [5] }]]);
  });

  it("the handles inside a result belong to it", async () => {
    const { py, backend } = await scriptedPython({ replies: [[refTo(5), { x: refTo(6) }]] });
    const result = await py.import("m").f();
    const held = handlesOf(result);
    expect(held).toHaveLength(2);
    held[Symbol.dispose]();
    await turn();
    expect(backend.released).toEqual([5, 1, 6, 1]);
  });

  it("a scope disposes what it owns, keeps what it returns", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(1), refTo(2), [refTo(3)], refTo(4), refTo(5)] });
    const m = py.import("m");
    let outside: unknown;
    const kept = await scope(async (s) => {
      await s(m.a());
      await s.ref(m.b());
      s.use(await m.c());
      outside = s.keep(await s.run(m.d()));
      return s(m.e());
    });
    await turn();
    expect(backend.released).toEqual([1, 1, 2, 1, 3, 1]);
    expect(py.handles.list().map(({ id }) => id)).toEqual([4, 5]);
    expect(outside).toBeDefined();
    expect(kept).toBeDefined();
  });

  it("a scope disposes when its body throws, and its refs say why they are dead", async () => {
    const { py } = await scriptedPython({ replies: [refTo(1)] });
    let escaped: Untyped;
    await expect(
      scope(async (s) => {
        escaped = await s(py.import("m").a());
        throw new RangeError("stop");
      }),
    ).rejects.toThrow("stop");
    expect(py.handles.count).toBe(0);
    await expect(run(escaped.x)).rejects.toMatchObject({
      code: "ERR_HANDLE_DISPOSED",
      message: expect.stringContaining("scope"),
      hint: expect.stringContaining("keep"),
    });
  });

  it("releases of a turn are one batch", async () => {
    const { py, backend } = await scriptedPython({ replies: [[1, 2, 3].map((id) => refTo(id))] });
    const batches: number[][] = [];
    backend.release = (batch) => batches.push([...batch]);
    const refs: { [Symbol.dispose](): void }[] = await py.import("m").f();
    for (const r of refs) r[Symbol.dispose]();
    await turn();
    expect(batches).toEqual([[1, 1, 2, 1, 3, 1]]);
  });

  it("a collected ref is released", async () => {
    const { py, backend } = await scriptedPython({ replies: [refTo(77)] });
    const released = new Promise<void>((resolve) => {
      backend.release = (batch) => {
        expect(batch).toEqual([77, 1]);
        resolve();
      };
    });
    const node = py.import("m").a;
    await run(node, { await: true, none: "undefined" });
    const gc = (globalThis as { gc?: () => void }).gc ?? (await exposeGc());
    for (let i = 0; i < 50; i++) {
      gc();
      await turn();
    }
    await released;
  });

  it("the leak report names types, and with trace the place", async () => {
    const { py } = await scriptedPython({ replies: [refTo(1, "DataFrame"), refTo(2, "DataFrame")], create: { trace: true } });
    const held = [await py.import("m").a(), await py.import("m").b()];
    expect(held).toHaveLength(2);
    expect(py.handles.report()).toContain("2 × DataFrame");
    expect(py.handles.list()[0]?.stack).toBeTypeOf("string");
  });

  it("enum members are one object each, and go back as their handle", async () => {
    const red = extension("enum", 9, "RED", 1, "Color");
    const { py, sent } = await scriptedPython({ replies: [red, [red, red], 1] });
    const m = py.import("m");
    const a = await m.red();
    expect(await m.reds()).toEqual([a, a]);
    expect(py.handles.count).toBe(0);
    await m.f(a);
    expect(sent[2]?.instructions[2]).toEqual(["call", 1, [{ tag: "enum", operands: [9] }]]);
  });

  it("import with convert: ref keeps everything in Python", async () => {
    const { py, sent } = await scriptedPython({ replies: [refTo(1, "list"), refTo(2, "NoneType"), refTo(1, "list")] });
    const sys = py.import("sys", { convert: "ref" });
    const path = await sys.path;
    await path.insert(0, "x");
    expect(sent.map((p) => p.outputs[1])).toEqual([1, 1]);
    const plain = await ref(py.import("sys").path);
    expect(plain).not.toBe(path);
    path[Symbol.dispose]();
    expect(py.handles.list().map(({ id }) => id)).toContain(1);
  });
});

async function exposeGc(): Promise<() => void> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
