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

export function lostError({ reason, exitCode, signal, tail, cause }: EngineLost): EngineError {
  const how = [exitCode === undefined ? "" : `exit code ${exitCode}`, signal ?? ""].filter((part) => part !== "").join(", ");
  return new EngineError(
    "ERR_ENGINE_LOST",
    `The engine is gone: ${reason}${how === "" ? "" : ` (${how})`}${tail === undefined || tail === "" ? "" : `\n${tail}`}`,
    "Its objects are gone with it. Start another with createPython().",
    { cause, details: { reason, exitCode, signal, tail } },
  );
}
