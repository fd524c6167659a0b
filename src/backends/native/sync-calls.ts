/**
 * Calls without a promise: scalars go straight into the addon, data through memory that both sides see
 * (`flat-calls.ts`), everything else as a stream.
 *
 * The addon leaves the outcome in `state[0]` and a stream's bytes in `scratch` (length in
 * `state[1]`), or returns them when they are too long for it. `state[2]` says that events are
 * waiting, so that what Python printed is delivered before the caller continues.
 */
import type { Program, Reply, Scalar, SyncCalls, WireLimits } from "../../core/backend.ts";
import { EngineError } from "../../core/errors.ts";
import { readReplies } from "../../core/transport.ts";
import type { AddonEngine } from "./addon.ts";
import { FlatCalls } from "./flat-calls.ts";
import { typed } from "./typed-error.ts";

type Result = Scalar | Uint8Array;

export class NativeSyncCalls implements SyncCalls {
  readonly #engine: AddonEngine;
  readonly #state: Int32Array;
  readonly #scratch: Uint8Array;
  readonly #flush: () => void;
  readonly data: FlatCalls;

  constructor(engine: AddonEngine, limits: WireLimits, flush: () => void) {
    this.#engine = engine;
    this.data = new FlatCalls(engine, limits, (result) => this.#taken(result));
    this.#state = engine.state;
    this.#scratch = engine.scratch;
    this.#flush = flush;
  }

  get outcome(): 0 | 1 | 2 {
    return this.#state[0] as 0 | 1 | 2;
  }

  /** How many streams the addon's own codec has read and written; for tests. */
  get fastCount(): number {
    return this.#state[3] as number;
  }

  call(handle: number, args: readonly Scalar[]): Result {
    const engine = this.#engine;
    let result: unknown;
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
        default:
          result = engine.call(handle, ...args);
      }
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  callStream(handle: number, operands: Uint8Array): Result {
    let result: unknown;
    try {
      result = this.#engine.callStream(handle, operands);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  get(handle: number, name: string, mode: number): Result {
    let result: unknown;
    try {
      result = this.#engine.get(handle, name, mode);
    } catch (error) {
      throw typed(error);
    }
    return this.#taken(result);
  }

  convert(handle: number, mode: number): Result {
    let result: unknown;
    try {
      result = this.#engine.convert(handle, mode);
    } catch (error) {
      throw typed(error);
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

  #taken(returned: unknown): Result {
    const state = this.#state;
    const result = (state[0] as number) >= 3 ? this.data.receive(returned) : returned;
    if (state[2] !== 0) return this.#afterEvents(result);
    return state[0] === 0 ? (result as Scalar) : ((result as Uint8Array | undefined) ?? this.#scratch.subarray(0, state[1]));
  }

  /** Rare: an event handler may call Python again, and would overwrite what this call returned. */
  #afterEvents(result: unknown): Result {
    const state = this.#state;
    const outcome = state[0]!;
    const kept = outcome === 0 ? (result as Scalar) : ((result as Uint8Array | undefined) ?? this.#scratch.slice(0, state[1]));
    state[2] = 0;
    this.#flush();
    state[0] = outcome;
    return kept;
  }
}
