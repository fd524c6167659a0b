/**
 * Frames on their way to the main thread, one message per engine turn.
 *
 * Bytes are posted by transfer, so a frame must own its buffer; one that does not is copied.
 */
import type { Frame, ToMain } from "../contract.ts";

export class Outbox {
  readonly #port: MessagePort;
  #frames: Frame[] = [];
  #scheduled = false;
  /** Pushes what was collected elsewhere and comes before the next frame. */
  before: () => void = () => {};

  constructor(port: MessagePort) {
    this.#port = port;
  }

  push(kind: number, bytes: Uint8Array): void {
    this.before();
    this.#frames.push([kind, bytes]);
    this.soon();
  }

  /** A flush, unless the turn makes one. */
  soon(): void {
    if (this.#scheduled) return;
    // Whoever runs the turn flushes at its end; this is for frames that come between turns.
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    this.before();
    if (this.#frames.length === 0) return;
    const frames = this.#frames.map(([kind, bytes]): Frame => [kind, owned(bytes)]);
    this.#frames = [];
    this.#port.postMessage(
      frames,
      frames.map(([, bytes]) => bytes.buffer as ArrayBuffer),
    );
  }

  /** Posts news of the mailbox, after everything before it. */
  post(message: Exclude<ToMain, readonly Frame[]>): void {
    this.flush();
    const bytes = "bytes" in message ? [message.bytes.buffer as ArrayBuffer] : [];
    this.#port.postMessage(message, bytes);
  }
}

/** Bytes that fill a buffer of their own. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}
