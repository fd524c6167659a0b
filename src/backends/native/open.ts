/**
 * From a choice of Python to a native backend: finds the Python, or says why there is none.
 *
 * One process can run one CPython. When one runs already it is what a caller without a wish gets,
 * and another spelling of the same installation counts as the same.
 */
import type { Backend } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { choosePython, type PythonChoice } from "../../environment/choose.ts";
import { nodeProbe } from "../../environment/probe.ts";
import type { PythonFacts } from "../../environment/python.ts";
import { loadAddon } from "./addon.ts";
import { NativeBackend, type NativeOptions } from "./backend.ts";

export interface NativeChoice {
  readonly python: PythonFacts;
  /** How it was found, for `py.info.resolution`. */
  readonly steps: readonly string[];
}

/** @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` naming every candidate and why it was refused */
export function chooseNative(python: string | undefined): NativeChoice {
  const probe = nodeProbe();
  const running = loadAddon().running();
  if (running !== null && python === undefined && !probe.env("ISOPY_PYTHON")) {
    const known = probe.describe(running.program);
    if (known.ok) return { python: known.facts, steps: [`native: ${running.program} runs in this process already`] };
  }
  const choice = choosePython(probe, { python });
  const steps = choice.rejected.map(({ source, path, reason }) => `${source}: ${path}: ${reason}`);
  const { found } = choice;
  if (found === undefined) throw notFound(choice);
  if (running !== null) {
    const known = probe.describe(running.program);
    if (known.ok && known.facts.prefix === found.prefix && running.library === found.library) {
      return { python: { ...found, executable: running.program }, steps: [...steps, `native: ${running.program} runs already`] };
    }
  }
  return { python: found, steps: [...steps, `${choice.source}: ${found.executable} (Python ${found.version}, ${found.library})`] };
}

/** The backend for a choice. */
export function createNativeBackend(
  choice: NativeChoice,
  options: Omit<NativeOptions, "python"> = {},
): Backend & Pick<NativeBackend, "startSync" | "closeSync"> {
  return new NativeBackend({ ...options, python: choice.python });
}

function notFound({ rejected }: PythonChoice): EngineError {
  const list = rejected.map(({ source, path, reason }) => `\n    ${source}: ${path}: ${reason}`).join("");
  return new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    rejected.length === 0
      ? "No Python was found: there is no python3 on PATH, no .venv here or above, and VIRTUAL_ENV is not set."
      : `No usable Python was found:${list}`,
    'Install CPython 3.9 or newer with its shared library (Debian: libpython3.x), choose one with createPython({ python }) or ISOPY_PYTHON, or use { backend: "wasm" }.',
  );
}
