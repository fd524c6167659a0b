/**
 * The options of `createPython` that every engine has, read and checked before anything is loaded.
 */
import type { StartOptions } from "./backend.ts";
import { EngineError } from "./errors.ts";
import type { Sinks } from "./events.ts";
import {
  abortSignal,
  arrayOf,
  boolean,
  callable,
  count,
  milliseconds,
  type OptionReader,
  optionReader,
  recordOf,
  systemText,
} from "./options.ts";

/** The options of `createPython` that every engine has. */
export interface CoreOptions extends Sinks {
  /** Put in front of `sys.path`, in this order; a repeated one counts once. */
  readonly paths?: readonly string[];
  /** Added to `os.environ` before user code runs. */
  readonly env?: Readonly<Record<string, string>>;
  /** `sys.argv[1:]`. */
  readonly args?: readonly string[];
  readonly limits?: {
    /** Levels of nesting of a value. Default 10,000. */
    readonly maxDepth?: number;
    /** Parts of a value. Default 10,000,000. */
    readonly maxNodes?: number;
    /** Bytes of a program. Default 1 GiB. */
    readonly maxBytes?: number;
  };
  /**
   * What Python's `sys.stdin` reads: called once per line, gives null at the end. Default: the end, so that
   * `input()` is an EOFError. Needs `capabilities.syncCallbacks`.
   */
  readonly stdin?: () => string | null;
  /** Milliseconds until start-up is given up with `ERR_BACKEND_UNAVAILABLE`. Default 60,000. */
  readonly startTimeout?: number;
  /** Gives start-up up; afterwards it does nothing. */
  readonly signal?: AbortSignal;
  /** Start-up news for people: `{ stage: "load", loaded: 3_145_728, total: 14_407_690 }`; while files load, in bytes. */
  readonly onProgress?: StartOptions["onProgress"];
  /** Remembers where each ref arrived, for `py.handles.report()`. Costs about 5 µs per ref. Default false. */
  readonly trace?: boolean;
}

/** Core options, read and checked. */
export interface FacadeOptions {
  readonly start: StartOptions;
  readonly sinks: Sinks;
  readonly stdin?: () => string | null;
  readonly trace: boolean;
  /** Why the first choice of backend was not taken. */
  readonly fallback?: string | null;
  readonly resolution?: readonly string[];
}

const environment = (variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  for (const name of Object.keys(variables)) {
    if (name === "" || /[=\0]/.test(name)) {
      throw new EngineError(
        "ERR_OPTION",
        `createPython: option "env" has a variable named ${JSON.stringify(name)}, which no system takes.`,
      );
    }
  }
  return variables;
};

const anyFunction = callable as (value: unknown) => string | undefined;

/**
 * Reads the options that every engine has; the caller reads its own with the same reader, then calls `read.done()`.
 *
 * @param defaults where output goes when the options do not say
 * @throws {EngineError} `ERR_OPTION`
 */
export function readCoreOptions(read: OptionReader, defaults: Sinks = {}): FacadeOptions {
  const limits = optionReader("createPython: limits", read("limits", recordOf(count), {}));
  const optional = <K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } =>
    value === undefined ? {} : ({ [key]: value } as { [P in K]?: T });
  const sink = <K extends keyof Sinks>(key: K) => optional(key, read(key, anyFunction, defaults[key]) as NonNullable<Sinks[K]> | undefined);
  const options: FacadeOptions = {
    start: {
      paths: [...new Set(read("paths", arrayOf(systemText), []))],
      env: environment(read("env", recordOf(systemText), {})),
      args: read("args", arrayOf(systemText), []),
      limits: {
        maxDepth: limits("maxDepth", count, 10_000),
        maxNodes: limits("maxNodes", count, 10_000_000),
        maxBytes: limits("maxBytes", count, 2 ** 30),
      },
      startTimeout: read("startTimeout", milliseconds, 60_000),
      ...optional("signal", read("signal", abortSignal, undefined) as AbortSignal | undefined),
      ...optional("onProgress", read("onProgress", anyFunction, undefined) as NonNullable<StartOptions["onProgress"]> | undefined),
    },
    sinks: { ...sink("stdout"), ...sink("stderr"), ...sink("onLog"), ...sink("onUnhandled") },
    ...optional("stdin", read("stdin", anyFunction, undefined) as (() => string | null) | undefined),
    trace: read("trace", boolean, false),
  };
  limits.done();
  return options;
}
