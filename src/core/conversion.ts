/**
 * How results are converted: the options of `run`, `toJs` and `import`.
 *
 * The engine is told a mode and, for `as`, a cast; the rest is read here while a reply is decoded.
 */
import { EngineError } from "./errors.ts";
import { abortSignal, boolean, milliseconds, object, oneOf, optionReader } from "./options.ts";
import { Mode } from "./wire/frames.ts";

/** How the values of a reply are read. */
export interface ReadOptions {
  /** What `None` becomes. Default `"null"`. */
  readonly none?: "null" | "undefined";
  /** What a dict becomes: by its keys, or always the same. Default `"auto"`. */
  readonly dict?: "auto" | "map" | "object" | "entries";
  /** Integers: number where exact, else bigint; or always the one. Default `"auto"`. */
  readonly int?: "auto" | "number" | "bigint";
  /** `Decimal`: exact, its text, or the nearest number. Default `"exact"`. */
  readonly decimal?: "exact" | "string" | "number";
}

export interface ConvertOptions extends ReadOptions {
  /**
   * `"auto"`: data is copied, objects are refs. `"copy"`: arrays, frames and dataclasses are copied too.
   * `"ref"`: a ref whatever it is. `"portable"`: data only; anything else is `ERR_NOT_CONVERTIBLE` with its path.
   */
  readonly convert?: "auto" | "copy" | "ref" | "portable";
  /** A typed target: `as.list(as.int32())`. Python checks and converts before the value leaves. */
  readonly as?: Target<unknown>;
  /**
   * Arrays and buffers over Python's own memory instead of copies: what one side writes the other sees. Default false.
   *
   * Python keeps the memory in place until JavaScript has dropped the view (see {@link release}). Read-only memory is
   * copied; a writable array that cannot be shared as it is (foreign byte order, a structured type) is `ERR_NOT_CONVERTIBLE`.
   * Native engine only, elsewhere `ERR_UNSUPPORTED`; copies where the runtime forbids foreign memory (Electron).
   */
  readonly view?: boolean;
  /** Whether an awaitable result is awaited in Python. Default true. */
  readonly await?: boolean;
}

export interface RunOptions extends ConvertOptions {
  /** Interrupts Python with `KeyboardInterrupt`; the promise rejects with `signal.reason` at once. */
  readonly signal?: AbortSignal;
  /** Milliseconds from now to the reply; 0 means none. Default 0. The promise rejects with a `TimeoutError`. */
  readonly timeout?: number;
}

/** A typed target; made by the functions of `as`. */
export class Target<T> {
  /** What the engine reads: nested arrays of names and operands. */
  readonly spec: readonly unknown[];
  declare readonly type: T;
  constructor(spec: readonly unknown[]) {
    this.spec = Object.freeze(spec);
  }
}

const target = object as unknown as (value: unknown) => string | undefined;
const isTarget = (value: unknown): string | undefined =>
  target(value) === undefined && value instanceof Target ? undefined : "a target made by `as`: as.int32(), as.list(as.string()) …";

/** Options, read and checked; what the core works with. */
export interface Conversion {
  readonly mode: number;
  /** Undefined when everything is the default. */
  readonly read: ReadOptions | undefined;
  readonly cast: readonly unknown[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
}

const MODES = { auto: Mode.AUTO, ref: Mode.REF, copy: Mode.COPY, portable: Mode.PORTABLE } as const;
const DEFAULT: Conversion = { mode: Mode.AUTO, read: undefined, cast: undefined, signal: undefined, timeout: 0 };

// Made once: a check spells out what it expects.
const CONVERT = oneOf("auto", "copy", "ref", "portable");
const NONE = oneOf("null", "undefined");
const DICT = oneOf("auto", "map", "object", "entries");
const INT = oneOf("auto", "number", "bigint");
const DECIMAL = oneOf("exact", "string", "number");

/**
 * Reads the options of a verb.
 *
 * @param fallback the mode when `convert` is not given
 * @throws {EngineError} `ERR_OPTION`
 */
export function readConversion(owner: string, options: unknown, fallback: keyof typeof MODES): Conversion {
  if (options === undefined) return fallback === "auto" ? DEFAULT : { ...DEFAULT, mode: MODES[fallback] };
  const read = optionReader(owner, options);
  const asked = read("convert", CONVERT, undefined);
  const wait = read("await", boolean, true);
  const as = read("as", isTarget, undefined) as Target<unknown> | undefined;
  const view = read("view", boolean, false);
  const none = read("none", NONE, "null");
  const dict = read("dict", DICT, "auto");
  const int = read("int", INT, "auto");
  const decimal = read("decimal", DECIMAL, "exact");
  const signal = read("signal", abortSignal, undefined) as AbortSignal | undefined;
  const timeout = read("timeout", milliseconds, 0);
  read.done();
  if (view && asked !== undefined && asked !== "copy") {
    throw new EngineError("ERR_OPTION", `${owner}: a view is made of what would be copied, so { convert: "${asked}" } cannot be one.`);
  }
  const plain = none === "null" && dict === "auto" && int === "auto" && decimal === "exact";
  return {
    mode: (view ? Mode.VIEW : MODES[asked ?? fallback]) + (wait ? 0 : Mode.NO_AWAIT),
    read: plain ? undefined : { none, dict, int, decimal },
    cast: as?.spec,
    signal,
    timeout,
  };
}
