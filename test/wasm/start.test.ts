/** Starting and closing the WebAssembly engine in Node, and what stands in the way of a start. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createPython, EngineError, type Python, run } from "isopy";
import { afterEach, describe, expect, it } from "vitest";

const execute = promisify(execFile);
const open: Python[] = [];
const start = async (options: Parameters<typeof createPython>[0] = {}) => {
  const py = await createPython({ backend: "wasm", ...options });
  open.push(py);
  return py;
};
const refusal = async (options: Parameters<typeof createPython>[0]): Promise<EngineError> => {
  const outcome = await start(options).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(EngineError);
  return outcome as EngineError;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((py) => py.close()));
});

describe("start", () => {
  it("says what the engine is and can do", async () => {
    const py = await start();
    expect(py.info).toMatchObject({ backend: "wasm", protocol: 1, implementation: "cpython", platform: "emscripten", fallback: null });
    expect(py.info.python).toMatch(/^3\.14\./);
    expect(py.info.capabilities).toEqual({
      sync: false,
      syncCallbacks: true,
      interrupt: true,
      threads: false,
      sharedMemory: false,
      processes: false,
      hostFiles: false,
    });
  });

  it("puts paths, arguments and environment before user code", async () => {
    const py = await start({ paths: ["/tmp/first", "/tmp/second"], args: ["--fast"], env: { ISOPY_WORD: "naïve" } });
    const sys = py.import("sys");
    expect(await sys.path).toMatchObject({ 0: "/tmp/first", 1: "/tmp/second" });
    expect(await sys.argv).toEqual(["", "--fast"]);
    expect(await py.import("os").environ.get("ISOPY_WORD")).toBe("naïve");
  });

  it("a bound on JavaScript's heap ends the engine and not the process", async () => {
    const py = await start({ limits: { maxHeap: 96 * 2 ** 20 } });
    expect(await py.eval("sum(range(1000))")).toBe(499_500);
    const bomb = run(
      py.exec('from pyodide.code import run_js; run_js("const all = []; for (;;) all.push(new Array(1e5).fill(all.length))")'),
    );
    await expect(bomb).rejects.toMatchObject({ code: "ERR_ENGINE_LOST", details: { kind: "memory" } });
  });

  it("[PT-08] finds modules in the host's folders and archives that paths names, wherever they are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isopy-it's-"));
    try {
      await mkdir(join(folder, "lib", "inner"), { recursive: true });
      await writeFile(join(folder, "lib", "of_a_folder.py"), "word = 'folder'");
      await writeFile(join(folder, "lib", "inner", "of_an_inner_one.py"), "word = 'inner'");
      // A wheel is a zip: made by the engine itself, outside its own file system.
      const maker = await start({ paths: [folder] });
      await maker.import("zipfile").ZipFile(join(folder, "pure.whl"), "w").writestr("of_an_archive.py", "word = 'archive'");
      const near = relative(process.cwd(), join(folder, "lib"));
      const py = await start({ paths: [join(folder, "lib", "inner"), near, join(folder, "pure.whl"), "/only/pythons"] });
      const word = (name: string) => py.import(name).word;
      expect(await Promise.all([word("of_a_folder"), word("of_an_inner_one"), word("of_an_archive")])).toEqual([
        "folder",
        "inner",
        "archive",
      ]);
      expect((await py.import("sys").path).slice(0, 4)).toEqual([
        join(folder, "lib", "inner"),
        join(folder, "lib"),
        join(folder, "pure.whl"),
        "/only/pythons",
      ]);
      expect(await py.import("os").path.exists(join(folder, ".."))).toBe(true);
      expect(await py.import("os").path.exists(process.cwd())).toBe(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("does not give the worker this process's environment", async () => {
    const py = await start();
    expect(await py.eval("hasattr(__import__('js').process.env, 'PATH')")).toBe(false);
    expect(await py.import("os").environ.get("PATH")).not.toBe(process.env["PATH"]);
  });

  it("reports its progress", async () => {
    const stages: string[] = [];
    await start({ onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toContain("python");
  });

  it("[W-31] eight engines that start together are all ready", async () => {
    const engines = await Promise.all(Array.from({ length: 8 }, () => start()));
    expect(await Promise.all(engines.map((py, index) => py.eval(`${index} ** 2`)))).toEqual([0, 1, 4, 9, 16, 25, 36, 49]);
  });

  it("two engines at once know nothing of each other", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await one.exec("x = 1");
    expect(await two.eval("'x' in globals()")).toBe(false);
    expect(await one.eval("x")).toBe(1);
  });

  it("a process that forgets to close an idle engine ends by itself", async () => {
    const script = `
      const { createPython } = await import(${JSON.stringify(import.meta.resolve("isopy"))});
      const py = await createPython({ backend: "wasm" });
      console.log(await py.eval("6 * 7"));`;
    const { stdout } = await execute(process.execPath, ["--input-type=module", "-e", script], { timeout: 25_000 });
    expect(stdout.trim()).toBe("42");
  });

  it("a process waits for a pending program", async () => {
    const script = `
      const { createPython } = await import(${JSON.stringify(import.meta.resolve("isopy"))});
      const py = await createPython({ backend: "wasm" });
      py.eval("__import__('asyncio').sleep(0.3, 'slept')").then(console.log);`;
    const { stdout } = await execute(process.execPath, ["--input-type=module", "-e", script], { timeout: 25_000 });
    expect(stdout.trim()).toBe("slept");
  });
});

describe("what stands in the way", () => {
  it("[W-21] a missing file is named", async () => {
    const error = await refusal({ assets: { wasm: "file:///nowhere/pyodide.asm.wasm" } });
    expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
    expect(error.message).toContain("/nowhere/pyodide.asm.wasm");
    expect(error.hint).toContain("dist");
  });

  it("[W-21] a missing worker is a typed error", async () => {
    const error = await refusal({ assets: { worker: "file:///nowhere/worker.js" } });
    expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
    expect(error.message).toContain("worker");
  });

  it("a worker that never answers is given up", async () => {
    await withFile("worker.mjs", "setInterval(() => {}, 1000);", async (worker) => {
      const error = await refusal({ assets: { worker }, startTimeout: 200 });
      expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
      expect(error.message).toContain("200 ms");
    });
  });

  it("a worker that ends at once is a typed error", async () => {
    await withFile("worker.mjs", "process.exit(3);", async (worker) => {
      const error = await refusal({ assets: { worker } });
      expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
      expect(error.message).toContain("exit code 3");
    });
  });

  it("[W-23] a library of another build is refused before user code runs", async () => {
    const library = createRequire(import.meta.url).resolve("pyodide/python_stdlib.zip");
    const folder = await mkdtemp(join(tmpdir(), "isopy-"));
    try {
      await copyFile(library, join(folder, "python_stdlib.zip"));
      const error = await refusal({ assets: { stdlib: pathToFileURL(join(folder, "python_stdlib.zip")) } });
      expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
      expect(error.message).toMatch(/of another build.*python_stdlib\.zip: it has \d+ bytes instead of \d+/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each(["wasm", "stdlib"] as const)("[W-22] a changed byte in the file of the %s is noticed", async (which) => {
    const name = { wasm: "pyodide.asm.wasm", stdlib: "python_stdlib.zip" }[which];
    const file = await readFile(new URL(name, import.meta.resolve("isopy")));
    const middle = file.length >> 1;
    file[middle] = (file[middle] as number) ^ 1;
    await withFile(name, file, async (url) => {
      const error = await refusal({ assets: { [which]: url } });
      expect(error).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
      expect(error.message).toMatch(/damaged.*its SHA-256 is [0-9a-f]{64} instead of [0-9a-f]{64}/);
      expect(error.hint).toContain("install again");
    });
  });

  it("[W-36] a worker that finds no file descriptor left is a typed error", async () => {
    const script = `
      import { openSync } from "node:fs";
      import { createPython, EngineError } from ${JSON.stringify(import.meta.resolve("isopy"))};
      try { for (;;) openSync("/dev/null"); } catch {}
      const error = await createPython({ backend: "wasm" }).catch((error) => error);
      console.log(error instanceof EngineError, error.code, error.message);`;
    await withFile("program.mjs", script, async (program) => {
      const limited = ["-c", 'ulimit -n 60; exec "$0" "$1"', process.execPath, fileURLToPath(program)];
      const { stdout } = await execute("sh", limited, { timeout: 25_000 });
      expect(stdout).toMatch(/^true ERR_BACKEND_UNAVAILABLE .*EMFILE/);
    });
  });

  it("[W-09] a bound on memory is a MemoryError, however it is met, and the engine goes on", async () => {
    const py = await start({ limits: { maxMemory: 128 * 2 ** 20 } });
    expect(await py.eval("len(bytes(40_000_000))")).toBe(40_000_000);
    await expect(run(py.eval("len(bytes(200_000_000))"))).rejects.toMatchObject({ type: "MemoryError" });
    await expect(run(py.exec("kept = []\nwhile True: kept.append(bytearray(1_000_000))"))).rejects.toMatchObject({ type: "MemoryError" });
    expect(await py.eval("[len(kept) > 10, kept.clear(), 1 + 1]")).toEqual([true, null, 2]);
    expect((await py.eval("'é' * 1_000_000")).length).toBe(1_000_000);
  });

  it("an aborted start rejects with the signal's reason", async () => {
    const reason = new Error("not any more");
    const controller = new AbortController();
    const starting = start({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(starting).rejects.toBe(reason);
  });
});

describe("close", () => {
  it("is idempotent, and settles what is pending", async () => {
    const py = await start();
    const pending = py.eval("__import__('asyncio').sleep(60)").then(undefined, (error: unknown) => error);
    await Promise.all([py.close(), py.close()]);
    expect(await pending).toMatchObject({ code: "ERR_CLOSED" });
    await py.close();
    await expect(run(py.eval("1"))).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("runs exit handlers", async () => {
    const lines: string[] = [];
    const py = await start({ stdout: (text) => lines.push(text) });
    await py.exec("import atexit\natexit.register(print, 'goodbye')");
    await py.close();
    expect(lines.join("")).toBe("goodbye\n");
  });

  it("does not wait for a program that never ends", async () => {
    const py = await start();
    const pending = py.exec("while True: pass").then(undefined, (error: unknown) => error);
    await py.close();
    expect(await pending).toMatchObject({ code: "ERR_CLOSED" });
  });
});

async function withFile(name: string, content: string | Buffer, use: (url: URL) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "isopy-"));
  try {
    await writeFile(join(folder, name), content);
    await use(pathToFileURL(join(folder, name)));
  } finally {
    await rm(folder, { recursive: true });
  }
}
