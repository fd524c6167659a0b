/**
 * Wheels of real projects for Pyodide, which set-up fetched ahead of time with the host's pip (`scripts/setup/wheels.mjs`).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lock } from "isopy";
import type { TestContext } from "vitest";

/** The folder, as `from` takes it. */
export const WHEELS = fileURLToPath(new URL("../../.cache/wheels", import.meta.url));

export const inWheels = (...parts: readonly string[]): string => join(WHEELS, ...parts);

const file = inWheels("isopy-lock.json");
const present = existsSync(file);
if (!present && process.env["CI"]) throw new Error(`${file} is missing: run node scripts/test.mjs, whose set-up fetches it.`);

/** Its lock; an empty one where set-up could not fetch it. */
export const realLock = (): Lock =>
  present ? (JSON.parse(readFileSync(file, "utf8")) as Lock) : { isopyLock: 1, python: "", platform: "", packages: [] };

/** A `beforeEach`: what needs real wheels is skipped where there are none; in CI there are. */
export function needWheels({ skip }: TestContext): void {
  if (!present) skip("set-up could not fetch wheels of real projects");
}

/**
 * The package that shows that compiled ones work: NumPy, once its project publishes a wheel for this Pyodide, until
 * then pydantic, whose core is 1.5 MB of compiled Rust (4.7 MB unpacked), the largest that was found.
 */
export const heavyweight = (lock: Lock): { readonly name: string; readonly program: string; readonly result: unknown } =>
  lock.packages.some(({ name }) => name === "numpy")
    ? { name: "numpy", program: "import numpy\nresult = (numpy.arange(6).reshape(2, 3) @ numpy.ones(3)).tolist()", result: [3, 12] }
    : {
        name: "pydantic",
        program: [
          "from pydantic import BaseModel, ValidationError",
          "class Point(BaseModel):",
          "    x: int",
          "    y: list[float]",
          "try:",
          "    Point.model_validate({'x': 'east'})",
          "except ValidationError as error:",
          "    wrong = [each['type'] for each in error.errors()]",
          `result = [Point.model_validate_json('{"x": "3", "y": [1, 2.5]}').model_dump(), wrong]`,
        ].join("\n"),
        result: [{ x: 3, y: [1, 2.5] }, ["int_parsing", "missing"]],
      };
