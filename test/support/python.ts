/**
 * Which Python the tests embed: the environment with NumPy and pandas that set-up made, when it is
 * there, else whatever the package itself would choose.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const venv = process.platform === "win32" ? "../../.cache/venv/Scripts/python.exe" : "../../.cache/venv/bin/python";

/** Options of `createPython`: `ISOPY_PYTHON` (the version matrix) and an absent environment leave the choice to the package. */
export function testPython(): { readonly python?: string } {
  const file = fileURLToPath(new URL(venv, import.meta.url));
  return process.env["ISOPY_PYTHON"] === undefined && existsSync(file) ? { python: file } : {};
}
