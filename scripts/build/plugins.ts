/**
 * The build's own Vite plugins: how Python and Pyodide get into the package.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Plugin } from "vite";

const run = promisify(execFile);
const pyodide = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Python's library and `_isopy`, compiled (`pack-python.mjs`; in a process of its own, it runs Pyodide). */
const packed = once(async () => {
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL("pack-python.mjs", import.meta.url))]);
  const [archive, id] = stdout.split("\n") as [string, string];
  return { archive, id };
});

const wasm = join(pyodide, "pyodide.asm.wasm");

/** What a worker compares a file with that it has received. */
async function made(file: string): Promise<{ bytes: number; sha256: string }> {
  const bytes = await readFile(file);
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** One id for the page's code and the worker's: of everything that both are built from. */
async function sourcesId(python: string): Promise<string> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const hash = createHash("sha256").update(python);
  for (const folder of ["src", "workers"]) {
    const names = (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith(".ts")).sort();
    for (const name of names) hash.update(`${name}\0`).update(await readFile(join(root, folder, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Puts what Pyodide loads at run time beside the entries. */
export function engineFiles(): Plugin {
  return {
    name: "isopy:engine-files",
    applyToEnvironment: (environment) => environment.name === "workerWeb",
    async writeBundle({ dir = "dist" }) {
      await copyFile(wasm, join(dir, "pyodide.asm.wasm"));
      await copyFile((await packed()).archive, join(dir, "python_stdlib.zip"));
    },
  };
}

/** `virtual:isopy-build`: what tells whether the page's code, the worker, the archive and the WebAssembly were built together. */
export function buildId(): Plugin {
  const name = "virtual:isopy-build";
  return {
    name: "isopy:build-id",
    resolveId: (source) => (source === name ? `\0${name}` : undefined),
    async load(source) {
      if (source !== `\0${name}`) return undefined;
      const { archive, id } = await packed();
      const files = { wasm: await made(wasm), stdlib: await made(archive) };
      return [
        `export const archive = ${JSON.stringify(id)};`,
        `export const sources = ${JSON.stringify(await sourcesId(id))};`,
        `export const files = ${JSON.stringify(files)};`,
      ].join("\n");
    },
  };
}

const empty = "\0isopy:empty";

/**
 * Pyodide's JavaScript, made part of a worker file: in browsers its Node half is dropped, and the
 * WebSocket package that its Node half asks for (sockets, which nobody here opens) is left out.
 * The address of its CDN goes too: what cannot be named cannot be asked.
 */
export function pyodideInWorker(): Plugin {
  const cdn = /`https:\/\/cdn\.jsdelivr\.net[^`]*`/g;
  // Never reached, because we say where the file is; bundlers would copy the file for it.
  const ownGuess = /new URL\("pyodide\.asm\.wasm",\s*import\.meta\.url\)\.href/g;
  // Pyodide refuses classic workers, which webpack makes: it could not import its other script there, which is part of ours.
  // The probe itself breaks a policy without `data:`.
  const classicProbe = /globalThis\.importScripts\("data:text\/javascript,"\),!0/g;
  return {
    name: "isopy:pyodide-in-worker",
    enforce: "pre",
    applyToEnvironment: (environment) => environment.name === "workerWeb" || environment.name === "workerNode",
    resolveId(source) {
      if (source === "pyodide/asm") return join(pyodide, "pyodide.asm.mjs");
      if (source === "ws" || (this.environment.name === "workerWeb" && source.startsWith("node:"))) return empty;
      return undefined;
    },
    load(source) {
      if (source === empty) return "export default {};";
      // What Vite wraps around `import()` looks for style sheets in a document, which a worker has not.
      if (/vite\/preload-helper/.test(source)) return "export const __vitePreload = (load) => load();";
      return undefined;
    },
    transform(code, id) {
      if (!id.startsWith(pyodide) || !id.endsWith(".mjs")) return undefined;
      return { code: code.replace(cdn, '""').replace(ownGuess, '""').replace(classicProbe, "false"), map: null };
    },
    generateBundle(_options, bundle) {
      // Bundlers warn about imports they cannot follow; these load what a program names at run time.
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk" || this.environment.name !== "workerWeb") continue;
        file.code = file.code.replace(/\bimport\((?=[\w$])/g, "import(/* @vite-ignore */ /* webpackIgnore: true */ ");
      }
    },
  };
}

/** The file that browsers start names worker.js, which is built by itself. */
export function workerEntry(): Plugin {
  return {
    name: "isopy:worker-entry",
    enforce: "pre",
    applyToEnvironment: (environment) => environment.name === "workerEntry",
    resolveId: (source) => (source === "../src/worker.ts" ? { id: "./worker.js", external: true } : undefined),
  };
}

/**
 * `ownFile("x")` becomes `new URL("./x", import.meta.url)`: the form every bundler understands.
 * Written last, because Vite would inline or rename the file if it met that form in our sources.
 */
export function ownFileUrls(): Plugin {
  const call = /\bownFile\(["'`]([^"'`]+)["'`]\)/g;
  return {
    name: "isopy:own-file-urls",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const from = posix.dirname(chunk.fileName);
        chunk.code = chunk.code.replace(call, (_, name: string) => {
          const path = posix.relative(from, name);
          return `new URL("${path.startsWith(".") ? path : `./${path}`}", import.meta.url)`;
        });
      }
    },
  };
}
