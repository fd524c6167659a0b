/**
 * The options of `createPython` that every engine has, read and checked before anything is loaded.
 */
import type { Backend, StartOptions } from "./backend.ts";
import type { Loss } from "./engine.ts";
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
  oneOf,
  optionReader,
  recordOf,
  systemText,
} from "./options.ts";
import type { OpenPackages } from "./packages.ts";

/** The options of `createPython` that every engine has. */
export interface CoreOptions extends Sinks {
  /**
   * Put in front of `sys.path`, in this order; a repeated one counts once. On wasm in Node, folders of the host are
   * mounted at their place and archives are copied; in a page a path is one of Python's own file system.
   */
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
    /** Python objects that JavaScript may hold at a time, as refs; one more is `ERR_LIMIT`. Default 16,777,215. Refs that were dropped count until they are collected. */
    readonly maxHandles?: number;
    /** JavaScript functions and objects that Python may hold at a time; lending one more is `ERR_LIMIT`. Default: no limit. */
    readonly maxCallbacks?: number;
    /**
     * Characters that one program (a call, a cell) may write to stdout and stderr; then what it prints raises `ERR_LIMIT`
     * in it, and is lost. Default: no limit. Not counted: what C code writes to file descriptors, background tasks, calls of `isopy/sync`.
     */
    readonly maxOutput?: number;
    /**
     * Bytes of JavaScript's own heap in the engine's worker, where Python code can make JavaScript objects (`import js`); more
     * ends the engine (`ERR_ENGINE_LOST`, kind `"memory"`). Engines: wasm in Node; `ERR_UNSUPPORTED` elsewhere.
     */
    readonly maxHeap?: number;
    /**
     * Bytes of memory that Python may have; what would need more is a `MemoryError`. It starts with about 30 MB. A net
     * under mistakes, not a wall: Python code can reach JavaScript. Engines: wasm; `ERR_UNSUPPORTED` on native, whose
     * memory is the process's. Default: what WebAssembly allows, 4 GiB.
     */
    readonly maxMemory?: number;
  };
  /**
   * What Python's `sys.stdin` reads: called once per line, gives null at the end. Python waits for a promise, and an
   * interrupt ends that wait; `isopy/sync` takes none. Default: the end, so that `input()` is an EOFError. Needs
   * `capabilities.syncCallbacks`.
   */
  readonly stdin?: () => string | null | Promise<string | null>;
  /**
   * What happens to an engine that goes on after a program was told to stop (by its signal or timeout) and its
   * {@link CoreOptions.grace} is over: it is kept, or ended with `ERR_ENGINE_LOST` for all that is pending. Programs
   * that only wait behind another one condemn nothing. Engines: wasm; `"condemn"` is `ERR_UNSUPPORTED` on native, whose
   * threads are replaced one by one. Default `"keep"`.
   */
  readonly whenUnresponsive?: "keep" | "condemn";
  /** Milliseconds that a program may take to stop. Default 1,000. */
  readonly grace?: number;
  /**
   * What happens after the engine was lost (`os._exit`, a stack overflow in C, condemned …): every call fails with
   * `ERR_ENGINE_LOST`, or the next one starts another engine with the same options. Refs, contexts, sessions, rules and
   * registered modules of the old one stay lost. Engines: wasm; `"replace"` is `ERR_UNSUPPORTED` on native. Default `"fail"`.
   */
  readonly whenLost?: "fail" | "replace";
  /** Keeps a second engine ready, so that replacing takes no time. Costs its memory and its start. Default false. */
  readonly spare?: boolean;
  /** The engine was lost. Calls that are started in here are the first of the next engine. Not called for `close()`. */
  readonly onLoss?: (loss: Loss) => void;
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
  readonly stdin?: CoreOptions["stdin"];
  readonly trace: boolean;
  /** Milliseconds until an engine that does not stop is condemned; undefined: never. */
  readonly grace: number | undefined;
  readonly replaces: boolean;
  readonly spare: boolean;
  readonly onLoss?: (loss: Loss) => void;
  /** Another backend of the same kind, not started; only where there can be several. */
  readonly another?: () => Backend;
  /** Loads what installs packages; only where this engine's packages are ours to install. */
  readonly packages?: OpenPackages;
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
  const condemns = read("whenUnresponsive", oneOf("keep", "condemn"), "keep") === "condemn";
  const grace = read("grace", milliseconds, 1_000);
  const options: FacadeOptions = {
    start: {
      watched: condemns,
      paths: [...new Set(read("paths", arrayOf(systemText), []))],
      env: environment(read("env", recordOf(systemText), {})),
      args: read("args", arrayOf(systemText), []),
      limits: {
        maxDepth: limits("maxDepth", count, 10_000),
        maxNodes: limits("maxNodes", count, 10_000_000),
        maxBytes: limits("maxBytes", count, 2 ** 30),
        ...optional("maxHandles", limits("maxHandles", count, undefined)),
        ...optional("maxCallbacks", limits("maxCallbacks", count, undefined)),
        ...optional("maxOutput", limits("maxOutput", count, undefined)),
      },
      ...optional("maxMemory", limits("maxMemory", count, undefined)),
      ...optional("maxHeap", limits("maxHeap", count, undefined)),
      startTimeout: read("startTimeout", milliseconds, 60_000),
      ...optional("signal", read("signal", abortSignal, undefined) as AbortSignal | undefined),
      ...optional("onProgress", read("onProgress", anyFunction, undefined) as NonNullable<StartOptions["onProgress"]> | undefined),
    },
    sinks: { ...sink("stdout"), ...sink("stderr"), ...sink("onLog"), ...sink("onUnhandled") },
    ...optional("stdin", read("stdin", anyFunction, undefined) as CoreOptions["stdin"]),
    trace: read("trace", boolean, false),
    grace: condemns ? grace : undefined,
    replaces: read("whenLost", oneOf("fail", "replace"), "fail") === "replace",
    spare: read("spare", boolean, false),
    ...optional("onLoss", read("onLoss", anyFunction, undefined) as FacadeOptions["onLoss"]),
  };
  limits.done();
  return options;
}
