/** Check: the tests of `python/_isopy`, on every CPython 3.9+ of this machine. */
import fs from "node:fs";
import { exec, tail } from "../setup/exec.mjs";
import { inRoot } from "../setup/paths.mjs";
import { allPythons, describePython } from "../setup/pythons.mjs";
import { venvPython } from "../setup/venv.mjs";
import { fail, main, merge, skip, tally } from "./tally.mjs";

/** Reads unittest's closing lines. Exported for its test. */
export function readUnittest(name, outcome) {
  const ran = /^Ran (\d+) tests?/m.exec(outcome.output);
  const last = /^(OK|FAILED)(?: \((.*)\))?\s*$/m.exec(outcome.output);
  if (ran === null || last === null) return fail(name, `unittest gave no result (exit code ${outcome.code}).\n${tail(outcome, 20)}`);
  const total = Number(ran[1]);
  if (total === 0) return fail(name, "unittest ran no test.");
  const count = (word) => Number(new RegExp(`\\b${word}=(\\d+)`).exec(last[2] ?? "")?.[1] ?? 0);
  const bad = count("failures") + count("errors") + count("unexpected successes");
  const skips = [...outcome.output.matchAll(/^(\S+ \([^)]*\)).*?\.\.\. skipped ['"](.*)['"]$/gm)];
  const skipped = Array.from({ length: count("skipped") }, (_, index) => ({
    name: `${name} ${skips[index]?.[1] ?? "a test"}`,
    reason: skips[index]?.[2] ?? "no reason was printed",
  }));
  const headings = [...outcome.output.matchAll(/^(?:FAIL|ERROR): (.*)$/gm)].map((match) => match[1]);
  const failed = Array.from({ length: bad }, (_, index) => ({
    name: `${name} ${headings[index] ?? "a test"}`,
    reason:
      index === 0
        ? (
            outcome.output
              .split(/^={20,}$/m)
              .slice(1)
              .join("====") || tail(outcome, 40)
          )
            .trim()
            .slice(0, 4000)
        : "see above",
  }));
  if (outcome.code !== 0 && bad === 0) failed.push({ name, reason: tail(outcome, 20) });
  return tally(name, total - bad - skipped.length, failed, skipped);
}

export async function unittest() {
  // The default Python runs inside our virtual environment, which is where NumPy is.
  const inVenv = fs.existsSync(venvPython()) ? describePython(venvPython()) : undefined;
  const pythons = allPythons().map((python) => (python.version === inVenv?.version ? inVenv : python));
  if (pythons.length === 0) return skip("Python tests", "no CPython 3.9 or newer was found");
  const found = [];
  for (const python of pythons) {
    const outcome = await exec(python.path, ["-m", "unittest", "discover", "-v", "-s", "test/python", "-t", "test/python"], {
      env: { PYTHONPATH: inRoot("python"), PYTHONDONTWRITEBYTECODE: "1" },
      timeout: 300_000,
    });
    const one = readUnittest(`Python ${python.version}`, outcome);
    console.log(`    ${one.failed.length ? "FAILED" : "ok    "} ${one.name}: ${one.passed} ok`);
    found.push(one);
  }
  return merge("Python tests", found);
}

await main(import.meta, unittest);
