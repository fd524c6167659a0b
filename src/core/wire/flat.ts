/**
 * The items of a flat list, one by one: a REPLY stream without a list of it (PROTOCOL.md, section 4).
 *
 * It knows scalars and bytes, as both evaluators spell them. Whatever else it meets (a shared string,
 * an end too early) is `UNREAD`, and the frame is for `decodeStream`, which reads or refuses it.
 */
import { readInteger } from "../marshal/integers.ts";
import * as op from "./opcodes.ts";
import { readText } from "./text.ts";

/** What the reader leaves to others. */
export const UNREAD = Symbol("unread");

const swap = new DataView(new ArrayBuffer(8));

export class FlatReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Whether a list begins. */
  begin(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] !== op.PROTO || bytes[at + 1] !== 5) return false;
    at += 2;
    if (bytes[at] === op.FRAME) at += 9;
    if (bytes[at++] !== op.EMPTY_LIST) return false;
    this.#at = at;
    return at < this.#end;
  }

  /** Whether another item comes; UNREAD when neither that nor the end does. */
  more(): boolean | typeof UNREAD {
    const bytes = this.#bytes;
    while (this.#at < this.#end) {
      const code = bytes[this.#at];
      if (code === op.STOP) return this.#at + 1 === this.#end ? false : UNREAD;
      if (code !== op.MEMOIZE && code !== op.MARK && code !== op.APPENDS && code !== op.APPEND) return true;
      this.#at++;
    }
    return UNREAD;
  }

  /** The next item. Bytes are views: valid as long as the stream is. */
  next(): unknown {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    while (at < end && bytes[at] === op.MEMOIZE) at++;
    switch (bytes[at++]) {
      case op.BININT1:
        this.#at = at + 1;
        return at < end ? bytes[at] : UNREAD;
      case op.BININT2:
        this.#at = at + 2;
        return at + 2 <= end ? (bytes[at] as number) | ((bytes[at + 1] as number) << 8) : UNREAD;
      case op.BININT:
        this.#at = at + 4;
        return at + 4 <= end ? this.#int4(at) : UNREAD;
      case op.NONE:
        this.#at = at;
        return null;
      case op.NEWTRUE:
        this.#at = at;
        return true;
      case op.NEWFALSE:
        this.#at = at;
        return false;
      case op.BINFLOAT:
        if (at + 8 > end) return UNREAD;
        for (let i = 0; i < 8; i++) swap.setUint8(i, bytes[at + i] as number);
        this.#at = at + 8;
        return swap.getFloat64(0);
      case op.LONG1: {
        const to = at + 1 + (bytes[at] as number);
        if (at >= end || to > end) return UNREAD;
        this.#at = to;
        return readInteger(bytes, at + 1, to);
      }
      case op.SHORT_BINUNICODE:
        return this.#text(at + 1, bytes[at] as number);
      case op.BINUNICODE:
        return this.#text(at + 4, this.#int4(at) >>> 0);
      case op.SHORT_BINBYTES:
        return this.#view(at + 1, bytes[at] as number);
      case op.BINBYTES:
        return this.#view(at + 4, this.#int4(at) >>> 0);
      default:
        return UNREAD;
    }
  }

  #int4(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  }

  #text(from: number, length: number): unknown {
    const to = from + length;
    if (!(to <= this.#end)) return UNREAD;
    this.#at = to;
    return readText(this.#bytes, from, to) ?? UNREAD;
  }

  #view(from: number, length: number): unknown {
    const to = from + length;
    if (!(to <= this.#end)) return UNREAD;
    this.#at = to;
    return this.#bytes.subarray(from, to);
  }
}
