/**
 * `isopy/vite`: a plugin for Vite.
 *
 * A build needs no plugin: Vite follows `new URL("./file", import.meta.url)` and puts a hash into each name. The plugin adds
 * what a page cannot say itself: the headers of the development and preview servers, that the development server must not
 * bundle the package beforehand (its worker would lose the files beside it), and the service worker of `isopy/offline`.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { boolean, optionReader } from "./core/options.ts";

/** The options of the plugin. */
export interface IsopyOptions {
  /**
   * Serves pages cross-origin isolated in `vite dev` and `vite preview`, so that running Python can be interrupted and can
   * wait for JavaScript. What you deploy to needs the same headers. Default true; `false` where the page embeds content of
   * other origins that does not allow it.
   */
  readonly isolate?: boolean;
  /** Adds `service-worker.js` to the root of the build, for `keepOffline` of `isopy/offline`. Default false. */
  readonly offline?: boolean;
}

/** What makes a page cross-origin isolated. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;

/**
 * Makes isopy work in `vite`, `vite build` and `vite preview`.
 *
 * @throws {EngineError} `ERR_OPTION` for a wrong option
 *
 * @example
 * // vite.config.js
 * import isopy from "isopy/vite";
 * export default { plugins: [isopy()] };
 */
export default function isopy(options: IsopyOptions = {}): Plugin {
  const read = optionReader("isopy/vite", options);
  const isolate = read("isolate", boolean, true);
  const offline = read("offline", boolean, false);
  read.done();
  return {
    name: "isopy",
    config({ server, preview }) {
      const headers = isolate ? isolation : {};
      return {
        optimizeDeps: { exclude: ["isopy"] },
        // The application's own headers come last.
        server: { headers: { ...headers, ...server?.headers } },
        preview: { headers: { ...headers, ...preview?.headers } },
      };
    },
    configResolved({ server }) {
      // A package that is linked, or installed for a whole workspace, lies outside of what Vite serves by itself.
      server.fs.allow.push(fileURLToPath(new URL("./", import.meta.url)));
    },
    async generateBundle() {
      // Beside the page and without a hash: a service worker serves only what lies below it, and keeps its name.
      if (!offline || this.environment.config.consumer !== "client") return;
      this.emitFile({ type: "asset", fileName: "service-worker.js", source: await readFile(ownFile("service-worker.js"), "utf8") });
    },
  };
}
