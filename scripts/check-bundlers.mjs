/**
 * Check: the package, as `npm pack` makes it, in a page built by each bundler and in one without, in a real Chromium.
 *
 * Each page is served under a Content-Security-Policy without 'unsafe-eval'. All that it asks for must lie on its own
 * origin, and the browser must report nothing as blocked; a page whose policy forbids WebAssembly shows that it would.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { site } from "./checks/site.mjs";
import { fail, main, merge, pass, skip } from "./checks/tally.mjs";
import { chromiumFile } from "./setup/chromium.mjs";
import { exec, npm, tail } from "./setup/exec.mjs";
import { CI, inCache, inRoot } from "./setup/paths.mjs";
import { hashOf, isFresh, setFresh } from "./setup/stamp.mjs";

const BUNDLED = ["vite", "webpack", "esbuild", "rollup"];

const STRICT =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A name that the browser takes for this machine, and not for a secure one. */
const INSECURE = "insecure.test";

/** What `report.js` writes where all is well. */
const EXPECTED = {
  number: Math.SQRT2,
  whole: String(2n ** 80n),
  bytes: [3, 2, 1],
  rows: 300,
  error: "KeyError",
  callback: 42,
  loaded: true,
  blocked: [],
};
const expected = (isolated) => ({ ...EXPECTED, sync: isolated, isolated });

/** The bundlers and the pages; the bundlers stay for the next run, the pages are made anew. */
const folder = inCache("bundlers");
const pages = path.join(folder, "pages");

export async function checkBundlers() {
  const executablePath = chromiumFile();
  if (executablePath === undefined) {
    const why = "there is no Chromium, Chrome or Edge";
    return CI ? fail("bundlers", why) : skip("bundlers", why);
  }
  const unready = (await bundlers()) ?? (await installed());
  if (unready !== undefined) return merge("bundlers", [unready]);
  const { chromium } = await import("playwright-core");
  const args = [
    `--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`,
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
  ];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const found = [];
    for (const name of BUNDLED) found.push(await checked(name, () => bundledPage(browser, name)));
    found.push(await checked("without a bundler", () => plainPage(browser, true)));
    found.push(await checked("without a bundler, not isolated", () => plainPage(browser, false)));
    found.push(await checked("over plain HTTP", () => insecurePage(browser)));
    found.push(await checked("vite with a relative base, not isolated", () => relativeBase(browser)));
    found.push(await checked("vite dev under a base path", () => viteDev(browser)));
    found.push(await checked("vite preview", vitePreview));
    found.push(await checked("a second visit with the server gone", () => secondVisit(browser)));
    found.push(await checked("a policy without WebAssembly is reported", () => forbidden(browser)));
    return merge("bundlers", found);
  } finally {
    await browser.close();
  }
}

async function checked(name, check) {
  const begin = performance.now();
  try {
    await check();
    console.log(`    ${name}: ok (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
    return pass(name);
  } catch (error) {
    return fail(name, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** Installs webpack, esbuild and Rollup, once per lock file. @returns what failed */
async function bundlers() {
  const hash = hashOf(["test/bundlers/package-lock.json"]);
  if (fs.existsSync(path.join(folder, "node_modules")) && isFresh("bundlers", hash)) return undefined;
  fs.mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) fs.copyFileSync(inRoot("test/bundlers", name), path.join(folder, name));
  const outcome = await npm(["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
    cwd: folder,
    timeout: 180_000,
  });
  if (outcome.code !== 0) return fail("npm ci of the bundlers", tail(outcome));
  setFresh("bundlers", hash);
  return undefined;
}

/** Copies the pages and installs the packed package beside them, as a user would. @returns what failed */
async function installed() {
  fs.rmSync(pages, { recursive: true, force: true });
  fs.cpSync(inRoot("test/bundlers"), pages, { recursive: true, filter: (name) => !/package(-lock)?\.json$/.test(name) });
  fs.writeFileSync(path.join(pages, "package.json"), JSON.stringify({ name: "pages", private: true, type: "module" }));
  const packed = await npm(["pack", "--ignore-scripts", "--pack-destination", pages]);
  if (packed.code !== 0) return fail("npm pack", tail(packed));
  const tarball = fs.readdirSync(pages).find((name) => name.endsWith(".tgz"));
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--offline"];
  const outcome = await npm(["install", ...options, `./${tarball}`], { cwd: pages, timeout: 180_000 });
  return outcome.code === 0 ? undefined : fail("npm install of the tarball, offline", tail(outcome));
}

async function build(name, env = {}) {
  const outcome = await exec(process.execPath, ["build.mjs"], {
    cwd: path.join(pages, name),
    env: { NODE_ENV: undefined, ...env }, // other checks' builds set it for the whole process
    timeout: 120_000,
  });
  if (outcome.code !== 0) throw new Error(`${name} did not build:\n${tail(outcome, 30)}`);
  return path.join(pages, name, "dist");
}

async function bundledPage(browser, name) {
  const base = name === "vite" ? "/app/" : "/";
  const served = await site(await build(name, { BASE: base }), { base, csp: STRICT, isolated: true });
  await onSite(served, async () => isWell(await visit(browser, served), served, true));
}

async function plainPage(browser, isolated) {
  const served = await site(pages, { csp: STRICT, isolated });
  await onSite(served, async () => isWell(await visit(browser, { ...served, url: `${served.origin}/plain/` }), served, isolated));
}

/** A page without hashing, locks and service workers: not HTTPS, and not a name of this machine. */
async function insecurePage(browser) {
  const served = await site(pages, { csp: STRICT, isolated: false });
  const origin = served.origin.replace("127.0.0.1", INSECURE);
  await onSite(served, async () => {
    const seen = await visit(browser, { origin, url: `${origin}/plain/` });
    assert.equal(seen.secure, false);
    isWell(seen, served, false);
  });
}

async function relativeBase(browser) {
  const served = await site(await build("vite", { BASE: "./" }), { base: "/some/where/", csp: STRICT, isolated: false });
  await onSite(served, async () => isWell(await visit(browser, served), served, false));
}

/** Vite's own server, in a process of its own: it sets NODE_ENV for the whole process. */
async function onVite(command, check) {
  const env = { ...process.env, BASE: "/app/" };
  delete env.NODE_ENV;
  const server = spawn(process.execPath, ["serve.mjs", command], {
    cwd: path.join(pages, "vite"),
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      server.stdout.once("data", (data) => resolve(String(data).trim()));
      server.once("exit", (code) => reject(new Error(`vite ${command} ended with ${code}`)));
    });
    await check(new URL(url));
  } finally {
    server.kill();
  }
}

async function viteDev(browser) {
  await onVite("dev", async ({ href, origin }) => {
    const seen = await visit(browser, { origin, url: href });
    assert.deepEqual(seen.report, expected(true), seen.log.join("\n"));
    assert.deepEqual(seen.foreign, []);
  });
}

async function vitePreview() {
  await build("vite", { BASE: "/app/" });
  await onVite("preview", async (url) => {
    const { headers, status } = await fetch(url);
    assert.equal(status, 200);
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
    assert.equal(headers.get("cross-origin-embedder-policy"), "require-corp");
  });
}

async function secondVisit(browser) {
  const served = await site(path.join(pages, "vite", "dist"), { base: "/app/", csp: STRICT, isolated: true });
  const context = await browser.newContext();
  try {
    assert.deepEqual((await visitIn(context, served)).report, expected(true));
    served.close();
    await assert.rejects(fetch(served.url), "the server is gone");
    const { report, log } = await visitIn(context, served);
    assert.deepEqual(report, expected(true), log.join("\n"));
  } finally {
    served.close();
    await context.close();
  }
}

/** The control of the checks above: what a policy blocks does come up. */
async function forbidden(browser) {
  const served = await site(pages, { csp: "default-src 'none'; script-src 'self'; connect-src 'self'", isolated: true });
  await onSite(served, async () => {
    const { report } = await visit(browser, { ...served, url: `${served.origin}/plain/` });
    assert.equal(report.failed, "ERR_BACKEND_UNAVAILABLE");
    assert.match(report.message, /'wasm-unsafe-eval'/);
    assert.ok(served.reports.length > 0, "the browser reported what the policy blocked");
  });
}

async function onSite(served, check) {
  try {
    await check();
  } finally {
    served.close();
  }
}

function isWell({ report, foreign, log, urls }, served, isolated) {
  console.log(`    Content-Security-Policy: ${served.csp}`);
  for (const url of urls) console.log(`      ${url}`);
  assert.deepEqual(report, expected(isolated), log.join("\n"));
  assert.deepEqual(foreign, [], "requests to other origins");
  assert.deepEqual(served.reports, [], "violations of the policy");
  assert.deepEqual(log, [], "messages on the console");
  assert.ok(served.asked.some((one) => one.endsWith(".wasm")) && served.asked.some((one) => one.endsWith(".zip")));
}

async function visit(browser, served) {
  const context = await browser.newContext();
  try {
    return await visitIn(context, served);
  } finally {
    await context.close();
  }
}

/** Opens a page and waits for its report. */
async function visitIn(context, { origin, url }) {
  const log = [];
  const urls = [];
  const asked = (request) => urls.push(request.url());
  context.on("request", asked);
  const tab = await context.newPage();
  tab.on("console", (message) => message.type() !== "debug" && log.push(message.text()));
  tab.on("pageerror", (error) => log.push(String(error)));
  try {
    await tab.goto(url);
    await tab.waitForSelector("#report[data-done]", { timeout: 30_000 });
    const report = JSON.parse(await tab.textContent("#report"));
    const secure = await tab.evaluate("isSecureContext");
    return { report, secure, log, urls, foreign: urls.filter((one) => new URL(one).origin !== origin) };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${[...urls, ...log].join("\n")}`);
  } finally {
    await tab.close();
    context.off("request", asked);
  }
}

await main(import.meta, checkBundlers);
