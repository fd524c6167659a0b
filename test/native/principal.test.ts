/** The session on Python's main thread: signals, interrupts by signal, and SIGINT, which stays Node's. */
import { createPython, type Python, run, type Session } from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inNode, native, output } from "./support.ts";

const onMain = "__import__('threading').current_thread() is __import__('threading').main_thread()";

describe("the first session", () => {
  let py: Python;
  let session: Session;
  beforeAll(async () => {
    py = await createPython(native);
    session = await py.session();
  });
  afterAll(() => py.close());
  const value = async (code: string, where = session) => {
    const end = await where.run(code).result;
    if (end.status !== "ok") throw new Error(`${end.status}: ${String("error" in end ? end.error : "")}`);
    return "value" in end ? end.value : undefined;
  };

  it("runs on the main thread, where others do not; when it is closed the next one may", async () => {
    const second = await py.session();
    expect([await value(onMain), await value(onMain, second), await py.eval(onMain)]).toEqual([true, false, false]);
    await session.close();
    session = await py.session();
    expect([await value(onMain), await value(onMain, second)]).toEqual([true, false]);
    await second.close();
  });

  it("may use signals", async () => {
    await value("import os, signal, threading, time\nseen = []\nsignal.signal(signal.SIGUSR1, lambda *_: seen.append('USR1'))");
    expect(await value("os.kill(os.getpid(), signal.SIGUSR1)\nwhile not seen: time.sleep(0.01)\nseen")).toEqual(["USR1"]);
    await value("signal.signal(signal.SIGUSR1, signal.SIG_DFL)");
  });

  it.each([
    ["a read from a pipe", "os.read(os.pipe()[0], 1)"],
    ["a socket", "import socket\na, b = socket.socketpair()\na.recv(1)"],
    ["a sleep", "time.sleep(60)"],
    ["an event", "threading.Event().wait()"],
    ["a loop", "while True: pass"],
    ["asyncio.run", "import asyncio\nasyncio.run(asyncio.sleep(60))"],
  ])("an interrupt ends %s, and finally runs", async (_, wait) => {
    const controller = new AbortController();
    const body = wait
      .split("\n")
      .map((line) => `    ${line}`)
      .join("\n");
    const cell = session.run(
      `import os, threading, time\nended = []\ntry:\n    print("begun", flush=True)\n${body}\nfinally:\n    ended.append(1)`,
      {
        signal: controller.signal,
      },
    );
    for await (const event of cell) if (event.type === "stream") setTimeout(() => controller.abort(), 5);
    expect((await cell.result).status).toBe("aborted");
    expect(await value("ended")).toEqual([1]); // the session goes on when the wait is over
  });

  it("[N-41] of a thousand cells aborted at random moments none touches the next", async () => {
    await value("def work(n):\n    for i in range(n): str(i)\n    return n");
    let aborted = 0;
    for (let i = 0; i < 1000; i++) {
      const controller = new AbortController();
      const cell = session.run(`work(${i % 100})`, { signal: controller.signal });
      if (i % 2 === 0) setImmediate(() => controller.abort());
      else setTimeout(() => controller.abort(), Math.random());
      const next = session.run("6 * 7");
      if ((await cell.result).status === "aborted") aborted++;
      expect(await next.result).toMatchObject({ status: "ok", value: 42 });
    }
    expect(aborted).toBeGreaterThan(10);
  }, 30_000);

  it("a callback of it may use the session while it waits", async () => {
    const text: string[] = [];
    const nested = async () => void text.push(String(await value(onMain)));
    await run(session.eval("f()", { locals: { f: () => void nested() } }));
    await expect.poll(() => text.length).toBe(1);
  });
});

describe("[N-39] [N-40] SIGINT", () => {
  it("stays Node's, whatever Python registers, imports and runs", async () => {
    const text = await output(`
import { createPython, run } from "isopy";
const py = await createPython(native);
const session = await py.session();
let got;
const alive = setInterval(() => {}, 1_000);
process.on("SIGINT", () => got());
const interrupted = () => {
  const arrived = new Promise((resolve) => { got = resolve; });
  const sent = performance.now();
  process.kill(process.pid, "SIGINT");
  return arrived.then(() => performance.now() - sent);
};
await session.run("import asyncio, signal\\nseen = []\\nsignal.signal(signal.SIGINT, lambda *_: seen.append(1))\\nasyncio.run(asyncio.sleep(0))").result;
console.log((await interrupted()) < 5_000);
const spin = new AbortController();
const loops = [run(py.exec("while True: pass"), { signal: spin.signal }), session.run("while True: pass", { signal: spin.signal }).result];
await new Promise((resolve) => setTimeout(resolve, 20));
console.log((await interrupted()) < 5_000); // measured: a few ms
spin.abort();
await Promise.allSettled(loops);
console.log((await session.run("seen").result).value.length);
clearInterval(alive);
await py.close();
`);
    expect(text.split("\n")).toEqual(["true", "true", "0"]);
  });

  it("without a listener it ends the process", async () => {
    const ended = await inNode(`
import { createPython } from "isopy";
const py = await createPython(native);
const session = await py.session();
await session.run("import asyncio, signal\\nsignal.signal(signal.SIGINT, lambda *_: None)").result;
process.kill(process.pid, "SIGINT");
setTimeout(() => console.log("still here"), 5_000);
`);
    expect(ended).toMatchObject({ signal: "SIGINT", stdout: "" });
  });
});
