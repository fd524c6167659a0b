/**
 * The handles of a synchronous engine.
 *
 * Its refs must be able to die inside a loop that never yields: a `WeakRef` would keep each until the
 * job ends, and no `FinalizationRegistry` calls before that. So the backend holds them weakly, counts
 * their introductions, and looks for dead ones whenever many new ones were made. In between, one
 * registration of our own tells that a collection took place.
 */
import type { ContextId, HandleId, SyncRefs } from "./backend.ts";
import type { Site } from "./expression.ts";
import { type HandleBook, type HandleEntry, Releases } from "./handles.ts";
import { type Disposed, type Lease, type RefHome, RefNode, refOf } from "./ref.ts";
import { SyncRefNode } from "./sync-ref.ts";
import type { UsedRefs } from "./wait.ts";

export class SyncHandles implements HandleBook {
  readonly #home: RefHome;
  readonly #refs: () => SyncRefs;
  readonly #releases: Releases;
  readonly #trace: boolean;
  #introduced: RefNode[] = [];
  context: ContextId = 0;
  site: Site | undefined;
  keep = false;
  /** A collection will be noticed. */
  #watching = false;
  readonly #collections = new FinalizationRegistry<undefined>(() => this.#collected());

  constructor(home: RefHome, refs: () => SyncRefs, send: (batch: readonly number[]) => void, trace: boolean) {
    this.#home = home;
    this.#refs = refs;
    this.#releases = new Releases(send);
    this.#trace = trace;
  }

  introduce(id: HandleId, flags: number, typeName: string): object {
    const known = refOf(this.#refs().known(id, this.keep));
    const ref = known ?? this.#made(id, flags, typeName, this.keep);
    this.#introduced.push(ref);
    return ref.proxy;
  }

  /** A ref for a handle that was introduced for it alone. */
  fresh(id: HandleId, flags: number, typeName: string, keep: boolean): object {
    return this.#made(id, flags, typeName, keep).proxy;
  }

  #made(id: HandleId, flags: number, typeName: string, keep: boolean): RefNode {
    const site = this.#trace ? (this.site ?? new Error("a ref")) : undefined;
    const lease: Lease = { id, key: id, typeName, count: 1, released: false, site, ref: undefined };
    const ref = new SyncRefNode(this.#home, flags, lease, keep);
    this.#refs().bind(id, keep, ref.proxy);
    if (!this.#watching) this.#watch();
    return ref;
  }

  #watch(): void {
    this.#watching = true;
    this.#collections.register({}, undefined);
  }

  #collected(): void {
    this.#watching = false;
    if (this.#refs().sweep() > 0) this.#watch();
  }

  returnOne(ref: RefNode): void {
    this.dispose(ref);
  }

  collect(): readonly RefNode[] {
    const refs = this.#introduced;
    if (refs.length > 0) this.#introduced = [];
    return refs;
  }

  dispose(ref: RefNode, why: Exclude<Disposed, false> = "disposed"): void {
    if (ref.disposed !== false) return;
    ref.disposed = why;
    const { lease } = ref;
    lease.count = this.#refs().unbind(ref.id, ref.keep);
    if (ref.inUse === 0) this.#end(lease);
  }

  use(refs: UsedRefs): void {
    for (const ref of listed(refs)) ref.inUse++;
  }

  unuse(refs: UsedRefs): void {
    for (const ref of listed(refs)) {
      if (--ref.inUse === 0 && ref.disposed !== false) this.#end(ref.lease);
    }
  }

  #end(lease: Lease): void {
    if (lease.released) return;
    lease.released = true;
    if (lease.count > 0) this.giveBack(lease.id, lease.count);
  }

  giveBack(id: HandleId, count: number): void {
    this.#releases.add(id, count);
  }

  flush(): void {
    this.#releases.flush();
  }

  /** All are of the default context: there is no other here. */
  leaveContext(): void {}

  get size(): number {
    return this.#refs().sweep();
  }

  list(): readonly HandleEntry[] {
    return this.#refs()
      .live()
      .map(([proxy, count]) => {
        const { lease } = refOf(proxy) as RefNode;
        return { id: lease.id, type: lease.typeName, count, stack: lease.site?.stack };
      });
  }

  end(why: "closed" | "lost"): void {
    const refs = this.#refs();
    for (const [proxy] of refs.live()) (refOf(proxy) as RefNode).disposed = why;
    refs.clear();
    this.#releases.drop();
  }
}

function listed(refs: UsedRefs): readonly RefNode[] {
  return refs === undefined ? [] : refs instanceof RefNode ? [refs] : refs;
}
