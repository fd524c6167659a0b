/**
 * The main thread's end of the mailbox: answers, and frames for a worker that waits for one.
 *
 * The worker asks (`ask`), JavaScript answers, the answer goes into shared memory and wakes it.
 * As long as a question is open the worker does not read its port, so everything else goes this
 * way too, one parcel at a time, in order.
 */
import type { Frame } from "./contract.ts";
import { Control, Parcel } from "./shared.ts";

interface Sent {
  readonly parcel: number;
  readonly label: number;
  readonly bytes: Uint8Array;
}

export class Mailbox {
  readonly #control: Int32Array;
  #memory: Uint8Array;
  readonly #queue: Sent[] = [];
  /** Questions without an answer. */
  readonly #open = new Set<number>();
  /** The frame that was put into the mailbox last, perhaps not yet taken. */
  #lying: Sent | undefined;
  /** A bigger mailbox was asked for and is not here yet. */
  #growing = false;

  constructor(control: SharedArrayBuffer, memory: SharedArrayBuffer) {
    this.#control = new Int32Array(control);
    this.#memory = new Uint8Array(memory);
  }

  /** Whether the worker waits here instead of at its port. */
  get inUse(): boolean {
    return this.#open.size > 0;
  }

  opened(question: number): void {
    this.#open.add(question);
  }

  answer(question: number, bytes: Uint8Array): void {
    if (!this.#open.delete(question)) return; // nobody waits for it any more
    this.#put({ parcel: Parcel.answer, label: question, bytes });
  }

  frame([kind, bytes]: Frame): void {
    this.#put({ parcel: Parcel.frame, label: kind, bytes });
  }

  /**
   * The worker stopped waiting (an interrupt ended the wait).
   *
   * @returns the frames it will not find here, when no other question is open: they go to its port
   */
  abandoned(question: number): Frame[] {
    this.#open.delete(question);
    if (this.inUse || this.#growing) return [];
    if (this.#lying !== undefined) {
      const taken = Atomics.compareExchange(this.#control, Control.parcel, Parcel.frame, Parcel.empty) !== Parcel.frame;
      if (!taken) this.#queue.unshift(this.#lying);
      this.#lying = undefined;
    }
    return this.#queue.splice(0).flatMap(({ parcel, label, bytes }) => (parcel === Parcel.frame ? [[label, bytes] as const] : []));
  }

  /** The worker emptied it. */
  took(): void {
    this.#deliver();
  }

  replaced(memory: SharedArrayBuffer): void {
    this.#memory = new Uint8Array(memory);
    this.#growing = false;
    this.#deliver();
  }

  #put(sent: Sent): void {
    this.#queue.push(sent);
    this.#deliver();
  }

  #deliver(): void {
    const next = this.#queue[0];
    if (next === undefined || this.#growing) return;
    if (Atomics.load(this.#control, Control.parcel) !== Parcel.empty) {
      Atomics.store(this.#control, Control.more, 1);
      // The worker may have emptied it just before it could see the wish.
      if (Atomics.load(this.#control, Control.parcel) !== Parcel.empty) return;
      Atomics.store(this.#control, Control.more, 0);
    }
    if (next.bytes.length > this.#memory.length) {
      this.#growing = true;
      this.#write(Parcel.grow, 0, next.bytes.length);
      return;
    }
    this.#queue.shift();
    this.#memory.set(next.bytes);
    this.#lying = next.parcel === Parcel.frame ? next : undefined;
    this.#write(next.parcel, next.label, next.bytes.length);
    if (this.#queue.length > 0) this.#deliver();
  }

  #write(parcel: number, label: number, length: number): void {
    Atomics.store(this.#control, Control.label, label);
    Atomics.store(this.#control, Control.length, length);
    Atomics.store(this.#control, Control.parcel, parcel);
    Atomics.notify(this.#control, Control.parcel);
  }
}
