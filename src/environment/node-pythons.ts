/** Every Python that the native engine could load here: for tests and `doctor`. */
import { listPythons, nodeProbe } from "./probe.ts";
import { type PythonFacts, refusal } from "./python.ts";

/** One entry per installation (executable and library), newest last. */
export function findPythons(): readonly PythonFacts[] {
  const probe = nodeProbe();
  const found = new Map<string, PythonFacts>();
  for (const path of listPythons()) {
    const described = probe.describe(path);
    if (!described.ok || refusal(described.facts) !== undefined) continue;
    const { prefix, library } = described.facts;
    const key = `${prefix}|${library}`;
    if (!found.has(key)) found.set(key, described.facts);
  }
  return [...found.values()].sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }));
}
