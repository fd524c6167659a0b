/**
 * What to try when Python refuses what was written in JavaScript's way.
 */
import type { PythonError } from "./errors.ts";
import { isPlainObject } from "./marshal/plain.ts";
import { Op } from "./wire/frames.ts";

/** Words that only statements begin with, or an assignment. */
const STATEMENT = /^\s*(?:import|from|for|while|if|def|class|with|try|return|raise|del|global|nonlocal|assert|pass|async)\b|[^=!<>:]=(?!=)/;

/** Raised by source that was given to `eval` or `exec`, and not deeper. */
const inSource = (error: PythonError): boolean => error.frames.every(({ file }) => file.startsWith("<isopy "));

/**
 * A hint for an error of an instruction, when its form suggests a mistake that JavaScript's habits lead to.
 *
 * @param a the arguments of a call, or the source
 * @param b the keyword arguments of a call
 */
export function hintFor(error: PythonError, op: Op, a: unknown, b: unknown): string | undefined {
  if (error.type === "ModuleNotFoundError" && inSource(error)) {
    return "Modules of your own: createPython({ paths: [folder] }). Packages: install them for this Python, which py.info.executable names; on wasm, py.packages.install([name]).";
  }
  if (error.type === "RuntimeError" && error.pythonMessage === "no running event loop" && inSource(error)) {
    return 'A loop runs inside coroutines: py.eval("await asyncio.gather(…)"), or an async def of yours.';
  }
  // Raised in a frame of Python, it is about something inside, not about this call.
  if (error.frames.length > 0) return undefined;
  if (op === Op.CALL && b === undefined && error.type === "TypeError") {
    const last = (a as readonly unknown[]).at(-1);
    if (typeof last === "object" && last !== null && !Array.isArray(last) && isPlainObject(last)) {
      return "An object as the last argument is a dict to Python. Keyword arguments are written: f(a, kw({ name: value })).";
    }
  }
  if (op === Op.EVAL && error.type === "SyntaxError" && STATEMENT.test(String(a))) {
    return "eval takes one expression. Statements (assignments, imports, loops) go to exec: py.exec`x = 1`.";
  }
  if (op === Op.GET && error.type === "AttributeError" && /^\d+$/.test(String(a))) {
    return `Items are reached with item(object, ${String(a)}); object[${String(a)}] is the attribute "${String(a)}".`;
  }
  return undefined;
}
