/**
 * The memory both sides see: a control block of 32-bit integers and a mailbox of bytes.
 *
 * The mailbox holds one parcel at a time: the main thread writes it while the state is `empty`,
 * the worker takes it and sets `empty` again. Only the main thread
 * makes a parcel and only the worker clears one, so neither ever waits for a lock.
 */

export const Control = {
  /** Pyodide's interrupt buffer: 2 asks for SIGINT; Pyodide sets 0 when it has seen it. */
  signal: 0,
  /** What lies in the mailbox (`Parcel`). */
  parcel: 1,
  /** Bytes in the mailbox (or wanted, for `grow`). */
  length: 2,
  /** An answer: the number of the question. A frame: its kind. */
  label: 3,
  /** 1 when the main thread has another parcel ready and wants to hear that this one was taken. */
  more: 4,
  /** The program that runs, as `interruptLabel` writes it; 0: none does, or nobody wants to know. */
  running: 5,
  /** First of `interruptSlots` program ids (modulo 2**31, plus 1; 0 is a free slot) to be interrupted. */
  interrupts: 8,
} as const;

export const Parcel = { empty: 0, answer: 1, frame: 2, grow: 3 } as const;

export const interruptSlots = 56;
export const controlBytes = (Control.interrupts + interruptSlots) * Int32Array.BYTES_PER_ELEMENT;
export const mailboxBytes = 64 * 1024;

/** How a program id is written into a slot: never 0, so that 0 can mean free. */
export function interruptLabel(program: number): number {
  return (program % 0x7fff_fffe) + 1;
}
