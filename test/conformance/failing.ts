/** Python code that fails on purpose, and the error it fails with. */
import { PythonError } from "isopy";
import type { Runner } from "./runner.ts";

/** `fails()` with this body. */
export const fails = (body: string): string =>
  `def fails():\n${body
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n")}`;
/** Evaluates `fails()` and gives what it failed with. */
export async function failure(t: Runner, setup: string, values: Record<string, unknown> = {}): Promise<PythonError> {
  try {
    await t.evaluate({ setup, source: "fails()", values });
  } catch (error) {
    if (error instanceof PythonError) return error;
    throw error;
  }
  throw new Error("fails() did not fail");
}
