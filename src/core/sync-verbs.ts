/**
 * The verbs, for refs of the synchronous facade: what is an expression there is done at once here.
 *
 * The functions are those of `verbs.ts`: a node whose engine is synchronous is evaluated when it is
 * built. Only their types differ, and that scalars cross as they are, without a program.
 */
import type { Scalar } from "./backend.ts";
import type { ConvertOptions } from "./conversion.ts";
import { nodeOf } from "./surface.ts";
import { SyncRefNode } from "./sync-ref.ts";
import type { Untyped } from "./types.ts";
import * as verbs from "./verbs.ts";
import { Mode } from "./wire/frames.ts";

export interface IterateSyncOptions {
  /** Items that Python may be ahead, at most. Default 1024. */
  readonly window?: number;
}

export function get<T = Untyped>(object: Untyped, name: string): T {
  const ref = plain(object);
  if (ref === undefined || typeof name !== "string") return verbs.get(object, name) as T;
  return ref.direct((calls, handle) => calls.get(handle, name, false), get) as T;
}

export function set(object: Untyped, name: string, value: unknown): null {
  const ref = plain(object);
  if (ref === undefined || typeof name !== "string" || !isScalar(value)) return verbs.set(object, name, value) as unknown as null;
  return ref.direct((calls, handle) => calls.set(handle, name, value), set) as null;
}

export function item<T = Untyped>(object: Untyped, key: unknown): T {
  const ref = plain(object);
  if (ref === undefined || !isScalar(key)) return verbs.item(object, key) as T;
  return ref.direct((calls, handle) => calls.item(handle, key), item) as T;
}

export function setItem(object: Untyped, key: unknown, value: unknown): null {
  const ref = plain(object);
  if (ref === undefined || !isScalar(key) || !isScalar(value)) return verbs.setItem(object, key, value) as unknown as null;
  return ref.direct((calls, handle) => calls.setItem(handle, key, value), setItem) as null;
}

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
/** Copies what can be copied, or views it: `toJs` of "isopy", at once. */
export function toJs<T = Untyped>(object: Untyped, options?: ConvertOptions): T {
  const mode = options === undefined ? Mode.COPY : isView(options) ? Mode.VIEW : undefined;
  const node = mode === undefined ? undefined : nodeOf(object);
  if (mode === undefined || !(node instanceof SyncRefNode) || !node.home.views) return verbs.toJs(object, options) as T;
  return node.direct((calls, handle) => calls.convert(handle, mode), toJs) as T;
}
export const iterate = verbs.iterate as unknown as <T = Untyped>(object: Untyped, options?: IterateSyncOptions) => IterableIterator<T>;

/** Whether a view is all that is asked for. */
function isView(options: ConvertOptions): boolean {
  if (typeof options !== "object" || options?.view !== true) return false;
  for (const key in options) if (key !== "view") return false;
  return true;
}

/** The ref, unless what is reached from it stays in Python. */
function plain(object: unknown): SyncRefNode | undefined {
  const node = nodeOf(object);
  return node instanceof SyncRefNode && !node.keep ? node : undefined;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}
