/**
 * Check: modules import only what ARCHITECTURE.md allows, and the browser bundle holds no `node:`.
 */
import fs from "node:fs";
import path from "node:path";
import { forbidden } from "./checks/boundaries.mjs";
import { bundleGraph } from "./checks/bundle.mjs";
import { importsOf } from "./checks/imports.mjs";
import { fail, main, merge, pass } from "./checks/tally.mjs";
import { inRoot, ROOT } from "./setup/paths.mjs";

const slashes = (file) => path.relative(ROOT, file).split(path.sep).join("/");

/** @returns {string[]} One sentence per import that is not allowed. */
export function brokenBoundaries(files) {
  const broken = [];
  for (const file of files) {
    for (const { target, line, types } of importsOf(file, fs.readFileSync(file, "utf8"))) {
      const resolved = target.startsWith(".") ? slashes(path.resolve(path.dirname(file), target.replace(/\?.*$/, ""))) : target;
      const why = forbidden(slashes(file), resolved, { types });
      if (why !== undefined) broken.push(`${slashes(file)}:${line} imports ${target}: ${why}.`);
    }
  }
  return broken;
}

/** Names of Node's modules that a bundle file still asks for. */
export function nodeImports(name, source) {
  return importsOf(name, source)
    .map(({ target }) => target)
    .filter((target) => target.startsWith("node:"));
}

export function checkBoundaries() {
  const files = ["src", "workers"].flatMap((folder) =>
    fs
      .readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => inRoot(folder, name)),
  );
  const broken = brokenBoundaries(files);
  const inBundle = bundleGraph(inRoot("dist/browser.js")).flatMap(({ file }) =>
    nodeImports(file, fs.readFileSync(file, "utf8")).map((target) => `${slashes(file)} asks for ${target}.`),
  );
  return merge("boundaries", [
    broken.length === 0 ? pass("imports") : fail("imports", broken.join("\n")),
    inBundle.length === 0 ? pass("browser bundle") : fail("the browser bundle holds node: imports", inBundle.join("\n")),
  ]);
}

await main(import.meta, checkBoundaries);
