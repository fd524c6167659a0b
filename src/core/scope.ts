/**
 * Scopes: refs that end together.
 *
 * A scope owns what is taken through it, and what is made with something it owns stays the caller's
 * until it is taken too. JavaScript cannot know which function awaits, so taking is explicit.
 */

import { refsIn } from "./contents.ts";
import type { RunOptions } from "./conversion.ts";
import { EngineError } from "./errors.ts";
import type { RefNode } from "./ref.ts";
import { nodeOf } from "./surface.ts";
import type { Evaluable, PyRef, Settled, Untyped } from "./types.ts";
import { ref, run } from "./verbs.ts";

/** What `scope` gives its body. Calling it is `run`. */
export interface Scope {
  /** Evaluates; the scope owns the ref, or the refs inside the result. */
  <T = Untyped>(expr: Evaluable<T>, options?: RunOptions): Promise<Settled<T>>;
  run<T = Untyped>(expr: Evaluable<T>, options?: RunOptions): Promise<Settled<T>>;
  /** Evaluates and keeps a ref, whatever the result is. */
  ref<T = Untyped>(expr: Evaluable<T>): Promise<PyRef<T>>;
  /** Takes a ref, or the refs inside a result. */
  use<T>(value: T): T;
  /** Takes a ref, or the refs inside a result, out of the scope: it lives on. */
  keep<T>(value: T): T;
}

/**
 * Runs a function and disposes every ref its scope owns afterwards, also when it throws. The refs
 * that it returns live on.
 *
 * @example
 * const mean = await scope(async (s) => {
 *   const frame = await s(pd.read_csv("prices.csv"));
 *   const prices = await s(item(frame, "price"));
 *   return prices.mean();                    // data: nothing is left of the frame
 * });
 */
export async function scope<R>(body: (s: Scope) => R): Promise<Awaited<R>> {
  if (typeof body !== "function") throw new EngineError("ERR_ARGUMENT", "scope() takes a function.", "Write: await scope(async (s) => …).");
  const owned = new Set<RefNode>();
  let over = false;
  const use = <T>(value: T): T => {
    for (const node of refsIn(value)) {
      if (over) node.home.dispose(node);
      else owned.add(node);
    }
    if (over && nodeOf(value) !== undefined) {
      throw new EngineError(
        "ERR_HANDLE_DISPOSED",
        "The scope has ended before its ref arrived.",
        "Await everything inside the scope's function.",
      );
    }
    return value;
  };
  const take = async <T>(expr: Evaluable<T>, options?: RunOptions): Promise<Settled<T>> => use(await run(expr, options));
  const s: Scope = Object.assign(take, {
    run: take,
    ref: async <T>(expr: Evaluable<T>): Promise<PyRef<T>> => use(await ref(expr)),
    use,
    keep: <T>(value: T): T => {
      for (const node of refsIn(value)) owned.delete(node);
      return value;
    },
  });
  try {
    return s.keep(await body(s));
  } finally {
    over = true;
    for (const node of owned) node.home.dispose(node, "scope");
  }
}
