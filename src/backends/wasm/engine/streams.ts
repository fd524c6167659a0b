/**
 * What C code writes to file descriptors 1 and 2, as EVENT frames.
 *
 * Python's own `sys.stdout` never comes this way: `_isopy` replaces it. A write may come in the
 * middle of a Python call, so the frame is made here, without Python, and leaves with the turn.
 */
import { FrameKind } from "../../../core/wire/frames.ts";

export type StreamName = "stdout" | "stderr";

export class Streams {
  readonly #send: (kind: number, bytes: Uint8Array) => void;
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor(send: (kind: number, bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** A line of start-up output, without its end. */
  line(name: StreamName, line: string): void {
    this.#send(FrameKind.EVENT, streamEvent(name, `${line}\n`));
  }

  /** @returns how many bytes were taken: all. */
  write(name: StreamName, bytes: Uint8Array): number {
    const text = this.#decoders[name].decode(bytes, { stream: true });
    if (text !== "") this.#send(FrameKind.EVENT, streamEvent(name, text));
    return bytes.length;
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
