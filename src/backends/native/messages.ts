/** What `AddonEngine.drain` returns, and the kinds that are not frames of PROTOCOL.md (`native/outbox.h`). */

export const Notice = { OPENED: 100, OPEN_FAILED: 101, CLOSED: 102, ASK: 103, LOST: 104 } as const;

export interface Message {
  readonly kind: number;
  readonly token: number;
  readonly bytes: Uint8Array;
}

/** `[count, (kind, token, length) × count]` as float64, then the bytes. The messages are views on it. */
export function* readMessages(buffer: ArrayBuffer): Generator<Message> {
  const count = new Float64Array(buffer, 0, 1)[0]!;
  const heads = new Float64Array(buffer, 8, 3 * count);
  let at = 8 + heads.byteLength;
  for (let i = 0; i < heads.length; i += 3) {
    const length = heads[i + 2]!;
    yield { kind: heads[i]!, token: heads[i + 1]!, bytes: new Uint8Array(buffer, at, length) };
    at += length;
  }
}
