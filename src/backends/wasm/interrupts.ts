/**
 * The main thread's side of interrupts: what runs, which programs are to be stopped, and the signal.
 *
 * Pyodide reads the signal and clears it in two steps, so one that comes in between is lost: it is
 * given again until the program has settled. That is harmless, because the handler in Python only
 * acts for a program that is listed.
 */
import { Control, interruptLabel, interruptSlots } from "./shared.ts";

const SIGINT = 2;
const repeatAfter = 10;

export class InterruptRequests {
  readonly #cells: Int32Array;
  /** Not yet settled; more than there are slots wait for one to become free. */
  readonly #wanted = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(control: SharedArrayBuffer) {
    this.#cells = new Int32Array(control);
  }

  request(ids: readonly number[]): void {
    for (const id of ids) {
      this.#wanted.add(id);
      this.#list(id);
    }
    this.#signal();
  }

  /** Whether a program runs now; undefined: none does. The engine must have been started `watched`. */
  blocks(id: number): boolean | undefined {
    const label = Atomics.load(this.#cells, Control.running);
    return label === 0 ? undefined : label === interruptLabel(id);
  }

  settled(id: number): void {
    if (!this.#wanted.delete(id)) return;
    const label = interruptLabel(id);
    for (let slot = Control.interrupts; slot < Control.interrupts + interruptSlots; slot++) {
      Atomics.compareExchange(this.#cells, slot, label, 0);
    }
    if (this.#wanted.size === 0) this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #list(id: number): void {
    const label = interruptLabel(id);
    for (let slot = Control.interrupts; slot < Control.interrupts + interruptSlots; slot++) {
      const found = Atomics.compareExchange(this.#cells, slot, 0, label);
      if (found === 0 || found === label) return;
    }
  }

  #signal(): void {
    Atomics.store(this.#cells, Control.signal, SIGINT);
    Atomics.notify(this.#cells, Control.signal);
    this.stop();
    this.#timer = setTimeout(() => this.#repeat(), repeatAfter);
  }

  #repeat(): void {
    if (this.#wanted.size > 0) this.#signal();
  }
}
