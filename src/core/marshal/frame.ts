/**
 * A container whose parts are being written, and how they become one value.
 */

/** How the parts of a container become one value. */
export const Kind = {
  LIST: 0,
  TUPLE: 1,
  /** Values of `items` (names) in `source`, read when their turn comes. */
  OBJECT: 2,
  /** Keys and values in turn. */
  ENTRIES: 3,
  SET: 4,
  FROZENSET: 5,
  /** A tuple, marked as an extension value. */
  EXTENSION: 6,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
export type Growing = typeof Kind.LIST | typeof Kind.OBJECT | typeof Kind.ENTRIES | typeof Kind.SET;
export type Final = typeof Kind.TUPLE | typeof Kind.FROZENSET | typeof Kind.EXTENSION;

/** A container whose parts are being written. */
export class Frame {
  next = 0;
  readonly length: number;
  constructor(
    readonly kind: Kind,
    /** The object this is, where sharing it matters. */
    readonly source: object | undefined,
    readonly items: readonly unknown[],
    /** The first parts, where they were read before. */
    readonly known: readonly unknown[] | undefined = undefined,
    length = items.length,
  ) {
    this.length = length;
  }
}
