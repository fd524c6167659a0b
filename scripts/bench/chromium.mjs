/** The bench's page in Chromium: starts with a cold and a warm profile, the cases in one page, restarts. */
import fs from "node:fs";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { chromiumFile } from "../setup/chromium.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const HTML = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';

/** What lies where; everything else is the bundle's. */
const PLACES = [
  [/^\/pyodide\/(.+)$/, (name) => inRoot("node_modules/pyodide", name)],
  [/^\/comlink\.mjs$/, () => inRoot("node_modules/comlink/dist/esm/comlink.mjs")],
  [/^\/(plain(?:-web\.worker)?\.mjs)$/, (name) => inRoot("bench/wasm", name)],
];

async function bundle() {
  const { build } = await import("vite");
  const outDir = inCache("bench", "page");
  await build({
    configFile: false,
    root: inRoot(),
    logLevel: "error",
    build: {
      outDir,
      emptyOutDir: true,
      target: "esnext",
      copyPublicDir: false,
      rolldownOptions: { input: { main: inRoot("bench/wasm/page.ts") }, output: { entryFileNames: "[name].js" } },
    },
  });
  return outDir;
}

/** Serves what a browser may keep, on an origin that is isolated. */
async function serve(folder) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    response.setHeader("Cache-Control", "max-age=86400");
    if (pathname === "/") return response.setHeader("content-type", "text/html").end(HTML);
    const place = PLACES.map(([form, file]) => [form.exec(pathname), file]).find(([match]) => match !== null);
    const file = place === undefined ? path.join(folder, path.normalize(pathname)) : place[1](place[0][1]);
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.setHeader("content-type", TYPES[path.extname(file)] ?? "application/octet-stream");
    return fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { origin: `http://localhost:${server.address().port}`, close: () => server.close() };
}

async function withPage(profile, origin, body) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumFile(),
    args: ["--no-sandbox", "--disable-gpu", "--enable-blink-features=ForceEagerMeasureMemory"],
  });
  try {
    const page = await context.newPage();
    await page.goto(origin);
    await page.waitForFunction(() => globalThis.bench !== undefined);
    return await body(page);
  } finally {
    await context.close();
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const RESTARTS = 20;

/**
 * @param {number} rounds
 * @param {readonly string[] | undefined} only
 * @param {(text: string) => void} say
 * @returns {Promise<Record<string, Record<string, number>>>} medians by contender and case; milliseconds, and % for `restarts`
 */
export async function inChromium(rounds, only, say) {
  const wants = (key) => only === undefined || only.includes(key);
  const server = await serve(await bundle());
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "isopy-bench-"));
  const figures = { isopy: {}, "plain messages": {}, Comlink: {} };
  try {
    if (wants("start")) {
      const times = {};
      for (let round = 1; round <= rounds; round++) {
        say(`  Chromium, round ${round} of ${rounds}: starts`);
        for (const [which, name] of [
          ["isopy", "isopy"],
          ["plain", "plain messages"],
        ]) {
          const profile = path.join(folder, `${which}-${round}`);
          for (const key of ["cold", "warm"]) {
            const ms = await withPage(profile, server.origin, (page) => page.evaluate((one) => bench.start(one), which));
            ((times[name] ??= {})[key] ??= []).push(ms);
          }
        }
      }
      for (const [name, found] of Object.entries(times)) for (const [key, all] of Object.entries(found)) figures[name][key] = median(all);
    }
    say("  Chromium: cases");
    const cases = await withPage(path.join(folder, "cases"), server.origin, (page) => page.evaluate((keys) => bench.compare(keys), only));
    for (const [name, found] of Object.entries(cases)) Object.assign(figures[name], found);
    if (wants("restarts")) {
      say(`  Chromium: ${RESTARTS} restarts`);
      figures.isopy.restarts = await withPage(path.join(folder, "restarts"), server.origin, (page) => page.evaluate(growth, RESTARTS));
    }
  } finally {
    server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

/** In the page: how much more memory it has after many starts than after two, in %. */
async function growth(times) {
  const bytes = async () => (await performance.measureUserAgentSpecificMemory()).bytes;
  for (let n = 0; n < 2; n++) await bench.restart();
  const before = await bytes();
  for (let n = 0; n < times; n++) await bench.restart();
  return (100 * ((await bytes()) - before)) / before;
}
