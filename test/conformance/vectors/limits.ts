/**
 * What is too deep, too large or gone: one typed error, nothing half applied, and the engine goes on.
 *
 * `limited()` is an engine with maxDepth 100, maxNodes 1,000, maxBytes 100,000, maxHandles 50, maxCallbacks 20 and maxOutput 1,000.
 */
import { EngineError } from "isopy";
import { matching } from "../match.ts";
import type { Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

type Attempt = (t: Runner) => Promise<unknown>;

/** The code of the failure, and that the engine still answers. */
async function outcome(t: Runner, attempt: Attempt): Promise<readonly unknown[]> {
  let code: unknown = "nothing was thrown";
  try {
    await attempt(t);
  } catch (error) {
    code = error instanceof EngineError ? error.code : error;
  }
  return [code, await t.evaluate({ source: "6 * 7" })];
}
const limit = ["ERR_LIMIT", 42];
const nested = (levels: number): unknown => {
  let value: unknown = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
};
const nestedPython = (levels: number): string => `x = []\nfor _ in range(${levels - 1}): x = [x]`;
const echo =
  (values: () => Record<string, unknown>): Attempt =>
  async (t) =>
    t.evaluate({ source: "x", values: values() });
function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}
/** A view whose memory goes away. */
function orphan<T>(make: (buffer: ArrayBuffer) => T): T {
  const buffer = new ArrayBuffer(8);
  const view = make(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return view;
}
function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

export const limits = inGroup("limits", [
  {
    name: "JavaScript may hold as many objects as maxHandles says, and more again when it has let go of some",
    tags: ["maxHandles"],
    needs: ["promises"],
    act: async (t) => {
      const u = await t.limited();
      const object = async (): Promise<unknown> => u.evaluate({ source: "object()" });
      const held: unknown[] = [];
      let code: unknown;
      while (code === undefined && held.length < 60) {
        try {
          held.push(await object());
        } catch (error) {
          code = (error as EngineError).code;
        }
      }
      const many = held.length;
      u.release(held);
      // What is given back may arrive behind the next call.
      let again: unknown;
      for (let attempt = 0; again === undefined && attempt < 100; attempt++) again = await object().catch(() => undefined);
      u.release(again);
      return [code, many > 30 && many <= 50, u.handles() < 10];
    },
    expect: ["ERR_LIMIT", true, true],
  },
  {
    name: "a value with more objects than there are handles is refused as a whole",
    tags: ["maxHandles"],
    needs: ["promises"],
    act: async (t) => {
      const u = await t.limited();
      const before = u.handles();
      return [...(await outcome(u, (v) => v.evaluate({ source: "[object() for _ in range(60)]" }))), u.handles() - before];
    },
    expect: ["ERR_LIMIT", 42, 0],
  },
  {
    name: "Python may hold as many functions as maxCallbacks says",
    tags: ["maxCallbacks"],
    needs: ["promises"],
    act: async (t) =>
      outcome(await t.limited(), (u) => u.evaluate({ source: "len(x)", values: { x: Array.from({ length: 30 }, (_, n) => () => n) } })),
    expect: limit,
  },
  {
    name: "a program that prints more than maxOutput is told so, and the next one may print",
    tags: ["maxOutput"],
    needs: ["promises"],
    act: async (t) => outcome(await t.limited(), (u) => u.evaluate({ setup: "for _ in range(30): print('x' * 99)", source: "1" })),
    expect: limit,
  },
  {
    name: "what a program prints within maxOutput is no matter, and one that goes on hears of it each time",
    needs: ["promises"],
    tags: ["maxOutput"],
    act: async (t) => {
      const u = await t.limited();
      for (let n = 0; n < 3; n++) await u.evaluate({ setup: "print('x' * 500)", source: "1" });
      return u.evaluate({
        setup: "try:\n  for _ in range(1000): print('x' * 100)\nexcept BaseException as error:\n  said = type(error).__name__",
        source: "said",
      });
    },
    expect: "EngineError",
  },
  {
    name: "a list deeper than maxDepth is refused on its way to JavaScript",
    tags: ["maxDepth"],
    act: async (t) => outcome(await t.limited(), (u) => u.evaluate({ setup: nestedPython(200), source: "x" })),
    expect: limit,
  },
  {
    name: "an array deeper than maxDepth is refused on its way to Python",
    tags: ["maxDepth"],
    act: async (t) =>
      outcome(
        await t.limited(),
        echo(() => ({ x: nested(200) })),
      ),
    expect: limit,
  },
  {
    name: "a list just below maxDepth arrives",
    tags: ["maxDepth"],
    act: async (t) => (await t.limited()).evaluate({ setup: nestedPython(90), source: "x" }),
    expect: matching("90 arrays in one another", (v) => {
      let at: unknown = v;
      let n = 0;
      for (; Array.isArray(at); n++) at = at[0];
      return n === 90;
    }),
  },
  {
    name: "[N-53] the default depth of 10,000 levels is a limit, not a crash, towards JavaScript",
    tags: ["maxDepth"],
    act: (t) => outcome(t, (u) => u.evaluate({ setup: nestedPython(20_000), source: "x" })),
    expect: limit,
  },
  {
    name: "[N-53] the default depth of 10,000 levels is a limit, not a crash, towards Python",
    tags: ["maxDepth"],
    act: (t) =>
      outcome(
        t,
        echo(() => ({ x: nested(20_000) })),
      ),
    expect: limit,
  },
  {
    name: "a list of more than maxNodes values is refused on its way to JavaScript",
    tags: ["maxNodes"],
    act: async (t) => outcome(await t.limited(), (u) => u.evaluate({ source: "[[] for _ in range(2000)]" })),
    expect: limit,
  },
  {
    name: "an array of more than maxNodes values is refused on its way to Python",
    tags: ["maxNodes"],
    act: async (t) =>
      outcome(
        await t.limited(),
        echo(() => ({ x: Array.from({ length: 2000 }, () => []) })),
      ),
    expect: limit,
  },
  {
    name: "more than maxBytes of text is refused on its way to JavaScript",
    tags: ["maxBytes"],
    act: async (t) => outcome(await t.limited(), (u) => u.evaluate({ source: "'x' * 200_000" })),
    expect: limit,
  },
  {
    name: "more than maxBytes of text is refused on its way to Python",
    tags: ["maxBytes"],
    act: async (t) =>
      outcome(
        await t.limited(),
        echo(() => ({ x: "x".repeat(200_000) })),
      ),
    expect: limit,
  },
  {
    name: "more than maxBytes of bytes is refused both ways",
    tags: ["maxBytes"],
    act: async (t) => {
      const u = await t.limited();
      return [
        await outcome(u, (v) => v.evaluate({ source: "bytes(200_000)" })),
        await outcome(
          u,
          echo(() => ({ x: new Uint8Array(200_000) })),
        ),
      ];
    },
    expect: [[...limit], [...limit]],
  },
  {
    name: "more than maxBytes in small parts is refused too",
    tags: ["maxBytes"],
    act: async (t) => outcome(await t.limited(), (u) => u.evaluate({ source: "['x' * 1000 + str(i) for i in range(200)]" })),
    expect: limit,
  },
  {
    name: "a call whose argument is refused has not run",
    tags: ["maxBytes"],
    act: async (t) => {
      const u = await t.limited();
      await outcome(u, (v) =>
        v.evaluate({
          setup: "import sys, types\nsys.modules['vector_ran'] = types.ModuleType('ran')",
          source: "x",
          values: { x: "x".repeat(200_000) },
        }),
      );
      return u.evaluate({ source: "'vector_ran' in __import__('sys').modules" });
    },
    expect: false,
  },

  {
    name: "a detached ArrayBuffer is refused, saying where it is",
    tags: ["detached buffer"],
    js: () => ({ data: [detached()] }),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /data\[0\].*detached/s },
  },
  {
    name: "[N-77] a TypedArray whose buffer was transferred is refused",
    tags: ["detached buffer"],
    js: () => orphan((b) => new Float64Array(b)),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /detached/ },
  },
  {
    name: "a Uint8Array whose buffer was transferred is refused, and not sent as empty bytes",
    tags: ["detached buffer"],
    js: () => orphan((b) => new Uint8Array(b)),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /detached/ },
  },
  {
    name: "a DataView whose buffer was transferred is refused",
    tags: ["detached buffer"],
    js: () => orphan((b) => new DataView(b)),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /detached/ },
  },
  {
    name: "a revoked Proxy of an object is refused, saying where it is",
    tags: ["revoked proxy"],
    js: () => [1, { p: revoked({}) }],
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /\[1\]\.p.*revoked/s },
  },
  {
    name: "a revoked Proxy of an array or a function is refused",
    tags: ["revoked proxy"],
    act: async (t) => [
      await outcome(
        t,
        echo(() => ({ x: revoked([]) })),
      ),
      await outcome(
        t,
        echo(() => ({ x: revoked(() => 1) })),
      ),
    ],
    expect: [
      ["ERR_NOT_CONVERTIBLE", 42],
      ["ERR_NOT_CONVERTIBLE", 42],
    ],
  },
  {
    name: "a Proxy whose traps throw gives the caller that very error",
    act: async (t) => {
      const thrown = new Error("trap");
      const hostile = new Proxy(
        {},
        {
          ownKeys: () => {
            throw thrown;
          },
        },
      );
      try {
        await t.evaluate({ source: "x", values: { x: hostile } });
        return "nothing was thrown";
      } catch (error) {
        return error === thrown;
      }
    },
    expect: true,
  },
  {
    name: "an unknown conversion option is an error with a suggestion",
    python: "1",
    options: { covert: "ref" },
    throws: { code: "ERR_OPTION", message: /convert/ },
  },
  {
    name: "a wrong value of an option says what fits",
    python: "1",
    options: { dict: "array" },
    throws: { code: "ERR_OPTION", message: /map/ },
  },
  {
    name: "a refused value leaves no handle behind",
    act: async (t) => {
      const before = t.handles();
      await outcome(t, (u) => u.evaluate({ source: "[object(), len]", options: { convert: "portable" } }));
      return t.handles() - before;
    },
    expect: matching("none", (n) => n === 0),
  },
]);
