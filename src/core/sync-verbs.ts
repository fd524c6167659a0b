/**
 * The verbs, for refs of the synchronous facade: what is an expression there is done at once here.
 *
 * The functions are those of `verbs.ts`: a node whose engine is synchronous is evaluated when it is
 * built. Only their types differ.
 */
import type { ConvertOptions } from "./conversion.ts";
import type { Untyped } from "./types.ts";
import * as verbs from "./verbs.ts";

export interface IterateSyncOptions {
  /** Items that Python may be ahead, at most. Default 1024. */
  readonly window?: number;
}

export const get = verbs.get as <T = Untyped>(object: Untyped, name: string) => T;
export const set = verbs.set as unknown as (object: Untyped, name: string, value: unknown) => null;
export const item = verbs.item as <T = Untyped>(object: Untyped, key: unknown) => T;
export const setItem = verbs.setItem as unknown as (object: Untyped, key: unknown, value: unknown) => null;
/** `del(object, "name")`. An item: `delItem(object, key)`. */
export const del = verbs.del as unknown as (object: Untyped, name: string) => null;
export const delItem = verbs.delItem as unknown as (object: Untyped, key: unknown) => null;
export const call = verbs.call as <T = Untyped>(
  object: Untyped,
  args?: readonly unknown[],
  kwargs?: Readonly<Record<string, unknown>>,
) => T;
/** The value of a ref under other options. */
export const run = verbs.run as unknown as <T = Untyped>(object: Untyped, options?: ConvertOptions) => T;
/** A ref of a value, even of data. */
export const ref = verbs.ref as unknown as (object: Untyped) => Untyped;
export const toJs = verbs.toJs as unknown as <T = Untyped>(object: Untyped, options?: ConvertOptions) => T;
export const iterate = verbs.iterate as unknown as <T = Untyped>(object: Untyped, options?: IterateSyncOptions) => IterableIterator<T>;
