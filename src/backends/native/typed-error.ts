import { EngineError, type EngineErrorCode } from "../../core/errors.ts";

/** The addon throws plain errors with a `code`. */
export function typed(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string" || !error.code.startsWith("ERR_")) return error;
  return new EngineError(error.code as EngineErrorCode, error.message, undefined, { cause: error });
}
