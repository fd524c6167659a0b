/**
 * One build, three parts, all into `dist/`:
 *
 * - `entries`: node.js, browser.js, sync.js, offline.js, vite.js, packages.js and what they share (`chunks/`);
 * - `workerWeb` (worker.js) and `workerNode`: one self-contained file each, Pyodide's JavaScript
 *   included, so that a consumer's bundler finds nothing to split and every `new URL("./x", import.meta.url)`;
 * - `workerEntry`: the file that browsers start, which only calls worker.js, and the service worker;
 * - Pyodide's WebAssembly and `python_stdlib.zip` (Python's library and `_isopy`, compiled), beside them.
 *
 * Vitest's projects are below: one per kind of test, so that `vitest --project core` needs no Python.
 */
import type { Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { chunkOf } from "./scripts/build/chunks.ts";
import { buildId, engineFiles, ownFileUrls, pyodideInWorker, workerEntry } from "./scripts/build/plugins.ts";

const entries = Object.fromEntries(["node", "browser", "sync", "vite", "offline", "packages"].map((name) => [name, `src/${name}.ts`]));

/** Never inlined, never hashed: the package's files find each other by name. */
const output = {
  format: "es",
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name].js",
  assetFileNames: "[name][extname]",
} as const;
const common = { outDir: "dist", emptyOutDir: false, target: "es2022", modulePreload: false, copyPublicDir: false } as const;
const nodeBuiltins = /^node:/;
/** Pyodide's JavaScript evaluates text and guesses its module system; both are its own affair. */
const onLog: NonNullable<Rolldown.InputOptions["onLog"]> = (level, log, report) => {
  if (log.code !== "EVAL" && log.code !== "COMMONJS_VARIABLE_IN_ESM") report(level, log);
};

export default defineConfig({
  plugins: [engineFiles(), buildId(), pyodideInWorker(), workerEntry(), ownFileUrls()],
  builder: {
    async buildApp(builder) {
      for (const name of ["entries", "workerWeb", "workerEntry", "workerNode"]) {
        const environment = builder.environments[name];
        if (environment !== undefined) await builder.build(environment);
      }
    },
  },
  environments: {
    entries: {
      consumer: "server",
      resolve: { noExternal: true },
      build: {
        ...common,
        minify: false,
        sourcemap: true,
        rolldownOptions: {
          input: entries,
          external: nodeBuiltins,
          preserveEntrySignatures: "strict",
          output: { ...output, codeSplitting: { groups: [{ name: chunkOf }] } },
        },
      },
    },
    workerWeb: {
      consumer: "client",
      build: {
        ...common,
        minify: true,
        rolldownOptions: {
          input: { worker: "src/worker.ts" },
          onLog,
          output: { ...output, codeSplitting: false },
          preserveEntrySignatures: "strict",
        },
      },
    },
    workerEntry: {
      consumer: "client",
      build: {
        ...common,
        minify: false,
        rolldownOptions: {
          input: { "wasm.web.worker": "workers/wasm.web.worker.ts", "service-worker": "workers/service-worker.ts" },
          output,
        },
      },
    },
    workerNode: {
      consumer: "server",
      resolve: { noExternal: true },
      build: {
        ...common,
        minify: true,
        rolldownOptions: {
          input: { "wasm.node.worker": "workers/wasm.node.worker.ts" },
          onLog,
          external: nodeBuiltins,
          output: { ...output, codeSplitting: false },
        },
      },
    },
  },
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // A second try where nobody watches; the report names every test that needed it.
    retry: process.env.CI ? 1 : 0,
    // The package under test is what is shipped: Node loads it, Vite does not transform it.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      project("core", ["test/core/**/*.test.ts"]),
      project("python", ["test/python/**/*.test.ts"]),
      project("native", ["test/native/**/*.test.ts"]),
      project("wasm-node", ["test/wasm/**/*.test.ts"]),
      project("conformance", ["test/conformance/**/*.test.ts"]),
      project("seeds", ["test/seeds/**/*.test.ts"]),
      project("browser", ["test/browser/**/*.test.ts"], "test/support/chromium.ts"),
      project("types", ["test/types/**/*.test.ts"]),
    ],
  },
});

function project(name: string, include: string[], globalSetup?: string) {
  return { extends: true as const, test: { name, include, environment: "node" as const, ...(globalSetup && { globalSetup }) } };
}
