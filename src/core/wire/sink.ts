/**
 * A growable buffer that streams are written into.
 *
 * One sink lives as long as its owner and is written again and again from the start, so the hot
 * path allocates nothing. `copy` hands out bytes of their own; `view` hands out bytes that are
 * valid until the next write. A sink over a caller's buffer grows into a new one when it must;
 * `bytes.buffer` says whether that happened.
 */
import { EngineError } from "../errors.ts";
import { BINBYTES, BINBYTES8, BININT, BININT1, BININT2, BINUNICODE, LONG1, LONG4, SHORT_BINBYTES, SHORT_BINUNICODE } from "./opcodes.ts";
import { wellFormed, writeUtf8 } from "./utf8.ts";

const encoder = new TextEncoder();

/** Up to here a loop over `charCodeAt` beats `encodeInto`, which takes 95 ns for any short text (Node 20: equal near 22). */
const SHORT_TEXT = 24;

const START = 4096;
const KEPT = 1 << 20;

export class ByteSink {
  bytes: Uint8Array;
  view: DataView;
  at = 0;
  /** Bytes after which writing is `ERR_LIMIT`, counted from `base`. */
  limit: number;
  base = 0;

  constructor(start: Uint8Array = new Uint8Array(START), limit = Number.POSITIVE_INFINITY) {
    this.bytes = start;
    this.view = new DataView(start.buffer, start.byteOffset, start.byteLength);
    this.limit = limit;
  }

  /** Starts over; a buffer that had to grow far is not kept for ever. */
  reset(): void {
    this.at = 0;
    this.base = 0;
    if (this.bytes.length <= KEPT) return;
    this.bytes = new Uint8Array(START);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `size` more bytes. */
  need(size: number): void {
    const wanted = this.at + size;
    if (wanted > this.bytes.length) this.#grow(wanted);
  }

  #grow(wanted: number): void {
    // A write may ask for a little more than it uses (worst-case text), so the limit leaves slack here
    // and is checked exactly when the stream is complete.
    if (wanted - this.base > this.limit * 3 + 64) throw overLimit(this.limit);
    const bytes = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.at));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Throws when more than `limit` bytes were written since `base`. */
  check(): void {
    if (this.at - this.base > this.limit) throw overLimit(this.limit);
  }

  op(code: number): void {
    this.need(1);
    this.bytes[this.at++] = code;
  }

  raw(bytes: Uint8Array): void {
    this.need(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A safe integer that is not -0. */
  int(value: number): void {
    this.need(10);
    const { bytes, view } = this;
    if (value >= 0 && value <= 0xff) {
      bytes[this.at] = BININT1;
      bytes[this.at + 1] = value;
      this.at += 2;
    } else if (value >= 0 && value <= 0xffff) {
      bytes[this.at] = BININT2;
      view.setUint16(this.at + 1, value, true);
      this.at += 3;
    } else if (value === (value | 0)) {
      bytes[this.at] = BININT;
      view.setInt32(this.at + 1, value, true);
      this.at += 5;
    } else {
      bytes[this.at] = LONG1;
      bytes[this.at + 1] = 8;
      view.setInt32(this.at + 2, value | 0, true);
      view.setInt32(this.at + 6, Math.floor(value / 0x1_0000_0000), true);
      this.at += 10;
    }
  }

  bigint(value: bigint): void {
    if (value === BigInt.asIntN(64, value)) {
      this.need(10);
      this.bytes[this.at] = LONG1;
      this.bytes[this.at + 1] = 8;
      this.view.setBigInt64(this.at + 2, value, true);
      this.at += 10;
      return;
    }
    // Two's complement: a negative n has the inverted bytes of -n - 1. Hex is linear in V8; division is not.
    const negative = value < 0n;
    let hex = (negative ? -value - 1n : value).toString(16);
    if (hex.length & 1) hex = `0${hex}`;
    if (hex.charCodeAt(0) >= 0x38) hex = `00${hex}`; // the top bit is the sign's
    const size = hex.length >> 1;
    this.need(size + 5);
    if (size <= 0xff) {
      this.bytes[this.at] = LONG1;
      this.bytes[this.at + 1] = size;
      this.at += 2;
    } else {
      this.bytes[this.at] = LONG4;
      this.view.setInt32(this.at + 1, size, true);
      this.at += 5;
    }
    const invert = negative ? 0xff : 0;
    const { bytes } = this;
    for (let i = hex.length - 2, at = this.at; i >= 0; i -= 2, at++) {
      bytes[at] = ((nibble(hex.charCodeAt(i)) << 4) | nibble(hex.charCodeAt(i + 1))) ^ invert;
    }
    this.at += size;
  }

  text(value: string): void {
    const { length } = value;
    if (length <= SHORT_TEXT) {
      this.need(length * 3 + 2); // three bytes for each code unit at most
      const { bytes } = this;
      const start = this.at + 2;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[start + i] = code;
      }
      const size = i === length ? length : writeUtf8(value, i, bytes, start + i) - start;
      bytes[start - 2] = SHORT_BINUNICODE;
      bytes[start - 1] = size; // at most 3 * 24
      this.at = start + size;
      return;
    }
    const header = this.at;
    if (wellFormed(value)) this.#encode(value, header + 5);
    else {
      this.need(5 + length * 3);
      this.at = writeUtf8(value, 0, this.bytes, header + 5);
    }
    const size = this.at - header - 5;
    if (size > 0xffff_ffff) throw overLimit(0xffff_ffff);
    this.bytes[header] = BINUNICODE;
    this.view.setUint32(header + 1, size, true);
  }

  /** Most text is ASCII: room for that is tried first, so that long text does not reserve three times its size. */
  #encode(value: string, start: number): void {
    this.need(5 + value.length);
    this.at = start;
    let { read, written } = encoder.encodeInto(value, this.bytes.subarray(start));
    this.at += written;
    while (read < value.length) {
      this.need((value.length - read) * 3);
      const rest = encoder.encodeInto(value.slice(read), this.bytes.subarray(this.at));
      read += rest.read;
      this.at += rest.written;
    }
  }

  /** The opcode and length of a bytes value; the content follows. */
  bytesHeader(size: number): void {
    this.need(9 + size);
    this.#header(this.at, size);
    this.at += headerSize(size);
  }

  #header(at: number, size: number): void {
    if (size <= 0xff) {
      this.bytes[at] = SHORT_BINBYTES;
      this.bytes[at + 1] = size;
    } else if (size <= 0xffff_ffff) {
      this.bytes[at] = BINBYTES;
      this.view.setUint32(at + 1, size, true);
    } else {
      this.bytes[at] = BINBYTES8;
      this.view.setBigUint64(at + 1, BigInt(size), true);
    }
  }

  /** Turns everything written since `start` into one bytes value, in place. */
  wrap(start: number): void {
    const size = this.at - start;
    const shift = headerSize(size);
    this.need(shift);
    this.bytes.copyWithin(start + shift, start, this.at);
    this.#header(start, size);
    this.at += shift;
  }

  /** Puts bytes before everything written since `start`. */
  insert(start: number, bytes: Uint8Array): void {
    this.need(bytes.length);
    this.bytes.copyWithin(start + bytes.length, start, this.at);
    this.bytes.set(bytes, start);
    this.at += bytes.length;
  }

  /** Bytes of their own. */
  copy(start = 0): Uint8Array {
    const copy = new Uint8Array(this.at - start); // half the time of `slice`
    copy.set(this.bytes.subarray(start, this.at));
    return copy;
  }

  /** The written bytes themselves; valid until the next write. */
  peek(start = 0): Uint8Array {
    return this.bytes.subarray(start, this.at);
  }
}

function headerSize(size: number): number {
  return size <= 0xff ? 2 : size <= 0xffff_ffff ? 5 : 9;
}

function nibble(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

function overLimit(limit: number): EngineError {
  return new EngineError(
    "ERR_LIMIT",
    `The data to send needs more than maxBytes (${limit}) bytes.`,
    "Send it in parts, or raise { limits: { maxBytes } } in createPython.",
  );
}
