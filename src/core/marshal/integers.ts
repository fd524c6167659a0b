/**
 * Integers of any size out of a stream: little-endian two's complement.
 */
import { EngineError } from "../errors.ts";

/** V8 has no BigInt of more bits. */
const MAX_BYTES = 1 << 27;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A number when it is safe, else a BigInt. */
export function readInteger(bytes: Uint8Array, from: number, to: number): number | bigint {
  const size = to - from;
  if (size === 0) return 0;
  const negative = (bytes[to - 1] as number) > 0x7f;
  if (size <= 8) {
    // Up to 2^53 a double is exact, and what is beyond is no safe integer, however it was rounded.
    let number = negative ? -1 : 0;
    for (let i = to - 1; i >= from; i--) number = number * 256 + (bytes[i] as number);
    if (Number.isSafeInteger(number)) return number;
  }
  if (size > MAX_BYTES) throw new EngineError("ERR_LIMIT", `An int of ${size} bytes is larger than a BigInt can be.`);
  // Hex is linear in V8. A negative n has the inverted bytes of -n - 1.
  const invert = negative ? 0xff : 0;
  let hex = "0x";
  for (let i = to - 1; i >= from; i--) hex += HEX[(bytes[i] as number) ^ invert];
  const value = BigInt(hex);
  const signed = negative ? -value - 1n : value;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}
