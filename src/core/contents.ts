/**
 * Which refs came inside which result, so that they can be disposed with it.
 */
import { type RefNode, refOf } from "./ref.ts";

const contents = new WeakMap<object, readonly RefNode[]>();

/** Remembers which refs came inside a container (or an error). */
export function own(container: unknown, refs: readonly RefNode[]): void {
  if (refs.length > 0 && typeof container === "object" && container !== null) contents.set(container, refs);
}

/** The refs inside a result, or the ref itself. */
export function refsIn(result: unknown): readonly RefNode[] {
  const ref = refOf(result);
  if (ref !== undefined) return [ref];
  return typeof result === "object" && result !== null ? (contents.get(result) ?? []) : [];
}
