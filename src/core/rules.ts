/**
 * Conversion rules of the user: types that cross as data although they are objects.
 *
 * A rule is asked after the exact built-in types and before an object becomes a handle or a proxy,
 * so it can add a conversion and never change one. Each side names its rule by an integer; the wire
 * carries `("rule", id, data)`.
 */
import { EngineError } from "./errors.ts";
import type { ExprNode, Home } from "./expression.ts";
import { anything, boolean, callable, check, optionReader, string } from "./options.ts";
import { serviceCall } from "./service.ts";
import { face, nodeOf } from "./surface.ts";
import type { PyExpr } from "./types.ts";

/** From Python: instances of a class arrive as what `decode` makes of the data that `encode` gives. */
export interface PythonRule {
  /** The qualified name of the class: `uuid.UUID`. Instances of subclasses only with `subclasses`. */
  readonly python: string;
  /** A Python function from an instance to data: a ref, or the source of an expression (`"str"`, `"lambda u: u.hex"`). */
  readonly encode: unknown;
  /** What JavaScript sees; the data itself without it. */
  readonly decode?: (data: unknown) => unknown;
  readonly subclasses?: boolean;
  /** Of several rules that fit, the one with the highest. Default 0; then the later one. */
  readonly priority?: number;
}

/** From JavaScript: what `match` accepts reaches Python as what `decode` makes of the data that `encode` gives. */
export interface JsRule {
  /** A class, whose direct instances match; or a predicate in `match`. */
  readonly js?: new (
    ...args: never[]
  ) => unknown;
  readonly match?: (value: object) => boolean;
  readonly encode: (value: never) => unknown;
  /** A Python function from the data to the object: a ref, or the source of an expression. The data itself without it. */
  readonly decode?: unknown;
  readonly priority?: number;
}

interface Outgoing {
  readonly id: number;
  readonly priority: number;
  readonly matches: (value: object) => boolean;
  readonly encode: (value: never) => unknown;
}

/** What Python is told of a rule, and what to do when it knows. */
interface Added {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly hold: () => void;
}

const SERVICE = "_isopy.rules";

const priorities = check<number>("an integer", Number.isSafeInteger);
const source = check<unknown>(
  'a Python function: a ref, or source such as "str"',
  (value) => typeof value === "string" || (typeof value === "function" && nodeOf(value) !== undefined),
);

/** The rules of one engine: `py.rules`. */
export class Rules {
  readonly #home: Home;
  readonly #decoders = new Map<number, (data: unknown) => unknown>();
  #outgoing: Outgoing[] = [];
  #next = 1;

  constructor(home: Home) {
    this.#home = home;
  }

  /**
   * Adds a rule; it holds for what is encoded after the promise resolves.
   *
   * @throws {EngineError} `ERR_OPTION`
   * @throws {PythonError} when the class or the Python function does not exist
   * @example
   * await py.rules.add({ python: "uuid.UUID", encode: "str" });
   * await py.rules.add({ js: URL, encode: (url: URL) => url.href, decode: "__import__('urllib.parse').parse.urlparse" });
   */
  async add(rule: PythonRule | JsRule): Promise<void> {
    const { name, args, hold } = this.#read(rule);
    await face<PyExpr<null>>(serviceCall(this.#home, SERVICE, name, args));
    hold();
  }

  /** @internal The same on a synchronous engine: it holds when this returns. */
  addNow(rule: PythonRule | JsRule, run: (service: ExprNode) => unknown): void {
    const { name, args, hold } = this.#read(rule);
    run(serviceCall(this.#home, SERVICE, name, args));
    hold();
  }

  #read(rule: PythonRule | JsRule): Added {
    const read = optionReader("rules.add", rule as object);
    const id = this.#next++;
    const python = read("python", string, undefined);
    const priority = read("priority", priorities, 0);
    if (python !== undefined) {
      const encode = read("encode", source, undefined);
      const decode = read("decode", callable, undefined) as ((data: unknown) => unknown) | undefined;
      const subclasses = read("subclasses", boolean, false);
      read.done();
      if (encode === undefined) throw missing("encode");
      if (decode !== undefined) this.#decoders.set(id, decode);
      return { name: "add_encoder", args: [id, python, encode, subclasses, priority], hold: () => {} };
    }
    const js = read("js", callable, undefined) as unknown as (abstract new () => unknown) | undefined;
    const match = read("match", callable, undefined) as unknown as ((value: object) => boolean) | undefined;
    if (js === undefined && match === undefined) {
      for (const key of ["encode", "decode", "subclasses"]) read(key, anything, undefined);
      read.done();
      throw missing("python, js or match");
    }
    const encode = read("encode", callable, undefined) as unknown as ((value: never) => unknown) | undefined;
    const decode = read("decode", source, undefined);
    read.done();
    if (encode === undefined) throw missing("encode");
    const isDirect = (value: object): boolean => js === undefined || Object.getPrototypeOf(value) === js.prototype;
    const matches = (value: object): boolean => isDirect(value) && (match === undefined || match(value));
    const hold = (): void => {
      this.#outgoing = [{ id, priority, matches, encode }, ...this.#outgoing].sort((a, b) => b.priority - a.priority);
    };
    return { name: "add_decoder", args: [id, decode ?? null], hold };
  }

  /** @internal The engine is gone, and what it knew of the rules with it. */
  clear(): void {
    this.#decoders.clear();
    this.#outgoing = [];
  }

  /** @internal The rule for a value that would be lent, and its data. */
  outgoing(value: object): readonly [id: number, data: unknown] | undefined {
    for (const rule of this.#outgoing) if (rule.matches(value)) return [rule.id, rule.encode(value as never)];
    return undefined;
  }

  /** @internal What a Python rule's data becomes. */
  incoming(id: number, data: unknown): unknown {
    const decode = this.#decoders.get(id);
    return decode === undefined ? data : decode(data);
  }
}

function missing(key: string): EngineError {
  return new EngineError("ERR_OPTION", `rules.add: ${key} is missing.`, 'Write: py.rules.add({ python: "uuid.UUID", encode: "str" }).');
}
