/** Views of Python's memory: shared both ways, pinned as long as JavaScript has them, safe at every end. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createPython, type NDArray, type PyRef, type Python, ref, release, run, toJs } from "isopy";
import { createPythonSync, type SyncPython, toJs as toJsNow } from "isopy/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectGarbage, until } from "../seeds/garbage.ts";
import { native, output, python, root } from "./support.ts";

let py: Python;
let now: SyncPython;
beforeAll(async () => {
  py = await createPython(native);
  now = createPythonSync(python === undefined ? {} : { python });
  await py.exec`import array`;
  now.exec`import array`;
});
afterAll(async () => {
  now.close();
  await py.close();
});

/** What appending to it raises; null when it grows. */
async function resized(bytes: PyRef): Promise<string | null> {
  return run(bytes["append"](0)).then(
    () => null,
    (error: { type: string }) => error.type,
  );
}

describe("a view", () => {
  it("shows what Python writes, and Python sees what it is written", async () => {
    const numbers = await py.eval<PyRef>("array.array('d', [1, 2, 3])");
    const view = await toJs<Float64Array>(numbers, { view: true });
    expect(view).toEqual(Float64Array.of(1, 2, 3));
    view[1] = 20;
    expect(await py.eval("list(a)", { locals: { a: numbers } })).toEqual([1, 20, 3]);
    await py.exec("a[2] = 30", { locals: { a: numbers } });
    expect(view[2]).toBe(30);
  });

  it("is the same on the synchronous facade", () => {
    const numbers = now.eval("array.array('i', [1, 2, 3])");
    const view = toJsNow<Int32Array>(numbers, { view: true });
    expect(view).toEqual(Int32Array.of(1, 2, 3));
    view.set([7, 8, 9]);
    expect(now.builtins.list(numbers)).toEqual([7, 8, 9]);
    numbers[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    expect(view[0]).toBe(7);
  });

  it("says so: capabilities.sharedMemory", () => {
    expect(py.info.capabilities.sharedMemory).toBe(true);
    expect(now.info.capabilities.sharedMemory).toBe(true);
  });

  it("[N-76] pins its object: a bytearray cannot be resized until the view is released", async () => {
    const bytes = await ref(py.eval("bytearray(b'abc')"));
    const view = await toJs<Uint8Array>(bytes, { view: true });
    expect(await resized(bytes)).toBe("BufferError");
    expect(release(view)).toBe(true);
    expect(view.length).toBe(0);
    expect(await resized(bytes)).toBeNull();
    expect(release(view)).toBe(false);
  });

  it("[N-76] is let go of when it is collected, without anybody asking", async () => {
    const bytes = await ref(py.eval("bytearray(b'abc')"));
    await toJs(bytes, { view: true });
    await until(async () => {
      await collectGarbage();
      return (await resized(bytes)) === null;
    });
  });

  it("[N-76] keeps the memory when Python has dropped the object and the ref is disposed", async () => {
    const bytes = await ref(py.eval("bytearray(b'x' * 100_000)"));
    const view = await toJs<Uint8Array>(bytes, { view: true });
    bytes[Symbol.dispose]();
    await py.exec("import gc; gc.collect(); junk = [bytearray(100_000) for _ in range(100)]");
    expect(view.every((byte) => byte === 120)).toBe(true);
  });

  it("of one object may exist several times; each pins for itself", async () => {
    const bytes = await ref(py.eval("bytearray(b'abc')"));
    const [first, second] = [await toJs<Uint8Array>(bytes, { view: true }), await toJs<Uint8Array>(bytes, { view: true })];
    first[0] = 0;
    expect(second[0]).toBe(0);
    release(first);
    expect(second.length).toBe(3);
    expect(await resized(bytes)).toBe("BufferError");
    release(second);
    expect(await resized(bytes)).toBeNull();
  });

  it("keeps shape, strides and offset of a memoryview", async () => {
    const matrix = await toJs<NDArray>(await py.eval("memoryview(bytearray(range(6))).cast('B', [2, 3])"), { view: true });
    expect(matrix).toMatchObject({ dtype: "uint8", shape: [2, 3], strides: [3, 1], offset: 0 });
    const backwards = await toJs<NDArray>(await py.eval("memoryview(array.array('h', range(10)))[8:1:-3]"), { view: true });
    expect(backwards).toMatchObject({ dtype: "int16", shape: [3], strides: [-3] });
    expect([...backwards]).toEqual([8, 5, 2]);
    backwards[Symbol.dispose]();
    expect(backwards.data.length).toBe(0);
  });

  it("of nothing is empty and pins nothing", async () => {
    const bytes = await ref(py.eval("bytearray()"));
    expect(await toJs(bytes, { view: true })).toEqual(new Uint8Array());
    expect(await resized(bytes)).toBeNull();
  });

  it("comes back as what a copy of it would be", async () => {
    const bytes = await ref(py.eval("bytearray(b'abc')"));
    const view = await toJs<Uint8Array>(bytes, { view: true });
    expect(await py.eval("type(v).__name__", { locals: { v: view } })).toBe("bytearray");
  });

  it("of what is inside a container is shared where that is possible", async () => {
    const held = await ref(py.eval("{'numbers': array.array('d', [1]), 'text': 'x', 'bytes': b'y'}"));
    const view = await toJs<{ numbers: Float64Array }>(held, { view: true });
    expect(view).toEqual({ numbers: Float64Array.of(1), text: "x", bytes: Uint8Array.of(121) });
    view.numbers[0] = 5;
    expect(await py.eval("h['numbers'][0]", { locals: { h: held } })).toBe(5);
  });
});

it.for([
  "bytearray(b'abc')",
  "bytearray()",
  ...[..."bBhHiIlLqQfd"].map((code) => `__import__('array').array('${code}', [1, 2, 3])`),
  "memoryview(bytearray(12)).cast('B', [3, 4])[::2]",
  "memoryview(__import__('array').array('d', range(9)))[7:0:-3]",
  "memoryview(bytearray(2)).cast('?')",
  "memoryview(b'ab')",
  "(__import__('ctypes').c_int * 2)(3, 4)",
])("the addon's own writer and _isopy describe %s alike", async (source) => {
  const builtins = now.import("builtins", { convert: "ref" });
  const written = await toJs(await ref(py.eval(source)), { view: true }); // by _isopy, which learns the type
  expect(toJsNow(builtins.eval(source), { view: true })).toEqual(written); // by the addon, where it is a simple one
});

describe("what cannot be shared", () => {
  it("is copied when it is read-only, and says so", async () => {
    const bytes = await ref(py.eval("b'abc'"));
    expect(await toJs(bytes, { view: true })).toEqual(Uint8Array.of(97, 98, 99));
    const view = await toJs<NDArray>(await py.eval("memoryview(b'abc')"), { view: true });
    expect(view).toMatchObject({ readonly: true, dtype: "uint8", shape: [3] });
    expect(release(view)).toBe(false);
  });

  it("is refused when a copy would lose what is written", async () => {
    const foreign = await py.eval<PyRef>("(__import__('ctypes').c_int.__ctype_be__ * 2)()");
    await expect(toJs(foreign, { view: true })).rejects.toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    const odd = await py.eval<PyRef>("memoryview((__import__('ctypes').c_char * 9)()).cast('B')[1:].cast('d')");
    await expect(toJs(odd, { view: true })).rejects.toThrow(/not aligned/);
    const released = await py.eval<PyRef>("(lambda m: (m.release(), m)[1])(memoryview(bytearray(1)))");
    await expect(toJs(released, { view: true })).rejects.toThrow(/released/);
    await expect(run(py.eval("[1]"), { view: true, convert: "ref" })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });

  it("leaves nothing pinned when the value is refused after all", async () => {
    const small = await createPython({ ...native, limits: { maxBytes: 4096 } });
    try {
      const both = await ref(small.eval("[memoryview(b := bytearray(3)), 'x' * 5000, b]"));
      await expect(toJs(both, { view: true })).rejects.toMatchObject({ code: "ERR_LIMIT" });
      expect(await small.eval("(h[0].release(), h[2].append(1))[1]", { locals: { h: both } })).toBeNull();
    } finally {
      await small.close();
    }
  });
});

describe("moving a view's memory", () => {
  const script = (body: string, node?: string) =>
    output(
      `
    import { createPython, toJs, ref, release } from "isopy";
    const py = await createPython(native);
    await py.exec("import array");
    const numbers = await py.eval("array.array('d', [1, 2, 3])");
    const view = await toJs(numbers, { view: true });
    ${body}
    await py.close();
  `,
      node === undefined ? {} : { node },
    );

  it("structuredClone copies or refuses, and never takes the memory away", async () => {
    const printed = await script(`
      let clone;
      try { clone = structuredClone(view, { transfer: [view.buffer] }); } catch (error) { console.log(error.name); }
      if (clone !== undefined) console.log([...clone].join());
      if (view.length > 0) { view[0] = 9; console.log(await py.eval("a[0]", { locals: { a: numbers } })); }
    `);
    expect(["1,2,3\n9", "DataCloneError\n9"]).toContain(printed);
  });

  // Node 20 has no such method.
  const newer = join(root, ".cache", "node-24", "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  it.skipIf(!existsSync(newer))("ArrayBuffer.prototype.transfer keeps it pinned for the new owner", async () => {
    const printed = await script(
      `
      const moved = new Float64Array(view.buffer.transfer());
      moved[0] = 9;
      const seen = await py.eval("a[0]", { locals: { a: numbers } });
      const pinned = await py.eval("a.append(1)", { locals: { a: numbers } }).then(() => false, () => true);
      console.log(seen, view.length, moved.length, pinned, release(view));
    `,
      newer,
    );
    expect(printed).toBe("9 0 3 true false");
  });

  it("closing the engine leaves the memory valid", async () => {
    const printed = await output(`
      import { createPython, toJs } from "isopy";
      const other = await createPython(native);
      const py = await createPython(native);
      const view = await toJs(await py.eval("__import__('array').array('d', range(100000))"), { view: true });
      await py.close();
      await other.exec("junk = [bytearray(800000) for _ in range(50)]");
      view[5] += 1;
      console.log(view[5], view[99999], view.length);
      await other.close();
      console.log(view[5]);
    `);
    expect(printed).toBe("6 99999 100000\n6");
  });

  it("the end of the process and of a worker with views alive is no crash", async () => {
    const printed = await output(`
      import { Worker } from "node:worker_threads";
      import { once } from "node:events";
      const code = \`
        import { parentPort } from "node:worker_threads";
        import { createPython, toJs } from "isopy";
        const py = await createPython(\${JSON.stringify(native)});
        globalThis.views = [];
        for (let i = 0; i < 20; i++) views.push(await toJs(await py.eval("memoryview(bytearray(1000))"), { view: true, convert: "copy" }));
        parentPort.postMessage(views.length);
      \`;
      const workers = [1, 2].map(() => new Worker(code, { eval: true, type: "module" }));
      await Promise.all(workers.map((worker) => once(worker, "message")));
      await Promise.all(workers.map((worker) => worker.terminate()));
      const { createPythonSync, toJs } = await import("isopy/sync");
      const py = createPythonSync(native.python === undefined ? {} : { python: native.python });
      globalThis.views = Array.from({ length: 20 }, () => toJs(py.eval("memoryview(bytearray(1000))"), { view: true }));
      console.log(views.length, py.eval("len(__import__('gc').get_objects()) > 0"));
    `);
    expect(printed).toBe("20 true");
  });
});

it("[N-75] where foreign memory is forbidden a view is a copy, with the same bytes, and pins nothing", async () => {
  const printed = await output(
    `
    import { createPython, ref, toJs, release } from "isopy";
    const py = await createPython(native);
    const bytes = await ref(py.eval("bytearray(range(256)) * 100"));
    const view = await toJs(bytes, { view: true });
    console.log(py.info.capabilities.sharedMemory, view.length, view[255], view[25599]);
    await bytes.append(1);
    console.log(release(view));
    await py.close();
  `,
    { env: { ISOPY_EXTERNAL_MEMORY: "0" } },
  );
  expect(printed).toBe("false 25600 255 255\nfalse");
});
