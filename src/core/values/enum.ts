/**
 * A member of a Python Enum.
 *
 * One object per member and engine, so members compare with `===`; the facade makes and keeps them
 * and knows the handle behind each. A structured clone keeps the three facts but is no member.
 */
export class PyEnumMember {
  constructor(
    /** `RED`; several flags together are `A|B`. */
    readonly name: string,
    readonly value: unknown,
    /** The class name. */
    readonly type: string,
  ) {
    Object.freeze(this);
  }

  /** The number or text, so that members of IntEnum and StrEnum compare and compute like their values. */
  valueOf(): unknown {
    return typeof this.value === "number" || typeof this.value === "bigint" || typeof this.value === "string" ? this.value : this;
  }

  equals(other: unknown): boolean {
    return this === other;
  }

  toString(): string {
    return `${this.type}.${this.name}`;
  }

  toJSON(): unknown {
    return this.value;
  }
}
