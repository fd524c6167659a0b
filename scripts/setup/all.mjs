/**
 * Set-up as a whole: from a fresh clone to something that runs. Idempotent; seconds when nothing changed.
 *
 * Invariant: it never stops half way because something optional is missing; it says what is missing
 * and what is lost with it, and the caller decides whether that is a failure.
 */
import { addon } from "./addon.mjs";
import { arrow } from "./arrow.mjs";
import { build } from "./build.mjs";
import { chromium } from "./chromium.mjs";
import { dependencies } from "./dependencies.mjs";
import { linters } from "./linters.mjs";
import { nodes } from "./nodes.mjs";
import { step } from "./step.mjs";
import { venv } from "./venv.mjs";
import { wheels } from "./wheels.mjs";

/**
 * @param {{ forTests: boolean }} options  `npm start` needs neither a browser nor other Nodes nor linters.
 * @returns {Promise<Record<"addon" | "venv" | "chromium" | "nodes" | "arrow" | "wheels" | "linters", import("./step.mjs").Ending>>}
 */
export async function setUp({ forTests }) {
  console.log(`Setting up (Node ${process.versions.node}, ${process.platform} ${process.arch})`);
  const none = { state: "ready", note: "not needed" };
  await step("packages", dependencies);
  const result = { addon: none, venv: none, chromium: none, nodes: none, arrow: none, wheels: none, linters: none };
  result.addon = await step("addon", addon);
  await step("build", build);
  result.venv = await step("NumPy", venv);
  if (forTests) {
    result.chromium = await step("Chromium", chromium);
    result.nodes = await step("other Nodes", nodes);
    result.arrow = await step("Arrow", arrow);
    result.wheels = await step("wheels", wheels);
    result.linters = await step("linters", linters);
  }
  console.log("");
  return result;
}
