/**
 * Expressions: unevaluated nodes of a graph, written as ordinary JavaScript.
 *
 * `py.import("numpy").random.rand(3, 4)` builds four nodes and sends nothing. `await` (or `run`,
 * `ref`, `toJs`) starts one; `compile.ts` turns what was started in a turn into programs.
 *
 * Invariant (the once rule): a node that has an effect goes into at most one program, ever.
 * `spent` says that it did. Nodes without effects (import, get, item …) may go into many.
 */

import type { ContextId, HandleId } from "./backend.ts";
import type { ReadOptions } from "./conversion.ts";
import { EngineError } from "./errors.ts";
import { face, NODE, Node, nodeOf, refuseJson } from "./surface.ts";
import { Kwargs } from "./values/kwargs.ts";
import type { Wait } from "./wait.ts";
import { Mode, Op } from "./wire/frames.ts";

/** Where an expression was built: an object with a `stack` that is formatted when somebody looks. */
export interface Site {
  readonly stack?: string;
}

/** What nodes ask of their engine. */
export interface Home {
  /** Starts a node, or finds that it was started; one outcome per mode. */
  start(node: ExprNode, mode: number, read: ReadOptions | undefined): Wait;
  iterate(
    source: ExprNode | RefTarget,
    request?: { readonly window?: number; readonly signal?: AbortSignal | undefined },
  ): AsyncIterableIterator<unknown>;
  /** Only on a synchronous engine: evaluates a node at once. */
  now?(node: ExprNode, mode: number, read: ReadOptions | undefined): unknown;
  /** Whether results may be views of Python's memory. */
  readonly views: boolean;
  /** Takes the JS stack, unless that was done too often lately. `below` and what is above it are left out. */
  site(below: unknown, always: boolean): Site | undefined;
}

/** The part of a ref that expressions stand on. */
export abstract class RefTarget extends Node {
  abstract override readonly home: Home;
  abstract readonly id: HandleId;
  /** Where its expressions run: the context that made it. */
  abstract readonly context: ContextId;
  abstract readonly keep: boolean;
}

// What is known about a node, in one number: a node is smaller by four fields, and 10,000 calls in flight fit the young generation.
const KEEP = 1;
const PURE = 2;
const SPENT = 4;
const NESTED = 8;

/** Expressions inside the containers among a node's operands, for the few nodes that have some. */
const nestedIn = new WeakMap<ExprNode, ExprNode[]>();
const NONE: readonly ExprNode[] = [];

/** Ops that only look: they may run again. Everything else runs once. */
const LOOKS: readonly boolean[] = (() => {
  const looks = new Array<boolean>(Op.DELGLOBAL + 1).fill(false);
  for (const op of [Op.IMPORT, Op.GET, Op.ITEM, Op.GLOBAL, Op.CAST, Op.VALUE]) looks[op] = true;
  return looks;
})();

export class ExprNode extends Node {
  override readonly home: Home;
  readonly context: ContextId;
  readonly op: Op;
  /** What the op works on; null for import, eval and the like. */
  readonly target: ExprNode | RefTarget | null;
  /** Operands, in the order of PROTOCOL.md, section 3. `undefined` ends them. */
  readonly a: unknown;
  readonly b: unknown;
  readonly c: unknown;
  #bits: number;
  readonly site: Site | undefined;
  /** Its starts that others can join, one for each mode, by `other`. */
  wait: Wait | undefined = undefined;

  // The compiler's own notes; see compile.ts.
  mark = 0;
  slot = 0;
  group = 0;

  constructor(
    home: Home,
    context: ContextId,
    op: Op,
    target: ExprNode | RefTarget | null,
    a?: unknown,
    b?: unknown,
    c?: unknown,
    keep?: boolean,
    below?: unknown,
  ) {
    super();
    this.home = home;
    this.context = context;
    this.op = op;
    this.target = target;
    this.a = a;
    this.b = b;
    this.c = c;
    const looks = LOOKS[op] === true;
    const built = target instanceof ExprNode ? target : null;
    const pure = looks && (built === null || built.pure) && (a === null || (typeof a !== "object" && typeof a !== "function"));
    this.#bits = ((keep ?? target?.keep) ? KEEP : 0) | (pure ? PURE : 0);
    // Building on what has run is the caller's mistake: worth a stack in any case.
    this.site = !looks || built?.spent ? home.site(below ?? ExprNode, built?.spent === true) : undefined;
  }

  get looks(): boolean {
    return LOOKS[this.op] === true;
  }

  /** Results stay in Python: `import(name, { convert: "ref" })` and everything reached from it. */
  get keep(): boolean {
    return (this.#bits & KEEP) !== 0;
  }

  /** Nothing below has an effect, and no operand holds an expression. */
  get pure(): boolean {
    return (this.#bits & PURE) !== 0;
  }

  /** Has an effect and went into a program. */
  get spent(): boolean {
    return (this.#bits & SPENT) !== 0;
  }

  /** It went into a program. */
  spend(): void {
    this.#bits |= SPENT;
  }

  /** The expressions inside its operands' containers, as far as the encoder has met them. */
  get nested(): readonly ExprNode[] {
    return (this.#bits & NESTED) === 0 ? NONE : (nestedIn.get(this) ?? NONE);
  }

  nest(inner: ExprNode): void {
    this.#bits |= NESTED;
    nestedIn.set(this, [...this.nested, inner]);
  }

  get(_blank: object, key: string | symbol): unknown {
    if (typeof key === "string") {
      if (key === "then") return then;
      if (key === "catch") return catchError;
      if (key === "finally") return finallyDo;
      if (key === "toJSON") return refuseJson;
      return face(new ExprNode(this.home, this.context, Op.GET, this, key, undefined, undefined, undefined, this.get));
    }
    if (key === NODE) return this;
    if (key === Symbol.asyncIterator) return asyncIterator;
    if (key === Symbol.toPrimitive) return toPrimitive;
    return key === Symbol.toStringTag ? "PyExpr" : undefined;
  }

  override has(blank: object, key: string | symbol): boolean {
    return PROMISES.has(key) || key === Symbol.asyncIterator || super.has(blank, key);
  }

  apply(_blank: object, _this: unknown, args: unknown[]): unknown {
    return face(callOf(this, args, this.apply));
  }

  construct(_blank: object, args: unknown[]): object {
    return face(callOf(this, args, this.construct));
  }

  describe(): string {
    return `<PyExpr ${sketch(this)}${this.spent || this.wait !== undefined ? "" : ", not awaited"}>`;
  }
}

/** A module by its name. It keeps its proxy and the attribute that was last read, since both are usually asked for again. */
export class ImportNode extends ExprNode {
  readonly face: object;
  #last: ExprNode | undefined;
  #lastFace: unknown;

  constructor(home: Home, context: ContextId, name: string) {
    super(home, context, Op.IMPORT, null, name);
    this.face = face<object>(this);
  }

  override get(blank: object, key: string | symbol): unknown {
    const last = this.#last;
    // One that was awaited has its outcome already; the next one looks again.
    if (last !== undefined && last.a === key && last.wait === undefined) return this.#lastFace;
    const found = super.get(blank, key);
    if (typeof key === "string" && key !== "toJSON" && !PROMISES.has(key)) {
      this.#last = exprOf(found);
      this.#lastFace = found;
    }
    return found;
  }
}

/**
 * A call as an expression; a last `kw({…})` gives the keyword arguments.
 *
 * @param below the function that the user called: its frame and those above are not the user's
 */
export function callOf(target: ExprNode | RefTarget, args: unknown[], below: unknown): ExprNode {
  const last = args.length - 1;
  if (last >= 0 && Kwargs.is(args[last])) {
    const kwargs = args.pop() as Kwargs;
    checkNoKwargs(args);
    return new ExprNode(target.home, target.context, Op.CALL, target, args, kwargs.values, undefined, undefined, below);
  }
  if (last > 0) checkNoKwargs(args);
  return new ExprNode(target.home, target.context, Op.CALL, target, args, undefined, undefined, undefined, below);
}

function checkNoKwargs(args: readonly unknown[]): void {
  for (const arg of args) {
    if (Kwargs.is(arg)) {
      throw new EngineError(
        "ERR_ARGUMENT",
        "kw({…}) is not the last argument of a call.",
        "Write: f(a, b, kw({ name: value })), with one kw at the end.",
      );
    }
  }
}

/** The expression behind a proxy. */
export function exprOf(value: unknown): ExprNode | undefined {
  const node = nodeOf(value);
  return node instanceof ExprNode ? node : undefined;
}

/** What an expression has of a promise; every other string is Python's. */
const PROMISES: ReadonlySet<string | symbol> = new Set(["then", "catch", "finally"]);

/** Shared by all expressions: `await` calls it with the expression as `this`. */
function then(this: unknown, fulfilled?: (value: unknown) => unknown, rejected?: (error: unknown) => unknown): PromiseLike<unknown> {
  return started(this, "then").then(fulfilled, rejected);
}

function catchError(this: unknown, rejected?: (error: unknown) => unknown): PromiseLike<unknown> {
  return started(this, "catch").then(undefined, rejected);
}

function finallyDo(this: unknown, done?: () => void): Promise<unknown> {
  return started(this, "finally").promise.finally(done);
}

function started(expression: unknown, method: string): Wait {
  const node = exprOf(expression);
  if (node !== undefined) return node.home.start(node, node.keep ? Mode.REF : Mode.AUTO, undefined);
  throw new EngineError(
    "ERR_ARGUMENT",
    `\`${method}\` was taken off its expression.`,
    `Call it as expression.${method}(…), or use run(expression).`,
  );
}

export function asyncIterator(this: unknown): AsyncIterableIterator<unknown> {
  const node = nodeOf(this) as ExprNode | RefTarget;
  return node.home.iterate(node);
}

export function toPrimitive(this: unknown, hint: string): string {
  const node = nodeOf(this) as Node;
  if (hint === "string") return node.describe();
  throw new EngineError(
    "ERR_ARGUMENT",
    `${node.describe()} has no value in JavaScript.`,
    "Let Python compute with it, or await data first: const n = await py.builtins.float(x).",
  );
}

/** The source a person would write, shortened. */
function sketch(node: ExprNode): string {
  const parts: string[] = [];
  let at: ExprNode | RefTarget | null = node;
  for (let n = 0; at !== null && n < 12; n++) {
    if (!(at instanceof ExprNode)) {
      parts.push(at.describe());
      at = null;
      break;
    }
    parts.push(step(at));
    at = at.target;
  }
  if (at !== null) parts.push("…");
  return parts.reverse().join("");
}

function step({ op, a, target }: ExprNode): string {
  switch (op) {
    case Op.IMPORT:
      return `import ${String(a)}`;
    case Op.GET:
      return `.${String(a)}`;
    case Op.GLOBAL:
      return String(a);
    case Op.ITEM:
      return "[…]";
    case Op.CALL:
      return (a as unknown[]).length === 0 ? "()" : "(…)";
    case Op.EVAL:
    case Op.EXEC: {
      const source = String(a);
      return source.length > 40 ? `\`${source.slice(0, 40)}…\`` : `\`${source}\``;
    }
    default: {
      const name = Object.entries(Op)
        .find(([, number]) => number === op)?.[0]
        .toLowerCase();
      return target === null ? `${name}` : ` (${name})`;
    }
  }
}
