/**
 * Python's own library, looked at before the start: CPython ends the process when it cannot find `encodings`,
 * and what is known about an executable may be older than its installation.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../core/errors.ts";
import { type PythonFacts, versionParts } from "../../environment/python.ts";

/** @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` when there is no library for this Python, or half of one. */
export function checkLibrary({ executable, basePrefix, version }: PythonFacts): void {
  if (process.platform === "win32") return;
  const [major = 0, minor = 0] = versionParts(version);
  const places = ["lib", "lib64"].map((folder) => join(basePrefix, folder, `python${major}.${minor}`));
  const zip = join(basePrefix, "lib", `python${major}${minor}.zip`);
  if (existsSync(zip) || places.some((place) => existsSync(join(place, "encodings")))) return;
  throw new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    `The library of ${executable} is not whole: there is no ${places.map((place) => join(place, "encodings")).join(" and no ")}.`,
    "Install this Python again, or name another one.",
  );
}
