/**
 * Calls without a promise: scalars and handles go straight into the addon, data through memory that both
 * sides see (`flat-calls.ts`), everything else as a stream.
 *
 * The addon leaves the outcome in `state[0]` and a stream's bytes in `scratch` (length in
 * `state[1]`), or returns them when they are too long for it. `state[2]` is 1 when events are
 * waiting, so that what Python printed is delivered before the caller continues, and 2 when Python has
 * dropped callbacks, which can wait for the end of this turn. For a new ref
 * `state[8]` are its flags and `state[9]` its type; outcome 7 is an array over Python's memory, and they are
 * the id of the export.
 */
import type {
  ExportedMemory,
  LoanCalls,
  Program,
  Reply,
  Scalar,
  SyncCalls,
  SyncOutcome,
  SyncRefs,
  SyncResult,
  WireLimits,
} from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { viewing } from "../../core/memory.ts";
import { readReplies } from "../../core/transport.ts";
import type { AddonEngine } from "./addon.ts";
import { FlatCalls } from "./flat-calls.ts";
import { typed } from "./typed-error.ts";

/** The names of a program are few; whoever makes them up as they go sends strings. */
const MOST_NAMES = 4096;

export class NativeSyncCalls implements SyncCalls {
  readonly #engine: AddonEngine;
  readonly #state: Int32Array;
  readonly #scratch: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #flush: () => void;
  /** The numbers that the addon knows names by. */
  readonly #names = new Map<string, number>();
  /** Type names by index. */
  readonly #types: string[] = [];
  /** Dropped callbacks are asked for at the end of this turn. */
  #asking = false;
  readonly refs: SyncRefs;
  readonly data: FlatCalls;
  declare readonly loans?: LoanCalls;

  readonly #memory: ExportedMemory;

  constructor(engine: AddonEngine, limits: WireLimits, memory: ExportedMemory, flush: () => void) {
    this.#engine = engine;
    this.#memory = memory;
    this.data = new FlatCalls(engine, limits, (result) => this.#taken(result));
    this.#state = engine.state;
    this.#scratch = engine.scratch;
    this.#numbers = engine.numbers;
    this.#flush = flush;
    this.refs = refsOf(engine);
    if (engine.holdsMemory) this.loans = loansOf(engine);
  }

  get outcome(): SyncOutcome {
    return this.#state[0] as SyncOutcome;
  }

  get flags(): number {
    return this.#state[8] as number;
  }

  get typeName(): string {
    const index = this.#state[9] as number;
    if (index >= 0) return this.#types[index] as string;
    const name = this.#engine.typeName(~index);
    this.#types[~index] = name;
    return name;
  }

  /** How many streams the addon's own codec has read and written; for tests. */
  get fastCount(): number {
    return this.#state[3] as number;
  }

  call(handle: number, args: readonly Scalar[]): SyncResult {
    const engine = this.#engine;
    const numbers = this.#numbers;
    const count = args.length;
    let result: unknown;
    let ready = 0;
    if (count < numbers.length) {
      numbers[0] = handle;
      for (; ready < count; ready++) {
        const arg = args[ready];
        if (typeof arg !== "number") break;
        numbers[ready + 1] = arg;
      }
      if (ready === count) return this.#callNumbers(count);
    }
    try {
      switch (args.length) {
        case 0:
          result = engine.call(handle);
          break;
        case 1:
          result = engine.call(handle, args[0]);
          break;
        case 2:
          result = engine.call(handle, args[0], args[1]);
          break;
        case 3:
          result = engine.call(handle, args[0], args[1], args[2]);
          break;
        default:
          result = engine.call(handle, ...args);
      }
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  #callNumbers(count: number): SyncResult {
    let result: unknown;
    try {
      result = this.#engine.callNumbers(count);
    } catch (error) {
      throw typed(error);
    }
    const state = this.#state;
    if (state[0] !== 6) return this.#taken(result);
    state[0] = 0;
    const number = this.#numbers[0] as number;
    return state[2] === 0 ? number : this.#received(number);
  }

  callRefs(handle: number, mask: number, args: readonly Scalar[], keep: boolean): SyncResult {
    const engine = this.#engine;
    let result: unknown;
    try {
      result = keep ? engine.callKeep(handle, mask, ...args) : engine.callRefs(handle, mask, ...args);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  callStream(handle: number, operands: Uint8Array): SyncResult {
    let result: unknown;
    try {
      result = this.#engine.callStream(handle, operands);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  get(handle: number, name: string, keep: boolean): SyncResult {
    const known = this.#names.get(name) ?? this.#named(name);
    let result: unknown;
    try {
      result = keep ? this.#engine.getKeep(handle, known) : this.#engine.get(handle, known);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  set(handle: number, name: string, value: Scalar): SyncResult {
    const known = this.#names.get(name) ?? this.#named(name);
    let result: unknown;
    try {
      result = this.#engine.set(handle, known, value);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  item(handle: number, key: Scalar): SyncResult {
    let result: unknown;
    try {
      result = this.#engine.item(handle, key);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  setItem(handle: number, key: Scalar, value: Scalar): SyncResult {
    let result: unknown;
    try {
      result = this.#engine.setItem(handle, key, value);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  module(name: string): SyncResult {
    const known = this.#names.get(name) ?? this.#named(name);
    let result: unknown;
    try {
      result = this.#engine.module(known);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  convert(handle: number, mode: number): SyncResult {
    let result: unknown;
    try {
      result = this.#engine.convert(handle, mode);
    } catch (error) {
      throw typed(error);
    }
    const state = this.#state;
    if (state[0] === 7) {
      state[0] = 0;
      viewing(this.#memory, (state[8] as number) + (state[9] as number) * 2 ** 31, (result as ArrayBufferView).buffer);
    }
    return this.#taken(result);
  }

  run(program: Program): Reply {
    let result: unknown;
    try {
      result = this.#engine.run(program.bytes);
    } catch (error) {
      throw typed(error);
    }
    const bytes = this.#taken(result) as Uint8Array;
    const reply = readReplies(bytes)[0]?.[1];
    if (reply === undefined) throw new EngineError("ERR_PROTOCOL", "The engine ran a program and sent no reply.");
    return reply;
  }

  /** The number of a name that was not used before; the name itself when there are too many. */
  #named(name: string): number | string {
    if (this.#names.size >= MOST_NAMES) return name;
    let number: number | undefined;
    try {
      number = this.#engine.name(name);
    } catch (error) {
      throw typed(error);
    }
    if (number === undefined) return name;
    this.#names.set(name, number);
    return number;
  }

  #taken(returned: unknown): SyncResult {
    const state = this.#state;
    return ((state[0] as number) | (state[2] as number)) === 0 ? (returned as Scalar | object) : this.#received(returned);
  }

  #received(returned: unknown): SyncResult {
    const state = this.#state;
    const result = state[0] === 3 || state[0] === 4 ? this.data.receive(returned) : returned;
    if (state[2] === 1) return this.#afterEvents(result);
    if (state[2] === 2) this.#askSoon();
    return state[0] === 1 || state[0] === 2
      ? ((result as Uint8Array | undefined) ?? this.#scratch.subarray(0, state[1]))
      : (result as Scalar | object);
  }

  #askSoon(): void {
    this.#state[2] = 0;
    if (this.#asking) return;
    this.#asking = true;
    queueMicrotask(() => {
      this.#asking = false;
      this.#engine.flush();
    });
  }

  /** Rare: an event handler may call Python again, and would overwrite what this call returned. */
  #afterEvents(result: unknown): SyncResult {
    const state = this.#state;
    const before = state.slice();
    const outcome = before[0];
    const kept =
      outcome === 1 || outcome === 2
        ? ((result as Uint8Array | undefined) ?? this.#scratch.slice(0, before[1]))
        : (result as Scalar | object);
    state[2] = 0;
    this.#flush();
    for (const slot of [0, 8, 9]) state[slot] = before[slot] as number;
    return kept;
  }
}

function loansOf(engine: AddonEngine): LoanCalls {
  return {
    lend(bytes, format, width, readonly, axes) {
      try {
        if (axes === undefined) return engine.lend(bytes, format, width, readonly);
        return engine.lend(bytes, format, width, readonly, axes.shape, axes.strides, axes.start);
      } catch (error) {
        throw typed(error);
      }
    },
    end: (count) => engine.endLoans(count),
  };
}

function refsOf(engine: AddonEngine): SyncRefs {
  return {
    known: (handle, keep) => engine.knownRef(handle, keep),
    bind: (handle, keep, ref) => engine.bindRef(handle, keep, ref),
    unbind: (handle, keep) => engine.unbindRef(handle, keep),
    sweep: () => engine.sweepRefs(),
    live: () => {
      const flat = engine.liveRefs();
      return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as object, flat[2 * i + 1] as number] as const);
    },
    clear: () => engine.forgetRefs(),
  };
}
