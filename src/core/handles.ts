/**
 * Handles: integers that stand for Python objects.
 *
 * JS cannot own a Python reference, so the engine keeps a table and JS holds the key. The engine
 * chooses ids and never reuses one: a late release can never hit a newer object.
 *
 * Invariant: for every live id, `lease.count` equals the number of times the id was introduced to
 * JS minus the number given back. A release sends that count, not "one", because an introduction
 * may cross the release on the wire. A handle that a program in flight uses is given back after it.
 */
import type { ContextId, HandleId } from "./backend.ts";
import type { Site } from "./expression.ts";
import { type Disposed, type Lease, type RefHome, RefNode } from "./ref.ts";
import type { UsedRefs } from "./wait.ts";

/** A batch is sent at the end of the turn, or when it has this many numbers. */
const BATCH = 4096;

/** One handle that JavaScript still holds. */
export interface HandleEntry {
  readonly id: HandleId;
  /** The Python type's name, "" when the engine did not say. */
  readonly type: string;
  /** Introductions that were not given back. */
  readonly count: number;
  /** Where the expression that gave it was built; only with `createPython({ trace: true })`. */
  readonly stack: string | undefined;
}

/** What an engine and its codec ask; `sync-handles.ts` is the other one. */
export interface HandleBook {
  /** The context whose reply is being read. */
  context: ContextId;
  /** Where the expression was built whose reply is being read. */
  site: Site | undefined;
  /** Whether what is reached from its refs stays in Python. */
  keep: boolean;
  /** Counts one introduction; the same live handle gives the same ref. */
  introduce(id: HandleId, flags: number, typeName: string): object;
  /** Gives back one introduction that nobody holds; the ref dies with the last one. */
  returnOne(ref: RefNode): void;
  /** The refs that a reply introduced, in order; empties the list. */
  collect(): readonly RefNode[];
  dispose(ref: RefNode, why?: Exclude<Disposed, false>): void;
  /** A program that uses the refs was compiled. */
  use(refs: UsedRefs): void;
  /** The program is over. */
  unuse(refs: UsedRefs): void;
  /** Queues a release. */
  giveBack(id: HandleId, count: number): void;
  /** Sends what was given back. */
  flush(): void;
  /** A context is gone; its objects live on in the default one. */
  leaveContext(context: ContextId): void;
  readonly size: number;
  list(): readonly HandleEntry[];
  /** The engine has ended: every ref is dead, and nothing of them is sent any more. Refs of another engine may follow. */
  end(why: "closed" | "lost"): void;
}

export class Handles implements HandleBook {
  readonly #home: RefHome;
  readonly #releases: Releases;
  readonly #trace: boolean;
  readonly #leases = new Map<HandleId, Lease>();
  /** Refs introduced since the last `collect()`. */
  #introduced: RefNode[] = [];
  context: ContextId = 0;
  site: Site | undefined;
  keep = false;
  readonly #collected = new FinalizationRegistry<Lease>((lease) => this.#end(lease));

  constructor(home: RefHome, send: (batch: readonly number[]) => void, trace: boolean) {
    this.#home = home;
    this.#releases = new Releases(send);
    this.#trace = trace;
  }

  introduce(id: HandleId, flags: number, typeName: string): object {
    // A ref that keeps is another object than one that does not; each counts for itself.
    const key = this.keep ? -id : id;
    const known = this.#leases.get(key);
    const held = known?.ref?.deref();
    if (known !== undefined && held !== undefined) {
      known.count++;
      if (held.context !== this.context) held.context = 0;
      this.#introduced.push(held);
      return held.proxy;
    }
    const site = this.#trace ? (this.site ?? new Error("a ref")) : undefined;
    const lease: Lease = { id, key, typeName, count: 1, released: false, site, ref: undefined };
    const ref = new RefNode(this.#home, this.context, flags, lease, this.keep);
    lease.ref = new WeakRef(ref);
    this.#leases.set(key, lease);
    this.#collected.register(ref, lease);
    this.#introduced.push(ref);
    return ref.proxy;
  }

  returnOne(ref: RefNode): void {
    const { lease } = ref;
    if (lease.released) return;
    if (--lease.count === 0) {
      lease.released = true;
      ref.disposed = "disposed";
      if (this.#leases.get(lease.key) === lease) this.#leases.delete(lease.key);
    }
    this.giveBack(lease.id, 1);
  }

  collect(): readonly RefNode[] {
    const refs = this.#introduced;
    if (refs.length > 0) this.#introduced = [];
    return refs;
  }

  dispose(ref: RefNode, why: Exclude<Disposed, false> = "disposed"): void {
    if (ref.disposed !== false) return;
    ref.disposed = why;
    if (ref.inUse === 0) this.#end(ref.lease);
    else if (this.#leases.get(ref.lease.key) === ref.lease) this.#leases.delete(ref.lease.key);
  }

  use(refs: UsedRefs): void {
    if (refs === undefined) return;
    if (refs instanceof RefNode) refs.inUse++;
    else for (const ref of refs) ref.inUse++;
  }

  unuse(refs: UsedRefs): void {
    if (refs === undefined) return;
    if (refs instanceof RefNode) this.#unuse(refs);
    else for (const ref of refs) this.#unuse(ref);
  }

  #unuse(ref: RefNode): void {
    if (--ref.inUse === 0 && ref.disposed !== false) this.#end(ref.lease);
  }

  #end(lease: Lease): void {
    if (lease.released) return;
    lease.released = true;
    // A collected ref may have a successor under the same id, with a lease of its own.
    if (this.#leases.get(lease.key) === lease) this.#leases.delete(lease.key);
    this.giveBack(lease.id, lease.count);
  }

  giveBack(id: HandleId, count: number): void {
    this.#releases.add(id, count);
  }

  flush(): void {
    this.#releases.flush();
  }

  leaveContext(context: ContextId): void {
    for (const { ref } of this.#leases.values()) {
      const held = ref?.deref();
      if (held?.context === context) held.context = 0;
    }
  }

  get size(): number {
    return this.#leases.size;
  }

  list(): readonly HandleEntry[] {
    return Array.from(this.#leases.values(), ({ id, typeName, count, site }) => ({ id, type: typeName, count, stack: site?.stack }));
  }

  end(why: "closed" | "lost"): void {
    for (const lease of this.#leases.values()) {
      lease.released = true; // its number means another object to the next engine
      const ref = lease.ref?.deref();
      if (ref !== undefined) ref.disposed = why;
    }
    this.#leases.clear();
    this.#releases.drop();
  }
}

/** Releases on their way: a batch leaves at the end of the turn, or when it is large. */
export class Releases {
  readonly #send: (batch: readonly number[]) => void;
  #batch: number[] = [];

  constructor(send: (batch: readonly number[]) => void) {
    this.#send = send;
  }

  add(id: HandleId, count: number): void {
    const length = this.#batch.push(id, count);
    if (length === 2) queueMicrotask(() => this.flush());
    else if (length >= BATCH) this.flush();
  }

  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#send(batch);
  }

  /** What waits is not sent. */
  drop(): void {
    this.#batch = [];
  }
}
