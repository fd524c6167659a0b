/**
 * Python's `with`: context managers as `AsyncDisposable`, or around a function.
 */
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { ExprNode, type RefTarget } from "./expression.ts";
import { type RefNode, refOf } from "./ref.ts";
import { ASYNC_DISPOSE, nodeOf, face as proxyOf } from "./surface.ts";
import type { Evaluable, Untyped } from "./types.ts";
import { Mode, Op } from "./wire/frames.ts";

/** A context manager that was entered. */
export interface Entered<T = Untyped> extends AsyncDisposable {
  /** What `__enter__` (or `__aenter__`) returned: data or a ref. */
  readonly value: T;
  /**
   * Leaves, once; later calls give the same answer. With an error, Python's `__exit__` sees it.
   *
   * @returns whether Python suppressed the error
   */
  exit(error?: unknown): Promise<boolean>;
}

/**
 * Enters a context manager, async ones too.
 *
 * `await using` leaves it without an exception: JavaScript does not tell a disposer what was
 * thrown. To let Python see (and perhaps suppress) an error, give a function: what it throws goes
 * through `__exit__`, and when that returns true the promise resolves to undefined.
 *
 * @throws {PythonError} what `__enter__` raises; with a function also what `__exit__` raises
 * @example
 * await using file = await enter(py.builtins.open("log.txt", "w"));
 * await file.value.write("hello");
 *
 * await enter(lock, async () => { … });
 */
export function enter<T = Untyped>(manager: Evaluable<Untyped>): Promise<Entered<T>>;
export function enter<T = Untyped, R = unknown>(manager: Evaluable<Untyped>, body: (value: T) => R): Promise<Awaited<R> | undefined>;
export async function enter<T, R>(manager: Evaluable<Untyped>, body?: (value: T) => R): Promise<Entered<T> | Awaited<R> | undefined> {
  const source = nodeOf(manager) as ExprNode | RefTarget | undefined;
  if (source === undefined)
    throw new EngineError("ERR_ARGUMENT", "enter() takes a Python context manager.", "Write: await enter(py.builtins.open(path)).");
  const entered = new Manager<T>(source);
  await entered.open();
  if (body === undefined) return entered;
  let result: Awaited<R>;
  try {
    result = await body(entered.value);
  } catch (error) {
    if (await entered.exit(error)) return undefined;
    throw error;
  }
  await entered.exit();
  return result;
}

class Manager<T> implements Entered<T> {
  readonly #engine: Engine;
  readonly #source: ExprNode | RefTarget;
  #manager: RefNode | undefined;
  #left: Promise<boolean> | undefined;
  value!: T;

  constructor(source: ExprNode | RefTarget) {
    this.#source = source;
    this.#engine = source.home as Engine;
  }

  /** The manager's handle and what it gives, in one program. */
  async open(): Promise<void> {
    const { context } = this.#source;
    const source = this.#source;
    const face = source instanceof ExprNode ? proxyOf(source) : (source as RefNode).proxy;
    // `keep` makes a ref of our own, so that disposing the value (often the manager itself) does not end it.
    const held = new ExprNode(this.#engine, context, Op.VALUE, null, face, undefined, undefined, true);
    const begin = new ExprNode(this.#engine, context, Op.ENTER, source);
    const manager = this.#engine.start(held, Mode.REF + Mode.NO_AWAIT, undefined).promise;
    const value = this.#engine.start(begin, Mode.AUTO, undefined).promise;
    const [ref, entered] = await Promise.allSettled([manager, value]);
    if (ref.status === "fulfilled") this.#manager = refOf(ref.value);
    if (entered.status === "rejected") {
      this.#release();
      throw entered.reason;
    }
    this.value = entered.value as T;
  }

  exit(error?: unknown): Promise<boolean> {
    this.#left ??= this.#leave(error === undefined ? null : error);
    return this.#left;
  }

  async #leave(error: unknown): Promise<boolean> {
    const node = new ExprNode(this.#engine, this.#source.context, Op.EXIT, this.#manager as RefNode, error);
    try {
      return (await this.#engine.start(node, Mode.AUTO, undefined).promise) === true;
    } finally {
      this.#release();
    }
  }

  #release(): void {
    if (this.#manager !== undefined) this.#engine.dispose(this.#manager);
    this.#manager = undefined;
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.exit();
  }
}
