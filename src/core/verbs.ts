/**
 * Our verbs: free functions, because every string key on a ref belongs to Python.
 *
 * `get set setItem del call item iterate` build expressions and send nothing; `run ref toJs` start.
 */
import { withDeadline } from "./cancellation.ts";
import { refsIn } from "./contents.ts";
import { type Conversion, type ConvertOptions, type RunOptions, readConversion, type Target } from "./conversion.ts";
import { EngineError } from "./errors.ts";
import { callOf, ExprNode, exprOf, type Home, RefTarget } from "./expression.ts";
import { abortSignal, count, optionReader } from "./options.ts";
import { DISPOSE, face, nodeOf } from "./surface.ts";
import type { Evaluable, PyExpr, PyRef, Settled, Untyped } from "./types.ts";
import { Kwargs } from "./values/kwargs.ts";
import { PySlice } from "./values/slice.ts";
import { Mode, Op } from "./wire/frames.ts";

type Subject = ExprNode | RefTarget;

/** The node behind an argument of a verb. */
function targetOf(verb: string, value: unknown): Subject {
  const node = nodeOf(value);
  if (node instanceof ExprNode || node instanceof RefTarget) return node;
  throw new EngineError(
    "ERR_ARGUMENT",
    `${verb}() takes a Python object or expression, not ${value === null ? "null" : typeof value}.`,
    'Import or evaluate something first: await py.import("math").',
  );
}

const build = <T>(target: Subject, op: Op, a?: unknown, b?: unknown, c?: unknown): PyExpr<T> =>
  built<T>(new ExprNode(target.home, target.context, op, target, a, b, c));

/** An expression; on a synchronous engine its value, at once. */
function built<T>(node: ExprNode): PyExpr<T> {
  const { now } = node.home;
  return now === undefined ? face<PyExpr<T>>(node) : (now.call(node.home, node, node.keep ? Mode.REF : Mode.AUTO, undefined) as PyExpr<T>);
}

function nameOf(verb: string, name: unknown): string {
  if (typeof name === "string") return name;
  throw new EngineError(
    "ERR_ARGUMENT",
    `${verb}() takes an attribute's name as a string, not ${typeof name}.`,
    "Keys of a container go through item(object, key).",
  );
}

/**
 * Keyword arguments of a call, as its last argument. `undefined` values are not passed.
 *
 * @example
 * await np.zeros([2, 3], kw({ dtype: "int8" }));
 */
export function kw(values: Readonly<Record<string, unknown>>): Kwargs {
  if (typeof values !== "object" || values === null || Array.isArray(values) || values instanceof Map || values instanceof Set) {
    throw new EngineError("ERR_ARGUMENT", "kw() takes an object with the keyword arguments.", "Write: kw({ axis: 0 }).");
  }
  return new Kwargs(values);
}

/**
 * An attribute, by name: reaches what syntax cannot (`then`, `toJSON`, names in variables).
 *
 * @example
 * const then = get(object, "then");
 */
export function get<T = Untyped>(object: Evaluable<Untyped>, name: string): PyExpr<T> {
  return build(targetOf("get", object), Op.GET, nameOf("get", name));
}

/**
 * Sets an attribute, when awaited.
 *
 * @example
 * await set(config, "verbose", true);
 */
export function set(object: Evaluable<Untyped>, name: string, value: unknown): PyExpr<null> {
  return build(targetOf("set", object), Op.SET, nameOf("set", name), value === undefined ? null : value);
}

/**
 * `object[key]`. Several keys are a tuple: `item(matrix, tuple([0, slice()]))`.
 *
 * @example
 * await item(frame, "price");
 */
export function item<T = Untyped>(object: Evaluable<Untyped>, key: unknown): PyExpr<T> {
  return build(targetOf("item", object), Op.ITEM, key === undefined ? null : key);
}

/** `object[key] = value`, when awaited. */
export function setItem(object: Evaluable<Untyped>, key: unknown, value: unknown): PyExpr<null> {
  return build(targetOf("setItem", object), Op.SETITEM, key === undefined ? null : key, value === undefined ? null : value);
}

/**
 * Deletes an attribute or an item, when awaited.
 *
 * @example
 * await del(object, "cache");           // del object.cache
 * await del(item(mapping, "key"));      // del mapping["key"]
 */
export function del(object: Evaluable<Untyped>, name?: string): PyExpr<null> {
  if (name !== undefined) return build(targetOf("del", object), Op.DEL, nameOf("del", name));
  const node = exprOf(object);
  if (node?.op === Op.GET) return build(node.target as Subject, Op.DEL, node.a);
  if (node?.op === Op.ITEM) return build(node.target as Subject, Op.DELITEM, node.a);
  throw new EngineError(
    "ERR_ARGUMENT",
    "del() takes an object and a name, or one attribute or item.",
    'Write: del(object, "name"), del(object.name) or del(item(object, key)).',
  );
}

/** Deletes an item, when awaited: `delItem(mapping, "key")`. */
export function delItem(object: Evaluable<Untyped>, key: unknown): PyExpr<null> {
  return build(targetOf("delItem", object), Op.DELITEM, key === undefined ? null : key);
}

/** A Python slice, for `item`; parts left out are None. */
export function slice(start?: unknown, stop?: unknown, step?: unknown): PySlice {
  return new PySlice(start ?? null, stop ?? null, step ?? null);
}

/**
 * A call with its arguments as an array and its keyword arguments as an object.
 *
 * @example
 * await call(print, lines, { sep: "\n" });
 */
export function call<T = Untyped>(
  object: Evaluable<Untyped>,
  args: readonly unknown[] = [],
  kwargs?: Readonly<Record<string, unknown>>,
): PyExpr<T> {
  if (!Array.isArray(args)) {
    throw new EngineError("ERR_ARGUMENT", "call() takes the arguments as an array.", "Write: call(f, [a, b], { name: value }).");
  }
  const list = [...args];
  if (kwargs !== undefined) list.push(kw(kwargs));
  return built<T>(callOf(targetOf("call", object), list, call));
}

/** The node that a verb starts. */
function nodeFor(verb: string, value: unknown, how: Conversion): ExprNode {
  const target = targetOf(verb, value);
  let node =
    target instanceof ExprNode
      ? target
      : new ExprNode(target.home, target.context, Op.VALUE, null, value, undefined, undefined, target.keep);
  if (how.cast !== undefined) node = new ExprNode(node.home, node.context, Op.CAST, node, how.cast);
  return node;
}

/** A bare number does not say whether it was an int or a float; inside a tuple it arrives with its type. */
function asTuple(verb: string, value: unknown): PyExpr {
  const target = targetOf(verb, value);
  return face(new ExprNode(target.home, target.context, Op.EVAL, null, "(value,)", ["value"], [value]));
}

/**
 * Evaluates an expression with explicit limits.
 *
 * `await expr` is the same as `await run(expr)`; use `run` for a signal, a timeout or a conversion.
 *
 * @param expr     What to evaluate. Its calls run once, in order. Running starts now, not when awaited.
 * @param options.signal   Interrupts Python with `KeyboardInterrupt`; the promise rejects with `signal.reason` at once.
 * @param options.timeout  Milliseconds until it rejects with a `TimeoutError`; 0 means none. Default 0.
 * @param options.convert  `"auto"` (default), `"copy"`, `"ref"` or `"portable"`.
 * @returns Data as JS values, everything else as a {@link PyRef} you dispose.
 * @throws {PythonError} when Python raises; `error.type` is the class name.
 * @throws {EngineError} `ERR_ENGINE_LOST`, `ERR_CLOSED`, `ERR_NOT_CONVERTIBLE`, `ERR_EXPRESSION_SPENT` …
 *
 * Engines: all. Where `capabilities.interrupt` is false the promise rejects, and Python runs on.
 *
 * @example
 * const rank = await run(np.linalg.matrix_rank(a), { timeout: 500 });
 */
export function run<T>(expr: Evaluable<Untyped>, options: RunOptions & { readonly as: Target<T> }): Promise<T>;
export function run<T = Untyped>(expr: Evaluable<T>, options?: RunOptions): Promise<Settled<T>>;
export function run<T = Untyped>(expr: Evaluable<T>, options?: RunOptions): Promise<Settled<T>> {
  return started<Settled<T>>("run", expr, options, "auto");
}

/**
 * Evaluates, and keeps the result in Python: a ref even for a list or a number.
 *
 * @example
 * const users = await ref(py.eval`[{"name": "ada"}]`);
 * await users.append({ name: "bob" });
 */
export function ref<T = Untyped>(expr: Evaluable<T>, options?: Omit<RunOptions, "convert">): Promise<PyRef<T>> {
  return started<PyRef<T>>("ref", expr, options, "ref");
}

/**
 * Copies what can be copied: arrays become `NDArray` or TypedArray, frames columns, dataclasses objects.
 *
 * @throws {EngineError} `ERR_NOT_CONVERTIBLE` when nothing of it can be copied
 * @example
 * const values = await toJs(means);
 */
export function toJs<T = Untyped>(object: Evaluable<Untyped>, options?: RunOptions): Promise<T> {
  return started<T>("toJs", object, options, "copy");
}

function started<T>(verb: string, value: unknown, options: RunOptions | undefined, fallback: "auto" | "ref" | "copy"): Promise<T> {
  const now = (nodeOf(value) as Partial<Subject> | undefined)?.home?.now;
  if (now !== undefined) return evaluated<T>(verb, value, options, fallback, now) as Promise<T>;
  try {
    const how = readConversion(verb, options, fallback);
    how.signal?.throwIfAborted();
    const typed = wantsTypes(how);
    const node = nodeFor(verb, typed ? asTuple(verb, value) : value, how);
    const { home } = node;
    checkViews(verb, how, home);
    const wait = home.start(node, how.mode, how.read);
    const promise = how.signal === undefined && how.timeout === 0 ? wait.promise : withDeadline(home, wait, how.signal, how.timeout);
    return (typed ? promise.then((tuple) => (tuple as readonly [T])[0]) : promise) as Promise<T>;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** On a synchronous engine: the value itself. */
function evaluated<T>(
  verb: string,
  value: unknown,
  options: RunOptions | undefined,
  fallback: "auto" | "ref" | "copy",
  now: NonNullable<Home["now"]>,
): T {
  const how = readConversion(verb, options, fallback);
  if (how.signal !== undefined || how.timeout > 0) {
    throw new EngineError("ERR_OPTION", `${verb}: a synchronous call takes no signal and no timeout.`, 'Use run() of "isopy".');
  }
  const typed = wantsTypes(how);
  const node = nodeFor(verb, typed ? asTuple(verb, value) : value, how);
  checkViews(verb, how, node.home);
  const result = now.call(node.home, node, how.mode, how.read);
  return (typed ? (result as readonly [T])[0] : result) as T;
}

function checkViews(verb: string, how: Conversion, home: Home): void {
  if ((how.mode & 7) !== Mode.VIEW || home.views) return;
  throw new EngineError(
    "ERR_UNSUPPORTED",
    `${verb}: this engine does not share memory with JavaScript.`,
    "Ask py.info.capabilities.sharedMemory first; without { view: true } the value is copied.",
  );
}

const wantsTypes = ({ read, mode }: Conversion): boolean => read?.int === "bigint" && (mode & 7) !== Mode.REF;

export interface IterateOptions {
  /** Items that Python may be ahead, at most; 1 pins it to the consumer. Default 1024. */
  readonly window?: number;
  /** Ends the iteration with `signal.reason`: interrupts Python where it computes, and closes the generator. */
  readonly signal?: AbortSignal;
}

/**
 * Iterates with options; `for await (const x of object)` is the same without.
 *
 * @example
 * for await (const step of iterate(machine.run(), { window: 1 })) …
 */
export function iterate<T = Untyped>(object: Evaluable<Untyped>, options?: IterateOptions): AsyncIterableIterator<T> {
  const read = optionReader("iterate", options);
  const window = read("window", count, 1024);
  const signal = read("signal", abortSignal, undefined) as AbortSignal | undefined;
  read.done();
  const target = targetOf("iterate", object);
  return target.home.iterate(target, { window, signal }) as AsyncIterableIterator<T>;
}

/** Whether a value is a live handle to a Python object (an expression is none). */
export function isRef(value: unknown): value is PyRef {
  return nodeOf(value) instanceof RefTarget;
}

/** Whether a value is an expression: something to await. */
export function isExpr(value: unknown): value is PyExpr {
  return nodeOf(value) instanceof ExprNode;
}

/**
 * The refs inside a result (a list of objects, say), which belong to it. Disposing the list disposes them all.
 *
 * @example
 * const figures = await py.eval`[make(i) for i in range(3)]`;
 * using held = handlesOf(figures);
 */
export function handlesOf(result: unknown): readonly PyRef[] & Disposable {
  const refs = refsIn(result);
  const list: PyRef[] = refs.map((node) => node.proxy as PyRef);
  return Object.defineProperty(list, DISPOSE, {
    value: () => {
      for (const node of refs) node.home.dispose(node);
    },
  }) as PyRef[] & Disposable;
}

export type { ConvertOptions, RunOptions };
