/** The failure catalogue: workers that come, go and are stopped. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inNode, output, root, scale, startSync, workers } from "./support.ts";

/** One loops, one sits in C code; both swallow whatever is raised. */
const swallowing = `
libc = __import__('ctypes').CDLL(None)
def swallow():
    while True:
        try:
            while True: pass
        except BaseException: pass
def stuck():
    while True:
        try: libc.sleep(1000)
        except BaseException: pass
`;

/** A worker's body: a synchronous call that does not come back by itself; it is `inside` once no callback is left to end it. */
const endless = (source: string) => `${startSync}
  const py = startSync();
  py.exec(${JSON.stringify(swallowing).replaceAll("\\", "\\\\")});
  py.eval(${JSON.stringify(`(setattr(__import__('sys'), 'isopy_inside', True), ${source})`)});`;

/** The environment that stops a worker must have loaded the native engine too. */
const loaded = `
  const { createPython } = await import("isopy");
  const py = await createPython(native);
  const inside = async () => { while (!(await py.eval("hasattr(__import__('sys'), 'isopy_inside')"))) await new Promise((resolve) => setTimeout(resolve, 5)); };
`;

const nodes = [
  ["this Node", process.execPath] as const,
  ...[22, 24, 26].map(
    (version) =>
      [
        `Node ${version}`,
        join(root, ".cache", `node-${version}`, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node"),
      ] as const,
  ),
].filter(([, path]) => existsSync(path));

describe("a worker inside a synchronous call", () => {
  it.each([
    ["computes", "[0 for _ in iter(int, 1)]"],
    ["computes and swallows what is raised", "swallow()"],
    ["sleeps", "__import__('time').sleep(1000)"],
    ["waits for a lock", "(lambda lock: (lock.acquire(), lock.acquire()))(__import__('threading').Lock())"],
    ["waits for a queue", "__import__('queue').Queue().get()"],
    ["waits for a child process", "__import__('subprocess').run(['sleep', '1000'])"],
  ])("[N-14] [N-22] is terminated while it %s", async (_what, source) => {
    const printed = await output(`${workers}${loaded}
      const worker = start(\`${endless(source)}\`);
      await inside();
      await worker.terminate();
      console.log("terminated", await py.eval("1 + 1"));
      await py.close();
    `);
    expect(printed).toBe("terminated 2");
  });

  it("[N-22] does not keep process.exit from ending the process, with its code", async () => {
    const ended = await inNode(`${workers}${loaded}
      const worker = start(\`${endless("[0 for _ in iter(int, 1)]")}\`);
      await inside();
      process.exit(4);
    `);
    expect(ended).toMatchObject({ code: 4, signal: null, stderr: "" });
  });

  it("[N-22] is written off at the end of the process when it sits in C code", async () => {
    const ended = await inNode(`${workers}${loaded}
      const worker = start(\`${endless("stuck()")}\`);
      await inside();
      process.exit(4);
    `);
    expect(ended).toMatchObject({ code: 4, signal: null, stderr: expect.stringContaining("does not leave Python") });
  });
});

describe("workers that are stopped at any moment", () => {
  it(
    "[N-14] [N-16] during asynchronous and synchronous calls, callbacks and errors",
    async () => {
      const ended = await inNode(
        `${workers}${loaded}
      const body = \`${startSync}
        const py = await createPython(native);
        const sync = startSync();
        const fail = sync.eval("lambda f: f()");
        parentPort.postMessage("up");
        for (;;) {
          py.eval("f(1)", { locals: { f: (n) => n } }).then(() => {}, () => {});
          py.import("time").sleep(0.01).then(() => {}, () => {});
          try { fail(() => { throw new Error("on purpose"); }); } catch {}
          sync.eval("sum(range(20000))");
          await py.eval("[i for i in range(100)]");
        }\`;
      const rounds = ${12 * scale};
      for (let i = 0; i < rounds; i++) {
        const worker = start(body);
        await once(worker, "message");
        await new Promise((resolve) => setTimeout(resolve, (i * 37) % 120));
        await worker.terminate();
      }
      console.log("alive", await py.eval("1 + 1"));
      await py.close();
    `,
        { timeout: 28_000 * Math.max(1, scale) },
      );
      expect(ended).toMatchObject({ code: 0, signal: null, stdout: "alive 2", stderr: "" });
    },
    30_000 * Math.max(1, scale),
  );

  it.each(nodes)("[N-15] a worker leaves with a hundred callbacks on their way (%s)", async (_name, node) => {
    const printed = await output(
      `${workers}
      const body = \`
        const py = await createPython(native);
        await py.exec("import threading\\\\ndef call(f):\\\\n  try: [f() for _ in range(25)]\\\\n  except Exception: pass\\\\ndef storm(f):\\\\n  for _ in range(4): threading.Thread(target=call, args=[f], daemon=True).start()");
        let seen = 0;
        const storm = await py.eval("storm");
        const first = new Promise((resolve) => { storm(() => { if (++seen === 1) resolve(); }).then(() => {}); });
        await first;
        process.exit(0);\`;
      const codes = [];
      for (let i = 0; i < ${4 * scale}; i++) codes.push((await once(start(body), "exit"))[0]);
      console.log(new Set(codes).size, codes[0]);
    `,
      { node },
    );
    expect(printed).toBe("1 0");
  });

  it("[N-19] [N-18] sixteen load in the same moment, and each gets its own answers", async () => {
    const printed = await output(
      `${workers}
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const body = \`
        Atomics.wait(workerData, 0, 0);
        const py = await createPython(native);
        const own = await Promise.all(Array.from({ length: 50 }, (_, i) => py.eval("n * 1000 + " + i, { locals: { n: (await import("node:worker_threads")).threadId } })));
        parentPort.postMessage([own[7], (await import("node:worker_threads")).threadId * 1000 + 7, await py.eval("id(__import__('sys'))")]);
        await py.close();\`.replaceAll("n: (await import(\\"node:worker_threads\\")).threadId", "n: threadId").replace("Atomics.wait", "const { threadId } = await import('node:worker_threads'); Atomics.wait");
      const all = Array.from({ length: 16 }, () => start(body, { workerData: gate }));
      const messages = all.map((worker) => once(worker, "message"));
      await Promise.all(all.map((worker) => once(worker, "online")));
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      const answers = (await Promise.all(messages)).map(([message]) => message);
      console.log(answers.every(([have, want]) => have === want), new Set(answers.map((one) => one[2])).size);
    `,
    );
    expect(printed).toBe("true 1");
  });

  it(
    "[N-21] short-lived workers leave no thread state, no lane and no engine behind",
    async () => {
      const printed = await output(
        `${workers}${loaded}
      const body = \`${startSync}
        const py = await createPython(native);
        startSync().eval("1");
        parentPort.postMessage(await py.eval("1"));\`;
      const count = () => py.eval("(lambda ct, lanes, engine: [len(lanes._lanes), len(engine.ENGINES)])(__import__('ctypes'), __import__('_isopy.lanes').lanes, __import__('_isopy.engine').engine)");
      const round = async (n) => { for (let i = 0; i < n; i++) await once(start(body), "exit"); };
      await round(3);
      const before = await count();
      await round(${10 * scale});
      const after = await count();
      console.log(after[0] <= before[0] + 2, after[1] === before[1]);
      await py.close();
    `,
        { timeout: 28_000 * Math.max(1, scale) },
      );
      expect(printed).toBe("true true");
    },
    30_000 * Math.max(1, scale),
  );

  it("[N-09] [N-17] Python that a worker started outlives it, and ends with the process", async () => {
    const ended = await inNode(`${workers}
      const [answer] = await once(start("const py = await createPython(native); parentPort.postMessage(await py.eval('1 + 1'));"), "message");
      console.log(answer);
      process.exitCode = 3;
    `);
    expect(ended).toMatchObject({ code: 3, signal: null, stdout: "2", stderr: "" });
  });
});
