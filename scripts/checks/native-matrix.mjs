/**
 * Check: on every other CPython 3.9+ of this machine, with the same addon, the native suite and the rows of the
 * systems that embed CPython. The check `rows` reads the report of each.
 */
import { onPython, rowFiles } from "../rows/runs.mjs";
import { addonFile } from "../setup/addon.mjs";
import { otherPythons } from "../setup/pythons.mjs";
import { main, merge, skip } from "./tally.mjs";
import { vitest, vitestJson } from "./vitest.mjs";

const nameOf = (python) => `Python ${python.version}`;

/** Vitest's report of the last run on this Python. */
export const pythonJson = (python) => vitestJson(nameOf(python));

export async function nativeMatrix() {
  if (addonFile() === undefined) return skip("native suite and rows on every CPython", "there is no addon");
  const found = [];
  // waits.test.ts goes over every Python by itself.
  const files = ["test/native/", ...rowFiles(["test/seeds"])];
  const args = ["--project", "native", "--project", "seeds", "--exclude", "test/native/waits.test.ts", ...files];
  for (const python of otherPythons()) {
    if (!python.shared) {
      found.push(skip(`native suite and rows on ${nameOf(python)}`, "this Python has no shared library"));
      continue;
    }
    console.log(`    ${nameOf(python)} (${python.path})`);
    found.push(await vitest(nameOf(python), args, onPython(python)));
  }
  return merge("native suite and rows on every CPython", found);
}

await main(import.meta, nativeMatrix);
