/**
 * Check: what `npm pack` makes works in an empty folder, installed with --ignore-scripts: both engines
 * in Node, and a page built by Vite in a real browser.
 */
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { fail, main, merge, pass, skip } from "./checks/tally.mjs";
import { addonFile } from "./setup/addon.mjs";
import { bin } from "./setup/build.mjs";
import { chromiumFile } from "./setup/chromium.mjs";
import { exec, npm, tail } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";

export async function checkPack() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "isopy-pack-"));
  try {
    return merge("package", await inEmptyFolder(folder));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function inEmptyFolder(folder) {
  const packed = await npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder]);
  if (packed.code !== 0) return [fail("npm pack", tail(packed))];
  const tarball = fs.readdirSync(folder).find((name) => name.endsWith(".tgz"));
  const megabytes = (fs.statSync(path.join(folder, tarball)).size / 1e6).toFixed(1);
  console.log(`    ${tarball}, ${megabytes} MB`);
  const user = path.join(folder, "user");
  fs.cpSync(inRoot("examples/page"), user, { recursive: true });
  fs.writeFileSync(path.join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  const installed = await npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--offline", path.join(folder, tarball)], {
    cwd: user,
    timeout: 180_000,
  });
  if (installed.code !== 0) return [fail("npm install of the tarball, offline", tail(installed))];
  const found = [pass("npm pack and npm install --ignore-scripts")];
  fs.copyFileSync(inRoot("scripts/checks/smoke-program.mjs"), path.join(user, "smoke.mjs"));
  for (const engine of ["native", "wasm"]) {
    if (engine === "native" && addonFile() === undefined) {
      found.push(skip("the tarball's native engine", "there is no addon"));
      continue;
    }
    const outcome = await exec(process.execPath, ["smoke.mjs", engine], { cwd: user, timeout: 120_000 });
    found.push(outcome.code === 0 ? pass(`the tarball on ${engine}`) : fail(`the tarball on ${engine}`, tail(outcome, 20)));
  }
  found.push(await types(user));
  found.push(await page(user));
  return found;
}

/** A user's compiler reads our declarations, strictly and without skipping libraries, in both usual modes. */
async function types(user) {
  fs.writeFileSync(
    path.join(user, "user.ts"),
    [
      'import { createPython, EngineError, kw, type PyRef, type Python } from "isopy";',
      "export const start = (): Promise<Python> => createPython();",
      "export async function use(py: Python): Promise<number> {",
      '  const ref: PyRef = await py.import("collections").Counter("abc", kw({ d: 1 }));',
      "  try { return (await py.builtins.len(ref)) as number; } catch (error) { if (error instanceof EngineError) return error.code.length; throw error; }",
      "}",
    ].join("\n"),
  );
  const page = ["--lib", "es2022,dom,esnext.disposable", "--types", ""];
  // A program for Node has no DOM types.
  const program = ["--lib", "es2022", "--types", "node", "--typeRoots", inRoot("node_modules/@types")];
  const modes = [
    ["nodenext", "nodenext", page],
    ["esnext", "bundler", page],
    ["nodenext", "nodenext", program],
  ];
  for (const [module, resolution, platform] of modes) {
    const args = [
      "--noEmit",
      "--strict",
      "--target",
      "es2022",
      "--module",
      module,
      "--moduleResolution",
      resolution,
      ...platform,
      "user.ts",
    ];
    const outcome = await exec(bin("tsc"), args, { cwd: user });
    if (outcome.code !== 0) return fail(`a user's types (${resolution}, ${platform === page ? "page" : "program"})`, tail(outcome, 20));
  }
  return pass("a user's types");
}

async function page(user) {
  const { build } = await import("vite");
  try {
    await build({ root: user, logLevel: "error", build: { target: "es2022" } });
  } catch (error) {
    return fail("a Vite page", `vite build failed: ${error instanceof Error ? error.message : error}`);
  }
  const browser = chromiumFile();
  if (browser === undefined) return skip("a Vite page in a browser", "there is no Chromium, Chrome or Edge");
  const server = await serve(path.join(user, "dist"));
  try {
    return await visit(browser, `http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function visit(executablePath, url) {
  const { chromium } = await import("playwright-core");
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  const browser = await chromium.launch({ executablePath, args });
  const log = [];
  try {
    const tab = await browser.newPage();
    tab.on("console", (message) => log.push(message.text()));
    tab.on("pageerror", (error) => log.push(String(error)));
    tab.on("request", (request) => {
      if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) log.push(`FOREIGN REQUEST ${request.url()}`);
    });
    await tab.goto(url);
    await tab.waitForSelector("#state[data-ready]", { timeout: 90_000 });
    const state = await tab.textContent("#state");
    await tab.click("#run");
    await tab.waitForSelector("#output[data-done]", { timeout: 30_000 });
    const output = await tab.textContent("#output");
    const foreign = log.filter((line) => line.startsWith("FOREIGN"));
    if (state !== 'ready: {"sum":6,"pi":3.14159}') return fail("a Vite page in a browser", `the page says: ${state}`);
    if (!/^Python 3\.\d+\.\d+\n1\.29099/.test(output)) return fail("a Vite page in a browser", `the cell printed: ${output}`);
    if (foreign.length > 0) return fail("a Vite page in a browser", foreign.join("\n"));
    return pass("a Vite page in a browser");
  } catch (error) {
    return fail("a Vite page in a browser", `${error instanceof Error ? error.message : error}\n${log.join("\n")}`);
  } finally {
    await browser.close();
  }
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

function serve(folder) {
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html");
    const file = path.join(folder, path.normalize(name));
    if (!file.startsWith(folder) || !fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

await main(import.meta, checkPack);
