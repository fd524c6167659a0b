import { describe, expect, it } from "vitest";
import { nearest, optionReader } from "../../src/core/options.ts";
import { readCoreOptions } from "../../src/core/start.ts";
import { scope as scopeSync } from "../../src/core/sync-facade.ts";
import { as, release, run, scope, toJs, transfer } from "../../src/index.ts";
import { refTo, scriptedPython, tupleOf } from "./scripted/index.ts";

const read = (options: unknown): unknown => {
  const reader = optionReader("createPython", options);
  const core = readCoreOptions(reader);
  reader.done();
  return core;
};

describe("options", () => {
  it("unknown keys are errors with a suggestion", () => {
    expect(() => read({ pahts: [] })).toThrow(
      expect.objectContaining({
        code: "ERR_OPTION",
        message: expect.stringContaining('createPython: unknown option "pahts". Did you mean "paths"?'),
      }),
    );
    expect(() => read({ somethingElse: 1 })).toThrow(/unknown option "somethingElse"\.\n/);
    expect(() => read({ limits: { maxdepth: 1 } })).toThrow(/Did you mean "maxDepth"/);
  });

  it("values of another type say what was expected and what was there", () => {
    expect(() => read({ paths: "lib" })).toThrow('option "paths" is not an array, each item a string without NUL, but "lib"');
    expect(() => read({ env: { A: 1 } })).toThrow(/"env" is not an object, each value a string/);
    expect(() => read({ startTimeout: -1 })).toThrow(/milliseconds/);
    expect(() => read({ stdout: "file" })).toThrow(/a function/);
    expect(() => read([])).toThrow(/not an object, but an array/);
    expect(() => read({ signal: {} })).toThrow(/AbortSignal/);
    expect(() => read({ limits: { maxBytes: 0 } })).toThrow(/positive integer/);
  });

  it("undefined is not given", () => {
    expect(read({ paths: undefined, signal: undefined })).toMatchObject({ start: { paths: [], startTimeout: 60_000 } });
  });

  it("suggestions stay near", () => {
    expect(nearest("bakend", ["backend", "paths"])).toBe("backend");
    expect(nearest("siganl", ["signal", "timeout"])).toBe("signal");
    expect(nearest("x", ["signal", "timeout"])).toBeUndefined();
  });

  it("conversion options become modes, casts and readings", async () => {
    const { py, sent } = await scriptedPython({ always: () => [[1]] });
    const f = py.import("m").f;
    await run(f(), { convert: "copy" });
    await run(f(), { convert: "ref" });
    await run(f(), { convert: "portable" });
    await run(f(), { await: false });
    await toJs(f(), { convert: "auto", await: false });
    await run(f(), { as: as.list(as.optional(as.int8())) });
    await run(f(), { as: as.object({ a: as.ndarray("float64", 2), b: as.typed(BigInt64Array) }) });
    expect(sent.map((p) => p.outputs[1])).toEqual([2, 1, 3, 8, 8, 0, 0]);
    expect(sent[5]?.instructions[3]).toEqual(["cast", 2, ["list", ["optional", ["int8"]]]]);
    expect(sent[6]?.instructions[3]).toEqual(["cast", 2, ["object", { a: ["ndarray", "float64", 2], b: ["typed", "int64", 1] }]]);
    await expect(run(f(), { convert: "copie" as never })).rejects.toMatchObject({ code: "ERR_OPTION" });
    await expect(run(f(), { as: "int32" as never })).rejects.toMatchObject({ code: "ERR_OPTION" });
    await expect(run(f(), { view: true })).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("readings apply to scalars and streams", async () => {
    const { py } = await scriptedPython({ replies: [null, [null, { a: 1 }], tupleOf([7]), 2n ** 60n] });
    const f = py.import("m").f;
    expect(await run(f(), { none: "undefined" })).toBeUndefined();
    expect(await run(f(), { none: "undefined", dict: "map" })).toEqual([undefined, new Map([["a", 1]])]);
    expect(await run(f(), { int: "bigint" })).toBe(7n);
    await expect(run(f(), { int: "number" })).rejects.toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
  });

  it("a given buffer is detached when it has been sent", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    const bytes = new Uint8Array([1, 2, 3]);
    await py.import("m").f(transfer(bytes));
    expect(sent[0]?.instructions[2]).toEqual(["call", 1, [new Uint8Array([1, 2, 3])]]);
    expect(bytes.byteLength).toBe(0);
    const holder = { pixels: new Uint8Array([9]) };
    await py.import("m").f(transfer(holder, [holder.pixels.buffer as ArrayBuffer]));
    expect(holder.pixels.byteLength).toBe(0);
    expect(() => transfer({})).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  it("verbs that are given the wrong kind of thing say so with a code", async () => {
    const refused = expect.objectContaining({ code: "ERR_ARGUMENT" });
    for (const wrong of [undefined, null, 1, "x", Symbol("s")]) {
      expect(() => release(wrong as never)).toThrow(refused);
      expect(() => transfer(wrong as never, [])).toThrow(refused);
      expect(() => transfer({}, (wrong ?? 0) as never)).toThrow(refused);
      await expect(scope(wrong as never)).rejects.toEqual(refused);
      expect(() => scopeSync(wrong as never)).toThrow(refused);
    }
  });
});

describe("source", () => {
  it("values of a template are bound, never pasted", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    await py.eval`[u for u in ${[1]} if u > ${"'; drop"}]`;
    expect(sent[0]?.instructions[0]).toEqual(["eval", "[u for u in _js0 if u > _js1]", ["_js0", "_js1"], [[1], "'; drop"]]);
  });

  it("names that the source uses itself are left alone", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    await py.eval`_js0 + ${1}`;
    expect(sent[0]?.instructions[0]?.[1]).toBe("_js0 + _js_0");
  });

  it("a string has its locals", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    await py.eval("sum(xs)", { locals: { xs: [1, 2] } });
    await py.exec("pass");
    expect(sent[0]?.instructions[0]).toEqual(["eval", "sum(xs)", ["xs"], [[1, 2]]]);
    expect(sent[1]?.instructions[0]).toEqual(["exec", "pass", [], []]);
    expect(() => py.eval("x", { locals: { "a b": 1 } })).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => py.eval("x", { local: {} } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => py.eval(5 as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  it("backslashes are Python's, and the code's own indent goes", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    await py.exec`
      for line in "a\n":
          print(line, "\`\${x}")
    `;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is Python's text here.
    expect(sent[0]?.instructions[0]?.[1]).toBe('for line in "a\\n":\n    print(line, "`${x}")');
  });

  it("expressions are bound too", async () => {
    const { py, sent } = await scriptedPython({ always: () => [null] });
    await py.eval`${py.import("m").f()} + ${[py.import("m").g()]}`;
    expect(sent).toHaveLength(1);
    expect(sent[0]?.instructions.at(-1)).toMatchObject(["eval", "_js0 + _js1", ["_js0", "_js1"], [{ tag: "slot" }, [{ tag: "slot" }]]]);
  });

  it("globals are instructions", async () => {
    const { py, sent } = await scriptedPython({ always: () => [refTo(1)] });
    await py.globals.get("x").y;
    await py.globals.set("x", undefined);
    await py.globals.delete("x");
    await py.globals.has("x");
    expect(sent.map((p) => p.instructions[0])).toEqual([
      ["global", "x"],
      ["setglobal", "x", null],
      ["delglobal", "x"],
      ["eval", "name in globals()", ["name"], ["x"]],
    ]);
  });
});
