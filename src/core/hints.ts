/**
 * What to try when Python refuses what was written in JavaScript's way.
 */
import type { PythonError } from "./errors.ts";
import { isPlainObject } from "./marshal/plain.ts";
import { Op } from "./wire/frames.ts";

/**
 * A hint for an error of an instruction, when its form suggests a mistake that JavaScript's habits lead to.
 *
 * @param a the arguments of a call, or the source
 * @param b the keyword arguments of a call
 */
export function hintFor(error: PythonError, op: Op, a: unknown, b: unknown): string | undefined {
  // Raised in a frame of Python, it is about something inside, not about this call.
  if (error.frames.length > 0) return undefined;
  if (op === Op.CALL && b === undefined && error.type === "TypeError") {
    const last = (a as readonly unknown[]).at(-1);
    if (typeof last === "object" && last !== null && !Array.isArray(last) && isPlainObject(last)) {
      return "An object as the last argument is a dict to Python. Keyword arguments are written: f(a, kw({ name: value })).";
    }
  }
  if (op === Op.EVAL && error.type === "SyntaxError") {
    return "eval takes one expression. Statements (assignments, imports, loops) go to exec: py.exec`x = 1`.";
  }
  return undefined;
}
