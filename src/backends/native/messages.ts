/** What `AddonEngine.drain` returns, and the kinds that are not frames of PROTOCOL.md (`native/outbox.h`). */

export const Notice = { OPENED: 100, OPEN_FAILED: 101, CLOSED: 102, ASK: 103, LOST: 104 } as const;

/** Takes a message: `bytes` from `from` to `to` are its content. */
export type Take = (kind: number, token: number, bytes: Uint8Array, from: number, to: number) => void;

/** `[count, (kind, token, length) × count]` as float64, then the bytes. Nothing is copied. */
export function readMessages(heads: Float64Array, bytes: Uint8Array, take: Take): void {
  const last = 3 * heads[0]!;
  let from = 8 + 8 * last;
  for (let i = 1; i <= last; i += 3) {
    const to = from + heads[i + 2]!;
    take(heads[i]!, heads[i + 1]!, bytes, from, to);
    from = to;
  }
}
