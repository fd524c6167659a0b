/** Step: the native addon, where a C++ compiler is found. `build-addon.mjs` knows whether it is up to date. */
import fs from "node:fs";
import { canInstall, installPackage } from "./debian.mjs";
import { exec, tail, which } from "./exec.mjs";
import { CI, inRoot } from "./paths.mjs";
import { done, missing, ready } from "./step.mjs";

/** The built addon; undefined where there is none. */
export function addonFile() {
  const name = `isopy-${process.platform}-${process.arch}.node`;
  return [inRoot("build", name), inRoot("dist", "native", name)].find((file) => fs.existsSync(file));
}

export async function addon() {
  if (which(process.env.CXX, "c++", "g++", "clang++") === undefined) {
    const why = CI && canInstall() ? await installPackage("g++") : "install one (Debian: g++; macOS: xcode-select --install)";
    if (why !== undefined) return missing(`no C++ compiler, so no native engine: ${why}`);
  }
  const outcome = await exec(process.execPath, ["scripts/build-addon.mjs"]);
  const file = addonFile();
  if (outcome.code !== 0 || file === undefined) return missing(`the addon did not build, so no native engine:\n${tail(outcome, 20)}`);
  return outcome.stdout.includes("up to date") ? ready("the addon is up to date", file) : done(outcome.stdout.trim(), file);
}
