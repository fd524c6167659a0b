/**
 * What users hold: a running Python.
 *
 * A namespace builds expressions; `Python` is the default namespace with the engine's life around
 * it. Neither knows a backend: everything that is done leaves as a program.
 */
import type { EngineInfo, GilKind, InterpreterInfo } from "./backend.ts";
import { closedError } from "./ending.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import type { SessionRegistry } from "./events.ts";
import type { HandleEntry } from "./handles.ts";
import { JS_MODULES, moduleArguments } from "./modules.ts";
import { Namespace } from "./namespace.ts";
import { boolean, oneOf, optionReader } from "./options.ts";
import { LazyPackages, type OpenPackages, type Packages } from "./packages.ts";
import type { Rules } from "./rules.ts";
import { serviceCall } from "./service.ts";
import { Session, type SessionOptions } from "./session.ts";
import { ASYNC_DISPOSE, face } from "./surface.ts";
import type { PyExpr } from "./types.ts";
import { Mode } from "./wire/frames.ts";

/** A namespace of its own; made by {@link Python.context}. */
export class Context extends Namespace implements AsyncDisposable {
  /** As the engine knows it. */
  readonly #number: number;
  #closed: Promise<void> | undefined;

  /** @internal Use `py.context()`. */
  constructor(engine: Engine, number: number) {
    super(engine, engine.openContext(number));
    this.#number = number;
  }

  /** Forgets its globals. Idempotent. */
  close(): Promise<void> {
    const { engine, contextId } = this;
    this.#closed ??= engine.closeContext(contextId, serviceCall(engine, "_isopy.contexts", "close", [this.#number]));
    return this.#closed;
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }
}

/** A namespace in the same interpreter. */
export interface NamespaceOptions {
  /** What is separate: the globals. Default `"namespace"`. */
  readonly isolation?: "namespace";
  /** Its programs run one after the other, in the order in which they were started. Default false. */
  readonly ordered?: boolean;
}

/** An interpreter of its own. Engines: native. */
export interface InterpreterOptions {
  /** What is separate: the globals, the modules (`sys.modules`, what is patched in them), `__main__`, the event loop. */
  readonly isolation: "interpreter";
  /**
   * `"own"`: it computes at the same time as the others, on a core of its own; `"shared"`: in turn with them.
   * Default: `"own"` from Python 3.13 on, `"shared"` before. Python 3.12 has `"own"` only when it is asked
   * for here: `ctypes` and every extension module outside the standard library are refused then, and `datetime` and
   * `decimal` are the slow ones written in Python.
   */
  readonly gil?: GilKind;
}

export type ContextOptions = NamespaceOptions | InterpreterOptions;

/** Starts a Python in an interpreter of its own. */
export type Isolate = (gil: GilKind | undefined) => Promise<Python>;

/** What JavaScript still holds of Python. */
export interface HandleTable {
  readonly count: number;
  list(): readonly HandleEntry[];
  /** For people: how many of which type, and where they arrived when the engine was created with `{ trace: true }`. */
  report(): string;
}

/** Facts about the engine, and why it is this one. */
export interface PythonInfo extends Omit<EngineInfo, "interpreter"> {
  /** Of an isolated context: its GIL, and why it is this one. Null in the main interpreter. */
  readonly interpreter: InterpreterInfo | null;
  /** Why the first choice was not taken; null when it was. */
  readonly fallback: string | null;
  /** How the choice was made, step by step. */
  readonly resolution: readonly string[];
}

/**
 * A running Python. Made by `createPython`; close it when done.
 *
 * @example
 * const py = await createPython();
 * try { console.log(await py.import("math").sqrt(2)); } finally { await py.close(); }
 */
export class Python extends Namespace implements AsyncDisposable {
  readonly info: PythonInfo;
  readonly handles: HandleTable;
  /** Conversions of your own types, both ways. */
  readonly rules: Rules;
  /** Python packages: installing, listing, locking. Engines: wasm; `ERR_UNSUPPORTED` on native. */
  readonly packages: Packages;
  readonly #sessions: SessionRegistry;
  readonly #isolate: Isolate | undefined;
  /** Isolated contexts that were not closed. */
  readonly #isolated = new Set<Promise<Python>>();
  /** Of an isolated context: takes it off its parent's list. */
  #leave: () => void = () => {};
  #closed: Promise<void> | undefined;

  /** @internal Use `createPython`. */
  constructor(
    engine: Engine,
    sessions: SessionRegistry,
    why: { readonly fallback: string | null; readonly resolution: readonly string[] },
    isolate?: Isolate,
    packages?: OpenPackages,
  ) {
    super(engine, 0);
    this.info = Object.freeze({ interpreter: null, ...engine.info, ...why });
    this.#sessions = sessions;
    this.#isolate = isolate;
    this.handles = handleTable(engine);
    this.rules = engine.rules;
    this.packages = new LazyPackages(engine, packages);
  }

  /**
   * A namespace of its own in the same engine, or, with `{ isolation: "interpreter" }`, a Python of its own in the
   * same process: an interpreter with modules of its own, whose refs are refused here and ours there.
   *
   * An isolated one takes the options that this Python was created with. It is closed with `close()`, or with this
   * one. Extension modules that do not work in it (NumPy; before Python 3.13 all outside the standard library) are
   * refused with an ImportError whose code is `ERR_UNSUPPORTED`. Threads of its own that do not end within two
   * seconds of `close()` are left behind with their interpreter.
   *
   * Engines: namespaces on all; interpreters on native.
   *
   * @throws {EngineError} `ERR_UNSUPPORTED` for an isolation or a GIL that this engine does not have, `ERR_OPTION`, `ERR_CLOSED`
   * @example
   * await using isolated = await py.context({ isolation: "interpreter" });
   * await isolated.exec("import json; json.dumps = None"); // nobody else sees it
   */
  context(options: InterpreterOptions): Promise<Python>;
  context(options?: NamespaceOptions): Promise<Context>;
  context(options?: ContextOptions): Promise<Context | Python>;
  async context(options?: ContextOptions): Promise<Context | Python> {
    const read = optionReader("context", options);
    if (read("isolation", oneOf("namespace", "interpreter"), "namespace") === "interpreter") {
      const gil = read("gil", oneOf("own", "shared"), undefined);
      read.done();
      return this.#openIsolated(gil);
    }
    const ordered = read("ordered", boolean, false);
    read.done();
    const create = serviceCall(this.engine, "_isopy.contexts", "create", [ordered]);
    const id = (await this.engine.start(create, Mode.AUTO, undefined).promise) as number;
    return new Context(this.engine, id);
  }

  /**
   * A session: an own namespace, cells that run one after the other, output as events.
   *
   * @example
   * const session = await py.session();
   * for await (const event of session.run("print('hi')\n6 * 7")) render(event);
   */
  session(options?: SessionOptions): Promise<Session> {
    return Session.create(this.engine, this.#sessions, options);
  }

  /**
   * Makes an object importable in Python under a name: its functions, classes and values, as they are at each look-up.
   *
   * Engines: all where `capabilities.syncCallbacks`; elsewhere looking a name up raises in Python.
   * A name that belongs to a Python module is refused; one that was registered before is replaced.
   *
   * @throws {PythonError} `ValueError` for a name that is none or is taken
   * @throws {EngineError} `ERR_ARGUMENT`
   * @example
   * await py.registerModule("host", { hostname: () => os.hostname(), Map });
   * await py.exec("from host import hostname; print(hostname())");
   */
  async registerModule(name: string, members: object): Promise<void> {
    await face<PyExpr<null>>(serviceCall(this.engine, JS_MODULES, "register", moduleArguments(name, members)));
  }

  /**
   * Ends the engine and its isolated contexts: pending expressions reject with `ERR_CLOSED`. Idempotent; resolves
   * when nothing is left running.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const closing = [...this.#isolated].map(async (opening) => (await opening).close());
    await Promise.all([this.engine.close(), Promise.allSettled(closing)]);
    this.#leave();
  }

  async #openIsolated(gil: GilKind | undefined): Promise<Python> {
    const refusal = this.#closed === undefined ? this.engine.refusal() : closedError();
    if (refusal !== undefined) throw refusal;
    if (this.#isolate === undefined) {
      throw new EngineError(
        "ERR_UNSUPPORTED",
        `The ${this.info.backend} engine has one interpreter only.`,
        "A second createPython() has modules of its own: it runs in a worker of its own.",
      );
    }
    const opening = this.#isolate(gil);
    this.#isolated.add(opening);
    const leave = () => void this.#isolated.delete(opening);
    try {
      const isolated = await opening;
      isolated.#leave = leave;
      return isolated;
    } catch (error) {
      leave();
      throw error;
    }
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }
}

export function handleTable(engine: Engine): HandleTable {
  return {
    get count() {
      return engine.handles.size;
    },
    list: () => engine.handles.list(),
    report: () => report(engine),
  };
}

/** A leak report: handles by type, then what Python still holds of JavaScript. */
function report(engine: Engine): string {
  const entries = engine.handles.list();
  const types = new Map<string, number>();
  for (const { type } of entries) types.set(type, (types.get(type) ?? 0) + 1);
  const lines = [`${entries.length} Python objects held by JavaScript, ${engine.lent.size} JavaScript objects held by Python.`];
  for (const [type, count] of [...types].sort((a, b) => b[1] - a[1])) lines.push(`  ${count} × ${type || "object"}`);
  for (const { type, id, stack } of entries) {
    if (stack !== undefined) lines.push(`  ${type || "object"} #${id} arrived here:\n${stack.slice(stack.indexOf("\n") + 1)}`);
  }
  return lines.join("\n");
}
