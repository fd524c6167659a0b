/**
 * A worker as the backend sees it, whichever platform made it.
 */
import type { Endpoint } from "comlink";
import type { EngineLost } from "../../core/backend.ts";

export interface WorkerThread {
  /** For Comlink. */
  readonly control: Endpoint;
  /** The name of the lock that the worker holds while it lives (`alive.ts`); undefined where its platform tells of its end. */
  readonly alive?: string | undefined;
  /** The worker has taken it: listens for its release. Resolves when it does. */
  held?(): Promise<void>;
  /** The worker failed outside our code or ended; called at most once, never after `terminate`. */
  onEnd(listener: (reason: string, more: Pick<EngineLost, "kind" | "exitCode" | "cause">) => void): void;
  /** Resolves when it is gone. */
  terminate(): Promise<void>;
  /** Whether this worker keeps the process alive; no effect in browsers. */
  keepAlive(on: boolean): void;
  /** The end of a channel that stays here; `keepAlive` covers it. */
  channel(): { readonly port: FramePort; readonly far: MessagePort };
}

/** The part of a MessagePort that both platforms have. */
export interface FramePort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  close(): void;
}
