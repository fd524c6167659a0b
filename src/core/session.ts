/**
 * Sessions: a namespace whose cells run one after the other, with output as events.
 *
 * Everything a session does is an ordinary call into `_isopy.session`; this side numbers the cells
 * and hands their events out.
 */
import { withDeadline } from "./cancellation.ts";
import { Cell, type CellResult } from "./cell.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import type { SessionRegistry } from "./events.ts";
import type { ExprNode } from "./expression.ts";
import { Namespace } from "./namespace.ts";
import { abortSignal, boolean, milliseconds, optionReader, string } from "./options.ts";
import { serviceCall } from "./service.ts";
import { ASYNC_DISPOSE } from "./surface.ts";
import { Mode } from "./wire/frames.ts";

export interface SessionOptions {
  /** The name in tracebacks and reports. Default: its number. */
  readonly name?: string;
}

export interface CellOptions {
  /** Interrupts the cell with `KeyboardInterrupt`; its result is `"aborted"`. */
  readonly signal?: AbortSignal;
  /** Milliseconds until it is interrupted; 0 means none. Default 0. */
  readonly timeout?: number;
  /** No result is shown and the execution count stays. Default false. */
  readonly silent?: boolean;
}

/**
 * Ordered cells in a namespace of their own. Made by `py.session()`.
 *
 * @example
 * const session = await py.session();
 * const cell = session.run("import math\nprint('hi')\nmath.tau");
 * for await (const event of cell) render(event);
 * const { status, value } = await cell.result;
 */
export class Session extends Namespace implements AsyncDisposable {
  readonly id: number;
  readonly #registry: SessionRegistry;
  #cells = 0;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(engine: Engine, registry: SessionRegistry, id: number, context: number) {
    super(engine, engine.openContext(context));
    this.id = id;
    this.#registry = registry;
  }

  /** @internal */
  static async create(engine: Engine, registry: SessionRegistry, options: SessionOptions | undefined): Promise<Session> {
    const read = optionReader("session", options);
    const name = read("name", string, null);
    read.done();
    const [id, context] = (await engine.start(service(engine, 0, "create", [name]), Mode.AUTO, undefined).promise) as [number, number];
    return new Session(engine, registry, id, context);
  }

  /**
   * Runs a cell after the ones before it. Starts at once.
   *
   * @throws {EngineError} `ERR_CLOSED` (synchronously) after `close()`; `ERR_OPTION`
   */
  run(code: string, options?: CellOptions): Cell {
    const read = optionReader("session.run", options);
    const signal = read("signal", abortSignal, undefined) as AbortSignal | undefined;
    const timeout = read("timeout", milliseconds, 0);
    const silent = read("silent", boolean, false);
    read.done();
    if (typeof code !== "string") throw new EngineError("ERR_ARGUMENT", "session.run() takes Python source as a string.");
    if (this.#closed !== undefined) throw new EngineError("ERR_CLOSED", "The session was closed.", "Open another with py.session().");
    const number = ++this.#cells;
    const { engine } = this;
    const wait = engine.start(service(engine, this.contextId, "run", [this.id, number, code, silent]), Mode.AUTO, undefined);
    const settled = signal === undefined && timeout === 0 ? wait.promise : withDeadline(engine, wait, signal, timeout);
    const result = settled.then(
      (value) => value as CellResult,
      (error: unknown): CellResult => {
        if (error instanceof EngineError) throw error;
        return { status: "aborted", executionCount: null, error };
      },
    );
    const cell = new Cell(number, result);
    this.#registry.open(this.id, number, cell.push);
    // A cancelled cell has its result at once; its last events come with its program's end.
    wait.over = () => {
      this.#registry.close(this.id, number);
      cell.end();
    };
    if (wait.settled) wait.over();
    return cell;
  }

  /** Forgets the namespace, after the cells that were started. Idempotent. */
  close(): Promise<void> {
    const { engine, contextId } = this;
    this.#closed ??= engine.closeContext(contextId, service(engine, contextId, "close", [this.id]));
    return this.#closed;
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }
}

const service = (engine: Engine, context: number, name: string, args: unknown[]): ExprNode =>
  serviceCall(engine, "_isopy.session", name, args, context);
