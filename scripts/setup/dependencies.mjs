/** Step: the npm packages of the lock file. */
import fs from "node:fs";
import { npm, tail } from "./exec.mjs";
import { inRoot } from "./paths.mjs";
import { hashOf, isFresh, setFresh } from "./stamp.mjs";
import { done, ready, SetupError } from "./step.mjs";

export async function dependencies() {
  const hash = hashOf(["package-lock.json"]);
  // The folder's own record of what it holds: a stamp alone would not notice that it was replaced.
  const installed = inRoot("node_modules", ".package-lock.json");
  if (fs.existsSync(installed) && isFresh("node_modules", hash)) return ready("node_modules matches package-lock.json");
  if (fs.existsSync(installed) && sameVersions(installed, inRoot("package-lock.json"))) {
    setFresh("node_modules", hash);
    return ready("node_modules matches package-lock.json");
  }
  const outcome = await npm(["ci", "--no-audit", "--no-fund"]);
  if (outcome.code !== 0) {
    throw new SetupError(`npm ci failed; without the packages nothing can be built.\n${tail(outcome)}`);
  }
  setFresh("node_modules", hash);
  return done("npm ci");
}

function sameVersions(installedFile, lockFile) {
  const installed = JSON.parse(fs.readFileSync(installedFile, "utf8")).packages;
  const locked = JSON.parse(fs.readFileSync(lockFile, "utf8")).packages;
  for (const [name, entry] of Object.entries(locked)) {
    if (name === "") continue;
    const here = installed[name];
    if (here === undefined && (entry.optional || entry.peer)) continue;
    if (here?.version !== entry.version) return false;
  }
  return Object.keys(installed).every((name) => name in locked);
}
