/**
 * Arrays of one axis that the addon copies and views itself: what `_isopy` and its reader make of them, always.
 *
 * `toJs` of an awaited facade goes through `_isopy`, that of the synchronous one through the addon as soon as
 * `_isopy` has called the type simple.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createPython, NDArray, type Python, ref, release, toJs } from "isopy";
import { createPythonSync, type SyncPython, toJs as toJsNow } from "isopy/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { native, output, python, root } from "./support.ts";

let py: Python;
let now: SyncPython;
beforeAll(async () => {
  py = await createPython(native);
  now = createPythonSync(python === undefined ? {} : { python });
  await py.exec("import array, ctypes");
  now.exec("import array, ctypes");
  // By `_isopy`, which learns the types.
  for (const source of ["array.array('d')", "memoryview(bytearray(1))"]) await toJs(await ref(py.eval(source)));
});
afterAll(async () => {
  now.close();
  await py.close();
});

const SOURCES = [
  ...[..."bBhHiIlLqQfd"].flatMap((code) => [`array.array('${code}', [1, 2, 3])`, `array.array('${code}')`]),
  "array.array('q', [-(2 ** 63), 2 ** 63 - 1])",
  "array.array('d', range(100_000))",
  "array.array('u', 'ab')",
  "memoryview(b'abc')",
  "memoryview(bytearray(b'abcd'))[1:3]",
  "memoryview(bytearray(b'abcd'))[::2]",
  "memoryview(bytearray(b'abcd'))[::-1]",
  "memoryview(bytearray(b'abcd'))[1:2:3]",
  "memoryview(bytearray(12)).cast('B', [3, 4])",
  "memoryview(bytearray(8)).cast('d', [])",
  "memoryview(bytearray(b'\\0\\1')).cast('?')",
  "memoryview(bytearray(b'ab')).cast('c')",
  "memoryview(array.array('d', range(9)))[7:0:-3]",
  "memoryview(bytearray(17))[1:].cast('d')",
  "(ctypes.c_int * 2)(3, 4)",
  "memoryview((ctypes.c_int.__ctype_be__ * 2)(3, 4))",
  "bytearray(b'abc')",
];

/** What it gave, or the code of its error; with the kind, which `toEqual` does not see. */
const told = (value: unknown): unknown =>
  value instanceof NDArray
    ? { kind: "NDArray", ...value, data: told(value.data) }
    : ArrayBuffer.isView(value)
      ? { kind: value.constructor.name, offset: value.byteOffset, whole: value.buffer.byteLength === value.byteLength, value }
      : value;
const caught = (error: unknown) => ({ error: (error as { code?: string; type?: string }).type ?? (error as { code?: string }).code });

describe.each([undefined, { view: true }] as const)("toJs(array, %o)", (options) => {
  it.each(SOURCES)("of %s is the same from the addon and from _isopy", async (source) => {
    const slowly = await ref(py.eval(source)).then((array) => toJs(array, options).then(told, caught));
    const builtins = now.import("builtins", { convert: "ref" });
    const modules = builtins.dict({ array: now.import("array"), ctypes: now.import("ctypes") });
    let quickly: unknown;
    try {
      quickly = told(toJsNow(builtins.eval(source, modules), options));
    } catch (error) {
      quickly = caught(error);
    }
    expect(quickly).toEqual(slowly);
  });
});

describe("an array that the addon took", () => {
  it("is none that _isopy was asked for", async () => {
    const printed = await output(`
      import { createPythonSync, toJs } from "isopy/sync";
      const { backend: _, ...options } = native;
      const python = createPythonSync(options);
      python.exec("import array");
      const [first, second] = [python.eval("array.array('d', [1])"), python.eval("array.array('d', [2])")];
      toJs(first);
      python.exec("import _isopy.copying\\ndef to_js(*_): raise LookupError\\n_isopy.copying.to_js = to_js");
      console.log(toJs(second)[0], toJs(second, { view: true })[0]);
      try { toJs(python.eval("object()")); } catch (error) { console.log(error.type); }`);
    expect(printed).toBe("2 2\nLookupError");
  });

  it("as a copy belongs to JavaScript, and Python may resize its own at once", () => {
    const numbers = now.eval("array.array('d', [1, 2])");
    const copy = toJsNow<Float64Array>(numbers);
    copy[0] = 5;
    numbers.append(3);
    expect(now.eval("list(a)", { locals: { a: numbers } })).toEqual([1, 2, 3]);
    expect([...copy]).toEqual([5, 2]);
    expect(release(copy)).toBe(false);
  });

  it("as a view is pinned until its release, before anything that is called next", async () => {
    const numbers = now.eval("array.array('d', [1, 2])");
    const grow = now.eval("lambda a: a.append(1)");
    for (let round = 0; round < 100; round++) {
      const views = [0, 1, 2].map(() => toJsNow<Float64Array>(numbers, { view: true }));
      expect(() => grow(numbers)).toThrow(/BufferError/);
      expect(views.map((view) => release(view))).toEqual([true, true, true]);
      expect(views.map((view) => view.length)).toEqual([0, 0, 0]);
      grow(numbers);
      if (round % 10 === 0) await new Promise(setImmediate);
    }
    expect(now.builtins.len(numbers)).toBe(102);
  });

  it("is let go of after its release when nobody calls Python again", async () => {
    const printed = await output(`
      import { createPythonSync, toJs } from "isopy/sync";
      import { release } from "isopy";
      const { backend: _, ...options } = native;
      const python = createPythonSync(options);
      python.exec(${JSON.stringify("import array, threading\nbig = array.array('d', [1])\ntaken, grown = threading.Event(), []\ndef watch(done):\n    taken.wait()\n    while True:\n        try:\n            big.append(2)\n            break\n        except BufferError: pass\n    done()")});
      toJs(python.eval("array.array('d')"));
      const alive = setInterval(() => {}, 1000);
      const done = new Promise((resolve) => python.exec("threading.Thread(target=watch, args=(done,), daemon=True).start()", { locals: { done: resolve } }));
      const view = toJs(python.eval("big"), { view: true });
      python.exec("taken.set()");
      release(view);
      await done;
      clearInterval(alive);
      console.log(view.length);`);
    expect(printed).toBe("0");
  });

  it("goes through a rule of the user first", () => {
    const ruled = createPythonSync(python === undefined ? {} : { python });
    try {
      ruled.exec("import array");
      const numbers = ruled.eval("array.array('d', [1])");
      expect(toJsNow(numbers)).toEqual(Float64Array.of(1));
      ruled.rules.add({ python: "array.array", encode: "list" });
      expect(toJsNow(numbers)).toEqual([1]);
    } finally {
      ruled.close();
    }
  });

  it("obeys limits and options", () => {
    const small = createPythonSync({ ...(python === undefined ? {} : { python }), limits: { maxBytes: 4096 } });
    try {
      small.exec("import array");
      expect(toJsNow(small.eval("array.array('d', [1])"))).toEqual(Float64Array.of(1));
      expect(() => toJsNow(small.eval("array.array('d', range(1000))"))).toThrow(expect.objectContaining({ code: "ERR_LIMIT" }));
    } finally {
      small.close();
    }
    const numbers = now.eval("array.array('d', [1])");
    expect(() => toJsNow(numbers, { view: true, other: 1 } as object)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => toJsNow(numbers, null as unknown as object)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });

  it("is a copy where the runtime allows no foreign memory", async () => {
    const printed = await output(
      `import { createPythonSync, toJs } from "isopy/sync";
      const { backend: _, ...options } = native;
      const python = createPythonSync(options);
      python.exec("import array; numbers = array.array('d', [1, 2])");
      toJs(python.eval("array.array('d')"));
      const view = toJs(python.eval("numbers"), { view: true });
      view[0] = 7;
      console.log(view.length, python.eval("numbers[0]"));`,
      { env: { ISOPY_EXTERNAL_MEMORY: "0" } },
    );
    expect(printed).toBe("2 1");
  });
});

const venv = join(root, ".cache", "arrow", "venv", "bin", "python");
/** `scripts/setup/arrow.mjs` installs it. */
const absent = !existsSync(join(root, ".cache", "arrow", "complete"));

it.skipIf(absent)("NumPy's arrays are the same from the addon and from _isopy", async () => {
  const dtypes = "? b B h H i I q Q e f d F D >i4 >f8 M8[ns] m8[s] U3 S3 O"
    .split(" ")
    .map((dtype) => `np.array([1, 0]).astype('${dtype}')`);
  const others = [
    "np.zeros(0)",
    "np.array(1.5)",
    "np.zeros((2, 3))",
    "np.arange(6)[::2]",
    "np.arange(6)[::-1]",
    "np.arange(6)[2:4]",
    "np.arange(6)[3:4]",
    "np.zeros((2, 3))[0]",
    "np.zeros((2, 3))[:, 1]",
    "np.broadcast_to(1.0, 3)",
    "np.ma.array([1.0, 2.0], mask=[0, 1])",
    "np.matrix([1, 2])",
    "np.zeros(2, dtype=[('a', 'i4')])",
    "np.frombuffer(bytes(17), dtype='u1', offset=1).view('f8')",
    "np.frombuffer(bytearray(17), dtype='u1', offset=1).view('f8')",
    "np.frombuffer(b'abc', dtype='u1')",
    "np.arange(100_000)",
    "np.array([1, 2]).view(type('Own', (np.ndarray,), {}))",
    "np.array([], dtype='i4')",
  ];
  const printed = await output(`
    import { createPython, NDArray, ref, toJs } from "isopy";
    import { createPythonSync, toJs as toJsNow } from "isopy/sync";
    import { inspect, isDeepStrictEqual } from "node:util";
    const options = { python: ${JSON.stringify(venv)} };
    const py = await createPython({ backend: "native", ...options });
    const now = createPythonSync(options);
    await py.exec("import numpy as np"); now.exec("import numpy as np");
    await toJs(await ref(py.eval("np.zeros(2)")));
    const told = (value) => value instanceof NDArray ? { ...value, data: told(value.data) }
      : ArrayBuffer.isView(value) ? [value.constructor.name, value.byteOffset, value.buffer.byteLength, [...value]] : inspect(value).replace(/#\\d+/g, "#");
    const caught = (error) => [error.code, error.type, error.message];
    for (const view of [undefined, { view: true }]) {
      for (const source of ${JSON.stringify([...dtypes, ...others])}) {
        const slowly = await toJs(await ref(py.eval(source)), view).then(told, caught);
        let quickly;
        try { quickly = told(toJsNow(now.eval(source), view)); } catch (error) { quickly = caught(error); }
        if (!isDeepStrictEqual(slowly, quickly)) console.log(source, view, slowly, quickly);
      }
    }
    now.close();
    await py.close();`);
  expect(printed).toBe("");
});
