/**
 * Which backend runs Python, and why.
 *
 * `auto` tries the candidates in order: native, then WebAssembly. A backend that was asked for by
 * name fails when it does not start; it never falls back to another one.
 */
import type { Backend } from "../core/backend.ts";
import { EngineError } from "../core/errors.ts";
import type { Python } from "../core/facade.ts";
import type { OpenPackages } from "../core/packages.ts";
import { createFacade, type FacadeOptions } from "../core/start.ts";

export type BackendChoice = "auto" | "native" | "wasm";

export interface Opened {
  readonly backend: Backend;
  readonly steps: readonly string[];
  /** One more of the kind; only where a process can have several. */
  readonly another?: () => Backend;
  /** What installs packages into it; only where they are ours to install. */
  readonly packages?: OpenPackages;
}

/** One backend that can be tried. */
export interface Candidate {
  readonly name: Exclude<BackendChoice, "auto">;
  /** Finds what it needs. Throws `ERR_BACKEND_UNAVAILABLE` when it is not there. */
  open(): Promise<Opened>;
}

/**
 * Starts the first candidate that works.
 *
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` with the reasons of every one that was tried
 */
export async function startFirst(wanted: BackendChoice, candidates: readonly Candidate[], options: FacadeOptions): Promise<Python> {
  const tried = wanted === "auto" ? candidates : candidates.filter(({ name }) => name === wanted);
  const resolution: string[] = wanted === "auto" ? [] : [`option "backend": ${wanted}`];
  const failures: EngineError[] = [];
  for (const { name, open } of tried) {
    options.start.signal?.throwIfAborted();
    try {
      const { backend, steps, another, packages } = await open();
      const fallback = failures.length === 0 ? null : failures.map(({ message }) => message).join("\n");
      const why = { fallback, resolution: [...resolution, ...steps, `${name}: started`] };
      return await createFacade(backend, { ...options, ...why, ...(another && { another }), ...(packages && { packages }) });
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "ERR_BACKEND_UNAVAILABLE") throw error;
      failures.push(error);
      resolution.push(`${name}: ${error.message}`);
    }
  }
  const [only] = failures;
  if (failures.length === 1 && only !== undefined) throw only;
  throw new EngineError(
    "ERR_BACKEND_UNAVAILABLE",
    failures.length === 0
      ? `There is no backend "${wanted}" here.`
      : `No backend started:\n${failures.map(({ message }) => message).join("\n")}`,
    undefined,
    { cause: failures[0] },
  );
}
