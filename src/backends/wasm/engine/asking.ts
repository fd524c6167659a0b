/**
 * The worker's end of the mailbox: a call into JavaScript that waits for its answer.
 *
 * While it waits, frames from the main thread come through the mailbox too (nested programs of a
 * callback, releases, interrupts); they are handed to the engine, and the wait goes on. Questions
 * may nest; an answer to an outer one that comes early is kept until its turn.
 */
import { Control, Parcel } from "../shared.ts";
import { type Outbox, owned } from "./outbox.ts";

/** What a wait may meet besides its answer. */
export interface Nested {
  /** Hands a frame to the engine and runs what it queued; whether the wait is over (an interrupt). */
  frame(kind: number, bytes: Uint8Array): boolean;
}

export class Asking {
  readonly #control: Int32Array;
  #mailbox: Uint8Array;
  readonly #outbox: Outbox;
  readonly #nested: Nested;
  #question = 0;
  readonly #waiting = new Set<number>();
  readonly #early = new Map<number, Uint8Array>();

  constructor(control: SharedArrayBuffer, mailbox: SharedArrayBuffer, outbox: Outbox, nested: Nested) {
    this.#control = new Int32Array(control);
    this.#mailbox = new Uint8Array(mailbox);
    this.#outbox = outbox;
    this.#nested = nested;
  }

  /** @returns the ANSWER stream; undefined when an interrupt ended the wait */
  ask(bytes: Uint8Array): Uint8Array | undefined {
    this.#question = (this.#question + 1) & 0x3fff_ffff;
    const question = this.#question;
    this.#waiting.add(question);
    this.#outbox.post({ ask: question, bytes: owned(bytes) });
    let answered = false;
    try {
      for (;;) {
        const answer = this.#early.get(question);
        if (answer !== undefined) {
          answered = true;
          return answer;
        }
        Atomics.wait(this.#control, Control.parcel, Parcel.empty);
        if (this.#takeParcel()) return undefined;
      }
    } finally {
      this.#early.delete(question);
      this.#waiting.delete(question);
      if (!answered) this.#outbox.post({ abandoned: question });
    }
  }

  /** @returns whether the innermost wait is over */
  #takeParcel(): boolean {
    const parcel = Atomics.load(this.#control, Control.parcel);
    const length = Atomics.load(this.#control, Control.length);
    const label = Atomics.load(this.#control, Control.label);
    if (parcel === Parcel.empty) return false;
    if (parcel === Parcel.grow) {
      const mailbox = new SharedArrayBuffer(length);
      this.#mailbox = new Uint8Array(mailbox);
      Atomics.store(this.#control, Control.parcel, Parcel.empty);
      this.#outbox.post({ mailbox });
      return false;
    }
    const bytes = this.#mailbox.slice(0, length); // a copy in memory that is not shared
    Atomics.store(this.#control, Control.parcel, Parcel.empty);
    if (Atomics.exchange(this.#control, Control.more, 0) === 1) this.#outbox.post({ took: true });
    if (parcel === Parcel.frame) return this.#nested.frame(label, bytes);
    if (this.#waiting.has(label)) this.#early.set(label, bytes);
    return false;
  }
}
