/**
 * Who comes after an engine that was lost: a backend that was never started before, with the same options.
 *
 * A backend never starts itself again; this is above the seam and knows only how to make another. One
 * engine that dies at once after the other is followed ever more slowly.
 */
import type { Backend, BackendHost, CallbackId, EngineInfo, EngineLost, ProgramId, StartOptions } from "./backend.ts";

/** Milliseconds before the first repeated attempt; doubled by each further one. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** Starts that may fail in a row. */
const MOST_FAILURES = 5;

/** What a backend talks to: its engine, from the day it takes office to the day it is lost. */
export class Tenure implements BackendHost {
  #engine: BackendHost | undefined;
  /** It ended before it was needed. */
  gone = false;

  begin(engine: BackendHost): void {
    this.#engine = engine;
  }

  end(): void {
    this.#engine = undefined;
  }

  settle(id: ProgramId, kind: number, payload: unknown, more?: readonly unknown[]): boolean {
    return this.#engine?.settle(id, kind, payload, more) ?? false;
  }

  event(frame: Uint8Array): void {
    this.#engine?.event(frame);
  }

  call(frame: Uint8Array): Uint8Array | Promise<Uint8Array> {
    return this.#engine?.call(frame) ?? new Promise<never>(() => {}); // whoever asked is gone
  }

  callee(id: CallbackId): ((...args: unknown[]) => unknown) | undefined {
    return this.#engine?.callee(id);
  }

  answer(ok: boolean, value: unknown): Uint8Array {
    return this.#engine?.answer(ok, value) ?? new Uint8Array();
  }

  forget(batch: readonly number[]): void {
    this.#engine?.forget(batch);
  }

  lost(reason: EngineLost): void {
    this.gone = true;
    this.#engine?.lost(reason);
  }
}

/** A backend that runs and waits to take office. */
export interface Heir {
  readonly backend: Backend;
  readonly tenure: Tenure;
  readonly info: EngineInfo;
}

export class Succession {
  readonly #make: () => Backend;
  readonly #start: StartOptions;
  /** Whether one is kept ready. */
  readonly #spare: boolean;
  #ready: Promise<Heir> | undefined;
  readonly #over = new AbortController();
  /** Engines in a row that ended before they had answered anything. */
  #useless = 0;
  #failures = 0;

  constructor(make: () => Backend, { signal, onProgress, ...start }: StartOptions, spare: boolean) {
    this.#make = make;
    this.#start = { ...start, signal: this.#over.signal };
    this.#spare = spare;
  }

  /** Too many starts have failed: there will be no other engine. */
  get ended(): boolean {
    return this.#failures >= MOST_FAILURES;
  }

  /** An engine was lost. */
  lost(useful: boolean): void {
    this.#useless = useful ? 0 : this.#useless + 1;
  }

  /** Starts one ahead of time, where one is to be kept ready. */
  prepare(): void {
    if (!this.#spare || this.#ready !== undefined) return;
    const ready = this.#started();
    this.#ready = ready;
    // Why it failed is told when one is needed: then it is tried again.
    ready.catch(() => {
      if (this.#ready === ready) this.#ready = undefined;
    });
  }

  /** The next engine: the one that is ready, or a new one after a pause. */
  async next(): Promise<Heir> {
    const pause = this.#useless + this.#failures;
    if (pause > 1) await this.#pause(Math.min(FIRST_PAUSE * 2 ** (pause - 2), LONGEST_PAUSE));
    const ready = this.#ready;
    this.#ready = undefined;
    const spare = await ready?.catch(() => undefined);
    if (spare !== undefined && !spare.tenure.gone) return spare;
    try {
      const heir = await this.#started();
      this.#failures = 0;
      return heir;
    } catch (error) {
      this.#failures++;
      throw error;
    }
  }

  async #started(): Promise<Heir> {
    this.#over.signal.throwIfAborted();
    const backend = this.#make();
    const tenure = new Tenure();
    try {
      return { backend, tenure, info: await backend.start(this.#start, tenure) };
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#over;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(done, milliseconds);
      function done() {
        signal.removeEventListener("abort", stop);
        resolve();
      }
      function stop() {
        clearTimeout(timer);
        reject(signal.reason);
      }
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Nobody will need another; resolves when the one that was kept ready is gone. */
  async close(): Promise<void> {
    const ready = this.#ready;
    this.#over.abort();
    const spare = await ready?.catch(() => undefined);
    await spare?.backend.close();
  }
}
