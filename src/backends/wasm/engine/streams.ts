/**
 * What C code writes to file descriptors 1 and 2, as EVENT frames.
 *
 * Python's own `sys.stdout` never comes this way: `_isopy` replaces it. A write may come in the
 * middle of a Python call, so the frame is made here, without Python. Small writes are collected until
 * something else is sent or the turn is over, and leave by themselves when they are many: a program that
 * never ends is seen to write, and what it writes is not kept.
 */
import { FrameKind } from "../../../core/wire/frames.ts";
import type { Outbox } from "./outbox.ts";

export type StreamName = "stdout" | "stderr";

/** Characters that are sent in the middle of a turn. */
const MANY = 16_384;

export class Streams {
  readonly #outbox: Outbox;
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #name: StreamName = "stdout";
  #text = "";

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
    outbox.before = () => this.#emit();
  }

  /** A line of start-up output, without its end. */
  line(name: StreamName, line: string): void {
    this.#add(name, `${line}\n`);
  }

  /** @returns how many bytes were taken: all. */
  write(name: StreamName, bytes: Uint8Array): number {
    this.#add(name, this.#decoders[name].decode(bytes, { stream: true }));
    return bytes.length;
  }

  #add(name: StreamName, text: string): void {
    if (text === "") return;
    if (name !== this.#name) this.#emit();
    this.#name = name;
    this.#text += text;
    if (this.#text.length >= MANY) this.#outbox.flush();
    else this.#outbox.soon();
  }

  #emit(): void {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.#outbox.push(FrameKind.EVENT, streamEvent(this.#name, text));
  }
}

/** The stream of `("stream", 0, 0, name, text)`, PROTOCOL.md section 7. */
export function streamEvent(name: StreamName, text: string): Uint8Array {
  const utf8 = new TextEncoder().encode(text);
  const head = [0x80, 5, 0x28, ...unicode("stream"), 0x4b, 0, 0x4b, 0, ...unicode(name), 0x58];
  const frame = new Uint8Array(head.length + 4 + utf8.length + 2);
  frame.set(head);
  new DataView(frame.buffer).setUint32(head.length, utf8.length, true);
  frame.set(utf8, head.length + 4);
  frame.set([0x74, 0x2e], head.length + 4 + utf8.length);
  return frame;
}

function unicode(ascii: string): number[] {
  return [0x8c, ascii.length, ...Array.from(ascii, (c) => c.charCodeAt(0))];
}
