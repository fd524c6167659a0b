/**
 * The types of what users hold.
 */
import type { ReadOptions } from "./conversion.ts";
import type { NDArray } from "./values/ndarray.ts";

declare const VALUE: unique symbol;
declare const REF: unique symbol;

/**
 * An expression: something Python has not computed yet. Awaiting it runs it, once.
 *
 * `then`, `catch` and `finally` are a promise's, and run it too; all other attributes are Python's. They are `any` on purpose, the one place where types end: an
 * imported module is untyped unless you give its type (`py.import<Numpy>("numpy")`).
 */
export type PyExpr<T = Untyped> = Thenable<Settled<T>> & AsyncIterable<Untyped> & Attributes<T> & { readonly [VALUE]: T };

/** What an expression has of a promise. Python's attributes of these names: `get(expression, "catch")`. */
export interface Thenable<T> extends PromiseLike<T> {
  catch<R = never>(rejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>;
  finally(done?: (() => void) | null): Promise<T>;
}

/**
 * A live handle to a Python object. Not thenable. Dispose it after its last use (`using`,
 * `scope`), or leave it to the garbage collector. Items of `for await` are data or refs.
 */
export type PyRef<T = Untyped> = AsyncIterable<Untyped> & Disposable & AsyncDisposable & Attributes<T> & { readonly [REF]: T };

// biome-ignore lint/suspicious/noExplicitAny: the untyped import is the one `any` of the public surface.
export type Untyped = any;

/** Python attributes of a T, as expressions. */
export type Attributes<T> = 0 extends 1 & T
  ? // biome-ignore lint/suspicious/noExplicitAny: as above.
    any
  : T extends (...args: infer A) => infer R
    ? (...args: [...Args<A>] | [...Args<A>, unknown]) => PyExpr<Awaited<R>>
    : T extends object
      ? { readonly [K in keyof T as K extends string ? (K extends keyof Thenable<T> ? never : K) : never]: PyExpr<T[K]> }
      : unknown;

/** Stands for a T: an expression, or a ref. */
interface Stands<T> {
  readonly [VALUE]?: T;
  readonly [REF]?: T;
}

/** Arguments: the value itself, or an expression or a ref that stands for it. */
export type Args<A extends readonly unknown[]> = { [K in keyof A]: A[K] | Stands<A[K]> };

/** Objects that are data although they have methods: what JavaScript has (arrays, Map, Set, memory, Temporal, Date), and this package's values. */
type DataObject = readonly unknown[] | { readonly [Symbol.toStringTag]: string } | { toJSON(key: string): unknown } | Error | NDArray;

/** The names of a T's methods. */
type Methods<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];

/** What awaiting a T gives: a function, or an instance (it has methods), arrives as a ref, data as data. */
export type Settled<T> = 0 extends 1 & T
  ? Untyped
  : T extends (...args: never[]) => unknown
    ? PyRef<T>
    : T extends DataObject
      ? T
      : T extends object
        ? [Methods<T>] extends [never]
          ? T
          : PyRef<T>
        : T;

/** What `toJs` and `run` take. */
export type Evaluable<T> = PyExpr<T> | PyRef<T>;

export type { ReadOptions };
