/**
 * Check: what a page has to load before Python is in brotli bytes, and the addon is in stripped bytes.
 *
 * The budget covers what the browser entry imports at once, as a page's bundler minifies it; what it loads
 * later, when an engine starts, is printed beside it. The Temporal polyfill is apart, and worker files and
 * Pyodide are the engine's. Raising a bar needs an ADR.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";
import { fail, main, merge, pass, skip } from "./checks/tally.mjs";
import { addonFile } from "./setup/addon.mjs";
import { which } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";

export const BROWSER_BYTES = 16_000;
export const ADDON_BYTES = 600_000;

/** Only where the platform has no Temporal, and then at engine start. */
const isPolyfill = (module) => /temporal-(polyfill|utils|spec)/.test(module);
const isPolyfillOnly = ({ moduleIds, fileName }) => isPolyfill(fileName) || (moduleIds.length > 0 && moduleIds.every(isPolyfill));

export const brotli = (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

/**
 * Brotli bytes of the JavaScript that a page's own bundler makes of an entry: all of its exports kept,
 * minified, chunk by chunk. Worker files and assets are not JavaScript of the page and do not count.
 *
 * @param {string} entry  Absolute path of a built file.
 */
export async function entrySize(entry) {
  const { build } = await import("vite");
  const { output } = await build({
    configFile: false,
    logLevel: "error",
    root: path.dirname(entry),
    build: {
      write: false,
      target: "es2022",
      minify: true,
      modulePreload: false,
      assetsInlineLimit: 0,
      rolldownOptions: { input: entry, preserveEntrySignatures: "strict", output: { format: "es" } },
    },
  });
  const chunks = new Map(output.filter((one) => one.type === "chunk" && !isPolyfillOnly(one)).map((one) => [one.fileName, one]));
  const eager = new Set();
  const reach = (name) => {
    if (eager.has(name) || !chunks.has(name)) return;
    eager.add(name);
    for (const next of chunks.get(name).imports) reach(next);
  };
  for (const one of chunks.values()) if (one.isEntry) reach(one.fileName);
  const parts = [...chunks.values()].map((one) => ({
    name: one.fileName,
    eager: eager.has(one.fileName),
    bytes: brotli(Buffer.from(one.code)),
  }));
  const sum = (wanted) => parts.filter(wanted).reduce((total, one) => total + one.bytes, 0);
  return { eager: sum((one) => one.eager), total: sum(() => true), parts };
}

/** Bytes of a shared library without its symbols; undefined where no `strip` is found. */
export function strippedSize(file) {
  const strip = which("strip", "llvm-strip");
  if (strip === undefined) return undefined;
  const copy = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "isopy-size-")), "addon.node");
  try {
    const { status } = spawnSync(strip, [process.platform === "darwin" ? "-x" : "--strip-unneeded", "-o", copy, file]);
    return status === 0 ? fs.statSync(copy).size : undefined;
  } finally {
    fs.rmSync(path.dirname(copy), { recursive: true, force: true });
  }
}

export async function checkSize() {
  const found = [];
  const { eager, total, parts } = await entrySize(inRoot("dist/browser.js"));
  const list = parts.map((one) => `${one.name} ${one.bytes}${one.eager ? "" : " (later)"}`).join(", ");
  const line = `${eager} of ${BROWSER_BYTES} bytes brotli at once, ${total} in all: ${list}`;
  console.log(`    browser entry: ${line}`);
  found.push(eager <= BROWSER_BYTES ? pass("browser entry") : fail("browser entry", line));
  const addon = addonFile();
  const bytes = addon === undefined ? undefined : strippedSize(addon);
  if (bytes === undefined) found.push(skip("addon size", addon === undefined ? "there is no addon" : "there is no strip program"));
  else {
    console.log(`    addon: ${bytes} of ${ADDON_BYTES} bytes stripped`);
    found.push(bytes <= ADDON_BYTES ? pass("addon") : fail("addon", `${bytes} bytes stripped, the bar is ${ADDON_BYTES}`));
  }
  return merge("size", found);
}

await main(import.meta, checkSize);
