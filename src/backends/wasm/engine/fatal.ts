/** Which errors an engine does not survive. */
import type { LossKind } from "../../../core/backend.ts";

const dead = /fatally failed|already exited|Maximum call stack|unreachable|memory access out of bounds/i;

/** A JavaScript stack overflow inside WebAssembly, a trap, or an exit of the whole program. */
export function isFatal(error: unknown): boolean {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return true;
  if (!(error instanceof Error)) return false;
  return error.name === "Exit" || error.name === "ExitStatus" || (error.name !== "PythonError" && dead.test(error.message));
}

/** How an engine ended that told of this error. */
export function lossKind(error: unknown): LossKind {
  return error instanceof Error && /^Exit(Status)?$/.test(error.name) ? "exit" : "fatal";
}

/** A KeyboardInterrupt of Python, as Pyodide throws it. */
export function isInterrupt(error: unknown): boolean {
  return error instanceof Error && (error as { readonly type?: unknown }).type === "KeyboardInterrupt";
}
