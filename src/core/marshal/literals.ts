/**
 * What the core itself writes into a stream and no user value can be: tuples without a tag, and
 * extension values spelled out.
 */

/** Goes out as a tuple; shares nothing. */
export class TupleOf {
  constructor(readonly values: readonly unknown[]) {}
}

/** `values` as a Python tuple, without freezing or tagging the array. */
export function tupleOf(values: readonly unknown[]): TupleOf {
  return new TupleOf(values);
}

/** An extension value (PROTOCOL.md, section 1): `(tag, …operands)`, marked. */
export class Extension {
  constructor(
    readonly tag: string,
    readonly operands: readonly unknown[],
  ) {}
}

export function extension(tag: string, ...operands: readonly unknown[]): Extension {
  return new Extension(tag, operands);
}

/** Already encoded: the opcodes of one value, without PROTO and STOP and without memo use. */
export class RawValue {
  constructor(readonly bytes: Uint8Array) {}
}
