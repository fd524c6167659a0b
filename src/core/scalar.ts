/**
 * Scalars of replies, which come without a stream, under the same options as streams.
 *
 * `int: "bigint"` is not seen here: a number does not say whether it was an int, so that option
 * asks for a stream (verbs.ts).
 */
import type { Scalar } from "./backend.ts";
import type { ReadOptions } from "./conversion.ts";
import { EngineError } from "./errors.ts";

export function readScalar(value: Scalar | Uint8Array, read: ReadOptions | undefined): unknown {
  if (read === undefined) return value;
  if (value === null) return read.none === "undefined" ? undefined : null;
  if (typeof value === "bigint" && read.int === "number") {
    throw new EngineError(
      "ERR_NOT_CONVERTIBLE",
      'value is an int beyond 2^53, and { int: "number" } was asked for.',
      'Use { int: "auto" } or { int: "bigint" }.',
    );
  }
  return value;
}
