/**
 * Waiting with a signal or a deadline: check, listen, always unlisten, leak nothing.
 *
 * The promise rejects at the deadline in every case. Python is interrupted when nobody else waits
 * for the same program; what it still answers is dropped and its handles are given back.
 */
import type { EngineInfo } from "./backend.ts";
import type { Home } from "./expression.ts";
import type { Wait } from "./wait.ts";

/** What a cancelled wait asks of its engine. */
export interface CancelHome extends Home {
  readonly info: EngineInfo;
  cancel(wait: Wait, reason: unknown): void;
}

/** What a timer can wait; longer is for ever. */
const LONGEST = 0x7fff_ffff;

/** @param timeout milliseconds; 0 means none */
export function withDeadline(home: Home, wait: Wait, signal: AbortSignal | undefined, timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = (): void => {
      signal?.removeEventListener("abort", onAbort);
      if (timer !== undefined) clearTimeout(timer);
    };
    const cancel = (reason: unknown): void => {
      unlisten();
      reject(reason);
      (home as CancelHome).cancel(wait, reason);
    };
    const onAbort = (): void => cancel(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (timeout > 0 && timeout <= LONGEST) timer = setTimeout(() => cancel(timeoutError(home as CancelHome, timeout)), timeout);
    wait.promise.then(
      (value) => {
        unlisten();
        resolve(value);
      },
      (error: unknown) => {
        unlisten();
        reject(error);
      },
    );
  });
}

function timeoutError({ info }: CancelHome, timeout: number): Error {
  const goesOn = info.capabilities.interrupt
    ? ""
    : ' Python goes on with it, because this engine cannot be interrupted, and later calls wait: send the headers of cross-origin isolation, or start with { whenUnresponsive: "condemn" }.';
  return new DOMException(`The expression took longer than ${timeout} ms.${goesOn}`, "TimeoutError");
}
