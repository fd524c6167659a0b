/** The failure catalogue: every way to end, from every state; and starts that fail. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inNode, output, sanitizer, scale, startSync, workers } from "./support.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isopy-exit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the process does to end, and how that looks from outside. Python's exit handlers run unless a signal kills it. */
const ways = {
  "the end of main": { leave: "", code: 0, signal: null, farewell: true },
  "process.exit": { leave: "process.exit(5);", code: 5, signal: null, farewell: true },
  SIGINT: { leave: "process.kill(process.pid, 'SIGINT');", code: null, signal: "SIGINT", farewell: false },
  SIGTERM: { leave: "process.kill(process.pid, 'SIGTERM');", code: null, signal: "SIGTERM", farewell: false },
  "an uncaught error": { leave: "setImmediate(() => { throw new Error('on purpose'); });", code: 1, signal: null, farewell: true },
  "an unhandled rejection": { leave: "void Promise.reject(new Error('on purpose'));", code: 1, signal: null, farewell: true },
  close: { leave: "await py.close();", code: 0, signal: null, farewell: true },
} as const;

/** In which state Python is meanwhile; `leave` stands for the way. */
const states = {
  idle: "await leave();",
  busy: `
    for (const one of [py.exec("while True: pass"), py.import("time").sleep(1000), py.import("asyncio").sleep(1000)]) one.then(() => {}, () => {});
    await py.eval("1");
    await leave();`,
  "inside a callback": `await new Promise((resolve) => { py.eval("f()", { locals: { f: () => void leave().then(resolve) } }).then(() => {}, () => {}); });`,
  "inside a synchronous callback": `startSync().eval("lambda f: f()")(() => void leave());`,
} as const;

describe("the exit matrix", () => {
  for (const [way, { leave, code, signal, farewell }] of Object.entries(ways)) {
    for (const [state, body] of Object.entries(states)) {
      if (way === "the end of main" && state === "busy") continue; // it waits for what runs
      it(`[N-08] [N-67] [N-69] ${way}, ${state}`, async () => {
        const ended = await inNode(`${startSync}
          import { createPython } from "isopy";
          const py = await createPython(native);
          await py.exec("import atexit\\natexit.register(lambda: print('farewell', flush=True))");
          const leave = async () => { ${leave} };
          ${body}
        `);
        expect(ended).toMatchObject({ code, signal });
        expect(ended.stdout.match(/farewell/g) ?? []).toHaveLength(farewell ? 1 : 0);
        expect(ended.took).toBeLessThan(20_000);
      });
    }
  }

  // ThreadSanitizer holds a signal back until the thread calls the C library.
  it.skipIf(sanitizer === "tsan")(
    "[N-40] SIGINT kills the process at once when nobody handles it, also inside a synchronous call",
    async () => {
      const ended = await inNode(
        `${startSync}
      const py = startSync();
      py.exec("import os\\nos.write(1, b'inside\\\\n')\\nwhile True: pass");`,
        { onOutput: (text, child) => text === "inside\n" && child.kill("SIGINT") },
      );
      expect(ended).toMatchObject({ code: null, signal: "SIGINT" });
    },
  );

  it("[N-08] [N-07] eight threads call and drop objects while the process exits", async () => {
    for (let i = 0; i < 3 * scale; i++) {
      const ended = await inNode(`
        import { createPython } from "isopy";
        const py = await createPython(native);
        await py.exec("import threading\\ndef work():\\n  while True:\\n    try: f([object()])\\n    except Exception: pass\\nfor _ in range(8): threading.Thread(target=work, daemon=True).start()", { locals: { f: () => {} } });
        const load = async () => { for (;;) { const refs = await Promise.all(Array.from({ length: 50 }, () => py.builtins.object())); for (const ref of refs) ref[Symbol.dispose](); } };
        load().catch(() => {});
        setTimeout(() => process.exit(6), ${10 + i * 7});
      `);
      expect(ended).toMatchObject({ code: 6, signal: null });
    }
  });

  it("[N-67] the process ends by itself after sources that are too deep to compile", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const types = [];
      for (const source of ["'-' * 100000 + '1'", "'(' * 5000 + ')' * 5000", "'x' + '.a' * 50000", "'[' * 100000"])
        types.push(await py.eval("compile(" + source + ", 'deep', 'eval')").then(() => "ok", (error) => error.type));
      console.log(types.every((type) => ["ok", "MemoryError", "RecursionError", "SyntaxError"].includes(type)) || types);
    `);
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "true", stderr: "" });
  });

  it("[N-69] files that Python has open are written when the process exits", async () => {
    const file = join(folder, "log.txt");
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("import atexit\\nlog = open(path, 'w')\\nlog.write('buffered')\\natexit.register(log.close)", { locals: { path: ${JSON.stringify(file)} } });
      process.exit(0);
    `);
    expect(ended.code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("buffered");
  });

  it("[N-69] an exit handler that never returns does not keep the process", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("import atexit, threading\\natexit.register(threading.Event().wait)");
      process.exit(5);
    `);
    expect(ended).toMatchObject({ code: 5, signal: null });
  });

  it("[N-20] [N-08] a worker that exits or fails while it is busy takes nothing with it", async () => {
    const printed = await output(`${workers}
      const codes = [];
      for (const leave of ["process.exit(7)", "throw new Error('top')", "setImmediate(() => { throw new Error('later'); })"]) {
        const worker = start("const py = await createPython(native); const kept = await Promise.all([py.builtins.object(), py.builtins.object()]); for (const one of [py.exec('import time\\\\nfor _ in range(2000): time.sleep(0.001)'), py.import('time').sleep(1)]) one.then(() => {}, () => {}); await py.eval('1'); " + leave + "; setInterval(() => {}, 1000);");
        worker.on("error", () => {});
        codes.push(await new Promise((resolve) => worker.once("exit", resolve))); // once() of node:events rejects with the error
      }
      const { createPython } = await import("isopy");
      console.log(codes.join(), await (await createPython(native)).eval("1 + 1"));
    `);
    expect(printed).toBe("7,1,1 2");
  });
});

describe("starts that fail", () => {
  it("[N-05] [N-06] a start that cannot succeed is refused every time, to everybody, and says why", async () => {
    const printed = await output(`${workers}
      const { createPython } = await import("isopy");
      const bad = { backend: "native", python: "/nowhere/python3" };
      const code = (options) => createPython(options).then(() => "started", (error) => error.code);
      const first = await Promise.all([code(bad), code(bad)]);
      const worker = start("parentPort.postMessage(await createPython({ backend: 'native', python: '/nowhere/python3' }).then(() => 'started', (e) => e.code));");
      const [other] = await once(worker, "message");
      const py = await createPython(native);
      console.log([...first, other].join(), await py.eval("1 + 1"));
      await py.close();
    `);
    expect(printed).toBe("ERR_BACKEND_UNAVAILABLE,ERR_BACKEND_UNAVAILABLE,ERR_BACKEND_UNAVAILABLE 2");
  });

  it("[N-51] a system that refuses threads is an error of the program that wants one", async ({ skip }) => {
    if (!existsSync("/usr/bin/prlimit")) skip("prlimit is not here");
    const starve = `
      import { execFileSync } from "node:child_process";
      import { readFileSync } from "node:fs";
      const size = () => Number(/VmSize:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
      const starve = (slack) => execFileSync("prlimit", ["--pid", String(process.pid), "--as=" + (size() + (slack << 20))]);`;
    const inPython = await output(`${starve}
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.eval("1");
      starve(200);
      console.log(await py.exec("import threading\\nthreading.stack_size(1 << 30)\\nthreading.Thread(target=print).start()").then(() => "started", (error) => error.type), await py.eval("2"));
      process.exit();
    `);
    expect(inPython).toBe("RuntimeError 2");
  });
});
