/**
 * The Datadog Agent's embedded Python: a host that must survive, whatever Python does.
 */
import { readFile } from "node:fs/promises";
import { EngineError, type PyRef, type PythonError, ref, run } from "isopy";
import { beforeAll, describe, expect, test } from "vitest";
import { createAlone } from "./alone.ts";
import { asyncEngines, everyEngine, loadFixture, nativeEngine, onEach, syncEngine } from "./engines.ts";
import { collectGarbage, until } from "./garbage.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_checks"));

  test("[DD-22] the facts about the engine agree with sys", async () => {
    const { py } = engine;
    const sys = (await py.eval(
      "[__import__('sys').implementation.name, __import__('platform').python_version(), __import__('sys').platform]",
    )) as [string, string, string];
    expect([py.info.implementation, py.info.python, py.info.platform]).toEqual(sys);
    expect(py.info.python).not.toContain("\n");
    expect(py.info.path.length).toBeGreaterThan(0);
  });

  test("[DD-24] an error is the call's own and does not stay", async () => {
    const first = await thrownBy(async () => await engine.py.import("seed_checks").fail("one"));
    expect(await engine.py.eval("__import__('sys').exc_info()[0]")).toBe(null);
    const second = await thrownBy(async () => await engine.py.import("seed_checks").fail("two"));
    expect([(first as PythonError).pythonMessage, (second as PythonError).pythonMessage]).toEqual(["one", "two"]);
  });

  test("[DD-36] ten thousand calls leave nothing behind: no ref, no block of Python's, no memory of the process", async () => {
    const { py } = engine;
    const handles = py.handles.count;
    const text = "ü".repeat(8192);
    const bytes = new Uint8Array(16_384);
    const calls = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const echoed = await py.import("seed_checks").echo_arguments(text, bytes, [i, { at: i }], 2n ** 80n);
        if (i % 1000 === 0) expect(echoed).toEqual([[text, bytes, [i, { at: i }], 2n ** 80n], {}]);
        if (i % 10 === 0) await thrownBy(async () => await py.import("seed_checks").fail(text));
      }
    };
    const inUse = async (): Promise<{ python: number; process: number }> => {
      await until(async () => {
        await collectGarbage();
        return py.handles.count <= handles;
      });
      const python = (await py.eval("(__import__('gc').collect(), __import__('tracemalloc').get_traced_memory()[0])[1]")) as number;
      return { python, process: process.memoryUsage.rss() };
    };
    await py.exec("import tracemalloc; tracemalloc.start()");
    try {
      await calls(1000);
      // The latest 1024 exceptions of Python are kept, so that they cross as the same object again.
      for (let i = 0; i < 1100; i += 1) await thrownBy(async () => await py.import("seed_checks").fail(text));
      const before = await inUse();
      await calls(10_000);
      const after = await inUse();
      // One object per call would be 500 kB; one text or one array per call 160 MB.
      expect(after.python - before.python).toBeLessThan(300_000);
      expect(after.process - before.process).toBeLessThan(100_000_000);
    } finally {
      await py.exec("tracemalloc.stop()");
    }
  }, 120_000);

  test("[DD-34] a module's attribute is set by its name", async () => {
    const module = (await engine.py.eval("__import__('seed_checks')")) as PyRef;
    await engine.verbs.set(module, "from_host", { nested: [1] });
    expect(await engine.py.eval("__import__('seed_checks').from_host")).toEqual({ nested: [1] });
  });
});

onEach(asyncEngines, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_checks"));

  test("[DD-05] [GP-05] Python's background threads go on while JavaScript is idle", async ({ skip }) => {
    const { py } = engine;
    skip(!py.info.capabilities.threads, "this engine has one thread (PT-24 refuses)");
    await py.import("seed_checks").start_ticking();
    const before = (await py.import("seed_checks").ticks) as number;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await py.import("seed_checks").stop_ticking()).toBeGreaterThan(before + 5);
  });

  test("[DD-06] two calls of two tasks both finish, with every line", async () => {
    const { py } = engine;
    const [odds, evens] = await Promise.all([
      run(py.import("seed_checks").lines("odd", 1)),
      run(py.import("seed_checks").lines("even", 0)),
    ]);
    expect([...(odds as string[]), ...(evens as string[])]).toHaveLength(10);
    expect(odds).toEqual(["odd 1", "odd 3", "odd 5", "odd 7", "odd 9"]);
  });

  test("[DD-07] Python and JavaScript call each other fifty deep", async () => {
    const { py } = engine;
    const back = async (depth: number): Promise<unknown> => await py.import("seed_checks").descend(back, depth);
    expect(await py.import("seed_checks").descend(back, 50)).toBe(50);
  });

  test("[DD-13] [N-28] ten thousand forgotten refs are let go, also while a call runs", async () => {
    const { py } = engine;
    const before = py.handles.count;
    await (async () => {
      for (let i = 0; i < 10; i += 1) await Promise.all(Array.from({ length: 1000 }, () => ref(py.eval("object()"))));
    })();
    const busy = run(py.eval("sum(i for i in range(200_000))"));
    await until(async () => {
      await collectGarbage();
      return py.handles.count <= before + 100;
    });
    await busy;
  }, 60_000);

  test("[DD-24] failing calls at the same time keep their own errors", async () => {
    const { py } = engine;
    const texts = Array.from({ length: 20 }, (_, i) => `error ${i}`);
    const settled = await Promise.allSettled(texts.map((text) => run(py.import("seed_checks").fail(text))));
    const got = settled.map((one) => (one.status === "rejected" ? (one.reason as PythonError).pythonMessage : "no error"));
    expect(got).toEqual(texts);
  });

  test("[DD-26] [PJ-21] records of logging arrive with level, name, text and traceback", async () => {
    const records: { level: string; logger: string; message: string }[] = [];
    const other = await engine.start({ onLog: (record) => records.push(record) });
    await loadFixture(other, "seed_checks");
    await other.import("seed_checks").log_everything();
    await other.close();
    const ours = records.filter((record) => record.logger === "seed.checks");
    expect(ours.map((record) => record.message.split("\n")[0])).toEqual([
      "message at 10",
      "message at 20",
      "message at 30",
      "message at 40",
      "message at 50",
      "with a traceback",
    ]);
    expect(ours.map((record) => String(record.level).toLowerCase())).toEqual(
      ["debug", "info", "warning", "error", "critical", "error"], // biome-ignore format: a table
    );
    expect(ours.at(-1)?.message).toContain("LookupError: logged");
  }, 60_000);

  test("[DD-31] a hundred calls that race with close each answer or are refused with a type", async () => {
    const other = await engine.start();
    const calls = Array.from({ length: 100 }, (_, i) => run(other.eval(`sum(range(${i}))`)));
    const closing = other.close();
    const late = Array.from({ length: 10 }, () => thrownBy(async () => await other.eval("1")));
    const settled = await Promise.allSettled(calls);
    await closing;
    settled.forEach((one, i) => {
      if (one.status === "fulfilled") expect(one.value).toBe(Math.max(0, (i * (i - 1)) / 2));
      else expect(one.reason).toBeInstanceOf(EngineError);
    });
    for (const error of await Promise.all(late)) expect(error).toMatchObject({ code: "ERR_CLOSED" });
  }, 60_000);
});

onEach(syncEngine, (engine) => {
  beforeAll(() => loadFixture(engine.py, "seed_checks"));

  test("[DD-07] sync calls nest fifty deep in both languages", () => {
    const checks = engine.py.import("seed_checks");
    const back = (depth: number): unknown => checks.descend_now(back, depth);
    expect(checks.descend_now(back, 50)).toBe(50);
  });

  test("[DD-16] what is given to a callback arrives whole", async () => {
    const seen: unknown[][] = [];
    const host = (...values: unknown[]): void => {
      seen.push(values);
    };
    await engine.py.eval("host('aggregator', 1.5, [1, 2], {'tag': None}, b'x', key='k')", { locals: { host } });
    expect(seen).toEqual([["aggregator", 1.5, [1, 2], { tag: null }, new Uint8Array([120]), { key: "k" }]]);
  });
});

// Processes of their own: no Python was started there before.
describe("native", () => {
  test("[DD-01] [PT-27] without a Python the host gets a diagnosis and lives on", async () => {
    const result = await createAlone({ backend: "native" }, { PATH: "/nonexistent" });
    expect(result).toMatchObject({ name: "EngineError", code: "ERR_BACKEND_UNAVAILABLE" });
    expect(result.message).toMatch(/python/i);
  }, 60_000);

  test("[DD-02] [PJ-02] [PT-01] [FA-08] a Python that is not there is named, and what to do is said", async () => {
    const python = "/nonexistent/seed/bin/python3";
    const result = await createAlone({ backend: "native", python }, { PATH: process.env["PATH"] ?? "" });
    expect(result).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
    expect(result.message).toContain(python);
  }, 60_000);
});

onEach([nativeEngine], (engine) => {
  test("[PN-01] [PJ-02] [DD-02] [FA-08] the Python of the option is the one that runs", async () => {
    const { executable } = engine.py.info;
    expect(executable).not.toBe(null);
    const result = await createAlone({ python: executable }, { PATH: "/nonexistent" });
    expect(result).toMatchObject({ value: 42, backend: "native", executable, fallback: null });
    expect(result.resolution?.length).toBeGreaterThan(0);
  }, 60_000);
});

describe("wasm", () => {
  test("[DD-01] [DD-32] without a Python of the system, auto chooses wasm and says why", async () => {
    const result = await createAlone({}, { PATH: "/nonexistent" });
    expect(result).toMatchObject({ value: 42, backend: "wasm" });
    expect(result.fallback).toMatch(/no python/i);
  }, 60_000);
});

// No engine: what is proved is what the browser's files import.
test("[DD-32] the browser's bundle reaches nothing of Node", async () => {
  const dist = new URL("../../dist/", import.meta.url);
  const seen = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const source = await readFile(file, "utf8");
    for (const [, name] of source.matchAll(/^\s*(?:import|export)\b[^"'`;]*?["']([^"']+)["'];?$/gm)) {
      expect(name).not.toMatch(/^node:|\.node$/);
      if (name?.startsWith(".")) await visit(new URL(name, file));
    }
  };
  await visit(new URL("browser.js", dist));
  expect(seen.size).toBeGreaterThan(1);
});
