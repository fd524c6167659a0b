/**
 * Refs of the synchronous facade: a get or a call evaluates at once.
 *
 * `f(1, 2)` is one trap and one call into the engine: arguments that are scalars cross as they are,
 * and a scalar result comes back as it is (bench/RESULTS-native.md). Everything else is a stream.
 */
import type { Scalar, SyncCalls, SyncResult } from "./backend.ts";
import type { RefTarget } from "./expression.ts";
import { LentMemory } from "./lent-memory.ts";
import type { LoanBook } from "./loans.ts";
import { type Lease, type RefHome, RefNode } from "./ref.ts";
import { nodeOf, refuseJson } from "./surface.ts";
import { asSyncIterator } from "./sync-iteration.ts";
import { Kwargs } from "./values/kwargs.ts";
import { HandleFlag, Op } from "./wire/frames.ts";

/** What a synchronous ref asks of its engine. */
export interface SyncHome {
  readonly calls: SyncCalls;
  /** Memory that the calls which are running have lent. */
  readonly loans: LoanBook;
  /** The value behind an outcome that is no scalar, or throws it. */
  outcome(payload: SyncResult, keep: boolean, below: unknown): unknown;
  /** The result of an operation of `calls`. */
  taken(payload: SyncResult, below: unknown): unknown;
  /** Calls with anything but scalars. */
  callWith(ref: SyncRefNode, args: readonly unknown[], kwargs: Record<string, unknown> | undefined): unknown;
  /** Runs one instruction. */
  perform(target: RefTarget | null, keep: boolean, op: Op, a?: unknown, b?: unknown, c?: unknown, below?: unknown): unknown;
}

/** Arguments that `callRefs` takes: its mask has a bit for each. */
const MASKED = 30;

export class SyncRefNode extends RefNode {
  constructor(home: RefHome, flags: number, lease: Lease, keep: boolean) {
    super(home, 0, flags, lease, keep);
    // V8 looks a trap up at each use, property by property: those that are the node's own are found soonest.
    this.get = traps.get;
    this.apply = traps.apply;
  }

  override get(blank: object, key: string | symbol): unknown {
    if (typeof key !== "string") return this.#symbol(blank, key);
    if (key === "then") return undefined;
    if (key === "toJSON") return refuseJson;
    const home = this.home as unknown as SyncHome;
    if (this.disposed !== false) this.usable(this.home);
    const { calls } = home;
    const value = calls.get(this.id, key, this.keep);
    return calls.outcome === 0 ? value : home.outcome(value, this.keep, traps.get);
  }

  #symbol(blank: object, key: symbol): unknown {
    if (key === Symbol.iterator) return this.canIterate ? asSyncIterator : undefined;
    if (key === Symbol.hasInstance && (this.flags & HandleFlag.CLASS) !== 0) return hasInstance;
    return key === Symbol.asyncIterator ? undefined : super.get(blank, key);
  }

  override has(blank: object, key: string | symbol): boolean {
    if (typeof key !== "string") return key === Symbol.iterator ? this.canIterate : super.has(blank, key);
    return (this.home as unknown as SyncHome).perform(null, false, Op.EVAL, "hasattr(o, n)", ["o", "n"], [this.proxy, key]) === true;
  }

  override apply(_blank: object, _this: unknown, args: unknown[]): unknown {
    if (this.disposed !== false) this.usable(this.home);
    const home = this.home as unknown as SyncHome;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if ((typeof arg === "object" && arg !== null) || typeof arg === "function" || typeof arg === "symbol") return this.#call(home, args);
    }
    if (this.keep) return this.#call(home, args);
    const { calls } = home;
    const value = calls.call(this.id, args as Scalar[]);
    return calls.outcome === 0 ? value : home.outcome(value, false, traps.apply);
  }

  #call(home: SyncHome, args: unknown[]): unknown {
    if (!args.some(LentMemory.is)) return this.#callMasked(home, args);
    const { loans } = home;
    const mark = loans.count;
    let result: unknown;
    try {
      result = this.#callMasked(home, args);
    } catch (error) {
      loans.end(mark);
      throw error;
    }
    return loans.settle(mark, result);
  }

  /** Refs of this engine and lent memory cross as handles; with any other object the arguments are a stream. */
  #callMasked(home: SyncHome, args: unknown[]): unknown {
    if (args.length > MASKED) return this.#callWith(home, args);
    const given: Scalar[] = [];
    let mask = 0;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (typeof arg === "function") {
        const node = nodeOf(arg);
        if (!(node instanceof SyncRefNode) || node.home !== this.home) return this.#callWith(home, args);
        given.push(node.usable(this.home));
        mask |= 1 << i;
      } else if (LentMemory.is(arg)) {
        given.push(home.loans.lend(arg));
        mask |= 1 << i;
      } else if ((typeof arg === "object" && arg !== null) || typeof arg === "symbol") {
        return this.#callWith(home, args);
      } else {
        given.push(arg as Scalar);
      }
    }
    const { calls } = home;
    const value = calls.callRefs(this.id, mask, given, this.keep);
    return calls.outcome === 0 ? value : home.outcome(value, this.keep, traps.apply);
  }

  #callWith(home: SyncHome, args: unknown[]): unknown {
    const last = args[args.length - 1];
    if (!Kwargs.is(last)) return home.callWith(this, args, undefined);
    args.pop();
    return home.callWith(this, args, last.values);
  }

  /** What a verb does with scalars alone; the operation is one of `calls`, on this handle. */
  direct(operation: (calls: SyncCalls, handle: number) => SyncResult, below: unknown): unknown {
    const handle = this.usable(this.home);
    const home = this.home as unknown as SyncHome;
    return home.taken(operation(home.calls, handle), below);
  }

  override construct(_blank: object, args: unknown[]): object {
    return this.apply(_blank, undefined, args) as object;
  }
}

/** `value instanceof Class`, asked of Python. */
function hasInstance(this: unknown, value: unknown): boolean {
  const cls = nodeOf(this) as SyncRefNode;
  if (!(nodeOf(value) instanceof RefNode)) return false;
  return (cls.home as unknown as SyncHome).perform(null, false, Op.EVAL, "isinstance(o, c)", ["o", "c"], [value, this]) === true;
}

/** The trap functions, so that errors can leave their frames out. */
const traps = SyncRefNode.prototype;
