/**
 * Options are read once, key by key; what was not read is an error with a suggestion.
 *
 * `undefined` counts as "not given", so `{ signal: maybe }` needs no branch at the caller.
 */
import { EngineError } from "./errors.ts";

/** Returns undefined when the value fits, else what was expected ("a positive number"). */
export type Check<T> = ((value: unknown) => string | undefined) & { readonly type?: T };

/** A check from a predicate; `expected` ends the sentence "is not …". */
export const check =
  <T>(expected: string, fits: (value: unknown) => boolean): Check<T> =>
  (value) =>
    fits(value) ? undefined : expected;

export const string = check<string>("a string", (v) => typeof v === "string");
/** What the operating system is given: its strings end at the first NUL. */
export const systemText = check<string>("a string without NUL", (v) => typeof v === "string" && !v.includes("\0"));
export const boolean = check<boolean>("true or false", (v) => typeof v === "boolean");
export const callable = check<(...args: never[]) => unknown>("a function", (v) => typeof v === "function");
export const count = check<number>("a positive integer", (v) => Number.isSafeInteger(v) && (v as number) > 0);
export const milliseconds = check<number>("a number of milliseconds, 0 or more", (v) => typeof v === "number" && v >= 0);
export const object = check<object>("an object", (v) => typeof v === "object" && v !== null);
export const anything = check<unknown>("a value", () => true);
export const abortSignal = check<AbortSignal>(
  "an AbortSignal",
  (v) => typeof v === "object" && v !== null && "aborted" in v && "addEventListener" in v,
);
export const oneOf = <const T extends string>(...names: readonly T[]): Check<T> =>
  check(`one of ${names.map((n) => JSON.stringify(n)).join(", ")}`, (v) => names.includes(v as T));
export const arrayOf = <T>(item: Check<T>): Check<readonly T[]> => {
  const expected = item(undefined) ?? "any value";
  return check(`an array, each item ${expected}`, (v) => Array.isArray(v) && v.every((i) => item(i) === undefined));
};
export const recordOf = <T>(item: Check<T>): Check<Readonly<Record<string, T>>> => {
  const expected = item(undefined) ?? "any value";
  return check(
    `an object, each value ${expected}`,
    (v) => typeof v === "object" && v !== null && !Array.isArray(v) && Object.values(v).every((i) => item(i) === undefined),
  );
};

export interface OptionReader {
  /** The value of a key, checked; the fallback when it is not given. */
  <T, F>(key: string, check: Check<T>, fallback: F): T | F;
  /** Rejects every key that was not read. */
  done(): void;
}

/**
 * @param owner the function whose options these are; it begins every message
 * @throws {EngineError} `ERR_OPTION` when the options are no object, a value does not fit or a key is unknown
 * @example
 * const read = optionReader("createPython", options);
 * const backend = read("backend", oneOf("auto", "native", "wasm"), "auto");
 * read.done(); // createPython: unknown option "bakend". Did you mean "backend"?
 */
export function optionReader(owner: string, options: unknown): OptionReader {
  if (options !== undefined && (typeof options !== "object" || options === null || Array.isArray(options))) {
    throw new EngineError("ERR_OPTION", `${owner}: the options are not an object, but ${describe(options)}.`);
  }
  const given = (options ?? {}) as Record<string, unknown>;
  const known: string[] = [];
  const read = <T, F>(key: string, fits: Check<T>, fallback: F): T | F => {
    known.push(key);
    const value = given[key];
    if (value === undefined) return fallback;
    const expected = fits(value);
    if (expected === undefined) return value as T;
    throw new EngineError("ERR_OPTION", `${owner}: option "${key}" is not ${expected}, but ${describe(value)}.`);
  };
  read.done = () => {
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      throw new EngineError(
        "ERR_OPTION",
        `${owner}: unknown option "${key}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
        `Known options: ${known.join(", ")}.`,
      );
    }
  };
  return read;
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** The known name that is at most a third of its letters away. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bound = Math.max(1, Math.ceil(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bound) [best, bound] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance, where swapping two neighbours counts once. */
function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const at = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      const here = i * width + j;
      if (i === 0 || j === 0) {
        at[here] = i + j;
        continue;
      }
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min(at[here - width]! + 1, at[here - 1]! + 1, at[here - width - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, at[here - 2 * width - 2]! + 1);
      at[here] = d;
    }
  }
  return at[a.length * width + b.length]!;
}
