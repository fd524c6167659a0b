/**
 * What calls on an engine that has ended are told.
 */
import type { EngineLost } from "./backend.ts";
import { EngineError } from "./errors.ts";

export function closedError(): EngineError {
  return new EngineError(
    "ERR_CLOSED",
    "The engine was closed.",
    "Do not use its objects after close(); start another with createPython().",
  );
}

/** @param replaced whether the next call starts another engine */
export function lostError(loss: EngineLost, replaced = false): EngineError {
  const { kind, reason, exitCode, signal, tail, cause } = loss;
  const how = [exitCode === undefined ? "" : `exit code ${exitCode}`, signal ?? ""].filter((part) => part !== "").join(", ");
  return new EngineError(
    "ERR_ENGINE_LOST",
    `The engine is gone: ${reason}${how === "" ? "" : ` (${how})`}${tail === undefined || tail === "" ? "" : `\n${tail}`}`,
    replaced
      ? "Its objects are gone with it. The next call starts another engine."
      : "Its objects are gone with it. Start another with createPython().",
    { cause, details: { kind, reason, exitCode, signal, tail } },
  );
}

/** To close what went with its engine is done already. */
export function gone(error: unknown): void {
  if (!(error instanceof EngineError) || error.code !== "ERR_ENGINE_LOST") throw error;
}

/** What lived in an engine that was lost is used in the one that came after it. */
export function lostWith(what: string): EngineError {
  return new EngineError(
    "ERR_ENGINE_LOST",
    `${what} is gone: it lived in an engine that was lost.`,
    "The engine of today is another one: make it again there, for example where onLost tells of the loss.",
  );
}
