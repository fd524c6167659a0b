/** This package in a page of Chromium, bundled by Vite as an app would: with and without isolation, and under a strict CSP. */
import type * as Isopy from "isopy";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPage, type TestPage } from "../support/browser-page.ts";

declare const isopy: typeof Isopy;

const entry = "test/browser/app.ts";
const strict = "default-src 'none'; connect-src 'self'; img-src data:; worker-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

describe.each([
  ["cross-origin isolated", { entry, isolated: true }],
  ["not isolated", { entry, isolated: false }],
  ["under a strict Content-Security-Policy", { entry, isolated: true, csp: strict }],
] as const)("a page that is %s", (_, options) => {
  const isolated = options.isolated;
  let app: TestPage;
  beforeAll(async () => {
    app = await openPage(options);
    await app.page.evaluate(async () => {
      Object.assign(globalThis, { py: await isopy.createPython({ env: { GREETING: "hi" } }) });
    });
  });
  afterAll(() => app.close());

  it("[W-24] [W-25] runs Python", async () => {
    const results = await app.page.evaluate(async () => [
      await py.import("math").sqrt(2),
      await py.eval`[n * ${3} for n in range(4)]`,
      await py.import("os").environ.get("GREETING"),
      (await isopy.toJs(py.import("array").array("d", [1, 2.5]))) instanceof Float64Array,
    ]);
    expect(results).toEqual([Math.SQRT2, [0, 3, 6, 9], "hi", true]);
  });

  it("[W-25] says what it can do", async () => {
    const { capabilities, backend } = await app.page.evaluate(() => py.info);
    expect(backend).toBe("wasm");
    expect(capabilities).toMatchObject({ sync: false, syncCallbacks: isolated, interrupt: isolated, threads: false });
  });

  it("errors have Python's facts", async () => {
    const error = await app.page.evaluate(async () => {
      const e = (await py.eval("{}['x']").then(undefined, (e: unknown) => e)) as Isopy.PythonError;
      return { type: e.type, known: e instanceof isopy.PythonError, traceback: e.traceback };
    });
    expect(error).toMatchObject({ type: "KeyError", known: true });
    expect(error.traceback).toContain("{}['x']");
  });

  it("Python calls JavaScript", async () => {
    const answer = await app.page.evaluate(async () => {
      try {
        return (await py.eval`${(n: number) => n * 2}(21)`) as number;
      } catch (error) {
        return (error as Error).message;
      }
    });
    if (isolated) expect(answer).toBe(42);
    else expect(answer).toMatch(/cannot wait for JavaScript/);
    const later = await app.page.evaluate(
      async () => (await py.eval`${isopy.proxy(async (n: number) => n * 2, { async: true })}(21)`) as number,
    );
    expect(later).toBe(42);
  });

  it("[W-25] an aborted program rejects at once", async () => {
    const outcome = await app.page.evaluate(async (busy) => {
      const source = busy ? "while True: pass" : "__import__('time').sleep(0.5)";
      const running = isopy.run(py.exec(source), { timeout: 200 }).then(
        () => "ended",
        (error: Error) => error.name,
      );
      const name = await running;
      return [name, await py.eval("1 + 1")];
    }, isolated);
    expect(outcome).toEqual(["TimeoutError", 2]);
  });

  it("asks no other origin for anything", () => {
    expect(app.foreign).toEqual([]);
  });

  it("complains about nothing on the console", () => {
    expect(app.log).toEqual([]);
  });

  it("closes", async () => {
    const code = await app.page.evaluate(async () => {
      const pending = py
        .import("asyncio")
        .sleep(30)
        .then(undefined, (error: Isopy.EngineError) => error.code);
      await py.close();
      await py.close();
      return pending;
    });
    expect(code).toBe("ERR_CLOSED");
  });
});

describe("other ways to serve it", () => {
  let app: TestPage | undefined;
  afterEach(() => app?.close());
  const root = (page: TestPage) =>
    page.page.evaluate(async () => {
      const py = await isopy.createPython();
      const value = (await py.import("math").sqrt(16)) as number;
      await py.close();
      return value;
    });

  it("without a bundler", async () => {
    app = await openPage({});
    expect(await root(app)).toBe(4);
    expect(app.foreign).toEqual([]);
  });

  it("with a worker of the app's own", async () => {
    app = await openPage({ entry: "test/browser/own-worker-app.ts" });
    expect(await root(app)).toBe(4);
  });
});

declare const py: Isopy.Python;
