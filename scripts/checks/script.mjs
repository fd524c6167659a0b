/**
 * Runs a TypeScript program of this repository with plain Node: bundled first, packages left outside.
 *
 * `isopy` stays a package: the program imports it by its own name, so it is the built package that runs.
 */
import path from "node:path";
import { exec } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";

/**
 * @param {string} source  Relative to the repository, or absolute.
 * @returns {Promise<string>} The runnable file.
 */
export async function compile(source, outDir = inCache("run")) {
  const { build } = await import("vite");
  const name = path.basename(source).replace(/\.[cm]?tsx?$/, "");
  await build({
    configFile: false,
    root: inRoot(),
    logLevel: "error",
    build: {
      ssr: path.resolve(inRoot(), source),
      outDir,
      emptyOutDir: false,
      target: "node20",
      minify: false,
      rolldownOptions: { external: [/^node:/, /^isopy($|\/)/], output: { entryFileNames: `${name}.mjs`, format: "es" } },
    },
  });
  return path.join(outDir, `${name}.mjs`);
}

/** Compiles and runs; options as for `exec`. */
export async function runScript(source, args = [], options = {}) {
  return exec(process.execPath, [await compile(source), ...args], options);
}
