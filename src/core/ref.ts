/**
 * Refs: live handles to Python objects.
 *
 * A ref is not thenable, so that a promise can deliver one. Its attributes, calls and items are
 * expressions. It owns its handle until it is disposed or collected; `handles.ts` counts.
 */
import type { ContextId, HandleId } from "./backend.ts";
import { lostWith } from "./ending.ts";
import { EngineError } from "./errors.ts";
import { asyncIterator, callOf, ExprNode, type Home, RefTarget, type Site, toPrimitive } from "./expression.ts";
import { ASYNC_DISPOSE, DISPOSE, face, NODE, nodeOf, refuseJson } from "./surface.ts";
import { HandleFlag, Op } from "./wire/frames.ts";

/** What a ref asks of the table it is in. */
export interface RefHome extends Home {
  dispose(ref: RefNode, why?: Exclude<Disposed, false>): void;
}

/** What has to be given back; outlives the ref, so that a collected ref can be released. */
export interface Lease {
  readonly id: HandleId;
  /** Its place in the table. */
  readonly key: number;
  readonly typeName: string;
  /** Introductions that were not given back yet. */
  count: number;
  released: boolean;
  /** Where the ref came to be; only with `trace`. */
  readonly site: Site | undefined;
  ref: WeakRef<RefNode> | undefined;
}

export type Disposed = false | "disposed" | "scope" | "closed" | "lost";

export class RefNode extends RefTarget {
  readonly home: RefHome;
  readonly id: HandleId;
  /** Whose order its expressions keep; the default context's once another context has seen the object too. */
  context: ContextId;
  readonly flags: number;
  readonly lease: Lease;
  readonly keep: boolean;
  /** Programs in flight that use the handle: its release waits for them. */
  inUse = 0;
  disposed: Disposed = false;
  /** The one proxy; strong both ways, so either keeps the handle. */
  readonly proxy: object;

  constructor(home: RefHome, context: ContextId, flags: number, lease: Lease, keep: boolean) {
    super();
    this.home = home;
    this.context = context;
    this.id = lease.id;
    this.flags = flags;
    this.lease = lease;
    this.keep = keep;
    this.proxy = face<object>(this);
  }

  get(_blank: object, key: string | symbol): unknown {
    if (typeof key === "string") {
      if (key === "then") return undefined;
      if (key === "toJSON") return refuseJson;
      return face(new ExprNode(this.home, this.context, Op.GET, this, key));
    }
    if (key === NODE) return this;
    if (key === DISPOSE) return dispose;
    if (key === ASYNC_DISPOSE) return asyncDispose;
    if (key === Symbol.asyncIterator) return this.canIterate ? asyncIterator : undefined;
    if (key === Symbol.toPrimitive) return toPrimitive;
    return key === Symbol.toStringTag ? "PyRef" : undefined;
  }

  override has(blank: object, key: string | symbol): boolean {
    return key === DISPOSE || key === ASYNC_DISPOSE || (key === Symbol.asyncIterator && this.canIterate) || super.has(blank, key);
  }

  apply(_blank: object, _this: unknown, args: unknown[]): unknown {
    return face(callOf(this, args, this.apply));
  }

  construct(_blank: object, args: unknown[]): object {
    return face(callOf(this, args, this.construct));
  }

  get canIterate(): boolean {
    return (this.flags & (HandleFlag.ITERABLE | HandleFlag.ITERATOR | HandleFlag.ASYNC_ITERABLE | HandleFlag.ASYNC_ITERATOR)) !== 0;
  }

  describe(): string {
    return `<PyRef ${this.lease.typeName || "object"} #${this.id}${this.disposed === false ? "" : this.disposed === "lost" ? ", lost" : ", disposed"}>`;
  }

  /** The handle, if it may be used by this engine now. */
  usable(home: Home): HandleId {
    if (this.home !== home) {
      throw new EngineError(
        "ERR_CROSS_CONTEXT",
        `${this.describe()} belongs to another engine.`,
        "Objects live in the engine that made them: copy with toJs(object), or make it where it is needed.",
      );
    }
    if (this.disposed !== false) throw disposedError(this);
    return this.id;
  }
}

function disposedError(ref: RefNode): EngineError {
  if (ref.disposed === "lost") return lostWith(ref.describe());
  const why =
    ref.disposed === "scope"
      ? "the scope that owned it has ended"
      : ref.disposed === "closed"
        ? "its engine was closed"
        : "it was disposed";
  return new EngineError(
    "ERR_HANDLE_DISPOSED",
    `${ref.describe()} cannot be used: ${why}.`,
    ref.disposed === "scope" ? "Take it out of the scope: return it, or call scope.keep(object)." : "Dispose a ref after its last use.",
  );
}

/** The ref behind a proxy. */
export function refOf(value: unknown): RefNode | undefined {
  const node = nodeOf(value);
  return node instanceof RefNode ? node : undefined;
}

function dispose(this: unknown): void {
  const ref = refOf(this);
  ref?.home.dispose(ref);
}

function asyncDispose(this: unknown): Promise<void> {
  dispose.call(this);
  return Promise.resolve();
}
