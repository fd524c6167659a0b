/**
 * Keyword arguments of a call: what `kw` makes. No value of their own, so nothing sends them but a call.
 */

export class Kwargs {
  readonly values: Record<string, unknown> | undefined;
  readonly #made = true;
  /** Asks nothing of the value: `instanceof` would run a proxy's trap, and throw for a revoked one. */
  static is(value: unknown): value is Kwargs {
    return typeof value === "object" && value !== null && #made in value;
  }
  /** `undefined` values are arguments that were not given. */
  constructor(given: Readonly<Record<string, unknown>>) {
    const values: Record<string, unknown> = Object.create(null);
    let any = false;
    for (const key of Object.keys(given)) {
      if (given[key] === undefined) continue;
      values[key] = given[key];
      any = true;
    }
    this.values = any ? values : undefined;
  }
}
