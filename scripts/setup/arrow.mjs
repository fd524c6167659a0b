/** Step: Arrow's own libraries, in Python and in JavaScript, to hold our bytes against. */
import fs from "node:fs";
import { exec, npm, tail } from "./exec.mjs";
import { inCache } from "./paths.mjs";
import { defaultPython } from "./pythons.mjs";
import { done, missing, ready } from "./step.mjs";

const PYTHON_PACKAGES = ["numpy", "pandas", "polars", "pyarrow"];
const JS_PACKAGE = "apache-arrow@21";

export const arrowPython = () =>
  process.platform === "win32" ? inCache("arrow", "venv", "Scripts", "python.exe") : inCache("arrow", "venv", "bin", "python");
export const arrowModule = () => inCache("arrow", "node_modules", "apache-arrow", "Arrow.node.mjs");

export async function arrow() {
  const base = defaultPython();
  if (base === undefined) return missing("no CPython 3.9+ on PATH: Arrow bytes are not held against Arrow's libraries");
  const complete = inCache("arrow", "complete");
  const hash = `${base.executable} ${base.version} ${PYTHON_PACKAGES.join(" ")} ${JS_PACKAGE}`;
  if (fs.existsSync(complete) && fs.readFileSync(complete, "utf8") === hash) return ready("pyarrow, polars, apache-arrow");
  fs.rmSync(inCache("arrow"), { recursive: true, force: true });
  fs.mkdirSync(inCache("arrow"), { recursive: true });
  fs.writeFileSync(inCache("arrow", "package.json"), JSON.stringify({ private: true }));
  for (const run of [
    () => exec(base.executable, ["-m", "venv", inCache("arrow", "venv")]),
    () => exec(arrowPython(), ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", ...PYTHON_PACKAGES], { timeout: 600_000 }),
    () =>
      npm(["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", inCache("arrow"), JS_PACKAGE], {
        timeout: 300_000,
        cwd: inCache("arrow"),
      }),
  ]) {
    const outcome = await run();
    if (outcome.code !== 0) return missing(`Arrow's libraries could not be installed (no Arrow rows): ${tail(outcome, 3)}`);
  }
  fs.writeFileSync(complete, hash);
  return done("installed pyarrow, polars, apache-arrow");
}
