/**
 * A page in Chromium that runs a bundle of a test's own, with this package inside.
 *
 * The bundle is made by Vite with its defaults, from `dist/` (the package refers to itself by its
 * name), as an app's would be; so the worker and the engine's files go through a bundler too.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { connectChromium } from "./chromium.ts";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

export interface PageOptions {
  /** The module to bundle, relative to the repository: `test/browser/app.ts`. Without it the files of `dist/` are served as they are. */
  readonly entry?: string;
  /** With COOP and COEP, so that there is shared memory. Default: true. */
  readonly isolated?: boolean;
  /** The Content-Security-Policy of every answer. */
  readonly csp?: string;
  /** What is answered in place of a file; undefined: the file itself. */
  readonly instead?: (path: string, file: Buffer) => Answer | undefined;
  /** What is answered beside the files; undefined: a file, or none. */
  readonly also?: (path: string) => Promise<Answer | undefined>;
  /** Lets pages of other origins have the files. */
  readonly shared?: boolean;
}

/** Defaults: 200, the file's type, the file. */
export interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string | Buffer;
  /** A header that every other answer has and this one has not. */
  readonly without?: string;
}

export interface TestPage {
  readonly page: Page;
  readonly origin: string;
  /** What the page asked another origin for; empty when all is well. */
  readonly foreign: readonly string[];
  /** Console messages and uncaught errors, for failure texts. */
  readonly log: readonly string[];
  /** Takes the server away; the page stays. */
  unplug(): void;
  close(): Promise<void>;
}

const built = new Map<string, Promise<string>>();

/** Bundles the entry (once per file and process), serves it and opens it. */
export async function openPage(options: PageOptions): Promise<TestPage> {
  const folder = options.entry === undefined ? join(root, "dist") : await bundle(options.entry);
  const server = await serve(folder, options);
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const browser = await connectChromium();
  try {
    return await openIn(browser, server, origin);
  } catch (error) {
    await browser.close();
    server.close();
    throw error;
  }
}

async function openIn(browser: Browser, server: Server, origin: string): Promise<TestPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const foreign: string[] = [];
  const log: string[] = [];
  context.on("request", (request) => {
    if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).origin !== origin) foreign.push(request.url());
  });
  page.on("console", (message) => log.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => log.push(`uncaught: ${error.message}`));
  await page.goto(origin);
  const unplug = () => {
    server.close();
    server.closeAllConnections();
  };
  return {
    page,
    origin,
    foreign,
    log,
    unplug,
    async close() {
      await context.close();
      await browser.close();
      unplug();
    },
  };
}

/** @returns the folder with the app */
export function bundle(entry: string): Promise<string> {
  let folder = built.get(entry);
  if (folder === undefined) {
    folder = bundleNow(entry);
    built.set(entry, folder);
  }
  return folder;
}

async function bundleNow(entry: string): Promise<string> {
  const name = createHash("sha256").update(`${entry} ${process.pid}`).digest("hex").slice(0, 12);
  const bundles = join(root, ".cache", "browser");
  const outDir = join(bundles, name);
  await forgetOld(bundles);
  const config = {
    configFile: false,
    root,
    logLevel: "error",
    build: {
      outDir,
      emptyOutDir: true,
      target: "esnext",
      copyPublicDir: false,
      reportCompressedSize: false,
      rolldownOptions: { input: { main: join(root, entry) }, output: { entryFileNames: "[name].js" } },
    },
  };
  // In a process of its own: Vitest transforms parts of Vite that end up in bundles.
  const script = `const { build } = await import("vite"); await build(${JSON.stringify(config)});`;
  await execute(process.execPath, ["--input-type=module", "-e", script], { cwd: root });
  return outDir;
}

/** Bundles of earlier runs: each has its own copy of the engine's files. */
async function forgetOld(bundles: string): Promise<void> {
  const old = Date.now() - 10 * 60_000;
  for (const name of await readdir(bundles).catch(() => [])) {
    const folder = join(bundles, name);
    if ((await stat(folder)).mtimeMs < old) await rm(folder, { recursive: true, force: true });
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".zip": "application/zip",
  ".json": "application/json",
};
const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>isopy</title><script type="module" src="/main.js"></script>`;

/** The page's module when there is no bundle. */
const unbundled = `import * as isopy from "./browser.js"; globalThis.isopy = isopy;`;

async function serve(folder: string, options: PageOptions): Promise<Server> {
  const server = createServer((request, response) => void answer(folder, options, request, response));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return server;
}

async function answer(
  folder: string,
  { entry, isolated = true, csp, instead, also, shared = false }: PageOptions,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
  if (isolated) {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  }
  if (shared) {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
  }
  if (csp !== undefined) response.setHeader("Content-Security-Policy", csp);
  if (path === "/") {
    response.setHeader("content-type", types[".html"] as string).end(html);
    return;
  }
  if (path === "/main.js" && entry === undefined) {
    response.setHeader("content-type", types[".js"] as string).end(unbundled);
    return;
  }
  const own = await also?.(path);
  if (own !== undefined) {
    const { status = 200, type = types[extname(path)] ?? "application/octet-stream", body } = own;
    response.writeHead(status, { "content-type": type }).end(body);
    return;
  }
  const file = await readFile(join(folder, path)).catch(() => undefined);
  if (file === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end(`no ${path}`);
    return;
  }
  const { without, status = 200, type = types[extname(path)] ?? "application/octet-stream", body = file } = instead?.(path, file) ?? {};
  if (without !== undefined) response.removeHeader(without);
  response.writeHead(status, { "content-type": type }).end(body);
}
