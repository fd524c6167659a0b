/**
 * What users of `isopy/sync` hold.
 */
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { ExprNode, type Home, type RefTarget } from "./expression.ts";
import { type HandleTable, handleTable, type PythonInfo } from "./facade.ts";
import { JS_MODULES, moduleArguments } from "./modules.ts";
import type { ImportOptions } from "./namespace.ts";
import { oneOf, optionReader } from "./options.ts";
import type { RefNode } from "./ref.ts";
import type { JsRule, PythonRule } from "./rules.ts";
import { bind, type SourceOptions } from "./source.ts";
import { DISPOSE, nodeOf } from "./surface.ts";
import type { SyncHome } from "./sync-ref.ts";
import type { Untyped } from "./types.ts";
import { Mode, Op } from "./wire/frames.ts";

/** Source, evaluated at once: a tagged template whose values are bound, or a string with `{ locals }`. */
export interface EvaluateSync {
  <T = Untyped>(source: TemplateStringsArray, ...values: readonly unknown[]): T;
  <T = Untyped>(source: string, options?: SourceOptions): T;
}

/** The global names of the default context. */
export interface GlobalsSync {
  get<T = Untyped>(name: string): T;
  set(name: string, value: unknown): void;
  has(name: string): boolean;
  delete(name: string): void;
}

/** Conversions of your own types, both ways: `rules` of "isopy", whose `add` returns when the rule holds. */
export interface RulesSync {
  /**
   * @throws {EngineError} `ERR_OPTION`
   * @throws {PythonError} when the class or the Python function does not exist
   * @example
   * python.rules.add({ python: "uuid.UUID", encode: "str" });
   */
  add(rule: PythonRule | JsRule): void;
}

/**
 * A running Python without promises: a get or a call evaluates at once.
 *
 * @example
 * python.import("json").dumps({ a: 1 });                      // '{"a": 1}'
 * const sys = python.import("sys", { convert: "ref" });       // everything reached from it stays in Python
 * sys.path.insert(0, "plugins");
 */
export class SyncPython implements Disposable {
  readonly info: PythonInfo;
  readonly handles: HandleTable;
  readonly rules: RulesSync;
  readonly eval: EvaluateSync;
  readonly exec: EvaluateSync;
  readonly globals: GlobalsSync;
  readonly #home: Engine & SyncHome;
  readonly #close: () => void;

  /** @internal Use `createPythonSync`. */
  constructor(
    engine: Engine & SyncHome & Required<Pick<Home, "now">>,
    close: () => void,
    why: { readonly fallback: string | null; readonly resolution: readonly string[] },
  ) {
    this.#home = engine;
    this.#close = close;
    this.info = Object.freeze({ interpreter: null, ...engine.info, ...why });
    this.handles = handleTable(engine);
    this.rules = { add: (rule) => engine.rules.addNow(rule, (service) => engine.now(service, Mode.NONE, undefined)) };
    const source = (verb: "eval" | "exec", op: Op) => {
      const evaluate = (first: TemplateStringsArray | string, ...rest: readonly unknown[]): unknown => {
        const bound = bind(verb, first, rest);
        return engine.perform(null, false, op, bound.source, bound.names, bound.values, evaluate);
      };
      return evaluate;
    };
    this.eval = source("eval", Op.EVAL) as EvaluateSync;
    this.exec = source("exec", Op.EXEC) as EvaluateSync;
    this.globals = {
      get: <T>(name: string) => engine.perform(null, false, Op.GLOBAL, name) as T,
      set: (name, value) => void engine.perform(null, false, Op.SETGLOBAL, name, value ?? null),
      has: (name) => engine.perform(null, false, Op.EVAL, "name in globals()", ["name"], [name]) === true,
      delete: (name) => void engine.perform(null, false, Op.DELGLOBAL, name),
    };
  }

  /**
   * A module, imported now.
   *
   * @throws {PythonError} `ModuleNotFoundError` and what the module raises
   */
  import<T = Untyped>(name: string, options?: ImportOptions): T {
    if (options === undefined && typeof name === "string") {
      const { calls } = this.#home;
      const module = this.#home.taken(calls.module(name), this.import);
      if (module !== null) return module as T;
    }
    const read = optionReader("import", options);
    const keep = read("convert", oneOf("auto", "ref"), "auto") === "ref";
    read.done();
    if (typeof name !== "string" || name === "")
      throw new EngineError("ERR_ARGUMENT", "import() takes a module's dotted name.", 'Write: python.import("os.path").');
    return this.#home.perform(null, keep, Op.IMPORT, name, undefined, undefined, this.import) as T;
  }

  /** The built-in functions and types. */
  get builtins(): Untyped {
    return this.#home.perform(null, false, Op.IMPORT, "builtins");
  }

  /** Makes an object importable in Python under a name; see `registerModule` of "isopy". */
  registerModule(name: string, members: object): void {
    this.import(JS_MODULES).register(...moduleArguments(name, members));
  }

  /** Ends the engine's use from here: refs are dead afterwards. Idempotent. */
  close(): void {
    void this.#home.close();
    this.#close();
  }

  [DISPOSE](): void {
    this.close();
  }
}

/** A context manager that was entered. */
export interface EnteredSync<T = Untyped> extends Disposable {
  readonly value: T;
  /** Leaves, once. @returns whether Python suppressed the error */
  exit(error?: unknown): boolean;
}

/**
 * Python's `with`, synchronously; see `enter` of "isopy".
 *
 * @example
 * enter(python.builtins.open("log.txt", "w"), (file) => file.write("hello"));
 */
export function enter<T = Untyped>(manager: Untyped): EnteredSync<T>;
export function enter<T = Untyped, R = unknown>(manager: Untyped, body: (value: T) => R): R | undefined;
export function enter<T, R>(manager: Untyped, body?: (value: T) => R): EnteredSync<T> | R | undefined {
  const source = nodeOf(manager) as RefTarget | undefined;
  if (source === undefined || source instanceof ExprNode) throw new EngineError("ERR_ARGUMENT", "enter() takes a Python context manager.");
  const home = source.home as unknown as SyncHome & { dispose(ref: RefNode): void };
  const held = nodeOf(home.perform(null, true, Op.VALUE, manager)) as RefNode;
  let left: boolean | undefined;
  const exit = (error?: unknown): boolean => {
    if (left !== undefined) return left;
    left = false;
    try {
      left = home.perform(held, false, Op.EXIT, error ?? null) === true;
    } finally {
      home.dispose(held);
    }
    return left;
  };
  const value = home.perform(source, source.keep, Op.ENTER) as T;
  if (body === undefined) return { value, exit, [DISPOSE]: () => void exit() };
  let result: R;
  try {
    result = body(value);
  } catch (error) {
    if (exit(error)) return undefined;
    throw error;
  }
  exit();
  return result;
}

/** Runs a function and disposes the refs that it takes with `use`, also when it throws. */
export function scope<R>(body: (use: <T>(value: T) => T) => R): R {
  if (typeof body !== "function") throw new EngineError("ERR_ARGUMENT", "scope() takes a function.", "Write: scope((use) => …).");
  const owned = new Set<RefNode>();
  const use = <T>(value: T): T => {
    const node = nodeOf(value);
    if (node !== undefined) owned.add(node as RefNode);
    return value;
  };
  try {
    const result = body(use);
    const kept = nodeOf(result);
    if (kept !== undefined) owned.delete(kept as RefNode);
    return result;
  } finally {
    for (const node of owned) node.home.dispose(node, "scope");
  }
}
