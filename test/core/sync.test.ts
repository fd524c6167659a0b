import { describe, expect, it } from "vitest";
import type { BackendHost, LoanCalls, Program, Reply, Scalar, SyncCalls, SyncOutcome, SyncRefs } from "../../src/core/backend.ts";
import { optionReader } from "../../src/core/options.ts";
import { readCoreOptions } from "../../src/core/start.ts";
import { createSyncFacade } from "../../src/core/sync.ts";
import type { SyncPython } from "../../src/core/sync-facade.ts";
import { enter, scope } from "../../src/core/sync-facade.ts";
import { call, delItem, get, item, iterate, ref, run, set, setItem, toJs } from "../../src/core/sync-verbs.ts";
import { HandleFlag, JsOp } from "../../src/core/wire/frames.ts";
import { EngineError, isRef, kw, PythonError, tuple, type Untyped, view } from "../../src/index.ts";
import {
  type Answer,
  info,
  output,
  raises,
  readProgram,
  refTo,
  ScriptedBackend,
  type Sent,
  stream,
  tupleOf,
  unpickle,
} from "./scripted/index.ts";

/** Refs that live as long as the test, and how often each was introduced. */
class ScriptedRefs implements SyncRefs {
  readonly held = new Map<string, { ref: object | undefined; count: number }>();

  known(handle: number, keep: boolean): object | undefined {
    const entry = this.held.get(`${handle} ${keep}`) ?? { ref: undefined, count: 0 };
    this.held.set(`${handle} ${keep}`, entry);
    entry.count++;
    return entry.ref;
  }
  bind(handle: number, keep: boolean, ref: object): void {
    const entry = this.held.get(`${handle} ${keep}`) ?? { ref, count: 1 };
    entry.ref = ref;
    this.held.set(`${handle} ${keep}`, entry);
  }
  unbind(handle: number, keep: boolean): number {
    const count = this.held.get(`${handle} ${keep}`)?.count ?? 0;
    this.held.delete(`${handle} ${keep}`);
    return count;
  }
  sweep(): number {
    return this.held.size;
  }
  live(): readonly (readonly [object, number])[] {
    return [...this.held.values()].map(({ ref, count }) => [ref as object, count] as const);
  }
  clear(): void {
    this.held.clear();
  }
}

/** An engine whose synchronous calls answer what the test says, and whose log says what was asked. */
class ScriptedSync implements SyncCalls {
  outcome: SyncOutcome = 0;
  readonly flags = 0;
  readonly typeName = "";
  readonly refs = new ScriptedRefs();
  readonly log: unknown[][] = [];
  readonly sent: Sent[] = [];
  answers: Answer[] = [];

  #next(): Scalar | Uint8Array {
    if (this.answers.length === 0) throw new Error("nothing was scripted");
    const { kind, payload } = output(this.answers.shift());
    this.outcome = kind;
    return payload;
  }
  call(handle: number, args: readonly Scalar[]): Scalar | Uint8Array {
    this.log.push(["call", handle, ...args]);
    return this.#next();
  }
  callStream(handle: number, operands: Uint8Array): Scalar | Uint8Array {
    this.log.push(["callStream", handle, unpickle(operands)]);
    return this.#next();
  }
  callRefs(handle: number, mask: number, args: readonly Scalar[], keep: boolean): Scalar | Uint8Array {
    this.log.push(["callRefs", handle, mask, ...args, keep]);
    return this.#next();
  }
  convert(handle: number, mode: number): Scalar | Uint8Array {
    this.log.push(["convert", handle, mode]);
    return this.#next();
  }
  get(handle: number, name: string, keep: boolean): Scalar | Uint8Array {
    this.log.push(["get", handle, name, keep]);
    return this.#next();
  }
  set(handle: number, name: string, value: Scalar): Scalar | Uint8Array {
    this.log.push(["set", handle, name, value]);
    return this.#next();
  }
  item(handle: number, key: Scalar): Scalar | Uint8Array {
    this.log.push(["item", handle, key]);
    return this.#next();
  }
  setItem(handle: number, key: Scalar, value: Scalar): Scalar | Uint8Array {
    this.log.push(["setItem", handle, key, value]);
    return this.#next();
  }
  /** Nothing is loaded, so every import is a program. */
  module(): null {
    this.outcome = 0;
    return null;
  }
  run(program: Program): Reply {
    this.sent.push(readProgram(program));
    return { outputs: [output(this.answers.shift())] };
  }
}

interface Started {
  readonly python: SyncPython;
  readonly calls: ScriptedSync;
  readonly backend: ScriptedBackend;
}

const start = (...answers: Answer[]): Started => startWith(new ScriptedSync(), ...answers);

function startWith(calls: ScriptedSync, ...answers: Answer[]): Started {
  const backend = new ScriptedBackend();
  calls.answers = answers;
  (backend as { sync?: SyncCalls }).sync = calls;
  let host!: BackendHost;
  const options = readCoreOptions(optionReader("createPythonSync", {}));
  const python = createSyncFacade(
    backend,
    (_options, given) => {
      host = given;
      return info;
    },
    () => {},
    options,
  );
  backend.host = host;
  return { python, calls, backend };
}

describe("lent memory", () => {
  const lending = (calls: ScriptedSync, kept = false): void => {
    let next = 100;
    (calls as { loans?: LoanCalls }).loans = {
      lend(bytes, format, width, readonly) {
        calls.log.push(["lend", [...bytes], format, width, readonly]);
        return next++;
      },
      end(count) {
        calls.log.push(["end", count]);
        return !kept;
      },
    };
  };
  const lender = (kept: boolean, ...answers: Answer[]) => {
    const calls = new ScriptedSync();
    lending(calls, kept);
    return startWith(calls, refTo(1, "function"), ...answers);
  };

  it("is a handle among the arguments, and ends with the call", () => {
    const { python, calls } = lender(false, 3);
    const f = python.eval("f");
    expect(f(view(Uint8Array.of(1, 2)), 5)).toBe(3);
    expect(calls.log).toEqual([
      ["lend", [1, 2], "B", 1, false],
      ["callRefs", 1, 1, 100, 5, false],
      ["end", 1],
    ]);
  });

  it("is one inside a list, too; each place is a loan", () => {
    const { python, calls } = lender(false, 3);
    const one = view(Int16Array.of(1), { readonly: true });
    expect(python.eval("f")([one], kw({ a: one }))).toBe(3);
    expect(calls.log.map(([what]) => what)).toEqual(["lend", "lend", "callStream", "end"]);
    expect(calls.log.at(-1)).toEqual(["end", 2]);
  });

  it("ends when the call raises, and when another argument cannot cross", () => {
    const { python, calls } = lender(true, raises({ name: "ValueError" }));
    const f = python.eval("f");
    expect(() => f(view(Uint8Array.of(1)))).toThrow(PythonError);
    expect(calls.log.at(-1)).toEqual(["end", 1]);
    calls.log.length = 0;
    const hostile = {
      get x(): never {
        throw new RangeError("no");
      },
    };
    expect(() => f([view(Uint8Array.of(1))], hostile)).toThrow(RangeError);
    expect(calls.log.map(([what]) => what)).toEqual(["lend", "end"]);
  });

  it("that Python kept is a typed error with the result", () => {
    const { python } = lender(true, "done");
    const f = python.eval("f");
    let error: unknown;
    try {
      f(view(Uint8Array.of(1)));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "ERR_VIEW_KEPT", details: { result: "done" } });
  });

  it("is refused where memory cannot be held", () => {
    const { python, calls } = start(refTo(1, "function"));
    const f = python.eval("f");
    expect(() => f(view(Uint8Array.of(1)))).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
    expect(calls.log).toEqual([]);
  });
});

describe("the synchronous facade", () => {
  it("a get and a call evaluate at once; data is copied", () => {
    const { python, calls } = start(refTo(1, "module"), refTo(2, "function"), '{"a": 1}');
    expect(python.import("json").dumps({ a: 1 })).toBe('{"a": 1}');
    expect(calls.sent[0]?.instructions).toEqual([["import", "json"]]);
    expect(calls.log).toEqual([
      ["get", 1, "dumps", false],
      ["callStream", 2, [[{ a: 1 }], null]],
    ]);
  });

  it("scalars cross without a stream, and are not cached", () => {
    const { python, calls } = start(refTo(1), 3, [1, 2], null);
    const f = python.import("m");
    expect(f(1, "a")).toBe(3);
    expect(f(null, undefined, 2n, true)).toEqual([1, 2]);
    expect(f()).toBeNull();
    expect(calls.log).toEqual([
      ["call", 1, 1, "a"],
      ["call", 1, null, undefined, 2n, true],
      ["call", 1],
    ]);
  });

  it("kwargs, containers and refs are a stream", () => {
    const { python, calls } = start(refTo(1), 1, 2, 3);
    const f = python.import("m");
    f(1, kw({ k: 2 }));
    f([f], tuple([1]));
    f(() => 1);
    expect(calls.log.slice(0, 2)).toEqual([
      ["callStream", 1, [[1], { k: 2 }]],
      ["callStream", 1, [[[{ tag: "ref", operands: [1] }], [1]], null]],
    ]);
    expect(calls.log[2]).toMatchObject(["callStream", 1, [[{ tag: "js" }], null]]);
  });

  it("errors are thrown where the call was, with the stack of that place", () => {
    const { python } = start(refTo(1), raises({ message: "bad" }), raises(), raises());
    const f = python.import("m");
    function here() {
      return f(1);
    }
    let error: unknown;
    try {
      here();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PythonError);
    const lines = ((error as Error).stack ?? "").split("\n");
    expect(lines[1]).toContain("py app.py:7");
    expect(lines[2]).toContain("here");
    expect(() => f.attribute).toThrow(PythonError);
    expect(() => python.eval`1/0`).toThrow(PythonError);
  });

  it("convert: ref keeps everything in Python", () => {
    const { python, calls } = start(refTo(1), refTo(2, "list"), refTo(3), refTo(4), refTo(2));
    const sys = python.import("sys", { convert: "ref" });
    expect(isRef(sys.path.insert(0, "x"))).toBe(true);
    expect(sys.path).toBeDefined();
    expect(calls.log).toEqual([
      ["get", 1, "path", true],
      ["get", 2, "insert", true],
      ["callRefs", 3, 0, 0, "x", true],
      ["get", 1, "path", true],
    ]);
  });

  it("verbs evaluate at once", () => {
    const { python, calls } = start(refTo(1), 1, null, 2, null, 3, 4, refTo(5), [6], 7n);
    const x = python.import("m");
    expect(get(x, "then")).toBe(1);
    expect(set(x, "a", 1)).toBeNull();
    expect(item(x, "k")).toBe(2);
    expect(delItem(x, "k")).toBeNull();
    expect(call(x, [1], { a: 2 })).toBe(3);
    expect(run(x)).toBe(4);
    expect(isRef(ref(x))).toBe(true);
    expect(toJs(x)).toEqual([6]);
    expect(calls.log).toEqual([
      ["get", 1, "then", false],
      ["set", 1, "a", 1],
      ["item", 1, "k"],
      ["convert", 1, 2],
    ]);
    expect(calls.sent.map((p) => p.instructions.at(-1)?.[0])).toEqual(["import", "delitem", "call", "value", "value"]);
    expect(calls.sent.map((p) => p.outputs[1])).toEqual([0, 0, 0, 0, 1]);
  });

  it("verbs with more than scalars are programs", () => {
    const { python, calls } = start(refTo(1), null, 2, null, 3);
    const x = python.import("m");
    set(x, "a", [1]);
    item(x, tuple([0, 1]));
    setItem(x, "k", x);
    item(x, { k: 1 });
    expect(calls.log).toEqual([]);
    expect(calls.sent.map((p) => p.instructions.at(-1)?.[0])).toEqual(["import", "set", "item", "setitem", "item"]);
  });

  it("refs among scalars cross as handles", () => {
    const { python, calls } = start(refTo(1), refTo(2), 5, 6);
    const f = python.import("m");
    const g = python.import("n");
    expect(f(1, g, "x", f)).toBe(5);
    expect(f(g, [g])).toBe(6);
    expect(calls.log).toEqual([
      ["callRefs", 1, 0b1010, 1, 2, "x", 1, false],
      ["callStream", 1, [[{ tag: "ref", operands: [2] }, [{ tag: "ref", operands: [2] }]], null]],
    ]);
  });

  it("iteration is for … of, in pages, and closes early", () => {
    const generator = refTo(9, "generator", HandleFlag.ITERATOR);
    const { python, calls } = start(
      generator,
      refTo(10),
      tupleOf([false, [1], null]),
      tupleOf([false, [2, 3], null]),
      tupleOf([true, [4], "end"]),
    );
    expect([...python.eval`gen()`]).toEqual([1, 2, 3, 4]);
    expect(calls.sent.slice(1).map((p) => p.instructions[0])).toEqual([
      ["iter", -9],
      ["next", -10, 1, 8],
      ["next", -10, 2, 8],
      ["next", -10, 4, 8],
    ]);
    const early = start(generator, refTo(10), tupleOf([false, [1], null]), null);
    for (const x of iterate(early.python.eval`gen()`, { window: 1 })) {
      expect(x).toBe(1);
      break;
    }
    expect(early.calls.sent.at(-1)?.instructions[0]).toEqual(["close", -10]);
  });

  it("callbacks run inside the call", () => {
    const { python, calls, backend } = start(refTo(1), 2);
    const f = python.import("m");
    const seen: unknown[] = [];
    calls.callStream = (handle, operands) => {
      const [[lent]] = unpickle(operands) as [[{ operands: [number] }]];
      expect(backend.call(lent.operands[0], JsOp.CALL, tupleOf([handle]), {})).toEqual([99, true, "answered"]);
      calls.outcome = 0;
      return 5;
    };
    expect(
      f((x: number) => {
        seen.push(x);
        return "answered";
      }),
    ).toBe(5);
    expect(seen).toEqual([1]);
  });

  it("with: the value, the exit, and suppression", () => {
    const { python, calls } = start(refTo(1), refTo(1), "value", false, refTo(1), "value", true);
    const manager = python.import("m");
    expect(enter(manager, (value: unknown) => `${String(value)}!`)).toBe("value!");
    expect(
      enter(manager, () => {
        throw new Error("swallowed");
      }),
    ).toBeUndefined();
    expect(calls.sent.map((p) => p.instructions[0]?.[0])).toEqual(["import", "value", "enter", "exit", "value", "enter", "exit"]);
  });

  it("a disposed or scoped ref says so", () => {
    const { python } = start(refTo(1), refTo(2));
    const f = python.import("m");
    f[Symbol.dispose]();
    expect(() => f(1)).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
    let escaped: Untyped;
    scope((use) => {
      escaped = use(python.import("n"));
    });
    expect(() => escaped.x).toThrow(expect.objectContaining({ code: "ERR_HANDLE_DISPOSED" }));
  });

  it("after close everything is ERR_CLOSED", () => {
    const { python } = start();
    python.close();
    expect(() => python.eval`1`).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
  });

  it("globals are read and written", () => {
    const { python, calls } = start(1, null, true, null);
    expect(python.globals.get("x")).toBe(1);
    python.globals.set("x", 2);
    expect(python.globals.has("x")).toBe(true);
    python.globals.delete("x");
    expect(calls.sent.map((p) => p.instructions[0]?.[0])).toEqual(["global", "setglobal", "eval", "delglobal"]);
  });

  it("stream helpers agree", () => {
    expect(unpickle(stream([1]))).toEqual([1]);
  });
});
