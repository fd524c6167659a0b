/**
 * JavaScript values as whole streams.
 */
import type { WireLimits } from "../backend.ts";
import * as op from "../wire/opcodes.ts";
import type { Outbound } from "./boundary.ts";
import { Encoder, type KnownParts } from "./encoder.ts";

export { Encoder, type KnownParts };

export interface EncodeOptions {
  readonly limits: WireLimits;
  /** How the value is called in errors. Default: `value`. */
  readonly root?: string;
  /** Cut off nanoseconds instead of refusing them. */
  readonly lossy?: boolean;
  /** What was read of the value already. */
  readonly known?: ReadonlyMap<object, KnownParts>;
}

/** Kept between calls; taken while in use, because a getter may call Python and encode again. */
let spare: Encoder | undefined = new Encoder();

function withEncoder<T>(use: (encoder: Encoder) => T): T {
  const encoder = spare ?? new Encoder();
  spare = undefined;
  try {
    encoder.sink.at = 0;
    return use(encoder);
  } finally {
    encoder.forget();
    encoder.sink.reset();
    spare = encoder;
  }
}

/**
 * One value as a whole stream, in bytes of its own.
 *
 * @throws {EngineError} `ERR_NOT_CONVERTIBLE` with the path of what cannot cross, `ERR_LIMIT`; also what a getter throws.
 */
export function encodeStream(value: unknown, outbound: Outbound, options: EncodeOptions): Uint8Array {
  return withEncoder((encoder) => {
    encodeTo(encoder, value, outbound, options);
    return encoder.sink.copy();
  });
}

/**
 * One value as a whole stream, written from the start of the encoder's own buffer, for callers that
 * keep one: `new Encoder(new ByteSink(scratch))`. Returns the number of bytes; they are in
 * `encoder.sink.bytes`, which is another array than `scratch` once something did not fit.
 * Not re-entrant: a getter that encodes with the same encoder would overwrite what is written.
 */
export function encodeInto(encoder: Encoder, value: unknown, outbound: Outbound, options: EncodeOptions): number {
  encoder.sink.at = 0;
  encodeTo(encoder, value, outbound, options);
  return encoder.sink.at;
}

function encodeTo(encoder: Encoder, value: unknown, outbound: Outbound, options: EncodeOptions): void {
  encoder.begin(outbound, options.limits, options.lossy);
  encoder.known = options.known;
  const { sink } = encoder;
  sink.op(op.PROTO);
  sink.op(5);
  encoder.write(value, options.root);
  sink.op(op.STOP);
  sink.check();
}
