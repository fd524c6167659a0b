/**
 * Interrupting Python through shared memory.
 *
 * The main thread lists the programs that are to be interrupted and signals SIGINT. Python's
 * handler asks here whether the program that runs now is one of them, so that a signal that comes
 * late never hits a later program.
 */
import type { PyodideInterface } from "pyodide";
import { Control, interruptLabel, interruptSlots } from "../shared.ts";

export interface InterruptBridge {
  readonly canInterrupt: boolean;
  /** Whether the program is to be interrupted; true once per request. */
  takeInterrupt(program: number): boolean;
  /** It was raised where Python ignores exceptions: the next signal is for the program once more. */
  repeatInterrupt(program: number): void;
  /** Sleeps; true when a signal came before the time was over. */
  sleep(milliseconds: number): boolean;
}

export class Interrupts {
  readonly bridge: InterruptBridge;

  constructor(pyodide: PyodideInterface, control: SharedArrayBuffer | null) {
    if (control === null) {
      this.bridge = { canInterrupt: false, takeInterrupt: () => false, repeatInterrupt: () => {}, sleep: () => false };
      return;
    }
    const cells = new Int32Array(control);
    pyodide.setInterruptBuffer(cells);
    this.bridge = {
      canInterrupt: true,
      takeInterrupt(program) {
        const label = interruptLabel(program);
        for (let slot = Control.interrupts; slot < Control.interrupts + interruptSlots; slot++) {
          if (Atomics.compareExchange(cells, slot, label, 0) === label) return true;
        }
        return false;
      },
      repeatInterrupt(program) {
        for (let slot = Control.interrupts; slot < Control.interrupts + interruptSlots; slot++) {
          if (Atomics.compareExchange(cells, slot, 0, interruptLabel(program)) === 0) return;
        }
      },
      sleep(milliseconds) {
        if (Atomics.wait(cells, Control.signal, 0, milliseconds) === "timed-out") return false;
        Atomics.store(cells, Control.signal, 0);
        return true;
      },
    };
  }
}
