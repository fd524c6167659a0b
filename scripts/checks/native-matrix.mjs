/** Check: the native suite on every other CPython 3.9+ of this machine, with the same addon. */
import { addonFile } from "../setup/addon.mjs";
import { allPythons, defaultPython } from "../setup/pythons.mjs";
import { main, merge, skip } from "./tally.mjs";
import { vitest } from "./vitest.mjs";

export async function nativeMatrix() {
  if (addonFile() === undefined) return skip("native suite on every CPython", "there is no addon");
  const usual = defaultPython();
  const found = [];
  for (const python of allPythons()) {
    const name = `Python ${python.version}`;
    if (python.executable === usual?.executable) continue; // the suite has run on it already
    if (!python.shared) {
      found.push(skip(`native suite on ${name}`, "this Python has no shared library"));
      continue;
    }
    console.log(`    ${name} (${python.path})`);
    // waits.test.ts goes over every Python by itself.
    const args = ["--project", "native", "--exclude", "test/native/waits.test.ts"];
    found.push(await vitest(name, args, { ISOPY_PYTHON: python.path, ISOPY_TEST_PYTHON: python.path }));
  }
  return merge("native suite on every CPython", found);
}

await main(import.meta, nativeMatrix);
