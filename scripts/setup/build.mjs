/** Step: the JavaScript bundles and the type declarations in `dist`. */
import fs from "node:fs";
import { exec, tail } from "./exec.mjs";
import { inRoot } from "./paths.mjs";
import { hashOf, isFresh, setFresh } from "./stamp.mjs";
import { done, ready, SetupError } from "./step.mjs";

const SOURCES = [
  "src",
  "workers",
  "python",
  "scripts/build",
  "package-lock.json",
  "vite.config.ts",
  "tsconfig.json",
  "tsconfig.build.json",
];
export const OUTPUTS = [
  "dist/node.js",
  "dist/browser.js",
  "dist/sync.js",
  "dist/worker.js",
  "dist/service-worker.js",
  "dist/vite.js",
  "dist/packages.js",
];

export const bin = (name) => inRoot("node_modules", ".bin", name);

export async function build() {
  const hash = hashOf(SOURCES);
  const complete = OUTPUTS.every((file) => fs.existsSync(inRoot(file)));
  if (complete && isFresh("dist", hash)) return ready("dist is up to date");
  const outcome = await exec(bin("vite"), ["build"]);
  if (outcome.code !== 0) throw new SetupError(`vite build failed; nothing can run without it.\n${tail(outcome, 30)}`);
  const lost = OUTPUTS.filter((file) => !fs.existsSync(inRoot(file)));
  if (lost.length > 0) throw new SetupError(`vite build ended without an error but did not write ${lost.join(", ")}.`);
  const types = await declarations();
  setFresh("dist", hash);
  return done(types.code === 0 ? "vite build, declarations" : "vite build (declarations have errors: see the types check)");
}

/** Writes `dist/types`; also the check that users' compilers can read what we export. */
export function declarations() {
  return exec(bin("tsc"), ["-p", "tsconfig.build.json"]);
}
