/**
 * Text out of a stream.
 *
 * Dict keys and other short texts repeat, so short ASCII is looked up by a hash of its bytes: one
 * string for all occurrences, and no decoder call. The cache holds at most 2,048 strings of at most
 * 32 characters and is never cleared.
 */
import { readUtf8 } from "./utf8.ts";

const CACHED_LENGTH = 32;
const UNROLLED_LENGTH = 24;
const SLOTS = 2048;
const cache = new Array<string | undefined>(SLOTS).fill(undefined);
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 with surrogates; undefined when the bytes are no text. */
export function readText(bytes: Uint8Array, from: number, to: number): string | undefined {
  const length = to - from;
  if (length > CACHED_LENGTH) return decode(bytes, from, to);
  let hash = length;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return readUtf8(bytes, from, to);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1);
  const found = cache[slot];
  if (found !== undefined && found.length === length) {
    let i = 0;
    while (i < length && found.charCodeAt(i) === bytes[from + i]) i++;
    if (i === length) return found;
  }
  const text = length <= UNROLLED_LENGTH ? ascii(bytes, from, to) : decoder.decode(bytes.subarray(from, to));
  cache[slot] = text;
  return text;
}

/** Up to 24 characters this beats TextDecoder (35 to 100 ns against 180, Node 20). */
function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  let i = from;
  for (; i + 8 <= to; i += 8) {
    text += String.fromCharCode(
      bytes[i] as number,
      bytes[i + 1] as number,
      bytes[i + 2] as number,
      bytes[i + 3] as number,
      bytes[i + 4] as number,
      bytes[i + 5] as number,
      bytes[i + 6] as number,
      bytes[i + 7] as number,
    );
  }
  for (; i < to; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

function decode(bytes: Uint8Array, from: number, to: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(from, to));
  } catch {
    return readUtf8(bytes, from, to); // it holds surrogates, or is no text at all
  }
}
