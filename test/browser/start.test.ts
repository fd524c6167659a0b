/**
 * Starts of the engine in a page that cannot succeed, and starts under unusual circumstances.
 *
 * The ids at the heads of titles are rows of the failure catalogue.
 */
import type * as Isopy from "isopy";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, openPage, type PageOptions, type TestPage } from "../support/browser-page.ts";

declare const isopy: typeof Isopy;

const entry = "test/browser/app.ts";
/** The row's bound: a start that cannot succeed says so within this many milliseconds. */
const soon = 5_000;

let app: TestPage | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Refusal {
  readonly code: string | undefined;
  readonly message: string;
  readonly hint: string;
  readonly after: number;
}

/** Starts an engine that must not start. */
async function refusal(page: TestPage, options: Isopy.CreatePythonOptions = {}): Promise<Refusal> {
  return page.page.evaluate(async (given) => {
    const start = performance.now();
    const error = await isopy.createPython(given as Isopy.CreatePythonOptions).then(
      () => undefined,
      (e: Isopy.EngineError) => e,
    );
    const typed = error instanceof isopy.EngineError;
    return {
      code: typed ? error.code : undefined,
      message: typed ? error.message : String(error),
      hint: error?.hint ?? "",
      after: performance.now() - start,
    };
  }, options as object);
}

const wasm = /pyodide\.asm.*\.wasm$/;
const zip = /python_stdlib.*\.zip$/;
/** The worker's whole code: Vite bundles it into one file. */
const worker = /wasm\.web\.worker.*\.js$/;

/** @returns the file with one bit of its middle changed */
function flipped(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  const at = copy.length >> 1;
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

interface Case {
  readonly title: string;
  readonly page?: Omit<PageOptions, "entry">;
  readonly options?: Isopy.CreatePythonOptions;
  /** What the message says, beside the code. */
  readonly says: RegExp;
  /** What the hint says to do. */
  readonly hint: RegExp;
}

const html = { type: "text/html; charset=utf-8", body: "<!doctype html><title>start page</title>" };
const on =
  (files: RegExp, answer: (file: Buffer) => Answer): NonNullable<PageOptions["instead"]> =>
  (path, file) =>
    files.test(path) ? answer(file) : undefined;
const half = (file: Buffer) => ({ body: file.subarray(0, file.length >> 1) });

const cases: readonly Case[] = [
  {
    title: "[W-21] a missing .wasm file is named",
    page: { instead: on(wasm, () => ({ status: 404, type: "text/plain" })) },
    says: /http:\/\/\S+\.wasm answered 404/,
    hint: /served beside the worker/,
  },
  {
    title: "[W-21] a missing .zip file is named",
    page: { instead: on(zip, () => ({ status: 404, type: "text/plain" })) },
    says: /http:\/\/\S+\.zip answered 404/,
    hint: /served beside the worker/,
  },
  {
    title: "[W-21] a missing worker is named",
    page: { instead: on(worker, () => ({ status: 404, type: "text/plain" })) },
    says: /http:\/\/\S+worker\S+ answered 404/,
    hint: /dist/,
  },
  {
    title: "[W-21] a start page instead of the .wasm file is not taken for it",
    page: { instead: on(wasm, () => html) },
    says: /\.wasm answered 200 text\/html/,
    hint: /served beside the worker/,
  },
  {
    title: "[W-21] a start page instead of the .zip file is not taken for it",
    page: { instead: on(zip, () => html) },
    says: /\.zip answered 200 text\/html/,
    hint: /served beside the worker/,
  },
  {
    title: "[W-21] a start page instead of the worker is not taken for it",
    page: { instead: on(worker, () => html) },
    says: /worker\S+ answered 200 text\/html/,
    hint: /dist/,
  },
  {
    title: "[W-21] a start page of no type instead of the .wasm file is not taken for it",
    page: { instead: on(wasm, () => ({ ...html, type: "application/octet-stream" })) },
    says: /\.wasm: CompileError/,
    hint: /unchanged/,
  },
  {
    title: "[W-21] a truncated .wasm file is named",
    page: { instead: on(wasm, half) },
    says: /damaged.*\.wasm: CompileError/,
    hint: /unchanged/,
  },
  {
    title: "[W-21] a truncated .zip file is named, with its size",
    page: { instead: on(zip, half) },
    says: /damaged.*\.zip: it has \d+ bytes instead of \d+/,
    hint: /unchanged/,
  },
  {
    title: "[W-22] a changed byte in the .zip file is noticed",
    page: { instead: on(zip, (file) => ({ body: flipped(file) })) },
    says: /damaged.*\.zip: its SHA-256 is [0-9a-f]{64} instead of [0-9a-f]{64}/,
    hint: /unchanged/,
  },
  {
    title: "[W-22] a changed byte in the .wasm file is noticed",
    page: { instead: on(wasm, (file) => ({ body: flipped(file) })) },
    says: /damaged.*\.wasm: (its SHA-256|CompileError)/,
    hint: /unchanged/,
  },
  {
    title: "[W-23] a worker of another build than the page's code is refused",
    page: {
      // The build's id is the only text of sixteen hexadecimal digits that both have.
      instead: on(worker, (file) => ({ body: file.toString("latin1").replace(/(["'`])[0-9a-f]{16}\1/g, '"0123456789abcdef"') })),
    },
    says: /different builds: the page's code of \w+, the worker of 0123456789abcdef/,
    hint: /one isopy version/,
  },
  {
    title: "[W-24] a policy without WebAssembly is named",
    page: { csp: "script-src 'self'" },
    says: /WebAssembly is not allowed/,
    hint: /'wasm-unsafe-eval'/,
  },
  {
    title: "[W-24] a policy without workers is named",
    page: { csp: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'" },
    says: /Content-Security-Policy's worker-src does not allow http:\/\/\S+worker/,
    hint: /worker-src/,
  },
  {
    title: "[W-24] a policy that keeps the engine's files out is named",
    page: { csp: "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" },
    says: /http:\/\/\S+\.(wasm|zip)/,
    hint: /connect-src/,
  },
  {
    title: "[W-25] a worker that came without the header that isolates the page is named",
    page: { instead: on(worker, () => ({ without: "Cross-Origin-Embedder-Policy" })) },
    says: /http:\/\/\S+worker\S+ came without the header Cross-Origin-Embedder-Policy/,
    hint: /dist/,
  },
  {
    title: "a worker that throws is a typed error",
    page: { instead: on(worker, () => ({ body: "throw new Error('cannot go on')" })) },
    says: /worker failed.*cannot go on/,
    hint: /dist/,
  },
  {
    title: "a worker that ends itself while it starts is a typed error",
    page: {
      instead: on(worker, (file) => ({ body: `globalThis.fetch = () => { close(); return new Promise(() => {}); };\n${file}` })),
    },
    says: /worker ended without a word/,
    hint: /dist/,
  },
  {
    title: "a worker that never speaks is given up, and what it should have been is said",
    page: { instead: on(worker, () => ({ body: "close();" })) },
    options: { startTimeout: 1_000 },
    says: /within 1000 ms.*worker's own file/,
    hint: /startTimeout/,
  },
];

describe("what stands in the way of a start", () => {
  // Not `it.for`: its titles are quoted, and then no id stands at their head.
  for (const { title, page, options, says, hint } of cases) {
    it(`${title}, soon`, async () => {
      app = await openPage({ entry, ...page });
      const error = await refusal(app, options);
      expect(error.code).toBe("ERR_BACKEND_UNAVAILABLE");
      expect(error.message).toMatch(says);
      expect(error.hint).toMatch(hint);
      expect(error.after).toBeLessThan(soon);
    });
  }

  it("[W-21] a server that is gone before anything of the engine came is named, soon", async () => {
    app = await openPage({ entry });
    app.unplug();
    const error = await refusal(app);
    expect(error.code).toBe("ERR_BACKEND_UNAVAILABLE");
    expect(error.message).toContain(app.origin);
    expect(error.hint).toContain("network");
    expect(error.after).toBeLessThan(soon);
  });

  it("[W-21] a server that is gone when the engine is started again is named, soon", async () => {
    app = await openPage({ entry });
    await app.page.evaluate(async () => (await isopy.createPython()).close());
    app.unplug();
    const error = await refusal(app);
    expect(error.code).toBe("ERR_BACKEND_UNAVAILABLE");
    expect(error.message).toContain(app.origin);
    expect(error.after).toBeLessThan(soon);
  });

  it("[W-21] a script that the worker imports and that is missing is named", async () => {
    app = await openPage({ instead: (path) => (path === "/worker.js" ? { status: 404, type: "text/plain" } : undefined) });
    const error = await refusal(app);
    expect(error.code).toBe("ERR_BACKEND_UNAVAILABLE");
    expect(error.message).toMatch(/imports http:\/\/\S+\/worker\.js, which answered 404/);
  });
});

it("an engine whose worker ends itself is lost, and says so", async () => {
  app = await openPage({ entry });
  const error = await app.page.evaluate(async () => {
    const py = await isopy.createPython();
    const lost = (await py
      .eval("__import__('js').close() or __import__('asyncio').sleep(60)")
      .then(undefined, (e: unknown) => e)) as Isopy.EngineError;
    return { code: lost.code, message: lost.message };
  });
  expect(error.code).toBe("ERR_ENGINE_LOST");
  expect(error.message).toContain("ended without a word");
});

describe("a start that goes well all the same", () => {
  const root = () =>
    (app as TestPage).page.evaluate(async () => {
      const py = await isopy.createPython();
      const value = (await py.import("math").sqrt(16)) as number;
      await py.close();
      return value;
    });

  it("[W-22] a file that came damaged is asked for once more", async () => {
    const asked: string[] = [];
    app = await openPage({
      entry,
      instead: (path, file) => {
        if (!wasm.test(path) && !zip.test(path)) return undefined;
        asked.push(path);
        return asked.filter((one) => one === path).length === 1 ? { body: flipped(file) } : undefined;
      },
    });
    expect(await root()).toBe(4);
    expect(asked).toHaveLength(4);
  });

  it("a server that calls the .wasm file something else does no harm", async () => {
    app = await openPage({ entry, instead: on(wasm, () => ({ type: "application/octet-stream" })) });
    expect(await root()).toBe(4);
  });

  it("progress is told in bytes, and ends with all of them", async () => {
    app = await openPage({ entry });
    const told = await app.page.evaluate(async () => {
      const seen: Isopy.StartProgress[] = [];
      await (await isopy.createPython({ onProgress: (news) => seen.push(news) })).close();
      return seen;
    });
    const bytes = told.filter(({ stage }) => stage === "load");
    expect(bytes.length).toBeGreaterThan(3);
    expect(bytes.map(({ loaded }) => loaded)).toEqual(bytes.map(({ loaded }) => loaded).sort((a = 0, b = 0) => a - b));
    expect(bytes.at(-1)?.loaded).toBe(bytes.at(-1)?.total);
    expect(bytes.at(-1)?.total).toBeGreaterThan(10_000_000);
  });

  it("[W-31] eight engines that start together are all ready", async () => {
    app = await openPage({ entry });
    const answers = await app.page.evaluate(async () => {
      const engines = await Promise.all(Array.from({ length: 8 }, () => isopy.createPython()));
      const values = await Promise.all(engines.map(async (py, index) => (await py.eval(`${index} ** 2`)) as number));
      await Promise.all(engines.map((py) => py.close()));
      return values;
    });
    expect(answers).toEqual([0, 1, 4, 9, 16, 25, 36, 49]);
  }, 120_000); // ten seconds on two idle cores

  it("[W-39] a worker made from a blob hosts the engine", async () => {
    app = await openPage({});
    const value = await app.page.evaluate(async (origin) => {
      const source = `import { serveEngine } from "${origin}/worker.js"; serveEngine();`;
      const blob = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = () => new Worker(blob, { type: "module" });
      const py = await isopy.createPython({ assets: { worker } as object });
      const answer = (await py.eval("6 * 7")) as number;
      await py.close();
      return answer;
    }, app.origin);
    expect(value).toBe(42);
  });

  it("[W-39] a sandboxed frame without an origin hosts the engine, in a worker of a data: URL", async () => {
    app = await openPage({ isolated: false, shared: true });
    const value = await app.page.evaluate(
      (origin) =>
        new Promise((resolve) => {
          addEventListener("message", ({ data }) => resolve(data), { once: true });
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", "allow-scripts");
          frame.srcdoc = `<script type="module">
            import { createPython } from "${origin}/browser.js";
            const source = 'import { serveEngine } from "${origin}/worker.js"; serveEngine();';
            const file = "data:text/javascript," + encodeURIComponent(source); // Chromium takes no module from a blob: there
            const answer = async () => {
              const py = await createPython({ assets: { worker: () => new Worker(file, { type: "module" }) } });
              return [self.origin, await py.eval("6 * 7")];
            };
            parent.postMessage(await answer().catch(String), "*");
          </script>`;
          document.body.append(frame);
        }),
      app.origin,
    );
    expect(value).toEqual(["null", 42]);
  });
});
