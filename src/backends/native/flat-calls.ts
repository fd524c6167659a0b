/**
 * Data through memory that the addon and JavaScript both see: arguments in one, results in another.
 *
 * `state[0]` is 3 for a result in the memory, 4 when that moved. What belongs beside the slots is the
 * text, or an array of the text and the buffers.
 */
import { type DataCalls, REFUSED, type WireLimits } from "../../core/backend.ts";
import type { Outbound } from "../../core/marshal/boundary.ts";
import type { KnownParts } from "../../core/marshal/encoder.ts";
import { FlatReader } from "../../core/marshal/flat-reader.ts";
import { FlatWriter } from "../../core/marshal/flat-writer.ts";
import type { AddonEngine } from "./addon.ts";
import { typed } from "./typed-error.ts";

const TAKEN = 4;
const READING = 5;
const FORGET = 6;
const STREAMS = 7;

type Beside = string | undefined | readonly [string | undefined, ...Uint8Array[]];

export class FlatCalls implements DataCalls {
  readonly engine: AddonEngine;
  readonly #state: Int32Array;
  readonly #reader = new FlatReader();
  readonly #writer: FlatWriter;
  readonly #taken: (result: unknown) => unknown;
  #writing = false;

  constructor(engine: AddonEngine, limits: WireLimits, taken: (result: unknown) => unknown) {
    this.engine = engine;
    this.#state = engine.state;
    this.#writer = new FlatWriter(limits, (memory) => engine.useMemory(memory));
    this.#taken = taken;
  }

  /** Everything as streams from now on, or again not; for tests. */
  set streams(on: boolean) {
    this.#state[STREAMS] = on ? 1 : 0;
  }

  call(handle: number, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>> | undefined, outbound: Outbound): unknown {
    const state = this.#state;
    const writer = this.#writer;
    // A getter that calls Python, or a finalizer of Python while arguments are read.
    if (this.#writing || state[READING] !== 0 || state[STREAMS] !== 0) return REFUSED;
    this.#writing = true;
    let slots = 0;
    let written = false;
    try {
      slots = writer.write(args, kwargs, outbound);
      written = true;
    } finally {
      this.#writing = false;
      if (!written) writer.undo();
    }
    if (slots === 0) return REFUSED;
    const text = writer.text === "" ? undefined : writer.text;
    const { buffers } = writer;
    writer.forget();
    state[TAKEN] = 0;
    let result: unknown;
    try {
      result = this.engine.callFlat(handle, slots, text, buffers);
    } catch (error) {
      throw typed(error);
    } finally {
      if (state[TAKEN] === 0) writer.undo();
    }
    return this.#taken(result);
  }

  readSoFar(): ReadonlyMap<object, KnownParts> | undefined {
    // Refused because it was busy: nothing was read.
    if (this.#writing || this.#state[READING] !== 0 || this.#state[STREAMS] !== 0) return undefined;
    const known = this.#writer.readSoFar();
    this.#writer.forget();
    return known;
  }

  /** The value of a result in the memory; leaves the outcome of a value. */
  receive(returned: unknown): unknown {
    const state = this.#state;
    let beside = returned as Beside;
    if (state[0] === 4) {
      const [memory, rest] = returned as [ArrayBuffer, Beside];
      this.#reader.use(memory);
      beside = rest;
    }
    state[0] = 0;
    // Unless it is read to the end, the addon must not rely on shapes that were defined in it.
    state[FORGET] = 1;
    const value = Array.isArray(beside)
      ? this.#reader.read(beside[0] as string | undefined, beside.slice(1) as Uint8Array[])
      : this.#reader.read(beside as string | undefined, []);
    state[FORGET] = 0;
    return value;
  }
}
