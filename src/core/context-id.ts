/**
 * Ids of contexts on this side: the engine's own number, and above it how many engines were lost before.
 *
 * Each engine counts its contexts from the start; a context of one that was lost must never be taken for
 * one of the next. The default context is 0 in all of them.
 */
import type { ContextId } from "./backend.ts";

const ENGINE = 2 ** 32;

export function contextId(number: number, generation: number): ContextId {
  return number + generation * ENGINE;
}

/** As the engine knows it. */
export function numberOf(id: ContextId): number {
  return id % ENGINE;
}

export function generationOf(id: ContextId): number {
  return Math.floor(id / ENGINE);
}
