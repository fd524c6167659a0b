/**
 * Typed targets: what a result must be. Python checks and converts it before it leaves.
 *
 * A value of another type is a `TypeError`, one out of range an `OverflowError`; both name the path.
 */
import { Target } from "./conversion.ts";
import type { PyRef } from "./types.ts";
import type { ArrowTable } from "./values/arrow.ts";

type Of<T> = T extends Target<infer U> ? U : never;
const make = <T>(...spec: readonly unknown[]): Target<T> => new Target<T>(spec);
const spec = (target: Target<unknown>): readonly unknown[] => target.spec;

/** A dtype as NumPy names it: `"float64"`. */
type Dtype = string;

/**
 * @example
 * const port = await run(config.port, { as: as.uint16() });
 * const rows = await run(query.fetchall(), { as: as.list(as.tuple(as.int32(), as.string())) });
 */
export const as = {
  bool: () => make<boolean>("bool"),
  int8: () => make<number>("int8"),
  int16: () => make<number>("int16"),
  int32: () => make<number>("int32"),
  /** A number where it is safe, else a bigint. */
  int64: () => make<number | bigint>("int64"),
  uint8: () => make<number>("uint8"),
  uint16: () => make<number>("uint16"),
  uint32: () => make<number>("uint32"),
  uint64: () => make<number | bigint>("uint64"),
  /** Any int. */
  bigint: () => make<number | bigint>("bigint"),
  float32: () => make<number>("float32"),
  float64: () => make<number>("float64"),
  string: () => make<string>("string"),
  bytes: () => make<Uint8Array>("bytes"),
  date: () => make<unknown>("date"),
  datetime: () => make<unknown>("datetime"),
  /** A ref, whatever it is. */
  handle: () => make<PyRef>("handle"),
  list: <T extends Target<unknown>>(item: T) => make<Of<T>[]>("list", spec(item)),
  set: <T extends Target<unknown>>(item: T) => make<Set<Of<T>>>("set", spec(item)),
  tuple: <const T extends readonly Target<unknown>[]>(...items: T) =>
    make<{ readonly [K in keyof T]: Of<T[K]> }>("tuple", ...items.map(spec)),
  dict: <K extends Target<unknown>, V extends Target<unknown>>(key: K, value: V) =>
    make<Record<string, Of<V>> | Map<Of<K>, Of<V>>>("dict", spec(key), spec(value)),
  optional: <T extends Target<unknown>>(inner: T) => make<Of<T> | null>("optional", spec(inner)),
  /** The first that fits. */
  union: <const T extends readonly Target<unknown>[]>(...targets: T) => make<Of<T[number]>>("union", ...targets.map(spec)),
  /** Attributes or items of these names. */
  object: <const S extends Readonly<Record<string, Target<unknown>>>>(shape: S) =>
    make<{ [K in keyof S]: Of<S[K]> }>("object", Object.fromEntries(Object.entries(shape).map(([key, target]) => [key, spec(target)]))),
  ndarray: (dtype: Dtype | null = null, ndim: number | null = null) => make<unknown>("ndarray", dtype, ndim),
  /**
   * Arrow data of any object with `__arrow_c_stream__` or `__arrow_c_array__` (polars, pyarrow, DuckDB …) and of pandas
   * frames; no Arrow library is needed in Python. `"ipc"`: the bytes of an IPC stream, as every Arrow library reads them.
   * `"buffers"`: the buffers of each column.
   *
   * @example
   * const table = tableFromIPC(await run(frame, { as: as.arrow() })); // from the npm package apache-arrow
   */
  arrow: <F extends "ipc" | "buffers" = "ipc">(form: F = "ipc" as F) => make<F extends "ipc" ? Uint8Array : ArrowTable>("arrow", form),
  /** A TypedArray of this class. */
  typed: <T extends ArrayBufferView>(type: { new (length: number): T; readonly name: string }) =>
    make<T>("typed", type.name.replace("Big", "").replace("Array", "").toLowerCase(), 1),
} as const;
