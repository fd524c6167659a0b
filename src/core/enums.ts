/**
 * Members of Python enums: one JavaScript object per member and engine, so that `===` works.
 *
 * A member holds its handle as long as JavaScript holds the member. It is data, so it does not
 * count as a handle somebody has to dispose.
 */
import type { HandleId } from "./backend.ts";
import { lostWith } from "./ending.ts";
import { PyEnumMember } from "./values/enum.ts";

interface Held {
  readonly id: HandleId;
  readonly member: WeakRef<PyEnumMember>;
  count: number;
  lost: boolean;
}

export class EnumMembers {
  readonly #release: (id: HandleId, count: number) => void;
  readonly #held = new Map<HandleId, Held>();
  readonly #ids = new WeakMap<object, Held>();
  readonly #collected = new FinalizationRegistry<Held>((held) => {
    if (held.lost) return;
    if (this.#held.get(held.id) === held) this.#held.delete(held.id);
    this.#release(held.id, held.count);
  });

  constructor(release: (id: HandleId, count: number) => void) {
    this.#release = release;
  }

  introduce(id: HandleId, name: string, value: unknown, typeName: string): PyEnumMember {
    const known = this.#held.get(id);
    const alive = known?.member.deref();
    if (known !== undefined && alive !== undefined) {
      known.count++;
      return alive;
    }
    const member = new PyEnumMember(name, value, typeName);
    const held: Held = { id, member: new WeakRef(member), count: 1, lost: false };
    this.#held.set(id, held);
    this.#ids.set(member, held);
    this.#collected.register(member, held);
    return member;
  }

  /** @throws {EngineError} `ERR_ENGINE_LOST` for a member of an engine that is gone */
  idOf(value: object): HandleId | undefined {
    const held = this.#ids.get(value);
    if (held?.lost) throw lostWith(String(value));
    return held?.id;
  }

  /** The engine is gone, and its members with it. */
  clear(): void {
    for (const held of this.#held.values()) held.lost = true;
    this.#held.clear();
  }
}
