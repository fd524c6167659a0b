/**
 * The synchronous facade: the same verbs, no promise. Native engines only.
 *
 * Data is copied, objects are refs; `{ convert: "ref" }` keeps everything reached from a module in
 * Python. What Python raises is thrown where it was called.
 */
import {
  type Backend,
  type BackendHost,
  type EngineInfo,
  REFUSED,
  type Reply,
  type ReplyOutput,
  type StartOptions,
  type SyncCalls,
  type SyncResult,
  type WireLimits,
} from "./backend.ts";
import { own } from "./contents.ts";
import type { ReadOptions } from "./conversion.ts";
import { Engine } from "./engine.ts";
import { EngineError, PythonError, placeHint, placeStack } from "./errors.ts";
import { SessionRegistry } from "./events.ts";
import { ExprNode, type RefTarget } from "./expression.ts";
import { hintFor } from "./hints.ts";
import { LoanBook } from "./loans.ts";
import { Encoder, encodeInto, type KnownParts } from "./marshal/encode.ts";
import { tupleOf } from "./marshal/literals.ts";
import { readScalar } from "./scalar.ts";
import { serviceCall } from "./service.ts";
import { checkFate, type FacadeOptions, streamsOf } from "./start.ts";
import { nodeOf } from "./surface.ts";
import { SyncPython } from "./sync-facade.ts";
import { SyncHandles } from "./sync-handles.ts";
import { syncIterator } from "./sync-iteration.ts";
import { type SyncHome, SyncRefNode } from "./sync-ref.ts";
import { Mode, Op } from "./wire/frames.ts";

const isFunction = (value: unknown): boolean => typeof value === "function";

export class SyncEngine extends Engine implements SyncHome {
  /** Set when the backend runs. */
  calls!: SyncCalls;
  loans = new LoanBook(undefined);
  /** Arguments are written here; taken while in use, because a getter may call Python. */
  #encoder: Encoder | undefined = new Encoder();
  /** What is on its way to Python; calls nest. */
  readonly #operands: unknown[] = [];

  constructor(backend: Backend, limits: WireLimits, trace: boolean) {
    super(backend, limits, trace, (engine, send, traced) => new SyncHandles(engine, () => (engine as SyncEngine).calls.refs, send, traced));
  }

  callWith(ref: SyncRefNode, args: readonly unknown[], kwargs: Record<string, unknown> | undefined): unknown {
    const mark = this.loans.count;
    let result: unknown;
    try {
      result = this.#callWith(ref, args, kwargs);
    } catch (error) {
      this.loans.end(mark);
      throw error;
    }
    return this.loans.settle(mark, result);
  }

  /** The arguments of a call are written by `write`. */
  #lending<T>(write: () => T): T {
    const { loans } = this.codec;
    this.codec.loans = this.loans;
    try {
      return write();
    } finally {
      this.codec.loans = loans;
    }
  }

  #callWith(ref: SyncRefNode, args: readonly unknown[], kwargs: Record<string, unknown> | undefined): unknown {
    if (ref.keep) {
      const node = new ExprNode(this, 0, Op.CALL, ref, args, kwargs);
      return this.now(node, Mode.REF, undefined);
    }
    const id = ref.usable(this);
    const { data } = this.calls;
    let known: ReadonlyMap<object, KnownParts> | undefined;
    // A function is lent or a ref: never plain data.
    if (data !== undefined && !args.some(isFunction)) {
      const value = data.call(id, args, kwargs, this.codec);
      if (value !== REFUSED) return this.#called(value as SyncResult, args, kwargs);
      known = data.readSoFar();
    }
    const encoder = this.#encoder ?? new Encoder();
    this.#encoder = undefined;
    const mark = this.lent.mark();
    let value: SyncResult;
    const operands = tupleOf([tupleOf(args), kwargs ?? null]);
    // Its refs live until the call is over, whatever the compiler thinks of our variables.
    this.#operands.push(operands);
    try {
      this.#lending(() => encodeInto(encoder, operands, this.codec, { limits: this.codec.limits, root: "args", ...(known && { known }) }));
      this.lent.commit(mark);
      value = this.calls.callStream(id, encoder.sink.peek());
    } catch (error) {
      this.lent.undo(mark);
      throw error;
    } finally {
      encoder.known = undefined;
      this.#encoder = encoder;
      this.#operands.pop();
    }
    return this.#called(value, args, kwargs);
  }

  #called(payload: SyncResult, args: readonly unknown[], kwargs: Record<string, unknown> | undefined): unknown {
    const { outcome } = this.calls;
    if (outcome === 0 || outcome === 5) return this.taken(payload, this.callWith);
    return this.#read({ kind: outcome, payload } as ReplyOutput, false, undefined, this.callWith, Op.CALL, args, kwargs);
  }

  outcome(payload: SyncResult, keep: boolean, below: unknown): unknown {
    const { calls } = this;
    const { outcome } = calls;
    if (outcome === 5) return (this.handles as SyncHandles).fresh(payload as number, calls.flags, calls.typeName, keep);
    return this.#read({ kind: outcome, payload } as ReplyOutput, keep, undefined, below);
  }

  /** The result of an operation of `calls`. */
  taken(value: SyncResult, below: unknown): unknown {
    return this.calls.outcome === 0 ? value : this.outcome(value, false, below);
  }

  perform(target: RefTarget | null, keep: boolean, op: Op, a?: unknown, b?: unknown, c?: unknown, below: unknown = this.perform): unknown {
    return this.now(new ExprNode(this, 0, op, target, a, b, c, keep), keep ? Mode.REF : Mode.AUTO, undefined, below);
  }

  override iterate(source: ExprNode | RefTarget, request?: { readonly window?: number }): AsyncIterableIterator<unknown> {
    return syncIterator(source as RefTarget, request?.window) as unknown as AsyncIterableIterator<unknown>;
  }

  /** Runs an expression to its end. */
  now(node: ExprNode, mode: number, read: ReadOptions | undefined, below: unknown = this.now): unknown {
    const mark = this.loans.count;
    let result: unknown;
    try {
      result = this.#now(node, mode, read, below);
    } catch (error) {
      this.loans.end(mark);
      throw error;
    }
    return this.loans.settle(mark, result);
  }

  #now(node: ExprNode, mode: number, read: ReadOptions | undefined, below: unknown): unknown {
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
    // `toJs(ref)` is no program: the handle and the mode say everything.
    const copies = (mode & 7) === Mode.COPY || (mode & 7) === Mode.VIEW;
    const held = copies && node.op === Op.VALUE ? nodeOf(node.a) : undefined;
    if (held instanceof SyncRefNode) {
      const payload = this.calls.convert(held.usable(this), mode);
      return this.#read({ kind: this.calls.outcome, payload } as ReplyOutput, false, read, below);
    }
    const program = this.#lending(() => this.compiler.single(node, mode));
    this.handles.use(program.refs);
    let reply: Reply;
    try {
      reply = this.calls.run(program);
    } finally {
      this.handles.unuse(program.refs);
    }
    const [output] = reply.outputs;
    if (output === undefined) throw new EngineError("ERR_PROTOCOL", "The engine's reply has fewer outputs than its program.");
    return this.#read(output, mode === Mode.REF && node.keep, read, below, node.op, node.a, node.b);
  }

  #read(output: ReplyOutput, keep: boolean, read: ReadOptions | undefined, below: unknown, op?: Op, a?: unknown, b?: unknown): unknown {
    if (output.kind === 0) return readScalar(output.payload, read);
    this.handles.keep = keep;
    let value: unknown;
    try {
      value = this.codec.decode(output.payload, read);
    } finally {
      this.handles.keep = false;
    }
    own(value, this.handles.collect());
    if (output.kind === 1) return value;
    if (value instanceof PythonError) {
      const site: { stack?: string } = {};
      (Error as { captureStackTrace?(target: object, below: unknown): void }).captureStackTrace?.(site, below);
      placeStack(value, site);
      if (op !== undefined) placeHint(value, hintFor(value, op, a, b));
    }
    throw value;
  }
}

/**
 * Puts a synchronous facade on a backend.
 *
 * @param start starts the backend on this thread, and returns when it runs
 */
export function createSyncFacade(
  backend: Backend,
  start: (options: StartOptions, host: BackendHost) => EngineInfo,
  close: () => void,
  options: FacadeOptions,
): SyncPython {
  checkFate(backend, options);
  const engine = new SyncEngine(backend, options.start.limits, options.trace);
  engine.destine({ onLoss: options.onLoss });
  engine.onEvent = new SessionRegistry(options.sinks).receive;
  engine.opened(start(options.start, engine));
  if (backend.sync === undefined) {
    throw new EngineError("ERR_UNSUPPORTED", `The ${backend.name} engine has no synchronous calls.`, 'Use createPython() from "isopy".');
  }
  engine.calls = backend.sync;
  engine.loans = new LoanBook(backend.sync.loans);
  for (const [module, name, args] of streamsOf(options)) engine.now(serviceCall(engine, module, name, args), Mode.NONE, undefined);
  return new SyncPython(engine, close, { fallback: options.fallback ?? null, resolution: options.resolution ?? [] });
}
