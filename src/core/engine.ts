/**
 * One engine as the facade sees it: what is started, what is in flight, what came back.
 *
 * It implements `BackendHost`, so it is the only thing a backend talks to. Invariant: every wait
 * settles exactly once: by its reply, by its caller's cancellation, or because the engine ended.
 *
 * Where there is a succession, the backend that was lost is followed by another one, which the next call
 * starts: the facade and expressions stay, and everything that lived in the old one is dead.
 */
import type { Backend, BackendHost, CallbackId, ContextId, EngineInfo, EngineLost, ProgramId, Scalar, WireLimits } from "./backend.ts";
import { Callbacks } from "./callbacks.ts";
import { Codec } from "./codec.ts";
import { Compiler } from "./compile.ts";
import { own } from "./contents.ts";
import { contextId, generationOf, numberOf } from "./context-id.ts";
import type { ReadOptions } from "./conversion.ts";
import { closedError, gone, lostError, lostWith } from "./ending.ts";
import { EnumMembers } from "./enums.ts";
import { EngineError, PythonError, placeHint, placeStack } from "./errors.ts";
import { Exceptions } from "./exceptions.ts";
import type { ExprNode, RefTarget, Site } from "./expression.ts";
import { Flight } from "./flight.ts";
import { Grace } from "./grace.ts";
import { type HandleBook, Handles } from "./handles.ts";
import { hintFor } from "./hints.ts";
import { type IterateRequest, iteratorOf } from "./iteration.ts";
import { LentTable } from "./lent.ts";
import type { RefHome, RefNode } from "./ref.ts";
import { Rules } from "./rules.ts";
import { readScalar } from "./scalar.ts";
import { SiteBudget } from "./site.ts";
import type { Heir, Succession, Tenure } from "./succession.ts";
import { detach } from "./transfer.ts";
import { Wait } from "./wait.ts";
import { Mode } from "./wire/frames.ts";

/** Where the news of an engine goes: the parts of an EVENT stream. */
export type EventSink = (kind: string, session: number, cell: number, data: readonly unknown[]) => void;

/** Counts of things that should not happen, and of traffic. */
export interface EngineCounts {
  programs: number;
  batches: number;
  /** Replies to programs that are not in flight: duplicates, or a confused engine. They are dropped. */
  strayReplies: number;
}

/** Makes the book of handles of the kind of refs that the facade hands out. */
export type MakeHandles = (engine: Engine, send: (batch: readonly number[]) => void, trace: boolean) => HandleBook;

const makeAsyncHandles: MakeHandles = (engine, send, trace) => new Handles(engine, send, trace);

type State = "starting" | "open" | "closing" | "closed" | "lost";

/** An engine that was lost, and what was lost with it. */
export interface Loss {
  /** Which engine of this Python it was; the first is 1. */
  readonly generation: number;
  /** `ERR_ENGINE_LOST`: what every pending call was rejected with; `details` has `kind`, `reason`, `exitCode`, `tail`. */
  readonly error: EngineError;
  /** Whether the next call starts another engine. */
  readonly replaced: boolean;
  /** Calls that were pending. */
  readonly programs: number;
  /** Python objects that JavaScript held. */
  readonly refs: number;
  /** JavaScript objects that Python held. */
  readonly callbacks: number;
  /** Contexts and sessions that were open. */
  readonly contexts: number;
}

/** What happens to an engine that does not stop, and to one that was lost. */
export interface Fate {
  readonly onLoss?: ((loss: Loss) => void) | undefined;
  /** Milliseconds after which an engine that does not stop is ended; undefined: it is kept. */
  readonly grace?: number | undefined;
  readonly succession?: Succession | undefined;
  /** The host that the backend was started with, where there is a succession. */
  readonly tenure?: Tenure | undefined;
  /** What every new engine runs first. */
  readonly prelude?: (() => readonly ExprNode[]) | undefined;
}

export class Engine implements BackendHost, RefHome {
  readonly handles: HandleBook;
  readonly lent: LentTable;
  readonly codec: Codec;
  readonly rules: Rules;
  readonly counts: EngineCounts = { programs: 0, batches: 0, strayReplies: 0 };
  info!: EngineInfo;
  onEvent: EventSink = () => {};
  #backend: Backend;
  readonly #exceptions = new Exceptions();
  readonly #enums: EnumMembers;
  readonly #callbacks: Callbacks;
  protected readonly compiler: Compiler;
  readonly #trace: boolean;
  readonly #sites = new SiteBudget();
  #queue: Wait[] = [];
  readonly #flight = new Flight();
  #state: State = "starting";
  #lost: EngineLost | undefined;
  #closing: Promise<void> | undefined;
  #fate: Fate = {};
  #grace: Grace | undefined;
  /** How many engines were lost before this one. */
  #generation = 0;
  /** The open contexts of the engine of today. */
  readonly #contexts = new Set<ContextId>();
  /** Of `counts.programs`: what was sent before the engine of today. */
  #sentBefore = 0;

  constructor(backend: Backend, limits: WireLimits, trace: boolean, makeHandles: MakeHandles = makeAsyncHandles) {
    this.#backend = backend;
    this.#trace = trace;
    this.lent = new LentTable(limits.maxCallbacks);
    this.handles = makeHandles(this, (batch) => this.#release(batch), trace);
    this.#enums = new EnumMembers((id, count) => this.handles.giveBack(id, count));
    this.rules = new Rules(this);
    const tables = { handles: this.handles, lent: this.lent, exceptions: this.#exceptions, enums: this.#enums, rules: this.rules };
    this.codec = new Codec(this, limits, tables, backend.memory);
    this.#callbacks = new Callbacks(this.lent, this.codec);
    this.compiler = new Compiler(this.codec, this.lent);
  }

  get backend(): Backend {
    return this.#backend;
  }

  /** Start-up is over. */
  opened(info: EngineInfo): void {
    this.info = info;
    if (this.#state === "starting") this.#state = "open";
  }

  /** From now on: before it is opened. */
  destine(fate: Fate): void {
    this.#fate = fate;
    const { grace } = fate;
    if (grace !== undefined) {
      this.#grace = new Grace(
        grace,
        () => this.#backend.condemnation,
        (condemnation, reason) => condemnation.carryOut({ kind: "unresponsive", reason }),
      );
    }
    fate.tenure?.begin(this);
  }

  /** A context was made: its id for expressions, which no context of a later engine shares. */
  openContext(number: number): ContextId {
    const id = contextId(number, this.#generation);
    this.#contexts.add(id);
    return id;
  }

  /** Closes a context by a call of its service. One that went with its engine is closed already. */
  async closeContext(id: ContextId, close: ExprNode): Promise<void> {
    if (this.#strange(id) !== undefined) return;
    await this.start(close, Mode.NONE, undefined).promise.catch(gone);
    this.#contexts.delete(id);
    this.handles.leaveContext(id);
  }

  #release(batch: readonly number[]): void {
    if (this.#state !== "lost" && this.#state !== "closed") this.#backend.release(batch);
  }

  // Home: what nodes ask

  site(below: unknown, always: boolean): Site | undefined {
    return this.#sites.take(below, always || this.#trace);
  }

  get views(): boolean {
    return this.backend.memory !== undefined;
  }

  iterate(source: ExprNode | RefTarget, request?: IterateRequest): AsyncIterableIterator<unknown> {
    return iteratorOf(this, source, request);
  }

  dispose(ref: RefNode, why?: "disposed" | "scope"): void {
    // What was started before this line still uses the handle.
    if (this.#queue.length > 0) this.flush();
    this.handles.dispose(ref, why);
  }

  start(node: ExprNode, mode: number, read: ReadOptions | undefined): Wait {
    let known = read === undefined ? node.wait : undefined;
    while (known !== undefined && known.mode !== mode) known = known.other;
    // A ref that was disposed meanwhile is fetched again where that has no effect: `py.import(…)` lives long.
    if (known !== undefined && !(node.pure && known.ref?.disposed)) {
      known.interest++;
      return known;
    }
    const wait = new Wait(node, mode, read);
    if (read === undefined) {
      wait.other = known === undefined ? node.wait : withoutWait(node.wait, known);
      node.wait = wait;
    }
    const refusal = this.refusal() ?? (node.context === 0 ? undefined : this.#strange(node.context));
    if (refusal !== undefined) {
      wait.settle(refusal, false);
      return wait;
    }
    if (this.#queue.push(wait) === 1) queueMicrotask(this.flush);
    if (this.#state === "lost") void this.#succeed();
    return wait;
  }

  /** Why nothing can be started any more; undefined while it can. */
  refusal(): EngineError | undefined {
    if (this.#state === "open" || this.#state === "starting" || (this.#state === "lost" && this.#replaced)) return undefined;
    return this.#state === "lost" ? lostError(this.#lost as EngineLost) : closedError();
  }

  get #replaced(): boolean {
    return this.#fate.succession?.ended === false;
  }

  /** Why a context cannot be used: it lived in an engine that was lost. */
  #strange(context: ContextId): EngineError | undefined {
    return generationOf(context) === this.#generation ? undefined : lostWith(`Context ${numberOf(context)}, with its globals,`);
  }

  /** Compiles and sends what was started. */
  readonly flush = (): void => {
    const queue = this.#queue;
    if (queue.length === 0 || this.#state === "starting") return;
    this.#queue = [];
    this.#sites.turn();
    // Cancelled before it was sent: nothing has to be undone.
    const waits = queue.some((wait) => wait.settled) ? queue.filter((wait) => !wait.settled) : queue;
    if (waits.length === 0) return;
    const { frame, programs, refused } = this.compiler.turn(waits);
    for (const first of programs) {
      this.handles.use(first.refs);
      this.#flight.add(first);
    }
    if (programs.length > 0) {
      this.counts.programs += programs.length;
      this.counts.batches++;
      this.#backend.submit(frame, programs.length);
    }
    if (refused !== undefined) for (const { first, error } of refused) this.#refuse(first, error);
    const { given } = this.compiler;
    if (given.length > 0) {
      this.compiler.given = [];
      detach(given);
    }
  };

  #refuse(first: Wait, error: unknown): void {
    for (let wait: Wait | undefined = first; wait !== undefined; wait = wait.next) {
      wait.program = 0;
      this.#settle(wait, error, false);
      wait.over?.();
    }
  }

  /** The caller does not wait any longer. Interrupts the program when nobody does. */
  cancel(wait: Wait, reason: unknown): void {
    if (wait.settled || --wait.interest > 0) return;
    this.#settle(wait, reason, false);
    if (wait.program === 0) wait.over?.();
    const first = this.#flight.get(wait.program);
    if (first === undefined || !isSettled(first)) return;
    this.#backend.interrupt([first.program]);
    this.#grace?.interrupted(first.program);
  }

  #settle(wait: Wait, outcome: unknown, ok: boolean): void {
    if (!wait.settled) wait.settle(outcome, ok);
  }

  // BackendHost: what a backend says

  settle(id: ProgramId, kind: number, payload: unknown, more?: readonly unknown[]): boolean {
    const first = this.#flight.take(id);
    if (first === undefined) {
      this.counts.strayReplies++;
      return false;
    }
    this.#grace?.settled(id);
    this.handles.context = first.node.context;
    this.#output(first, kind, payload);
    let at = 0;
    for (let wait = first.next; wait !== undefined; wait = wait.next, at += 2) this.#output(wait, more?.[at] as number, more?.[at + 1]);
    this.handles.unuse(first.refs);
    return true;
  }

  #output(wait: Wait, kind: number, payload: unknown): void {
    if (kind === 0 && wait.read === undefined) this.#settle(wait, payload, true);
    else if (kind === 0 || ((kind === 1 || kind === 2) && payload instanceof Uint8Array)) this.#decoded(wait, kind, payload);
    else this.#settle(wait, new EngineError("ERR_PROTOCOL", "The engine's reply has fewer outputs than its program."), false);
    wait.over?.();
  }

  #decoded(wait: Wait, kind: number, payload: unknown): void {
    let value: unknown;
    const ok = kind !== 2;
    this.handles.keep = wait.node.keep;
    this.handles.site = wait.node.site;
    try {
      value = kind === 0 ? readScalar(payload as Scalar, wait.read) : this.codec.decode(payload as Uint8Array, wait.read);
    } catch (error) {
      for (const ref of this.handles.collect()) this.handles.returnOne(ref);
      this.#settle(wait, error, false);
      return;
    } finally {
      this.handles.keep = false;
      this.handles.site = undefined;
    }
    if (
      !ok &&
      this.#state === "closing" &&
      value instanceof PythonError &&
      (value.isA("KeyboardInterrupt") || value.isA("CancelledError"))
    ) {
      value = closedError(); // it was close() that ended the program
    }
    const refs = this.handles.collect();
    if (wait.settled) {
      // Cancelled: the answer came, nobody will hold it. One introduction each, whoever else holds the ref.
      for (const ref of refs) this.handles.returnOne(ref);
      return;
    }
    own(value, refs);
    const [ref] = refs;
    if (ref?.proxy === value) wait.ref = ref;
    if (!ok && value instanceof PythonError) {
      const { op, a, b, site } = wait.node;
      placeStack(value, site);
      placeHint(value, hintFor(value, op, a, b));
    }
    this.#settle(wait, value, ok);
  }

  event(frame: Uint8Array): void {
    this.handles.context = 0;
    const [kind, session, cell, ...data] = this.codec.decode(frame) as [string, number, number, ...unknown[]];
    this.handles.collect();
    this.#tell(() => this.onEvent(kind, session, cell, data));
  }

  call(frame: Uint8Array): Uint8Array | Promise<Uint8Array> {
    this.handles.context = 0;
    return this.#callbacks.call(frame);
  }

  callee(id: CallbackId): ((...args: unknown[]) => unknown) | undefined {
    return this.#callbacks.callee(id);
  }

  answer(ok: boolean, value: unknown): Uint8Array {
    return this.#callbacks.answer(ok, value);
  }

  forget(batch: readonly number[]): void {
    for (let i = 0; i < batch.length; i += 2) this.lent.forget(batch[i] as CallbackId, batch[i + 1] as number);
  }

  lost(reason: EngineLost): void {
    if (this.#state === "lost" || this.#state === "closed") return;
    const { succession, tenure, onLoss } = this.#fate;
    const closing = this.#state === "closing";
    tenure?.end();
    // Whether it had answered anything of its caller's.
    succession?.lost(this.counts.programs - this.#sentBefore > this.#flight.size);
    this.#lost = reason;
    this.#state = "lost";
    const replaced = this.#replaced && !closing;
    const error = () => lostError(reason, replaced);
    const loss: Loss = {
      generation: ++this.#generation,
      error: error(),
      replaced,
      programs: this.pending,
      refs: this.handles.size,
      callbacks: this.lent.size,
      contexts: this.#contexts.size,
    };
    this.#end("lost", error);
    if (onLoss !== undefined && !closing) this.#tell(() => onLoss(loss));
  }

  #end(why: "closed" | "lost", error: () => EngineError): void {
    const firsts = [...this.#queue, ...this.#flight.list()];
    this.#queue = [];
    this.#flight.clear();
    this.#grace?.clear();
    this.#contexts.clear();
    this.handles.end(why);
    this.lent.clear();
    this.#exceptions.clear();
    this.#enums.clear();
    this.rules.clear();
    for (const first of firsts) {
      for (let wait: Wait | undefined = first; wait !== undefined; wait = wait.next) {
        // What has no effect may be asked for again.
        if (wait.node.pure) wait.node.wait = withoutWait(wait.node.wait, wait);
        this.#settle(wait, error(), false);
        wait.over?.();
      }
    }
  }

  /** Code of the user's: what it throws is an uncaught error of the user's, not of the backend that called. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Starts the engine that comes after the one that was lost. */
  async #succeed(): Promise<void> {
    const succession = this.#fate.succession as Succession;
    this.#state = "starting";
    let heir: Heir;
    try {
      heir = await succession.next();
    } catch (cause) {
      if ((this.#state as State) !== "starting") return;
      const reason = `No engine could be started in the place of the one that was lost: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.#lost = { kind: "start", reason, cause };
      this.#state = "lost";
      const error = () => lostError(this.#lost as EngineLost, this.#replaced);
      this.#end("lost", error);
      return;
    }
    if ((this.#state as State) !== "starting") {
      await heir.backend.close();
      return;
    }
    const waiting = this.#queue;
    this.#queue = [];
    this.#backend = heir.backend;
    this.#fate = { ...this.#fate, tenure: heir.tenure };
    heir.tenure.begin(this);
    this.opened(heir.info);
    const prelude = this.#fate.prelude?.() ?? [];
    const prepared = prelude.map((node) => this.start(node, Mode.NONE, undefined).promise);
    this.flush();
    this.#sentBefore = this.counts.programs;
    this.#queue.push(...waiting);
    this.flush();
    succession.prepare();
    await Promise.all(prepared).catch((cause: unknown) => {
      if (this.#state === "open") heir.tenure.lost({ kind: "start", reason: "The new engine could not be set up.", cause });
    });
  }

  /** Programs in flight and waiting to be sent. */
  get pending(): number {
    return this.#flight.size + this.#queue.length;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state !== "lost") {
      this.flush();
      this.handles.flush();
      this.#state = "closing";
      if (this.#flight.size > 0) this.#backend.interrupt(this.#flight.list().map(({ program }) => program));
    }
    try {
      await Promise.all([this.#backend.close(), this.#fate.succession?.close()]);
    } finally {
      // One that was lost keeps its reason, unless the next call would have started another.
      if (this.#state !== "lost" || this.#fate.succession !== undefined) {
        this.#state = "closed";
        this.#end("closed", closedError);
      }
    }
  }
}

/** Whether nobody waits for any output of a program. */
function isSettled(first: Wait): boolean {
  for (let wait: Wait | undefined = first; wait !== undefined; wait = wait.next) if (!wait.settled) return false;
  return true;
}

/** The starts of a node except one, whose ref is dead. */
function withoutWait(first: Wait | undefined, dead: Wait): Wait | undefined {
  if (first === dead) return dead.other;
  for (let wait = first; wait !== undefined; wait = wait.other) if (wait.other === dead) wait.other = dead.other;
  return first;
}
