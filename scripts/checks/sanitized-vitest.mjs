/**
 * Vitest whose test processes, but not Vitest itself, run with a sanitizer's runtime preloaded.
 *
 * Vite's bundler is native code of its own with its own reports; only the processes that load the addon
 * are of interest. The variable takes effect in processes that are started after it was set.
 */
import { startVitest } from "vitest/node";

process.env.LD_PRELOAD = process.env.ISOPY_PRELOAD;
const vitest = await startVitest("test", process.argv.slice(2), {
  watch: false,
  project: ["native"],
  reporters: ["dot"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
await vitest.close();
