/** Which GIL an interpreter of its own gets, and why. Pure. */
import type { GilKind, InterpreterInfo } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { versionParts } from "../../environment/python.ts";

/**
 * @param version of the Python that runs, as `3.12.1`
 * @param wanted what the caller asked for; undefined: its own where that is safe
 * @throws {EngineError} `ERR_UNSUPPORTED` before 3.12 when a GIL of its own was asked for
 */
export function interpreterFor(version: string, wanted: GilKind | undefined): InterpreterInfo {
  const minor = versionParts(version)[1] ?? 0;
  if (wanted === "shared") return { gil: "shared", reason: "it was asked for" };
  if (minor >= 13) return { gil: "own", reason: "from Python 3.13 on each interpreter has its own" };
  if (wanted === undefined) return { gil: "shared", reason: whyShared(version, minor) };
  if (minor >= 12) return { gil: "own", reason: `it was asked for, although ${whyShared(version, minor)}` };
  throw new EngineError(
    "ERR_UNSUPPORTED",
    `Python ${version} has no interpreters with a GIL of their own.`,
    'Use Python 3.13, or leave "gil" out: the interpreters then compute in turn.',
  );
}

/** `Isolation` in native/isolated.h. */
export function isolationOf(interpreter: InterpreterInfo | undefined): number {
  if (interpreter === undefined) return 0;
  return interpreter.gil === "shared" ? 1 : 2;
}

function whyShared(version: string, minor: number): string {
  return minor >= 12
    ? `much of the standard library of Python ${version} (ctypes, the C code of datetime and decimal) does not work with its own`
    : `Python ${version} has one GIL for all interpreters`;
}
