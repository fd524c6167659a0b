/**
 * What users hold: a running Python.
 *
 * A namespace builds expressions; `Python` is the default namespace with the engine's life around
 * it. Neither knows a backend: everything that is done leaves as a program.
 */
import type { EngineInfo } from "./backend.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import type { SessionRegistry } from "./events.ts";
import type { HandleEntry } from "./handles.ts";
import { JS_MODULES, moduleArguments } from "./modules.ts";
import { Namespace } from "./namespace.ts";
import { boolean, oneOf, optionReader } from "./options.ts";
import type { Rules } from "./rules.ts";
import { serviceCall } from "./service.ts";
import { Session, type SessionOptions } from "./session.ts";
import { ASYNC_DISPOSE, face } from "./surface.ts";
import type { PyExpr } from "./types.ts";
import { Mode } from "./wire/frames.ts";

/** A namespace of its own; made by {@link Python.context}. */
export class Context extends Namespace implements AsyncDisposable {
  #closed: Promise<void> | undefined;

  /** Forgets its globals. Idempotent. */
  close(): Promise<void> {
    const { engine, contextId } = this;
    this.#closed ??= engine.start(serviceCall(engine, "_isopy.contexts", "close", [contextId]), Mode.NONE, undefined).promise.then(() => {
      engine.handles.leaveContext(contextId);
    });
    return this.#closed;
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }
}

export interface ContextOptions {
  /** What is separate. `"namespace"`: the globals. Default `"namespace"`. */
  readonly isolation?: "namespace" | "interpreter";
  /** Its programs run one after the other, in the order in which they were started. Default false. */
  readonly ordered?: boolean;
}

/** What JavaScript still holds of Python. */
export interface HandleTable {
  readonly count: number;
  list(): readonly HandleEntry[];
  /** For people: how many of which type, and where they arrived when the engine was created with `{ trace: true }`. */
  report(): string;
}

/** Facts about the engine, and why it is this one. */
export interface PythonInfo extends EngineInfo {
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
  readonly #sessions: SessionRegistry;

  /** @internal Use `createPython`. */
  constructor(
    engine: Engine,
    sessions: SessionRegistry,
    why: { readonly fallback: string | null; readonly resolution: readonly string[] },
  ) {
    super(engine, 0);
    this.info = Object.freeze({ ...engine.info, ...why });
    this.#sessions = sessions;
    this.handles = handleTable(engine);
    this.rules = engine.rules;
  }

  /**
   * A namespace of its own in the same engine.
   *
   * @throws {EngineError} `ERR_UNSUPPORTED` for an isolation this engine does not have
   */
  async context(options?: ContextOptions): Promise<Context> {
    const read = optionReader("context", options);
    const isolation = read("isolation", oneOf("namespace", "interpreter"), "namespace");
    const ordered = read("ordered", boolean, false);
    read.done();
    if (isolation !== "namespace") {
      throw new EngineError(
        "ERR_UNSUPPORTED",
        `This engine has no isolation "${isolation}".`,
        'Use { isolation: "namespace" }, or a second createPython().',
      );
    }
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

  /** Ends the engine: pending expressions reject with `ERR_CLOSED`. Idempotent; resolves when nothing is left running. */
  close(): Promise<void> {
    return this.engine.close();
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
