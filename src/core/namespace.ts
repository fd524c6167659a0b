/**
 * A namespace: names of Python, and expressions over them.
 */
import type { ContextId } from "./backend.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { ExprNode, ImportNode } from "./expression.ts";
import { oneOf, optionReader } from "./options.ts";
import { bind, type SourceOptions } from "./source.ts";
import { face } from "./surface.ts";
import type { PyExpr, Untyped } from "./types.ts";
import { Op } from "./wire/frames.ts";

export interface ImportOptions {
  /** `"ref"`: everything reached from the module stays in Python. Default `"auto"`. */
  readonly convert?: "auto" | "ref";
}

/** `eval` and `exec`: a tagged template whose values are bound, or a string with `{ locals }`. */
export interface Evaluate {
  <T = Untyped>(source: TemplateStringsArray, ...values: readonly unknown[]): PyExpr<T>;
  <T = Untyped>(source: string, options?: SourceOptions): PyExpr<T>;
}

/** The global names of a context. All of it is expressions: await them. */
export interface Globals {
  get<T = Untyped>(name: string): PyExpr<T>;
  set(name: string, value: unknown): PyExpr<null>;
  has(name: string): PyExpr<boolean>;
  delete(name: string): PyExpr<null>;
}

/** Modules whose expressions a namespace keeps. */
const MOST_IMPORTS = 256;

/** Names and the code that uses them. */
export class Namespace {
  /** @internal */
  protected readonly engine: Engine;
  /** @internal */
  readonly contextId: ContextId;
  /**
   * Evaluates an expression of Python. Values of the template are bound, never pasted.
   *
   * @example
   * const adults = await py.eval`[u for u in ${users} if u["age"] > ${18}]`;
   */
  readonly eval: Evaluate;
  /**
   * Executes statements of Python.
   *
   * @example
   * await py.exec`
   *   import math
   *   area = math.pi * ${radius} ** 2
   * `;
   */
  readonly exec: Evaluate;
  readonly globals: Globals;
  readonly #imports = new Map<string, ImportNode>();

  constructor(engine: Engine, contextId: ContextId) {
    this.engine = engine;
    this.contextId = contextId;
    // Printing a Python should not print its tables.
    Object.defineProperty(this, "engine", { enumerable: false });
    const source = (verb: "eval" | "exec", op: Op) => {
      const evaluate = (first: TemplateStringsArray | string, ...rest: readonly unknown[]) => {
        const bound = bind(verb, first, rest);
        return face(new ExprNode(engine, contextId, op, null, bound.source, bound.names, bound.values, undefined, evaluate));
      };
      return evaluate;
    };
    this.eval = source("eval", Op.EVAL) as Evaluate;
    this.exec = source("exec", Op.EXEC) as Evaluate;
    this.globals = {
      get: (name) => this.node(Op.GLOBAL, nameOf(name)),
      set: (name, value) => this.node(Op.SETGLOBAL, nameOf(name), value === undefined ? null : value),
      has: (name) => this.node(Op.EVAL, "name in globals()", ["name"], [nameOf(name)]),
      delete: (name) => this.node(Op.DELGLOBAL, nameOf(name)),
    };
  }

  /** @internal */
  protected node<T>(op: Op, a?: unknown, b?: unknown, c?: unknown): PyExpr<T> {
    return face<PyExpr<T>>(new ExprNode(this.engine, this.contextId, op, null, a, b, c));
  }

  /**
   * A module, by its dotted name. Nothing is imported before something of it is awaited.
   *
   * @example
   * const root = await py.import("math").sqrt(2);
   */
  import<T = Untyped>(name: string, options?: ImportOptions): PyExpr<T> {
    if (options === undefined && typeof name === "string" && name !== "") return this.#imported(name) as PyExpr<T>;
    const keep = options !== undefined && keeps(options);
    if (typeof name !== "string" || name === "")
      throw new EngineError("ERR_ARGUMENT", "import() takes a module's dotted name.", 'Write: py.import("os.path").');
    return face<PyExpr<T>>(new ExprNode(this.engine, this.contextId, Op.IMPORT, null, name, undefined, undefined, keep));
  }

  /** `py.import("m").f(x)` in a loop is one new node per call; a module that was awaited itself is imported afresh. */
  #imported(name: string): unknown {
    const known = this.#imports.get(name);
    if (known !== undefined && known.wait === undefined) return known.face;
    if (this.#imports.size >= MOST_IMPORTS) this.#imports.clear();
    const made = new ImportNode(this.engine, this.contextId, name);
    this.#imports.set(name, made);
    return made.face;
  }

  /** The built-in functions and types: `py.builtins.sorted(xs)`. */
  get builtins(): PyExpr {
    return this.#imported("builtins") as PyExpr;
  }
}

function keeps(options: ImportOptions): boolean {
  const read = optionReader("import", options);
  const keep = read("convert", oneOf("auto", "ref"), "auto") === "ref";
  read.done();
  return keep;
}

function nameOf(name: unknown): string {
  if (typeof name === "string") return name;
  throw new EngineError("ERR_ARGUMENT", `A global has a string as its name, not ${typeof name}.`);
}
