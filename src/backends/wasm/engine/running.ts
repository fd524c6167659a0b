/**
 * Says which program runs, to a main thread that may have to end one that does not stop.
 *
 * With shared memory it is written there. Without, it is a message: what begins is posted at once, because
 * it may never give this thread back, and that nothing runs when the thread is free again.
 */
import { Control, interruptLabel } from "../shared.ts";
import type { Outbox } from "./outbox.ts";

export type SayRunning = (program: number) => void;

export function runningReports(control: SharedArrayBuffer | null, outbox: Outbox): SayRunning {
  if (control !== null) {
    const cells = new Int32Array(control);
    return (program) => void Atomics.store(cells, Control.running, program === 0 ? 0 : interruptLabel(program));
  }
  let said = 0;
  let now = 0;
  const say = (): void => {
    if (said === now) return;
    said = now;
    outbox.post({ running: now });
  };
  return (program) => {
    now = program;
    if (program !== 0) say();
    else queueMicrotask(say);
  };
}
