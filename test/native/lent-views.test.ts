/** JavaScript's memory in Python for the length of a call: shared both ways, and never dangling, whoever keeps or moves it. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createPython, kw, NDArray, type Python, toJs, type Untyped, type Viewable, view } from "isopy";
import { createPythonSync, type SyncPython, set, toJs as toJsNow } from "isopy/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectGarbage } from "../seeds/garbage.ts";
import { native, output, python, root, startSync, workers } from "./support.ts";

let now: SyncPython;
let test: Untyped;
beforeAll(() => {
  now = createPythonSync(python === undefined ? {} : { python });
  now.exec(`
import sys, types, array
lent = types.ModuleType("lent_test")
exec('''
kept = []
def facts(view):
    return [type(view).__name__, view.format, view.itemsize, list(view.shape), list(view.strides), view.readonly, view.tolist()]
def fill(view, value):
    for i in range(len(view)): view[i] = value
def keep(value):
    kept.append(value)
    return "done"
def keep_more(view):
    kept.append(memoryview(view))
    return {"answer": 42}
def keep_owner(view):
    kept.append(view.obj)
def drop():
    kept.clear()
def first():
    return kept[0][0]
def fails(view):
    inner = memoryview(view)
    raise KeyError("no")
def cycle(view):
    loop = [memoryview(view)]
    loop.append(loop)
    return len(view)
def same(view): return view
def generate(view): yield view[0]
def during(view, function):
    more = memoryview(view)
    function()
    more[0] = 7
    return more[1]
def lengths(*args, **kwargs):
    return [[len(a) for a in args], {k: len(v) for k, v in kwargs.items()}]
def within(parts):
    parts["in"][0][0] = 5
    return parts["in"][0].format
''', lent.__dict__)
sys.modules["lent_test"] = lent`);
  test = now.import("lent_test");
});
afterAll(() => now.close());

const failure = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

describe("view(array) in a synchronous call", () => {
  it.each<[Viewable, string, number]>([
    [Int8Array.of(-1, 2), "b", 1],
    [Uint8Array.of(1, 2), "B", 1],
    [Uint8ClampedArray.of(1, 2), "B", 1],
    [Int16Array.of(-1, 2), "h", 2],
    [Uint16Array.of(1, 2), "H", 2],
    [Int32Array.of(-1, 2), "i", 4],
    [Uint32Array.of(1, 2), "I", 4],
    [BigInt64Array.of(-1n, 2n), "q", 8],
    [BigUint64Array.of(1n, 2n), "Q", 8],
    [Float32Array.of(0.5, 2), "f", 4],
    [Float64Array.of(0.5, 2), "d", 8],
  ])("gives a writable memoryview with the elements of %o", (array, format, width) => {
    const elements = [...(array as Iterable<number | bigint>)].map(Number);
    expect(test.facts(view(array))).toEqual(["memoryview", format, width, [2], [width], false, elements]);
  });

  it("shares what Python writes, and Python sees what was written", () => {
    const array = Float64Array.of(1, 2, 3);
    test.fill(view(array), 4.5);
    expect(array).toEqual(Float64Array.of(4.5, 4.5, 4.5));
  });

  it("takes buffers of every kind at their own offset and length", () => {
    const buffer = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer;
    expect(test.facts(view(buffer)).at(-1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(test.facts(view(new DataView(buffer, 2, 3))).at(-1)).toEqual([3, 4, 5]);
    expect(test.facts(view(Buffer.from("hello"))).at(-1)).toEqual([...Buffer.from("hello")]);
    expect(test.facts(view(new Int16Array(buffer, 2, 2))).at(-1)).toEqual([0x0403, 0x0605]);
    const shared = new SharedArrayBuffer(4);
    test.fill(view(shared), 9);
    test.fill(view(new Uint8Array(shared, 2, 1)), 8);
    expect([...new Uint8Array(shared)]).toEqual([9, 9, 8, 9]);
  });

  it("takes memory that lies in the JavaScript heap, and nothing at all", () => {
    const tiny = new Uint8Array(3);
    test.fill(view(tiny), 3);
    expect(tiny).toEqual(Uint8Array.of(3, 3, 3));
    expect(test.facts(view(new Float64Array()))).toEqual(["memoryview", "d", 8, [0], [8], false, []]);
    expect(test.facts(view(new ArrayBuffer(0)))).toEqual(["memoryview", "B", 1, [0], [1], false, []]);
  });

  it("gives an NDArray its shape, strides and start", () => {
    const matrix = new NDArray(Int32Array.of(0, 1, 2, 3, 4, 5), { shape: [2, 3] });
    expect(test.facts(view(matrix))).toEqual([
      "memoryview",
      "i",
      4,
      [2, 3],
      [12, 4],
      false,
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ]);
    const turned = new NDArray(Int16Array.of(0, 1, 2, 3), { shape: [2], strides: [-2], offset: 3 });
    expect(test.facts(view(turned))).toEqual(["memoryview", "h", 2, [2], [-4], false, [3, 1]]);
    const flags = new NDArray(Uint8Array.of(1, 0), { dtype: "bool", readonly: true });
    expect(test.facts(view(flags))).toEqual(["memoryview", "?", 1, [2], [1], true, [true, false]]);
    expect(test.facts(view(new NDArray(Float64Array.of(1.5), { shape: [] }))).at(-1)).toBe(1.5);
  });

  it("is read-only when that is asked for", () => {
    const bytes = Uint8Array.of(1);
    expect(test.facts(view(bytes, { readonly: true }))[5]).toBe(true);
    expect(() => test.fill(view(bytes, { readonly: true }), 2)).toThrow(/read-?only/);
    expect(bytes[0]).toBe(1);
  });

  it("stands anywhere in the arguments: beside refs and data, in kwargs, in lists, twice", () => {
    const array = Float64Array.of(1, 2, 3);
    const list = now.eval("array.array('b', [1, 2])");
    expect(test.lengths(view(array), "ab", view(array))).toEqual([[3, 2, 3], {}]);
    expect(test.lengths(view(array), [1], kw({ a: view(array), b: "x" }))).toEqual([[3, 1], { a: 3, b: 1 }]);
    expect(test.within({ in: [view(array), view(array)] })).toBe("d");
    expect(array[0]).toBe(5);
    const one = view(array);
    expect(test.lengths(one, one, [one])).toEqual([[3, 3, 1], {}]);
    expect(test.lengths(one)).toEqual([[3], {}]);
    expect(test.lengths(list, view(array), "ab")).toEqual([[2, 3, 2], {}]);
  });

  it("works in every call that is evaluated at once", () => {
    const array = Float64Array.of(1, 2);
    const keeping = now.import("lent_test", { convert: "ref" });
    expect(toJsNow(keeping.lengths(view(array)))).toEqual([[2], {}]);
    expect(now.eval("sum(a)", { locals: { a: view(array) } })).toBe(3);
    now.exec("a[0] = 10", { locals: { a: view(array) } });
    expect(array[0]).toBe(10);
    expect(now.eval`len(${view(array)})`).toBe(2);
  });

  it("nests: a callback may lend the same memory to another call", () => {
    const array = Float64Array.of(1, 2);
    expect(test.during(view(array), () => test.fill(view(array), 5))).toBe(5);
    expect(array).toEqual(Float64Array.of(7, 5));
  });
});

describe("after the call", () => {
  it("a memoryview that Python kept is released", () => {
    expect(test.keep(view(Uint8Array.of(1)))).toBe("done");
    expect(() => test.first()).toThrow(/operation forbidden on released memoryview object/);
    test.drop();
    const back = test.same(view(Uint8Array.of(1)));
    expect(() => now.builtins.len(back)).toThrow(/released memoryview/);
    expect(() => now.builtins.next(test.generate(view(Uint8Array.of(1))))).toThrow(/released memoryview/);
  });

  it("an attribute that was set to one holds a released one", () => {
    const box = now.eval("types.SimpleNamespace()");
    set(box, "a", view(Uint8Array.of(1)));
    expect(() => now.eval("b.a[0]", { locals: { b: box } })).toThrow(/released memoryview/);
  });

  it("what Python exported further is a typed error that has the result, and stays valid", async () => {
    let array: Float64Array | undefined = new Float64Array(100_000).fill(3);
    const error = failure(() => test.keep_more(view(array as Float64Array)));
    expect(error).toMatchObject({ code: "ERR_VIEW_KEPT", details: { result: { answer: 42 } } });
    array[0] = 4;
    expect(test.first()).toBe(4);
    array = undefined;
    for (let round = 0; round < 5; round++) await collectGarbage();
    expect(now.eval("sys.modules['lent_test'].kept[0][99_999]")).toBe(3);
    test.drop();
  });

  it("the same for a list of arguments and for evaluated source", () => {
    const keep = now.eval("lambda parts: lent.kept.append(memoryview(parts[0]))");
    expect(failure(() => keep([view(Uint8Array.of(1))]))).toMatchObject({ code: "ERR_VIEW_KEPT" });
    expect(failure(() => now.exec("lent.kept.append(memoryview(a))", { locals: { a: view(Uint8Array.of(1)) } }))).toMatchObject({
      code: "ERR_VIEW_KEPT",
    });
    test.drop();
  });

  it("the object behind the memoryview gives nobody another one", () => {
    test.keep_owner(view(Uint8Array.of(1)));
    expect(() => now.eval("memoryview(lent.kept[0])")).toThrow(/call that this memory was lent for is over/);
    expect(() => now.eval("memoryview(type(lent.kept[0])())")).toThrow(/is over/);
    test.drop();
  });

  it("garbage is not kept", () => {
    expect(test.cycle(view(Uint8Array.of(1, 2)))).toBe(2);
  });

  it("what the call raised goes first, and the call after it is as ever", () => {
    expect(failure(() => test.fails(view(Uint8Array.of(1))))).toMatchObject({ type: "KeyError" });
    expect(failure(() => test.fails([view(Uint8Array.of(1))]))).toMatchObject({ type: "TypeError" });
    expect(test.lengths(view(Uint8Array.of(1)))).toEqual([[1], {}]);
  });

  it("no handle is left", () => {
    const before = now.handles.count;
    for (let i = 0; i < 10; i++) test.lengths(view(Uint8Array.of(1)), [view(Uint8Array.of(1))]);
    expect(now.handles.count).toBe(before);
  });
});

describe("memory that moves", () => {
  const move = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] });

  it("a buffer that is transferred during the call stays where Python saw it", async () => {
    const array = new Float64Array(1000).fill(2);
    let moved: ArrayBuffer | undefined;
    expect(test.during(view(array), () => (moved = move(array.buffer)) && undefined)).toBe(2);
    expect(array.length).toBe(0);
    expect(new Float64Array(moved as ArrayBuffer)[0]).toBe(7);
  });

  it("and its memory outlives the one that it was transferred to", () => {
    const printed = () => {
      const array = new Float64Array(100_000).fill(2);
      return test.during(view(array), () => {
        move(array.buffer);
        globalThis.gc?.();
      });
    };
    expect(printed()).toBe(2);
  });

  it("is refused when it is detached, resizable, or Python's own", () => {
    const gone = Float64Array.of(1);
    move(gone.buffer);
    expect(failure(() => test.same(view(gone)))).toMatchObject({
      code: "ERR_NOT_CONVERTIBLE",
      message: expect.stringContaining("detached"),
    });
    expect(failure(() => test.same(view(gone.buffer)))).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    const Resizable = ArrayBuffer as unknown as new (size: number, options: { maxByteLength: number }) => ArrayBuffer;
    const elastic = new Resizable(8, { maxByteLength: 64 });
    expect(failure(() => test.same(view(elastic)))).toMatchObject({
      code: "ERR_NOT_CONVERTIBLE",
      message: expect.stringContaining("resizable"),
    });
    expect(failure(() => test.same([view(new Uint8Array(elastic, 2))]))).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    const pythons = toJsNow<Uint8Array>(now.eval("array.array('B', [1])"), { view: true });
    expect(failure(() => test.same(view(pythons)))).toMatchObject({
      code: "ERR_NOT_CONVERTIBLE",
      hint: expect.stringContaining("Python object"),
    });
    const strings = new NDArray(["a"], { dtype: "str" });
    expect(failure(() => test.same(view(strings)))).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    expect(failure(() => test.same(view(new NDArray(BigInt64Array.of(1n), { dtype: "datetime64[ns]" }))))).toMatchObject({
      code: "ERR_NOT_CONVERTIBLE",
    });
  });

  it("a growable SharedArrayBuffer is lent at the length that it has", () => {
    const Growable = SharedArrayBuffer as unknown as new (
      size: number,
      options: { maxByteLength: number },
    ) => SharedArrayBuffer & { grow(size: number): void };
    const shared = new Growable(4, { maxByteLength: 1 << 16 });
    expect(test.during(view(shared), () => shared.grow(1 << 16))).toBe(0);
    expect(new Uint8Array(shared)[0]).toBe(7);
  });

  it("the memory of a WebAssembly instance may grow meanwhile", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    expect(test.during(view(memory.buffer), () => void memory.grow(50))).toBe(0);
  });
});

describe("where no call is made at once", () => {
  let py: Python;
  beforeAll(async () => {
    py = await createPython(native);
  });
  afterAll(() => py.close());

  it("view() is refused with what to write, and nothing is copied", async () => {
    const refused = { code: "ERR_UNSUPPORTED", hint: expect.stringContaining("isopy/sync") };
    await expect(py.builtins.len(view(Uint8Array.of(1)))).rejects.toMatchObject(refused);
    await expect(py.builtins.len([view(Uint8Array.of(1))])).rejects.toMatchObject(refused);
    await expect(py.eval("a", { locals: { a: view(Uint8Array.of(1)) } })).rejects.toMatchObject(refused);
    const isolated = await py.context({ isolation: "interpreter" });
    await expect(toJs(isolated.builtins.len(view(Uint8Array.of(1))))).rejects.toMatchObject(refused);
    await isolated.close();
  });

  it("nor is it what a function of JavaScript returns", () => {
    expect(failure(() => now.builtins.list(now.builtins.map(() => view(Uint8Array.of(1)), [1])))).toMatchObject({
      message: expect.stringContaining("view() lends memory for the length of a synchronous call"),
    });
  });

  it("only memory can be lent", () => {
    for (const wrong of [[1], null, 1, "text", {}, now.builtins]) {
      expect(failure(() => view(wrong as never))).toMatchObject({ code: "ERR_ARGUMENT" });
    }
    expect(failure(() => view(new Uint8Array(1), { writable: true } as never))).toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("at the end of things", () => {
  it("an engine that is closed during the call leaves the memory valid", async () => {
    const printed = await output(`
      ${startSync}
      import { view } from "isopy";
      const py = startSync();
      const use = py.eval("lambda view, close: (lambda more: (close(), more.__setitem__(0, 7)))(memoryview(view))");
      const array = new Float64Array(1000);
      console.log(use(view(array), () => py.close())?.length, array[0]);
    `);
    expect(printed).toBe("2 7");
  });

  it("memory of a worker that has ended is Python's until it lets go of it", async () => {
    const printed = await output(`
      ${startSync} ${workers}
      const py = startSync();
      py.exec("import sys, types; sys.modules['kept'] = types.ModuleType('kept'); sys.modules['kept'].all = []");
      const worker = start(\`
        const { createPythonSync } = await import("isopy/sync");
        const { view } = await import("isopy");
        const { backend: _, ...options } = native;
        const py = createPythonSync(options);
        const keep = py.eval("lambda view: __import__('kept').all.append(memoryview(view))");
        try { keep(view(new Float64Array(100_000).fill(3))); } catch (error) { parentPort.postMessage(error.code); }
      \`);
      console.log((await once(worker, "message"))[0]);
      await worker.terminate();
      console.log(py.eval("sum(__import__('kept').all[0])"));
      py.exec("__import__('kept').all.clear()");
      console.log(py.eval("1"));
    `);
    expect(printed).toBe("ERR_VIEW_KEPT\n300000\n1");
  });

  it("a worker that is stopped during the call, and the end of the process with memory kept, are no crash", async () => {
    const printed = await output(`
      ${startSync} ${workers}
      import { view } from "isopy";
      const py = startSync();
      const worker = start(\`
        const { createPythonSync } = await import("isopy/sync");
        const { view } = await import("isopy");
        const { backend: _, ...options } = native;
        const py = createPythonSync(options);
        const spin = py.eval("lambda view, tell: (tell(), [memoryview(view)[0] for _ in iter(int, 1)])");
        spin(view(new Float64Array(1000)), () => parentPort.postMessage("in"));
      \`);
      await once(worker, "message");
      await worker.terminate();
      try { py.eval("lambda view: globals().setdefault('k', []).append(memoryview(view))")(view(new Float64Array(1000))); }
      catch (error) { console.log(error.code); }
    `);
    expect(printed).toBe("ERR_VIEW_KEPT");
  });

  it("[N-75] where memory of Python cannot be shown, memory of JavaScript still can be lent", async () => {
    const printed = await output(
      `
      ${startSync}
      import { view } from "isopy";
      const py = startSync();
      const array = new Float64Array(2);
      py.exec("a[1] = 5", { locals: { a: view(array) } });
      console.log([...array].join());
    `,
      { env: { ISOPY_EXTERNAL_MEMORY: "0" } },
    );
    expect(printed).toBe("0,5");
  });

  // Node 20 has no `transfer`.
  const newer = join(root, ".cache", "node-24", "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  it.skipIf(!existsSync(newer))("ArrayBuffer.prototype.transfer to nothing takes no memory from under Python", async () => {
    const printed = await output(
      `
      ${startSync}
      import { view } from "isopy";
      const py = startSync();
      const use = py.eval("lambda view, move: (lambda more: (move(), more.__setitem__(0, 7), more[1])[2])(memoryview(view))");
      const array = new Float64Array(1_000_000).fill(2);
      console.log(use(view(array), () => { array.buffer.transfer(0); gc(); }));
    `,
      { node: newer, flags: ["--expose-gc"] },
    );
    expect(printed).toBe("2");
  });
});

describe("NumPy", () => {
  const venv = process.env["ISOPY_NUMPY_PYTHON"] ?? join(root, ".cache", "venv", "bin", "python");
  const absent = !existsSync(venv) || spawnSync(venv, ["-c", "import numpy"]).status !== 0;
  const program = (body: string) =>
    output(`
      import { createPythonSync, toJs } from "isopy/sync";
      import { NDArray, view } from "isopy";
      const py = createPythonSync({ python: ${JSON.stringify(venv)} });
      const np = py.import("numpy");
      py.exec("import numpy as np");
      ${body}
    `);

  it.skipIf(absent)("has the element type and shape, and writes where JavaScript reads", async () => {
    const printed = await program(`
      const array = Float64Array.of(1, 2, 3);
      console.log(py.eval("str(np.asarray(a).dtype)", { locals: { a: view(array) } }));
      py.exec("x = np.asarray(a); x *= 2; del x", { locals: { a: view(array) } });
      console.log([...array].join());
      const kinds = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array, Float32Array];
      console.log(kinds.map((kind) => py.eval("str(np.asarray(a).dtype)", { locals: { a: view(new kind(2)) } })).join());
      const facts = (array) => JSON.stringify(py.eval("(lambda x: [str(x.dtype), list(x.shape), list(x.strides), x.flags.writeable])(np.asarray(a))", { locals: { a: view(array) } }));
      console.log(facts(new NDArray(new Float32Array(6), { shape: [2, 3], strides: [1, 2] })));
      console.log(facts(new NDArray(new Float64Array(8), { dtype: "complex128", shape: [2, 2] })));
      console.log(facts(new NDArray(Uint8Array.of(1, 0), { dtype: "bool", readonly: true })));
      console.log(np.sum(view(new Float64Array(1_000_000).fill(2))));
    `);
    expect(printed.split("\n")).toEqual([
      "float64",
      "2,4,6",
      "int8,uint8,int16,uint16,int32,uint32,int64,uint64,float32",
      '["float32",[2,3],[4,8],true]',
      '["complex128",[2,2],[32,16],true]',
      '["bool",[2],[1],false]',
      "2000000",
    ]);
  });

  it.skipIf(absent)("keeping an array is told, and the array stays valid; a result that is one is kept, too", async () => {
    const printed = await program(`
      let array = new Float64Array(1_000_000).fill(3);
      const attempt = (work) => { try { return work(); } catch (error) { return error.code; } };
      console.log(attempt(() => py.exec("import builtins; builtins.kept = np.asarray(a)[1:]", { locals: { a: view(array) } })));
      structuredClone(array.buffer, { transfer: [array.buffer] });
      array = undefined;
      console.log(py.eval("float(kept.sum())"));
      py.exec("del builtins.kept");
      console.log(attempt(() => np.asarray(view(new Float64Array(3)))));
      console.log(toJs(np.array(view(Float64Array.of(1, 2)))).join());
    `);
    expect(printed).toBe("ERR_VIEW_KEPT\n2999997\nERR_VIEW_KEPT\n1,2");
  });
});
