import { describe, expect, it } from "vitest";
import { item, PythonError, run, set, slice } from "../../src/index.ts";
import { raises, refTo, scriptedPython, turn } from "./scripted/index.ts";

describe("batching", () => {
  it("everything awaited in one turn leaves in one message, unconnected expressions as programs of their own", async () => {
    const { py, backend, sent } = await scriptedPython({ replies: [1, 2, 3] });
    const f = py.import("m").f;
    expect(await Promise.all([f(1), f(2), f(3)])).toEqual([1, 2, 3]);
    expect(backend.batches).toHaveLength(1);
    expect(sent).toHaveLength(3);
  });

  it("connected expressions are one program, and what they share runs once", async () => {
    const { py, backend, sent } = await scriptedPython({ replies: [() => [10, 20, 30]] });
    const x = py.import("m").make();
    expect(await Promise.all([x, x.a, py.builtins.len([x])])).toEqual([10, 20, 30]);
    expect(backend.batches).toHaveLength(1);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.instructions.filter(([op]) => op === "call")).toHaveLength(2);
    expect(sent[0]?.outputs).toHaveLength(6);
  });

  it("a connection that is only seen deep inside an argument is found", async () => {
    const { py, sent } = await scriptedPython({ always: ({ outputs }) => outputs.filter((_, i) => i % 2 === 0) });
    const m = py.import("m");
    const shared = m.shared();
    await Promise.all([m.a([[{ deep: shared }]]), m.b(), m.c(new Map([["k", [shared]]])), shared.d]);
    expect(sent).toHaveLength(2);
    const names = sent.flatMap((p) => p.instructions.filter(([op]) => op === "get").map(([, , name]) => name));
    expect(names.filter((name) => name === "shared")).toHaveLength(1);
  });

  it("what looks only does not connect", async () => {
    const { py, sent } = await scriptedPython({ replies: [1, 2] });
    const x = py.import("m").x.y;
    await Promise.all([x.a(), x.b()]);
    expect(sent).toHaveLength(2);
  });

  it("calls of async functions that run side by side share a message", async () => {
    const { py, backend } = await scriptedPython({ always: () => [1] });
    const f = py.import("m").f;
    await Promise.all([1, 2, 3].map(async (i) => (await f(i)) as number));
    expect(backend.batches.map((b) => b.length)).toEqual([3]);
  });

  it("a fast program settles before a slow neighbour", async () => {
    const { py, backend } = await scriptedPython();
    const f = py.import("m").f;
    const order: string[] = [];
    const slow = run(f("slow")).then(() => order.push("slow"));
    const fast = run(f("fast")).then(() => order.push("fast"));
    await turn();
    backend.reply(2, 1);
    await fast;
    backend.reply(1, 1);
    await slow;
    expect(order).toEqual(["fast", "slow"]);
  });

  it("outputs of one program fail apart", async () => {
    const { py } = await scriptedPython({ replies: [() => [raises({ message: "bad" }), 2]] });
    const x = py.import("m").make();
    const [a, b] = await Promise.allSettled([x.a(), x.b()]);
    expect(a).toMatchObject({ status: "rejected", reason: { type: "ValueError", pythonMessage: "bad" } });
    expect(b).toEqual({ status: "fulfilled", value: 2 });
  });

  it("an argument that cannot cross rejects its own call, by path, and nobody else's", async () => {
    const { py, sent } = await scriptedPython({ replies: [1] });
    const f = py.import("m").f;
    const [bad, good] = await Promise.allSettled([f({ users: [{ born: new Date(Number.NaN) }] }), f(1)]);
    expect(bad).toMatchObject({
      status: "rejected",
      reason: { code: "ERR_NOT_CONVERTIBLE", message: expect.stringContaining("users[0].born") },
    });
    expect(good).toMatchObject({ status: "fulfilled" });
    expect(sent).toHaveLength(1);
  });

  it("what a refused call lent is taken back", async () => {
    const { py, sent } = await scriptedPython({ replies: [1] });
    const f = py.import("m").f;
    const callback = () => 1;
    await expect(run(f(callback, new Date(Number.NaN)))).rejects.toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    expect(py.handles.report()).toContain("0 JavaScript objects held by Python");
    await f(callback);
    expect(py.handles.report()).toContain("1 JavaScript objects held by Python");
    expect(sent).toHaveLength(1);
  });

  it("a getter that throws rejects with what it threw", async () => {
    const { py } = await scriptedPython();
    const thrown = new TypeError("mine");
    const argument = {
      get x() {
        throw thrown;
      },
    };
    await expect(run(py.import("m").f(argument))).rejects.toBe(thrown);
  });

  it("limits are checked before anything is sent", async () => {
    const { py, sent } = await scriptedPython({ create: { limits: { maxDepth: 10, maxNodes: 100, maxBytes: 1000 } } });
    const f = py.import("m").f;
    let deep: unknown = 1;
    for (let i = 0; i < 20; i++) deep = [deep];
    for (const value of [deep, new Array(200).fill(0), "x".repeat(4000)]) {
      await expect(run(f(value))).rejects.toMatchObject({ code: "ERR_LIMIT" });
    }
    expect(sent).toHaveLength(0);
  });

  it("expressions of another engine are refused", async () => {
    const one = await scriptedPython({ replies: [refTo(1)] });
    const two = await scriptedPython();
    const x = one.py.import("m").x();
    await expect(run(two.py.import("m").f(x))).rejects.toMatchObject({ code: "ERR_CROSS_CONTEXT" });
    await expect(run(two.py.import("m").f(await x))).rejects.toMatchObject({ code: "ERR_CROSS_CONTEXT" });
  });

  it("a module and its attribute are asked for again each time they are awaited", async () => {
    const { py, sent } = await scriptedPython({ always: ({ id }) => [id] });
    const first = py.import("m").f;
    expect(py.import("m").f).toBe(first);
    expect(await Promise.all([py.import("m").f(), py.import("m").f(), py.import("n").f()])).toEqual([1, 2, 3]);
    expect(await py.import("m").f).toBe(4);
    expect(await py.import("m").f).toBe(5);
    expect(await py.import("m")).toBe(6);
    expect(await py.import("m")).toBe(7);
    expect(await first).toBe(4);
    expect(await py.import("m").g(py.import("m").f)).toBe(8);
    expect(sent.at(-1)?.instructions.map(([op]) => op)).toEqual(["import", "get", "get", "call"]);
    for (let i = 0; i < 600; i++) py.import(`m${i}`);
    expect(await py.import("m").f()).toBe(9);
  });

  it("a thousand calls cost one message", async () => {
    const { py, backend } = await scriptedPython({
      always: ({ instructions }) => [(instructions[2] as [string, number, unknown[]])[2][0]],
    });
    const f = py.import("m").f;
    const values = await Promise.all(Array.from({ length: 1000 }, (_, i) => f(i) as PromiseLike<number>));
    expect(values[999]).toBe(999);
    expect(backend.batches).toHaveLength(1);
  });

  it("a slice is data and does not keep calls together for long", async () => {
    const { py, sent } = await scriptedPython({ always: () => [1] });
    const xs = py.import("m").xs;
    await Promise.all([item(xs, slice(0, 1)), item(xs, slice(1, 2)), set(xs, "a", 1)]);
    expect(sent).toHaveLength(3);
  });

  it("every way to wait for an expression gets its outcome, before and after it has settled", async () => {
    const { py, backend } = await scriptedPython();
    const ok = py.import("m").f();
    const bad = py.import("m").g();
    const seen: unknown[] = [];
    const by = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => ok.then(resolve, reject);
    const early = [
      (async () => await ok)(),
      (async () => await ok)(),
      Promise.all([ok, ok]),
      Promise.resolve(ok),
      new Promise((resolve, reject) => void by(resolve, reject)),
      run(ok),
      ok.then((value: unknown) => `${String(value)}!`),
      ok.then(),
      Promise.race([ok]),
    ];
    const failed = Promise.allSettled([
      (async () => await bad)(),
      (async () => await bad)(),
      run(bad),
      bad.then(() => "no"),
      bad.then(null, (error: unknown) => error instanceof PythonError),
    ]);
    const user = ok.then((value: unknown) => seen.push(value));
    expect(user).toBeInstanceOf(Promise);
    await turn();
    expect(backend.sent).toHaveLength(2);
    backend.reply(1, 7);
    backend.reply(2, raises());
    expect(seen).toEqual([]); // a user's function never runs while a reply is read
    expect(await Promise.all(early)).toEqual([7, 7, [7, 7], 7, 7, 7, "7!", 7, 7]);
    expect(seen).toEqual([7]);
    expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected", "fulfilled"]);
    expect(await ok).toBe(7);
    expect(await Promise.all([ok, run(ok)])).toEqual([7, 7]);
    await expect((async () => await bad)()).rejects.toBeInstanceOf(PythonError);
  });

  it("what then returns is a promise to whoever looks, also when a promise's own functions are waiting", async () => {
    const { py, backend } = await scriptedPython();
    const settled: string[] = [];
    const forward = (expr: PromiseLike<unknown>): Promise<unknown> =>
      new Promise((resolve) => {
        // Both are a promise's own, so what comes back is what a promise would give: nothing, once it has settled.
        new Promise((fulfil, reject) => {
          const after = expr.then(fulfil, reject) as Promise<unknown>;
          after
            .finally(() => settled.push("finally"))
            .then(
              (value) => resolve([value, "after"]),
              () => resolve("never"),
            );
          after.catch(() => settled.push("never"));
        }).catch(() => settled.push("rejected"));
      });
    const done = [forward(py.import("m").f()), forward(py.import("m").g())];
    await turn();
    expect(settled).toEqual([]);
    backend.reply(1, 1);
    backend.reply(2, raises());
    expect(await Promise.all(done)).toEqual([
      [undefined, "after"],
      [undefined, "after"],
    ]);
    expect(settled.sort()).toEqual(["finally", "finally", "rejected"]);
  });
});
