/**
 * What a conformance vector is: one sentence about a value, as data.
 *
 * A vector names a Python expression, a JavaScript value, or both, and what each becomes on the
 * other side. `run-vector.ts` runs it; nothing here knows an engine, Node or Vitest, because the
 * same vectors run inside a browser page.
 */
import type { Capabilities } from "isopy";
import type { Runner } from "./runner.ts";

export const groups = [
  "scalars",
  "strings",
  "buffers",
  "containers",
  "valueclasses",
  "temporal",
  "errors",
  "handles",
  "numpy",
  "limits",
] as const;
export type Group = (typeof groups)[number];

/** Optional Python modules (`zones` stands for time zone data); a vector that requires one is skipped, and counted, where it is absent. */
export const optionalModules = ["numpy", "pandas", "pyarrow", "zones"] as const;
export type OptionalModule = (typeof optionalModules)[number];

/** What a vector may need: a capability of the engine, or a facade with promises (the synchronous one has none). */
export type Need = keyof Capabilities | "promises";

/** What a vector that must fail fails with; every given field must agree (strings exactly, patterns by `test`). */
export interface Failure {
  /** Of an `EngineError`. */
  readonly code?: string;
  /** Of a `PythonError`: the Python class name. */
  readonly type?: string;
  readonly message?: string | RegExp;
  /** Further fields of the error, compared like values. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface Vector {
  /** A sentence about behaviour. */
  readonly name: string;
  readonly group: Group;
  /** The items of `must-include.ts` that this vector covers. */
  readonly tags: readonly string[];

  /** Python statements that run first, in the namespace of `python` and `check`. */
  readonly setup?: string;
  /** JavaScript values bound in that namespace. */
  readonly values?: () => Record<string, unknown>;
  /** Python → JavaScript: the expression whose value crosses. */
  readonly python?: string;
  /** Options of `run` for `python`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The value crosses as a ref first, then through `toJs` with these options. */
  readonly toJs?: Readonly<Record<string, unknown>>;
  /** What arrives: a value, or a structure with `Match` leaves. Without it, what `js` makes. */
  readonly expect?: unknown;

  /** JavaScript → Python: makes the value that crosses. */
  readonly js?: () => unknown;
  /** A Python expression over `x` that must be True. Without it, `x` must be the very same value as `python` (types included). */
  readonly check?: string;

  /** There and back again: equal value and type in Python, deep equal in JavaScript. Default: true when both directions are given. */
  readonly roundTrip?: boolean | "identical";

  /** A short scene with the engine; its result is compared with `expect` when that is given. */
  readonly act?: (t: Runner) => unknown;
  /** What tells rows apart whose `act` is made by one function. */
  readonly parts?: readonly string[];
  /** The vector must fail like this. */
  readonly throws?: Failure;

  readonly needs?: readonly Need[];
  readonly requires?: OptionalModule;
  /** The first Python that has what the vector talks about, e.g. `[3, 11]`. */
  readonly since?: readonly [number, number];
}

/** A vector as it is written in a group's file: the group is added once, tags only where they say something. */
export type Written = Omit<Vector, "group" | "tags"> & { readonly tags?: readonly string[] };

/** Gives the vectors of one file their group. */
export function inGroup(group: Group, rows: readonly Written[]): readonly Vector[] {
  return rows.map((row) => ({ tags: [], ...row, group }));
}
