/** Step: a virtual environment of our own with NumPy and pandas, for the rows that need them. */
import fs from "node:fs";
import path from "node:path";
import { exec, tail } from "./exec.mjs";
import { inCache } from "./paths.mjs";
import { defaultPython } from "./pythons.mjs";
import { isFresh, setFresh } from "./stamp.mjs";
import { done, missing, ready } from "./step.mjs";

const PACKAGES = ["numpy", "pandas"];

export const venvPython = () =>
  process.platform === "win32" ? inCache("venv", "Scripts", "python.exe") : inCache("venv", "bin", "python");

export async function venv() {
  const base = defaultPython();
  if (base === undefined) return missing("no CPython 3.9+ on PATH: no native engine, no NumPy rows");
  const python = venvPython();
  const hash = `${base.executable} ${base.version} ${PACKAGES.join(" ")}`;
  if (fs.existsSync(python) && isFresh("venv", hash)) return ready(`NumPy and pandas for Python ${base.version}`, python);
  fs.rmSync(inCache("venv"), { recursive: true, force: true });
  fs.mkdirSync(path.dirname(inCache("venv")), { recursive: true });
  const made = await exec(base.executable, ["-m", "venv", inCache("venv")]);
  if (made.code !== 0) return missing(`Python ${base.version} cannot make a virtual environment (no NumPy rows): ${tail(made, 3)}`);
  const pip = await exec(python, ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", ...PACKAGES], { timeout: 600_000 });
  if (pip.code !== 0) return missing(`pip could not install ${PACKAGES.join(" and ")} (no NumPy rows): ${tail(pip, 3)}`);
  setFresh("venv", hash);
  return done(`installed ${PACKAGES.join(" and ")} for Python ${base.version}`, python);
}
