/** `py.packages` in a page under a strict policy: from an index and a folder on its own origin, and without a server. */
import { readFile } from "node:fs/promises";
import type * as Isopy from "isopy";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, openPage, type TestPage } from "../support/browser-page.ts";
import { heavyweight, inWheels, needWheels, realLock } from "../support/real-wheels.ts";
import { damaged, makeWheel } from "../support/wheels.ts";

declare const isopy: typeof Isopy;
declare const py: Isopy.Python;

const csp = "default-src 'none'; connect-src 'self'; img-src data:; worker-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const lock = realLock();
const { name, program, result } = heavyweight(lock);
const flipped = makeWheel("flipped", "1.0");
const good = makeWheel("good", "1.0");
const slow = makeWheel("slow", "1.0");
/** Until the test has aborted. */
let slowly: () => Promise<Answer>;
/** How often the damaged wheel was asked for. */
let times = 0;

/** The folder of wheels, an index over it, and a wheel that is damaged the first time. */
async function also(path: string): Promise<Answer | undefined> {
  const [, area = "", ...rest] = path.split("/");
  const [first = ""] = rest;
  if (area === "wheels" && first === flipped.file) return { body: times++ === 0 ? damaged(flipped.bytes, "version =") : flipped.bytes };
  if (area === "wheels" && first === slow.file) return slowly();
  if (area === "wheels" && first === good.file) return { body: good.bytes };
  if (area === "wheels") return readFile(inWheels(first)).then((body) => ({ body }));
  if (area !== "simple") return undefined;
  const files = lock.packages
    .filter((one) => one.name === first)
    .map(({ file, sha256, size }) => ({ filename: file, url: `/wheels/${file}`, hashes: { sha256 }, size }));
  if (files.length === 0) return { status: 404, type: "text/html", body: "<h1>no such project</h1>" };
  return { type: "application/vnd.pypi.simple.v1+json", body: JSON.stringify({ meta: { "api-version": "1.1" }, name: first, files }) };
}

const start = (app: TestPage) =>
  app.page.evaluate(async () => void Object.assign(globalThis, { py: await isopy.createPython({ stdout: () => {} }) }));

beforeEach(needWheels);

describe.each([
  ["isolated", true],
  ["not isolated", false],
])("a page that is %s", (_, isolated) => {
  let app: TestPage;
  beforeAll(async () => {
    app = await openPage({ isolated, csp, also });
    await start(app);
  });
  afterAll(() => app.close());

  it("installs a compiled package from an index, and Python uses it", async () => {
    const found = await app.page.evaluate(
      async ({ name, program }) => {
        const news: string[] = [];
        const report = await py.packages.install([name], { index: "/simple", onProgress: ({ stage }) => news.push(stage) });
        await py.exec(program);
        return { names: report.installed.map((one) => one.name), stages: [...new Set(news)].sort(), result: await py.eval("result") };
      },
      { name, program },
    );
    expect(found.names).toContain(name);
    expect(found).toMatchObject({ stages: ["download", "index", "install"], result });
    expect(app.foreign).toEqual([]);
  });

  it("[W-19] [W-22] names what fails, asks once more for a damaged wheel, and installs what is good", async () => {
    times = 0;
    const found = await app.page.evaluate(
      async ([flipped, good]) => {
        const error = await py.packages
          .install([`./wheels/${flipped}`, "no-such-thing", `/wheels/${good}`], { index: "/simple" })
          .then(undefined, (error: unknown) => error as Isopy.PackageError);
        if (!(error instanceof isopy.PackageError)) return error;
        return { failures: error.failures, installed: error.installed.map((one) => one.name), lock: await py.packages.lock() };
      },
      [`${flipped.file}#sha256=${flipped.sha256}`, good.file] as const,
    );
    expect(found).toMatchObject({
      failures: [{ requirement: "no-such-thing", cause: "not-found", status: 404 }],
      installed: ["flipped", "good"],
    });
    expect(times).toBe(2);
  });

  it("a signal ends an installation at once, and the next one goes on", async () => {
    let answer: (wheel: Answer) => void = () => {};
    const asked = new Promise<void>((resolve) => {
      slowly = () => {
        resolve();
        return new Promise((later) => (answer = later));
      };
    });
    await app.page.evaluate((file) => {
      const stop = new AbortController();
      const outcome = py.packages.install(file, { signal: stop.signal }).catch((error: unknown) => error);
      Object.assign(globalThis, { stop, outcome });
    }, `/wheels/${slow.file}`);
    await asked;
    const reason = await app.page.evaluate(() => {
      const { stop, outcome } = globalThis as unknown as { stop: AbortController; outcome: Promise<unknown> };
      stop.abort("enough");
      return outcome;
    });
    expect(reason).toBe("enough");
    answer({ body: slow.bytes });
    slowly = async () => ({ body: slow.bytes });
    const names = await app.page.evaluate(
      async (file) => (await py.packages.install(file)).installed.map(({ name }) => name),
      `/wheels/${slow.file}`,
    );
    expect(names).toEqual(["slow"]);
  });
});

it("without a server, a page that has kept its files installs from its lock", async () => {
  const app = await openPage({ csp, also });
  try {
    const install = (name: string, program: string) =>
      app.page.evaluate(
        async ({ name, program }) => {
          const { installed } = await py.packages.install([name], { from: "/wheels/" });
          await py.exec(program);
          return { count: installed.length, result: await py.eval("result") };
        },
        { name, program },
      );
    // As text: Vitest would rewrite the import.
    await app.page.evaluate(`import("/offline.js").then(({ keepOffline }) => keepOffline("/service-worker.js"))`);
    await start(app);
    const online = await install(name, program);
    expect(online.result).toEqual(result);
    app.unplug();
    await app.page.reload();
    await app.page.waitForFunction(() => "isopy" in globalThis);
    await start(app);
    expect(await install(name, program)).toEqual(online);
    expect(app.foreign).toEqual([]);
  } finally {
    await app.close();
  }
});
