import { describe, expect, it } from "vitest";
import { JsOp, LentFlag } from "../../src/core/wire/frames.ts";
import { proxy, run } from "../../src/index.ts";
import { ext, extension, raises, refTo, type Scripted, type Sent, scriptedPython, tupleOf, turn, wireError } from "./scripted/index.ts";

/** Lends a value; its id. */
async function lend({ py, sent }: Scripted, value: unknown): Promise<number> {
  await py.import("m").f([value]);
  const [, , args] = (sent[sent.length - 1] as Sent).instructions[2] as [string, number, [[{ tag: string; operands: [number] }]]];
  expect(args[0][0].tag).toBe("js");
  return args[0][0].operands[0];
}
const start = (): Promise<Scripted> => scriptedPython({ always: () => [null] });

describe("callbacks", () => {
  it("the same object has the same id while it is lent, and introductions count", async () => {
    const s = await start();
    const f = (): number => 1;
    const id = await lend(s, f);
    expect(await lend(s, f)).toBe(id);
    expect(await lend(s, () => 1)).not.toBe(id);
    s.backend.host.forget([id, 1]);
    expect(await lend(s, f)).toBe(id);
    s.backend.host.forget([id, 2]);
    expect(await lend(s, f)).not.toBe(id);
  });

  it("a lent object comes back as itself", async () => {
    const s = await start();
    class Point {}
    const point = new Point();
    const id = await lend(s, point);
    s.backend.answers = [[extension("js", id)]];
    expect(await s.py.import("m").g()).toEqual([point]);
    s.backend.answers = [extension("js", id)];
    expect(await s.py.import("m").g()).toBe(point);
  });

  it("a call gets its arguments, and keyword arguments as a last plain object", async () => {
    const s = await start();
    const seen: unknown[][] = [];
    const id = await lend(s, (...args: unknown[]) => {
      seen.push(args);
      return args.length;
    });
    expect(await s.backend.call(id, JsOp.CALL, tupleOf([1, "two"]), {})).toEqual([99, true, 2]);
    expect(await s.backend.call(id, JsOp.CALL, tupleOf([1]), { key: 2 })).toEqual([99, true, 2]);
    expect(seen).toEqual([
      [1, "two"],
      [1, { key: 2 }],
    ]);
  });

  it("what a callback throws is in the answer, as the very value", async () => {
    const s = await start();
    const error = new RangeError("mine");
    const id = await lend(s, () => {
      throw error;
    });
    const [token, ok, value] = (await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as [
      number,
      boolean,
      { tag: string; operands: unknown[] },
    ];
    expect([token, ok, value.tag]).toEqual([99, false, "thrown"]);
    const [name, message, stack, thrown] = value.operands as [string, string, string, { operands: number[] }];
    expect([name, message]).toEqual(["RangeError", "mine"]);
    expect(stack).toContain("callbacks.test");
    s.backend.answers = [
      raises({ name: "JsException", type: "_isopy.JsException", message: "mine", js: extension("js", thrown.operands[0]) }),
    ];
    await expect(run(s.py.import("m").g())).rejects.toMatchObject({ name: "PythonError", type: "JsException", cause: error });
    const caught = await run(s.py.import("m").g()).catch((e: unknown) => e);
    expect(caught).toBeNull();
  });

  it("thrown data comes back too", async () => {
    const s = await start();
    const id = await lend(s, () => {
      throw "text";
    });
    const [, ok, value] = (await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as [number, boolean, { operands: unknown[] }];
    expect([ok, value.operands]).toEqual([false, ["string", "text", "", "text"]]);
  });

  it("a PythonError that a callback throws is the exception itself again", async () => {
    const s = await start();
    s.backend.answers = [raises({ id: 12 })];
    const error = await run(s.py.import("m").g()).catch((e: unknown) => e);
    const id = await lend(s, () => {
      throw error;
    });
    const [, , value] = (await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as [number, boolean, { operands: unknown[] }];
    expect(value).toEqual(ext("exception", 12));
  });

  it("an answer that cannot cross is an error of that call", async () => {
    const s = await start();
    const id = await lend(s, () => [new Date(Number.NaN)]);
    const [, ok, value] = (await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as [number, boolean, { operands: unknown[] }];
    expect(ok).toBe(false);
    expect(value.operands[1]).toContain("cannot be sent to Python");
  });

  it("properties are read, set, deleted and listed on the real object", async () => {
    const s = await start();
    class Box {
      #secret = 7;
      a = 1;
      class = "x";
      get secret(): number {
        return this.#secret;
      }
      add(n: number): number {
        return this.#secret + n;
      }
    }
    const box = new Box();
    const id = await lend(s, box);
    const { backend } = s;
    expect(await backend.call(id, JsOp.GET, "secret")).toEqual([99, true, 7]);
    expect(await backend.call(id, JsOp.GET, "class_")).toEqual([99, true, "x"]);
    expect(await backend.call(id, JsOp.METHOD, "add", tupleOf([1]), {})).toEqual([99, true, 8]);
    expect(await backend.call(id, JsOp.SET, "a", 5)).toEqual([99, true, null]);
    expect(box.a).toBe(5);
    expect(await backend.call(id, JsOp.DELETE, "a")).toEqual([99, true, null]);
    expect("a" in box).toBe(false);
    const [, ok, missing] = (await backend.call(id, JsOp.GET, "a")) as [number, boolean, { operands: unknown[] }];
    expect([ok, missing.operands[0]]).toEqual([false, "AttributeError"]);
    const [, , names] = (await backend.call(id, JsOp.KEYS)) as [number, boolean, string[]];
    expect(names).toEqual(expect.arrayContaining(["class", "secret", "add"]));
    expect(await backend.call(id, JsOp.TEXT)).toEqual([99, true, "[object Object]"]);
    expect(await backend.call(id, JsOp.EQUALS, extension("js", id))).toEqual([99, true, true]);
  });

  it("classes are constructed, and what is made stays in JavaScript", async () => {
    const s = await start();
    const id = await lend(s, Map);
    const [, ok, made] = (await s.backend.call(id, JsOp.NEW, tupleOf([[["a", 1]]]), {})) as [
      number,
      boolean,
      { tag: string; operands: [number] },
    ];
    expect([ok, made.tag]).toEqual([true, "js"]);
    expect(await s.backend.call(made.operands[0], JsOp.GETITEM, "a")).toEqual([99, true, 1]);
  });

  it("containers that were lent answer as containers", async () => {
    const s = await start();
    const { backend } = s;
    const map = new Map<unknown, unknown>([["k", 1]]);
    const m = await lend(s, proxy(map));
    expect(await backend.call(m, JsOp.LENGTH)).toEqual([99, true, 1]);
    expect(await backend.call(m, JsOp.GETITEM, "k")).toEqual([99, true, 1]);
    expect(await backend.call(m, JsOp.CONTAINS, "k")).toEqual([99, true, true]);
    await backend.call(m, JsOp.SETITEM, "l", 2);
    await backend.call(m, JsOp.DELITEM, "k");
    expect([...map]).toEqual([["l", 2]]);
    const name = async (answer: unknown): Promise<unknown> => ((await answer) as [0, false, { operands: [string] }])[2].operands[0];
    expect(await name(backend.call(m, JsOp.GETITEM, "k"))).toBe("KeyError");
    const list = [1, 2, 3];
    const l = await lend(s, proxy(list));
    expect(await backend.call(l, JsOp.GETITEM, -1)).toEqual([99, true, 3]);
    expect(await backend.call(l, JsOp.GETITEM, extension("slice", null, null, -1))).toEqual([99, true, [3, 2, 1]]);
    expect(await name(backend.call(l, JsOp.GETITEM, 3))).toBe("IndexError");
    await backend.call(l, JsOp.SETITEM, 0, 9);
    await backend.call(l, JsOp.DELITEM, 1);
    expect(list).toEqual([9, 3]);
    expect(await backend.call(l, JsOp.TRUTH)).toEqual([99, true, true]);
    list.length = 0;
    expect(await backend.call(l, JsOp.TRUTH)).toEqual([99, true, false]);
  });

  it("iterators answer with pages and close", async () => {
    const s = await start();
    const log: string[] = [];
    function* count(): Generator<number, string> {
      try {
        yield 1;
        yield 2;
        return "end";
      } finally {
        log.push("closed");
      }
    }
    const id = await lend(s, { [Symbol.iterator]: count });
    const [, , iterator] = (await s.backend.call(id, JsOp.ITERATE)) as [number, boolean, { operands: [number, number] }];
    expect((iterator.operands[1] & LentFlag.ITERATOR) !== 0).toBe(true);
    expect(await s.backend.call(iterator.operands[0], JsOp.NEXT, 1)).toEqual([99, true, [false, [1], null]]);
    expect(await s.backend.call(iterator.operands[0], JsOp.NEXT, 5)).toEqual([99, true, [true, [2], "end"]]);
    expect(log).toEqual(["closed"]);
  });

  it("async iterators answer later, one item at a time", async () => {
    const s = await start();
    async function* items(): AsyncGenerator<number> {
      yield 1;
    }
    const id = await lend(s, items());
    const [, , iterator] = (await s.backend.call(id, JsOp.ITERATE)) as [number, boolean, { operands: [number] }];
    expect(await s.backend.call(iterator.operands[0], JsOp.NEXT, 4)).toEqual([99, true, [false, [1], null]]);
    expect(await s.backend.call(iterator.operands[0], JsOp.NEXT, 4)).toEqual([99, true, [true, [], null]]);
    expect(await s.backend.call(iterator.operands[0], JsOp.RETURN)).toEqual([99, true, null]);
  });

  it("a promise is lent at once and awaited when Python asks", async () => {
    const s = await start();
    const id = await lend(s, async (n: number) => n * 2);
    const answer = s.backend.call(id, JsOp.CALL, tupleOf([4]), {});
    expect(answer).not.toBeInstanceOf(Promise);
    const [, ok, promise] = (await answer) as [number, boolean, { tag: string; operands: [number, number] }];
    expect([ok, promise.tag, promise.operands[1] & LentFlag.THENABLE]).toEqual([true, "js", LentFlag.THENABLE]);
    expect(await s.backend.call(promise.operands[0], JsOp.AWAIT)).toEqual([99, true, 8]);
  });

  it("an expression that a callback returns becomes a promise", async () => {
    const s = await start();
    const id = await lend(s, () => s.py.import("m").h());
    const [, , promise] = (await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as [number, boolean, { operands: [number, number] }];
    expect(promise.operands[1] & LentFlag.THENABLE).toBe(LentFlag.THENABLE);
    s.backend.answers = [41];
    expect(await s.backend.call(promise.operands[0], JsOp.AWAIT)).toEqual([99, true, 41]);
  });

  it("proxy(fn, { async: true }) answers later", async () => {
    const s = await start();
    let release!: (value: number) => void;
    const id = await lend(
      s,
      proxy(() => new Promise<number>((resolve) => (release = resolve)), { async: true }),
    );
    const [, , args] = (s.sent[0] as Sent).instructions[2] as [string, number, [[{ operands: [number, number] }]]];
    expect(args[0][0].operands[1] & LentFlag.ASYNC).toBe(LentFlag.ASYNC);
    const answer = s.backend.call(id, JsOp.CALL, tupleOf([]), {});
    expect(answer).toBeInstanceOf(Promise);
    release(3);
    expect(await answer).toEqual([99, true, 3]);
  });

  it("a once-callback runs once", async () => {
    const s = await start();
    const id = await lend(
      s,
      proxy(() => 1, { once: true }),
    );
    expect(await s.backend.call(id, JsOp.CALL, tupleOf([]), {})).toEqual([99, true, 1]);
    expect(((await s.backend.call(id, JsOp.CALL, tupleOf([]), {})) as unknown[])[1]).toBe(false);
  });

  it("a marked array or object is lent instead of copied", async () => {
    const s = await start();
    const shared = proxy({ a: 1 });
    const id = await lend(s, shared);
    s.backend.answers = [extension("js", id)];
    expect(await s.py.import("m").g()).toBe(shared);
    expect(() => proxy(5 as never)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => proxy([], { async: true })).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => proxy(() => 1, { asynch: true } as never)).toThrow(/Did you mean "async"/);
  });

  it("an id that is not lent, or an unknown operation, is an error in the answer", async () => {
    const s = await start();
    const id = await lend(s, () => 1);
    const [, ok, first] = (await s.backend.call(1234, JsOp.CALL, tupleOf([]), {})) as [number, boolean, { operands: unknown[] }];
    expect([ok, first.operands[0]]).toEqual([false, "EngineError"]);
    const [, , second] = (await s.backend.call(id, 99)) as [number, boolean, { operands: [string, string] }];
    expect(second.operands[1]).toContain("unknown operation");
  });

  it("refs among the arguments of a callback are live", async () => {
    const s = await start();
    let got: unknown;
    const id = await lend(s, (x: unknown) => {
      got = x;
    });
    await s.backend.call(id, JsOp.CALL, tupleOf([refTo(8, "Frame")]), {});
    expect(String(got)).toBe("<PyRef Frame #8>");
    await turn();
    expect(s.py.handles.count).toBe(1);
  });

  it("errors as values are PythonErrors, not thrown", async () => {
    const s = await start();
    s.backend.answers = [wireError({ id: 3 })];
    expect(await s.py.import("m").g()).toMatchObject({ name: "PythonError", type: "ValueError" });
  });
});
