/**
 * A cell that runs: its events as an async iterable, its end as a promise.
 *
 * Events are queued until somebody iterates; none is lost or reordered. Text of the same stream is
 * joined while it waits, so that a cell that prints faster than it is read costs its text and no more.
 */
import type { CellEvent } from "./events.ts";

/** How a cell ended. */
export interface CellResult {
  readonly status: "ok" | "error" | "aborted";
  readonly executionCount: number | null;
  /** The last expression's value: data or a ref; undefined when there is none. */
  readonly value?: unknown;
  /** What was raised, when the status is `"error"`. */
  readonly error?: unknown;
}

/** Events after which waiting text is joined. */
const ROOMY = 64;

export class Cell implements AsyncIterable<CellEvent> {
  readonly id: number;
  /** Never rejects for an error of the cell's code: that is `status: "error"`. Rejects when the engine is lost or closed. */
  readonly result: Promise<CellResult>;
  #events: CellEvent[] = [];
  #over = false;
  #wake: (() => void) | undefined;

  /** @internal Made by `session.run`. */
  constructor(id: number, result: Promise<CellResult>) {
    this.id = id;
    this.result = result;
    result.catch(() => {}); // whoever only iterates is told by the iteration
  }

  /** @internal No event comes any more. */
  readonly end = (): void => {
    this.#over = true;
    this.#wake?.();
  };

  /** @internal */
  readonly push = (event: CellEvent): void => {
    const waiting = this.#events;
    const last = waiting[waiting.length - 1];
    if (waiting.length >= ROOMY && event.type === "stream" && last?.type === "stream" && last.name === event.name) {
      waiting[waiting.length - 1] = { ...last, text: last.text + event.text };
    } else {
      waiting.push(event);
    }
    this.#wake?.();
  };

  /** One consumer: an event is given to whoever asks first. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CellEvent, void, undefined> {
    for (;;) {
      const batch = this.#events;
      if (batch.length > 0) {
        this.#events = [];
        for (const [index, event] of batch.entries()) {
          let taken = false;
          try {
            yield event;
            taken = true;
          } finally {
            // Whoever stops iterating leaves the rest to the next one.
            if (!taken) this.#events = [...batch.slice(index + 1), ...this.#events];
          }
        }
        continue;
      }
      if (this.#over) {
        await this.result; // a lost engine is not the end of the output
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
