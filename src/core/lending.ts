/**
 * Marks on values that are lent to Python although they are data, or lent in a special way.
 *
 * The mark is beside the value, never in it, so that Python gives back the very same object.
 */
import { EngineError } from "./errors.ts";
import { isPlainObject } from "./marshal/plain.ts";
import { boolean, optionReader } from "./options.ts";
import { LentFlag } from "./wire/frames.ts";

export interface ProxyOptions {
  /** A call of the function gives Python an awaitable at once, on every engine. Default false. */
  readonly async?: boolean;
  /** The function is called at most once, and let go of after that. Default false. */
  readonly once?: boolean;
}

interface Mark {
  readonly flags: number;
  readonly once: boolean;
}

const marks = new WeakMap<object, Mark>();
/** So that encoding pays for the look-up only where something was ever marked. */
let any = false;

/**
 * Lends a value to Python instead of copying it: Python sees and changes the very object.
 * Functions and instances are lent anyway; arrays, plain objects, Maps and Sets are copied without this.
 *
 * @returns the same value
 * @throws {EngineError} `ERR_ARGUMENT` for what has no identity; `ERR_OPTION`
 * @example
 * const seen: string[] = [];
 * await py.import("mymodule").collect(proxy(seen));         // Python appends to `seen`
 * await main(proxy(async (url: string) => fetch(url), { async: true })); // `await fetch(url)` in Python
 */
export function proxy<T extends object>(value: T, options?: ProxyOptions): T {
  const read = optionReader("proxy", options);
  const isAsync = read("async", boolean, false);
  const once = read("once", boolean, false);
  read.done();
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    throw new EngineError("ERR_ARGUMENT", `proxy() takes an object or a function, not ${value === null ? "null" : typeof value}.`);
  }
  if ((isAsync || once) && typeof value !== "function") {
    throw new EngineError("ERR_ARGUMENT", "proxy() takes `async` and `once` for functions only.");
  }
  marks.set(value, { flags: isAsync ? LentFlag.ASYNC : 0, once });
  any = true;
  return value;
}

/** For iterators and the like, which are lent even when they are plain objects. */
export function lendAlways<T>(value: T): T {
  if (typeof value === "object" && value !== null && isPlainObject(value) && !marks.has(value)) {
    marks.set(value, { flags: 0, once: false });
    any = true;
  }
  return value;
}

/** The mark of a value, if it has one. */
export function proxied(value: unknown): Mark | undefined {
  return any && ((typeof value === "object" && value !== null) || typeof value === "function") ? marks.get(value) : undefined;
}
