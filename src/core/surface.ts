/**
 * What expressions and refs look like from outside: one blank function behind every proxy.
 *
 * String keys belong to Python, so everything of ours is behind symbols and free functions. All
 * proxies share one target without own string keys; the proxy's *handler* is the node itself, so
 * an expression costs two small objects (0.1 µs; bench/facade.ts) and `proxy[NODE]` finds it.
 */
import { EngineError } from "./errors.ts";

/** Reads the node behind a proxy; private to the core. */
export const NODE: unique symbol = Symbol("isopy.node");

interface WellKnown {
  readonly dispose?: symbol;
  readonly asyncDispose?: symbol;
}
/** The platform's symbol where it has one; what compilers fall back to elsewhere. */
export const DISPOSE: typeof Symbol.dispose = ((Symbol as WellKnown).dispose ?? Symbol.for("Symbol.dispose")) as typeof Symbol.dispose;
export const ASYNC_DISPOSE: typeof Symbol.asyncDispose = ((Symbol as WellKnown).asyncDispose ??
  Symbol.for("Symbol.asyncDispose")) as typeof Symbol.asyncDispose;
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** What stands behind a proxy. Its methods are the proxy's traps. */
export abstract class Node {
  /** Of a synchronous engine it has `now`. */
  abstract readonly home: object;
  /** How a person should see it: `<PyRef list #7>`. */
  abstract describe(): string;

  set(_blank: object, key: string | symbol): never {
    throw new EngineError(
      "ERR_ARGUMENT",
      `Assigning to ${this.describe()} through a proxy cannot reach Python.`,
      `Write: ${this.#awaited}set(object, ${JSON.stringify(String(key))}, value).`,
    );
  }

  deleteProperty(_blank: object, key: string | symbol): never {
    throw new EngineError(
      "ERR_ARGUMENT",
      `Deleting from ${this.describe()} through a proxy cannot reach Python.`,
      `Write: ${this.#awaited}del(object, ${JSON.stringify(String(key))}).`,
    );
  }

  defineProperty(blank: object, key: string | symbol): never {
    return this.set(blank, key);
  }

  /** Whether Python has the attribute cannot be known without asking it; only our symbols are there. */
  has(_blank: object, key: string | symbol): boolean {
    return key === NODE || key === INSPECT;
  }

  get #awaited(): string {
    return "now" in this.home ? "" : "await ";
  }

  /** The blank is shared, so nothing may change it. */
  preventExtensions(): boolean {
    return false;
  }
  setPrototypeOf(): boolean {
    return false;
  }
}

type Face = { [NODE]?: unknown };

/** The node behind a proxy of ours; undefined for everything else, whatever it does when it is looked at. */
export function nodeOf(value: unknown): Node | undefined {
  if (typeof value !== "function") return undefined;
  let node: unknown;
  try {
    node = (value as Face)[NODE];
  } catch {
    return undefined; // a revoked or hostile proxy of somebody else; the encoder says what is wrong with it
  }
  return node instanceof Node ? node : undefined;
}

/** A bound function has no `prototype`, can be called and constructed, and its other keys can go. */
const blank = function () {}.bind(undefined) as unknown as object;
for (const key of ["length", "name"]) Reflect.deleteProperty(blank, key);
// Node calls this with the proxy as `this`, without asking the handler.
Object.defineProperty(blank, INSPECT, {
  configurable: true,
  value(this: unknown) {
    return nodeOf(this)?.describe() ?? "<Python>";
  },
});

/** A proxy whose handler is the node. */
export function face<T>(node: Node): T {
  return new Proxy(blank, node as ProxyHandler<object>) as T;
}

/** `JSON.stringify` would leave a function out without a word; this makes it say so. */
export function refuseJson(this: unknown): never {
  throw new EngineError(
    "ERR_NOT_CONVERTIBLE",
    `${nodeOf(this)?.describe() ?? "A Python object"} cannot become JSON.`,
    'Copy it first: JSON.stringify(await toJs(object)). An attribute of that name: get(object, "toJSON").',
  );
}
