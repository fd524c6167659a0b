/** Step: the formatters and linters that npm does not have: ruff (pip) and clang-format (Debian). */
import fs from "node:fs";
import { canInstall, installPackage } from "./debian.mjs";
import { exec, tail, which } from "./exec.mjs";
import { CI, inCache } from "./paths.mjs";
import { defaultPython } from "./pythons.mjs";
import { done, missing, ready } from "./step.mjs";

const RUFF = "ruff==0.17.5";
const installedRuff = () => inCache("tools", "bin", "ruff");

/** Ours before the system's, because the version decides what is formatted right. */
export const ruffFile = () => (fs.existsSync(installedRuff()) ? installedRuff() : which("ruff"));
export const clangFormatFile = () => which("clang-format", "clang-format-14", "clang-format-16", "clang-format-19");

export async function linters() {
  const did = [];
  const lost = [];
  if (!fs.existsSync(installedRuff())) {
    const python = defaultPython();
    const outcome =
      python &&
      (await exec(python.executable, ["-m", "pip", "install", "--quiet", "--target", inCache("tools"), "--upgrade", RUFF], {
        timeout: 300_000,
      }));
    if (outcome?.code === 0 && fs.existsSync(installedRuff())) did.push("ruff");
    else if (ruffFile() === undefined) lost.push(`ruff (${outcome ? tail(outcome, 1) : "no Python"}): Python is not linted`);
  }
  if (clangFormatFile() === undefined) {
    const why = CI && canInstall() ? await installPackage("clang-format") : "install clang-format";
    if (why === undefined) did.push("clang-format");
    else lost.push(`clang-format (${why}): C++ is not checked for format`);
  }
  if (lost.length > 0) return missing(lost.join("; "));
  return did.length > 0 ? done(`installed ${did.join(" and ")}`) : ready("ruff, clang-format");
}
