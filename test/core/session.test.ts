import { describe, expect, it } from "vitest";
import { refTo, type Scripted, scriptedPython, tupleOf, turn, wireError } from "./scripted/index.ts";

async function withSession(): Promise<Scripted & { session: Awaited<ReturnType<Scripted["py"]["session"]>> }> {
  const s = await scriptedPython({ replies: [tupleOf([3, 3])] });
  const session = await s.py.session({ name: "notebook" });
  return { ...s, session };
}
async function collect(cell: AsyncIterable<{ type: string }>): Promise<string[]> {
  const types: string[] = [];
  for await (const event of cell) types.push("text" in event ? `${event.type}:${String(event.text)}` : event.type);
  return types;
}

describe("sessions", () => {
  it("a session is created by a call into _isopy, and cells run in its context", async () => {
    const { session, sent, backend } = await withSession();
    expect(sent[0]?.instructions).toEqual([
      ["import", "_isopy.session"],
      ["get", 0, "create"],
      ["call", 1, ["notebook"]],
    ]);
    const cell = session.run("1 + 1");
    await turn();
    expect(sent[1]).toMatchObject({ context: 3 });
    expect(sent[1]?.instructions[2]).toEqual(["call", 1, [3, 1, "1 + 1", false]]);
    backend.reply(2, { status: "ok", executionCount: 1, value: 2 });
    expect(await cell.result).toEqual({ status: "ok", executionCount: 1, value: 2 });
  });

  it("events come in order, typed, and end with the cell", async () => {
    const { session, backend } = await withSession();
    const cell = session.run("…");
    const events = collect(cell);
    await turn();
    backend.event("status", 3, 1, "busy");
    backend.event("stream", 3, 1, "stdout", "a");
    await turn();
    backend.event("stream", 3, 1, "stderr", "b");
    backend.event("display_data", 3, 1, { "text/plain": "x" }, {}, {});
    backend.event("execute_result", 3, 1, { "text/plain": "2" }, {}, 1);
    backend.event("clear_output", 3, 1, true);
    backend.event("status", 3, 1, "idle");
    backend.reply(2, { status: "ok", executionCount: 1 });
    expect(await events).toEqual(["status", "stream:a", "stream:b", "display_data", "execute_result", "clear_output", "status"]);
  });

  it("events wait for a reader that comes late, and none is lost between two", async () => {
    const { session, backend } = await withSession();
    const cell = session.run("…");
    await turn();
    for (let i = 0; i < 5; i++) backend.event("stream", 3, 1, "stdout", String(i));
    backend.reply(2, { status: "ok", executionCount: 1 });
    await cell.result;
    const first: string[] = [];
    for await (const event of cell) {
      first.push(event.type === "stream" ? event.text : event.type);
      if (first.length === 2) break;
    }
    expect(first).toEqual(["0", "1"]);
    expect(await collect(cell)).toEqual(["stream:2", "stream:3", "stream:4"]);
  });

  it("text that nobody reads is joined, not piled up and not lost", async () => {
    const { session, backend } = await withSession();
    const cell = session.run("…");
    await turn();
    for (let i = 0; i < 10_000; i++) backend.event("stream", 3, 1, "stdout", "x");
    backend.event("stream", 3, 1, "stderr", "!");
    backend.reply(2, { status: "ok", executionCount: 1 });
    const events = await collect(cell);
    expect(events.length).toBeLessThan(100);
    expect(events.map((e) => e.slice(7)).join("")).toBe(`${"x".repeat(10_000)}!`);
    expect(events.at(-1)).toBe("stream:!");
  });

  it("an error of the code is the cell's result and an event, not a rejection", async () => {
    const { session, backend } = await withSession();
    const cell = session.run("1/0");
    await turn();
    backend.event("error", 3, 1, wireError({ name: "ZeroDivisionError" }));
    backend.reply(2, { status: "error", executionCount: 1, error: wireError({ name: "ZeroDivisionError" }) });
    expect(await cell.result).toMatchObject({ status: "error", error: { type: "ZeroDivisionError" } });
    for await (const event of cell) expect(event).toMatchObject({ type: "error", error: { type: "ZeroDivisionError" } });
  });

  it("a cancelled cell is aborted at once, and its last events still arrive", async () => {
    const { session, backend } = await withSession();
    const controller = new AbortController();
    const cell = session.run("while True: pass", { signal: controller.signal });
    const events = collect(cell);
    await turn();
    controller.abort(new Error("stop"));
    expect(await cell.result).toMatchObject({ status: "aborted", error: { message: "stop" } });
    expect(backend.interrupted).toEqual([2]);
    backend.event("status", 3, 1, "idle");
    backend.reply(2, null);
    expect(await events).toEqual(["status"]);
  });

  it("a lost engine rejects the result and the iteration", async () => {
    const { session, backend } = await withSession();
    const cell = session.run("…");
    const events = collect(cell);
    const both = Promise.allSettled([cell.result, events]);
    await turn();
    backend.lose({ kind: "exit", reason: "gone" });
    expect(await both).toMatchObject([
      { status: "rejected", reason: { code: "ERR_ENGINE_LOST" } },
      { status: "rejected", reason: { code: "ERR_ENGINE_LOST" } },
    ]);
  });

  it("two sessions do not see each other's events; late output goes to the sinks", async () => {
    const printed: string[] = [];
    const s = await scriptedPython({
      replies: [tupleOf([3, 3]), tupleOf([4, 4])],
      create: { stdout: (text: string) => printed.push(text) },
    });
    const [a, b] = [await s.py.session(), await s.py.session()];
    const [one, two] = [a.run("1"), b.run("2")];
    await turn();
    s.backend.event("stream", 4, 1, "stdout", "b");
    s.backend.event("stream", 3, 1, "stdout", "a");
    s.backend.reply(3, { status: "ok", executionCount: 1 });
    s.backend.reply(4, { status: "ok", executionCount: 1 });
    expect([await collect(one), await collect(two)]).toEqual([["stream:a"], ["stream:b"]]);
    s.backend.event("stream", 3, 1, "stdout", "late");
    expect(printed).toEqual(["late"]);
  });

  it("a session is a namespace, and closes once", async () => {
    const { session, sent, backend } = await withSession();
    backend.always = () => [null];
    await session.eval`x + ${1}`;
    await session.globals.set("x", 1);
    expect(sent.slice(1).map(({ context }) => context)).toEqual([3, 3]);
    await session.close();
    await session[Symbol.asyncDispose]();
    expect(sent).toHaveLength(4);
    expect(() => session.run("1")).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
    expect(() => session.run("1", { timout: 5 } as never)).toThrow(/Did you mean "timeout"/);
  });
});

describe("contexts", () => {
  it("have a namespace of their own", async () => {
    const s = await scriptedPython({ replies: [6], always: () => [1] });
    const context = await s.py.context({ ordered: true });
    expect(s.sent[0]?.instructions[2]).toEqual(["call", 1, [true]]);
    await context.eval("x");
    await context.import("m").f();
    await context.close();
    await context.close();
    expect(s.sent.map((p) => p.context)).toEqual([0, 6, 6, 0]);
  });

  it("objects of a closed context live on, and shared ones belong to nobody", async () => {
    const s = await scriptedPython({ replies: [6, refTo(1), refTo(2), refTo(2)], always: () => [1] });
    const context = await s.py.context();
    const mine = await context.import("m").a();
    const shared = await context.import("m").b();
    await s.py.import("m").b();
    await mine.x();
    await shared.x();
    await context.close();
    await mine.y();
    expect(s.sent.map((p) => p.context)).toEqual([0, 6, 6, 0, 6, 0, 0, 0]);
  });

  it("do not mix their source in one expression", async () => {
    const s = await scriptedPython({ replies: [6] });
    const context = await s.py.context();
    await expect((async () => await context.import("m").f(s.py.eval`y`))()).rejects.toMatchObject({ code: "ERR_CROSS_CONTEXT" });
  });

  it("an isolation that is not there is refused", async () => {
    const s = await scriptedPython();
    await expect(s.py.context({ isolation: "interpreter" })).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
  });
});
