/**
 * Leaves of an expected value that say what must hold instead of what must be there.
 */
import { isRef } from "isopy";

/** A named condition; the name is what a failure prints. */
export class Match {
  constructor(
    readonly says: string,
    readonly holds: (actual: unknown) => boolean,
  ) {}
}

/** Some own or inherited properties; others are not looked at. */
export class Having {
  constructor(readonly fields: Readonly<Record<string, unknown>>) {}
}

export function matching(says: string, holds: (actual: never) => boolean): Match {
  return new Match(says, (actual) => {
    try {
      return holds(actual as never);
    } catch {
      // A condition that cannot even be evaluated on this value does not hold.
      return false;
    }
  });
}

export const having = (fields: Readonly<Record<string, unknown>>): Having => new Having(fields);

/** `isRef` as a plain question: its type guard says more than is known about other objects. */
export const refLike = (value: unknown): boolean => isRef(value);

export const aRef = new Match("a ref", refLike);

/** An array of a dtype and shape with exactly these elements in C order. */
export const anNDArray = (dtype: string, shape: readonly number[], data: unknown): Having =>
  having({ dtype, shape: Object.freeze([...shape]), data });
