/** Comlink speaks to an EventTarget; Node's workers and ports are EventEmitters. */

import type { MessagePort, Worker } from "node:worker_threads";
import type { Endpoint } from "comlink";

export function nodeEndpoint(port: MessagePort | Worker): Endpoint {
  const listeners = new Map<object, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) => port.postMessage(message, (transfer ?? []) as never),
    addEventListener(_type, listener) {
      const forward = (data: unknown) => {
        const event = { data } as MessageEvent;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, forward);
      port.on("message", forward);
    },
    removeEventListener(_type, listener) {
      const forward = listeners.get(listener);
      if (forward !== undefined) port.off("message", forward);
      listeners.delete(listener);
    },
  };
}
