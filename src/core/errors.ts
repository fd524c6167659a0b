/**
 * The two errors of isopy: what Python raised, and what went wrong around it.
 *
 * Everything that fails, fails with one of these or with the caller's own `signal.reason`.
 * A `PythonError` is Python's exception with all of its facts. An `EngineError` has a stable
 * `code`: code branches on it, people read the message (what and why) and the hint (what to do).
 */
import type { WireError } from "./marshal/boundary.ts";
import type { InstalledPackage, PackageFailure } from "./packages.ts";

/** Stable names of everything that can go wrong outside Python code. */
export type EngineErrorCode =
  | "ERR_BACKEND_UNAVAILABLE"
  | "ERR_ENGINE_LOST"
  | "ERR_PROTOCOL"
  | "ERR_OPTION"
  | "ERR_NOT_CONVERTIBLE"
  | "ERR_HANDLE_DISPOSED"
  | "ERR_CROSS_CONTEXT"
  | "ERR_WRONG_THREAD"
  | "ERR_EXPRESSION_SPENT"
  | "ERR_SESSION_BUSY"
  | "ERR_DEADLOCK"
  | "ERR_LIMIT"
  | "ERR_SANDBOX_UNAVAILABLE"
  | "ERR_UNSUPPORTED"
  | "ERR_VIEW_KEPT"
  | "ERR_PACKAGE"
  | "ERR_CLOSED"
  | "ERR_ARGUMENT";

/**
 * Something around Python went wrong: an engine that does not start, a value that cannot cross,
 * a handle that is gone.
 *
 * @example
 * try { await createPython({ backend: "native" }); }
 * catch (error) { if (error instanceof EngineError && error.code === "ERR_BACKEND_UNAVAILABLE") …; else throw error; }
 */
export class EngineError extends Error {
  override readonly name: "EngineError" | "PackageError" = "EngineError";
  readonly code: EngineErrorCode;
  /** What to do about it. */
  declare readonly hint: string | undefined;
  /** Facts that belong to the code: for `ERR_ENGINE_LOST` reason, exitCode, signal and tail. */
  declare readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: EngineErrorCode,
    message: string,
    hint?: string,
    options?: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> },
  ) {
    super(hint === undefined ? message : `${message}\n  ${hint}`, options);
    this.code = code;
    // Only what is there, so that a printed error is short.
    if (hint !== undefined) this.hint = hint;
    if (options?.details !== undefined) this.details = options.details;
  }
}

/**
 * Packages that were not installed, each with its reason; code `ERR_PACKAGE`. Those that could be installed are.
 *
 * @example
 * try { await py.packages.install(["numpy", "./mine.whl"]); }
 * catch (error) { if (error instanceof PackageError) for (const { name, cause } of error.failures) …; else throw error; }
 */
export class PackageError extends EngineError {
  override readonly name = "PackageError";
  readonly failures: readonly PackageFailure[];
  /** What was installed all the same. */
  readonly installed: readonly InstalledPackage[];

  constructor(failures: readonly PackageFailure[], installed: readonly InstalledPackage[], hint?: string) {
    const lines = failures.map(({ requirement, message }) => `\n  ${requirement}: ${message}`);
    super("ERR_PACKAGE", `Packages that were not installed: ${failures.length}.${lines.join("")}`, hint);
    this.failures = failures;
    this.installed = installed;
  }
}

/** One Python frame, as a traceback shows it. */
export interface PythonFrame {
  readonly file: string;
  readonly line: number | null;
  readonly endLine: number | null;
  readonly column: number | null;
  readonly function: string;
  /** The source line, where Python still has it. */
  readonly source: string | null;
}

/** An object with the `stack` of some place in JavaScript. */
interface Site {
  readonly stack?: string | undefined;
}

/**
 * Puts JavaScript frames under the Python frames.
 *
 * @param site made where the expression was built; undefined when unknown
 */
export let placeStack: (error: PythonError, site: Site | undefined) => void;
/** Says what to try instead; shown with the message. */
export let placeHint: (error: PythonError, hint: string | undefined) => void;

/**
 * A Python exception, with all that Python knows about it.
 *
 * `stack` lists the Python frames (innermost first, as JavaScript does) above the JavaScript
 * frames where the expression was built. The same object comes back as the same exception when it
 * is given to Python again, for the last 1,024 exceptions of an engine.
 *
 * @example
 * try { await py.eval`1 / 0`; }
 * catch (error) { if (error instanceof PythonError && error.type === "ZeroDivisionError") …; else throw error; }
 */
export class PythonError extends Error {
  static {
    placeStack = (error, site) => {
      error.#site = site;
      error.#stack = undefined;
    };
    placeHint = (error, hint) => {
      if (hint === undefined) return;
      error.#hint = hint;
      error.#stack = undefined;
    };
    // On the prototype, so that a console shows the stack and not every field below it.
    const field = <K extends keyof PythonError>(name: K, read: (error: PythonError) => PythonError[K]): void => {
      Object.defineProperty(PythonError.prototype, name, {
        configurable: true,
        get(this: object) {
          return #fields in this ? read(this as PythonError) : undefined;
        },
      });
    };
    field("type", (error) => error.#fields.name);
    field("qualifiedType", (error) => error.#fields.type);
    field("mro", (error) => error.#fields.mro);
    field("pythonMessage", (error) => error.#fields.message);
    field("args", (error) => error.#fields.args);
    field("frames", (error) => {
      error.#frames ??= error.#fields.frames.map(frameOf);
      return error.#frames;
    });
    field("traceback", (error) => error.#fields.traceback);
    field("notes", (error) => error.#fields.notes);
    field("context", (error) => error.#fields.context);
    field("suppressContext", (error) => error.#fields.suppress);
    field("errors", (error) => error.#fields.errors);
    field("hint", (error) => error.#hint);
    field("extra", (error) => error.#fields.extra);
  }

  readonly #fields: WireError;
  #frames: readonly PythonFrame[] | undefined;
  #hint: string | undefined;
  /** Where JavaScript was; the platform makes its text when it is first asked for. */
  #site: Site | undefined;
  #stack: string | undefined;

  /** `"AbortError"` for what was cancelled in Python (`asyncio.CancelledError`), as JavaScript calls it. */
  override readonly name: "PythonError" | "AbortError" = "PythonError";
  /** The class name: `KeyError`. */
  declare readonly type: string;
  /** With its module: `json.decoder.JSONDecodeError`; built-in classes have none. */
  declare readonly qualifiedType: string;
  /** Qualified names of the class and its bases, in Python's order. */
  declare readonly mro: readonly string[];
  /** `str(exception)`, without the class name. */
  declare readonly pythonMessage: string;
  /** `exception.args`, as data; null where one of them is none. */
  declare readonly args: readonly unknown[] | null;
  /** Outermost first, as in a traceback. */
  declare readonly frames: readonly PythonFrame[];
  /** What Python would print. */
  declare readonly traceback: string;
  declare readonly notes: readonly string[];
  /** `__context__`: the exception that was being handled when this one was raised. */
  declare readonly context: Error | null;
  /** `raise … from …` hides the context. */
  declare readonly suppressContext: boolean;
  /** The members of an exception group, else null. */
  declare readonly errors: readonly Error[] | null;
  /** What to try instead, where the call itself was refused in a way that JavaScript's habits explain. */
  declare readonly hint: string | undefined;
  /** What the class adds: `filename`, `lineno`, `errno`, `code`, `value`, `key` … */
  declare readonly extra: Readonly<Record<string, unknown>>;

  constructor(fields: WireError) {
    const message = fields.message === "" ? fields.name : `${fields.name}: ${fields.message}`;
    // Where it is made is of no interest, and V8 needs 20 µs to find out (Node 20). False where it is not writable.
    const limit = Error.stackTraceLimit;
    const limited = typeof limit === "number" && Reflect.set(Error, "stackTraceLimit", 0);
    super(message);
    if (limited) Error.stackTraceLimit = limit;
    this.#fields = fields;
    if (this.isA("CancelledError")) this.name = "AbortError";
    // What JavaScript threw into Python comes back as the very same value.
    const thrown = Object.hasOwn(fields, "js");
    if (thrown || fields.cause !== null) hide(this, "cause", thrown ? fields.js : fields.cause);
    Object.defineProperty(this, "stack", PythonError.#lazy);
  }

  /** The text of a stack is made when it is read: V8 takes 10 to 30 µs for its part, and few are read. */
  static readonly #lazy: PropertyDescriptor & ThisType<Error> = {
    get() {
      return #site in this ? (this.#stack ??= stackOf(this, this.#site?.stack)) : undefined;
    },
    set(value: unknown) {
      hide(this, "stack", value);
    },
    configurable: true,
    enumerable: false,
  };

  /** Whether the exception is an instance of a Python class, by its name or its qualified name. */
  isA(className: string): boolean {
    return this.mro.some((name) => name === className || name.endsWith(`.${className}`));
  }

  /** What a log should keep: text only. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { name, message, qualifiedType, hint, notes, traceback } = this;
    return { name, message, qualifiedType, ...(hint === undefined ? {} : { hint }), notes, traceback };
  }
}

function frameOf([file, line, endLine, column, fn, source]: WireError["frames"][number]): PythonFrame {
  return { file, line, endLine, column, function: fn, source };
}

/** Python's frames above those of JavaScript. */
function stackOf(error: PythonError, site: string | undefined): string {
  const head = `${error.name}: ${error.message}`;
  const python = error.frames.map((f) => `    at py ${f.file}:${f.line ?? "?"} in ${f.function}`).reverse();
  const javascript = site === undefined ? [] : framesOf(site);
  return [error.hint === undefined ? head : `${head}\n  ${error.hint}`, ...python, ...javascript].join("\n");
}

/** The frame lines of a stack: V8 writes `    at …`, others `fn@file`. */
function framesOf(stack: string): string[] {
  return stack.split("\n").filter((line) => /^\s+at |@/.test(line));
}

function hide(target: Error, key: "cause" | "stack", value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
