/** Check: one formatter and linter per language (Biome, ruff, clang-format). */
import fs from "node:fs";
import path from "node:path";
import { bin } from "../setup/build.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { clangFormatFile, ruffFile } from "../setup/linters.mjs";
import { inRoot, ROOT } from "../setup/paths.mjs";
import { fail, main, merge, pass, skip } from "./tally.mjs";

async function run(name, command, args) {
  const outcome = await exec(command, args);
  return outcome.code === 0 ? pass(name) : fail(name, tail(outcome, 40));
}

function sources(folder, endings) {
  if (!fs.existsSync(inRoot(folder))) return [];
  return fs
    .readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" })
    .filter((name) => endings.some((ending) => name.endsWith(ending)) && !name.startsWith("build"))
    .map((name) => path.join(ROOT, folder, name));
}

export async function lint() {
  const found = [await run("biome (TypeScript, JavaScript, JSON)", bin("biome"), ["check", "--error-on-warnings", "--max-diagnostics=20"])];
  const ruff = ruffFile();
  if (ruff === undefined) found.push(skip("ruff (Python)", "ruff is not installed"));
  else {
    found.push(await run("ruff check (Python)", ruff, ["check", "--quiet", "."]));
    found.push(await run("ruff format (Python)", ruff, ["format", "--check", "--quiet", "."]));
  }
  const clangFormat = clangFormatFile();
  const files = sources("native", [".cc", ".cpp", ".h"]);
  if (clangFormat === undefined) found.push(skip("clang-format (C++)", "clang-format is not installed"));
  else if (files.length > 0) found.push(await run("clang-format (C++)", clangFormat, ["--dry-run", "--Werror", ...files]));
  return merge("lint", found);
}

await main(import.meta, lint);
