/** Several Node environments (`worker_threads`) share the one CPython of the process. */
import { describe, expect, it } from "vitest";
import { inNode, output, workers } from "./support.ts";

describe("worker threads", () => {
  it("[N-18] [N-19] eight load at once; each gets its own answers, in one Python", async () => {
    const printed = await output(`${workers}
      const body = \`
        const py = await createPython(native);
        const values = await Promise.all(Array.from({ length: 200 }, (_, i) => py.eval(String(i))));
        parentPort.postMessage([values.every((v, i) => v === i), await py.eval("__import__('os').getpid()"), await py.eval("id(__import__('sys'))")]);
        await py.close();\`;
      const answers = await Promise.all(Array.from({ length: 8 }, async () => {
        const worker = start(body);
        const [[message]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
        return message;
      }));
      console.log(answers.every(([ok, pid]) => ok && pid === process.pid), new Set(answers.map((a) => a[2])).size);
    `);
    expect(printed).toBe("true 1");
  });

  it("[N-17] load, use and leave, thirty times in turn, without close", async () => {
    const printed = await output(`${workers}
      let sum = 0;
      for (let i = 0; i < 30; i++) {
        const worker = start("const py = await createPython(native); parentPort.postMessage(await py.eval('1'));");
        const [[message]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
        sum += message;
      }
      const { createPython } = await import("isopy");
      const py = await createPython(native);
      console.log(sum, await py.eval("2"));
    `);
    expect(printed).toBe("30 2");
  });

  it("[N-14] [N-15] terminate in the middle of programs, callbacks and sleeps leaves the parent alive", async () => {
    const ended = await inNode(
      `${workers}
      const body = \`
        const py = await createPython(native);
        parentPort.postMessage("up");
        const add = (n) => n + 1;
        for (;;) {
          py.import("time").sleep(0.05).then(() => {}, () => {});
          await Promise.all([py.eval("sum(range(1000))"), py.eval("f(1)", { locals: { f: add } }), py.eval("[f(i) for i in range(20)]", { locals: { f: add } })]);
        }\`;
      for (let i = 0; i < 40; i++) {
        const worker = start(body);
        await once(worker, "message");
        for (let turn = 0; turn < i % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
        await worker.terminate();
      }
      const { createPython } = await import("isopy");
      const py = await createPython(native);
      console.log("alive", await py.eval("1 + 1"));
    `,
      { timeout: 28_000 },
    );
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "alive 2", stderr: "" });
  });

  it("[N-01] [N-16] terminate while Python waits for JavaScript", async () => {
    const printed = await output(`${workers}
      const body = \`
        const py = await createPython(native);
        const hold = () => { parentPort.postMessage("asked"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); };
        py.eval("f()", { locals: { f: hold } }).then(() => {}, () => {});\`;
      const worker = start(body);
      await once(worker, "message");
      await worker.terminate();
      const { createPython } = await import("isopy");
      const py = await createPython(native);
      console.log(await py.eval("'free'"));
    `);
    expect(printed).toBe("free");
  });

  it("[N-20] a worker that throws at its top level while it holds refs", async () => {
    const printed = await output(`${workers}
      const worker = start("const py = await createPython(native); const refs = await Promise.all(Array.from({ length: 100 }, () => py.eval('object()'))); throw new Error('top');");
      const [error] = await once(worker, "error");
      console.log(error.message);
    `);
    expect(printed).toBe("top");
  });

  it("[N-08] the main thread ends while workers run Python", async () => {
    const ended = await inNode(`${workers}
      const workers = Array.from({ length: 3 }, () => start("const py = await createPython(native); parentPort.postMessage(1); await py.exec('while True: busy = 1');"));
      await Promise.all(workers.map((worker) => once(worker, "message")));
      process.exit(5);
    `);
    expect(ended).toMatchObject({ code: 5, signal: null });
  });
});
