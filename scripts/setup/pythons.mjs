/**
 * The CPythons of this machine: the default one (PATH), and every 3.9+ for the version matrix.
 *
 * One entry per real installation: a name that leads to the same executable and prefix counts once.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { which } from "./exec.mjs";

const ASK = `
import json, sys, sysconfig
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])), "prefix": sys.prefix, "executable": sys.executable,
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")), "implementation": sys.implementation.name,
}))
`;

/** @typedef {{ path: string, version: string, prefix: string, executable: string, shared: boolean }} FoundPython */

/** @returns {FoundPython | undefined} */
export function describePython(file) {
  const { status, stdout } = spawnSync(file, ["-I", "-c", ASK], { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) return undefined;
  const found = JSON.parse(stdout);
  const [major, minor] = found.version.split(".").map(Number);
  if (found.implementation !== "cpython" || major !== 3 || minor < 9) return undefined;
  // The executable that Python reports is the real one behind a version manager's shim.
  return { path: found.executable || file, ...found };
}

/** What `python3` (or `python`) means here. */
export function defaultPython() {
  for (const name of ["python3", "python"]) {
    const file = which(name);
    const found = file === undefined ? undefined : describePython(file);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The Python that the tests embed when nobody asks for another: `ISOPY_PYTHON`, else the default one. */
export function testedPython() {
  const asked = process.env.ISOPY_PYTHON;
  return asked === undefined ? defaultPython() : describePython(asked);
}

/** Every CPython but the tested one, of each minor version; `shared: false` ones cannot be embedded. */
export function otherPythons() {
  const minor = (python) => python?.version.split(".").slice(0, 2).join(".");
  const tested = minor(testedPython());
  return allPythons().filter((python) => minor(python) !== tested);
}

/** @returns {FoundPython[]} Newest last; one per minor version, the default one preferred. */
export function allPythons() {
  const candidates = new Set();
  for (let minor = 9; minor <= 15; minor++) candidates.add(which(`python3.${minor}`));
  candidates.add("/usr/bin/python3");
  const versions = path.join(process.env.PYENV_ROOT ?? path.join(os.homedir(), ".pyenv"), "versions");
  for (const name of fs.existsSync(versions) ? fs.readdirSync(versions) : []) {
    if (/^3\.(9|\d\d)\b/.test(name)) candidates.add(path.join(versions, name, "bin", "python"));
  }
  const byMinor = new Map();
  const consider = (found) => {
    if (found === undefined) return;
    const minor = found.version.split(".").slice(0, 2).join(".");
    if (!byMinor.has(minor) || (found.shared && !byMinor.get(minor).shared)) byMinor.set(minor, found);
  };
  consider(defaultPython());
  for (const file of candidates) if (file !== undefined && fs.existsSync(file)) consider(describePython(file));
  return [...byMinor.values()].sort((a, b) => Number(a.version.split(".")[1]) - Number(b.version.split(".")[1]));
}
