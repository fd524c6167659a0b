/** Start, close, and how a process with an engine ends. */
import { createPython } from "isopy";
import { describe, expect, it } from "vitest";
import { inNode, native, output } from "./support.ts";

describe("start and close", () => {
  it("starts, evaluates and closes; closing again does nothing", async () => {
    const py = await createPython(native);
    expect(await py.import("math").sqrt(16)).toBe(4);
    expect(py.info).toMatchObject({ backend: "native", implementation: "cpython", fallback: null });
    await py.close();
    await py.close();
    await expect(Promise.resolve(py.eval("1"))).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("[N-24] starts and stops fifty times in one process", async () => {
    for (let i = 0; i < 50; i++) {
      const py = await createPython(native);
      expect(await py.eval(`${i} + 1`)).toBe(i + 1);
      await py.close();
    }
  });

  it("[N-68] two engines have namespaces of their own and one Python", async () => {
    const [one, two] = await Promise.all([createPython(native), createPython(native)]);
    try {
      await one.exec("only_here = 1");
      expect(await two.eval("'only_here' in globals()")).toBe(false);
      expect(await one.eval("__import__('os').getpid()")).toBe(process.pid);
      await one.import("sys").modules.__setitem__("isopy_shared_module", 7);
      expect(await two.eval("__import__('sys').modules['isopy_shared_module']")).toBe(7);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  it("paths, env and args reach Python", async () => {
    const py = await createPython({ ...native, paths: ["/isopy/a", "/isopy/b"], env: { ISOPY_PROBE: "é" }, args: ["--x", "1"] });
    try {
      expect(await py.eval("__import__('sys').path[:2]")).toEqual(["/isopy/a", "/isopy/b"]);
      expect(await py.eval("__import__('os').environ['ISOPY_PROBE']")).toBe("é");
      expect(await py.eval("__import__('sys').argv[1:]")).toEqual(["--x", "1"]);
    } finally {
      await py.close();
    }
  });

  it("[N-69] exit handlers run when the last engine closes", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      import { mkdtempSync, readFileSync, rmSync } from "node:fs";
      import { tmpdir } from "node:os";
      import { join } from "node:path";
      const folder = mkdtempSync(join(tmpdir(), "isopy-"));
      const file = join(folder, "bye");
      const py = await createPython(native);
      await py.import("atexit").register(await py.eval("lambda path: __import__('pathlib').Path(path).write_text('bye')"), file);
      await py.close();
      console.log(readFileSync(file, "utf8"));
      rmSync(folder, { recursive: true });
    `);
    expect(printed).toBe("bye");
  });
});

describe("the end of the process", () => {
  it("[N-67] an idle engine does not keep Node alive", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      console.log(await py.eval("1 + 1"));
    `);
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "2", stderr: "" });
  });

  it("[N-67] a pending program keeps Node alive", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      py.import("time").sleep(0.3).then(() => console.log("slept"));
    `);
    expect(printed).toBe("slept");
  });

  it("[N-08] process.exit ends at once with its code while Python sleeps, computes and waits", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const busy = [py.import("time").sleep(20), py.exec("while True: pass"), py.import("asyncio").sleep(20)];
      for (const one of busy) one.then(() => {}, () => {});
      await py.eval("1");
      const began = performance.now();
      process.on("exit", () => console.log(performance.now() - began < 200));
      process.exit(7);
    `);
    expect(ended).toMatchObject({ code: 7, signal: null, stdout: "true" });
    expect(ended.took).toBeLessThan(8_000);
  });

  it("an uncaught error ends the process while Python runs", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      py.exec("while True: pass").then(() => {}, () => {});
      await py.eval("1");
      throw new Error("on purpose");
    `);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("on purpose");
  });

  it("[N-39] [N-40] SIGINT stays Node's, and its handler runs while Python computes", async () => {
    const ended = await inNode(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("import signal, asyncio");
      process.on("SIGINT", () => { console.log("node has it"); process.exit(3); });
      py.exec("while True: pass").then(() => {}, () => {});
      await py.eval("1");
      setInterval(() => {}, 1000);
      console.log("ready");
    `,
      { onOutput: (text, child) => text === "ready\n" && child.kill("SIGINT") },
    );
    expect(ended).toMatchObject({ code: 3, stdout: "ready\nnode has it" });
  });

  it("[N-37] sys.exit is an error of the program, not the end of the process", async () => {
    const py = await createPython(native);
    try {
      await expect(Promise.resolve(py.import("sys").exit(3))).rejects.toMatchObject({ type: "SystemExit" });
      expect(await py.eval("1")).toBe(1);
    } finally {
      await py.close();
    }
  });
});

describe("output", () => {
  it("goes where the process's own goes when the options do not say", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      import { python } from "isopy/sync";
      const py = await createPython(native);
      await py.exec("import sys; print('to stdout'); print('to stderr', file=sys.stderr)");
      await py.close();
      python.builtins.print("without await");
    `);
    expect(ended).toMatchObject({ code: 0, stdout: "to stdout\nwithout await", stderr: "to stderr" });
  });
});
