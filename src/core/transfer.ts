/**
 * Giving a buffer away: Python gets the bytes, JavaScript keeps an empty buffer.
 */
import { EngineError } from "./errors.ts";

/** What is given away with a value. */
const given = new WeakMap<object, readonly ArrayBuffer[]>();
/** So that calls pay for the look-up only where something was ever given away. */
let any = false;

interface Transferable {
  transfer?(): ArrayBuffer;
}

/**
 * Marks buffers as given away with a value: when the value has been sent as an argument, they are
 * detached, so that nobody goes on writing into what Python has. The bytes travel as always.
 *
 * @param buffers default: the value's own buffer
 * @returns the same value
 * @throws {EngineError} `ERR_ARGUMENT`
 * @example
 * await decode(transfer(new Uint8Array(pixels)));
 */
export function transfer<T extends object>(value: T, buffers?: readonly ArrayBuffer[]): T {
  const list = buffers ?? [ArrayBuffer.isView(value) ? value.buffer : value];
  const whole = typeof value === "object" && value !== null && Array.isArray(list);
  if (!whole || !list.every((buffer) => buffer instanceof ArrayBuffer)) {
    throw new EngineError("ERR_ARGUMENT", "transfer() takes an ArrayBuffer, a view of one, or a value and a list of its buffers.");
  }
  given.set(value, list as readonly ArrayBuffer[]);
  any = true;
  return value;
}

/** The buffers that are given away with these arguments. */
export function givenWith(values: readonly unknown[]): readonly ArrayBuffer[] {
  if (!any) return NONE;
  return values.flatMap((value) => (typeof value === "object" && value !== null ? (given.get(value) ?? NONE) : NONE));
}
const NONE: readonly ArrayBuffer[] = [];

/** Empties buffers; called when their bytes have left. */
export function detach(buffers: readonly ArrayBuffer[]): void {
  for (const buffer of buffers) {
    const { transfer: move } = buffer as Transferable;
    if (move !== undefined) move.call(buffer);
    else structuredClone(buffer, { transfer: [buffer] });
  }
}
