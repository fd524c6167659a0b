/**
 * Members of Python enums: one JavaScript object per member and engine, so that `===` works.
 *
 * A member holds its handle as long as JavaScript holds the member. It is data, so it does not
 * count as a handle somebody has to dispose.
 */
import type { HandleId } from "./backend.ts";
import { PyEnumMember } from "./values/enum.ts";

interface Held {
  readonly id: HandleId;
  readonly member: WeakRef<PyEnumMember>;
  count: number;
}

export class EnumMembers {
  readonly #release: (id: HandleId, count: number) => void;
  readonly #held = new Map<HandleId, Held>();
  readonly #ids = new WeakMap<object, HandleId>();
  readonly #collected = new FinalizationRegistry<Held>((held) => {
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
    const held: Held = { id, member: new WeakRef(member), count: 1 };
    this.#held.set(id, held);
    this.#ids.set(member, id);
    this.#collected.register(member, held);
    return member;
  }

  idOf(value: object): HandleId | undefined {
    return this.#ids.get(value);
  }
}
