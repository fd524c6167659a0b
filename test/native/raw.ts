/** The addon without the facade: programs and streams by hand. */

import { NativeBackend } from "../../src/backends/native/backend.ts";
import { chooseNative } from "../../src/backends/native/open.ts";
import { type BackendHost, REFUSED, type StartOptions } from "../../src/core/backend.ts";
import type { Inbound, Outbound } from "../../src/core/marshal/boundary.ts";
import { decodeStream } from "../../src/core/marshal/decode.ts";
import { encodeStream } from "../../src/core/marshal/encode.ts";
import { tuple } from "../../src/core/values/tags.ts";
import { Op } from "../../src/core/wire/frames.ts";
import { writeProgram } from "../../src/core/wire/program.ts";
import { python } from "./support.ts";

export const limits = { maxDepth: 10_000, maxNodes: 10_000_000, maxBytes: 2 ** 30 };

/** Stands for a handle on either side of the codec. */
export class Handle {
  constructor(readonly id: number) {}
}

export const outbound = {
  handle: (value: object) => (value instanceof Handle ? value.id : undefined),
  slot: () => undefined,
  lend: () => {
    throw new TypeError("nothing is lent here");
  },
  exception: () => undefined,
  marked: () => undefined,
} as unknown as Outbound;

export const inbound = {
  ref: (id: number) => new Handle(id),
  lent: () => undefined,
  enumMember: (_id: number, name: string) => name,
  pythonError: (fields: { name: string; message: string }) => new Error(`${fields.name}: ${fields.message}`),
} as unknown as Inbound;

export const encode = (value: unknown): Uint8Array => encodeStream(value, outbound, { limits } as never);
export const decode = (bytes: Uint8Array): unknown => decodeStream(bytes.slice(), inbound);

export const startOptions: StartOptions = { paths: [], env: {}, args: [], limits, watched: false, startTimeout: 20_000 };

export const silentHost: BackendHost = {
  settle: () => true,
  event() {},
  call: () => {
    throw new TypeError("nobody answers here");
  },
  callee: () => undefined,
  answer: () => {
    throw new TypeError("nobody answers here");
  },
  forget() {},
  lost(reason) {
    throw new Error(reason.reason);
  },
};

/** A started backend and a way to name Python objects. */
export function startRaw(host: BackendHost = silentHost) {
  const backend = new NativeBackend({ python: chooseNative(python).python, deadlockMs: 300 });
  const info = backend.startSync(startOptions, host);
  let next = 1;
  const { sync } = backend;
  return {
    backend,
    info,
    sync,
    /** The handle of an expression's value. */
    handle(source: string): number {
      const { fragment: bytes } = writeProgram(
        next++,
        0,
        [0, 1],
        [{ op: Op.EVAL, target: null, operands: [source, [], []] }],
        outbound,
        limits as never,
      );
      const [output] = sync.run({ id: next, context: 0, bytes }).outputs;
      if (output?.kind === 0) throw new Error("data has no handle");
      const value = decode(output!.payload as Uint8Array);
      if (value instanceof Handle) return value.id;
      throw value;
    },
    /** Runs source and gives the handle of one of its names. */
    define(name: string, source: string): number {
      const { fragment: bytes } = writeProgram(
        next++,
        0,
        [0, 4],
        [{ op: Op.EXEC, target: null, operands: [source, [], []] }],
        outbound,
        limits as never,
      );
      const [output] = sync.run({ id: next, context: 0, bytes }).outputs;
      if (output?.kind === 2) throw decode(output.payload);
      return this.handle(name);
    },
    /** Calls a handle with any data, as the facade does: through shared memory where that takes it. */
    callData(handle: number, ...args: unknown[]): unknown {
      const { data } = sync;
      let result = data.call(handle, args, undefined, outbound);
      if (result === REFUSED) {
        const known = data.readSoFar();
        const stream = encodeStream(tuple([tuple(args), null]), outbound, { limits, ...(known && { known }) });
        result = sync.callStream(handle, stream);
      }
      if (sync.outcome === 0) return result;
      const value = decode(result as Uint8Array);
      if (sync.outcome === 2) throw value;
      return value;
    },
    /** Without shared memory, both ways. */
    withStreams<T>(use: () => T): T {
      sync.data.streams = true;
      try {
        return use();
      } finally {
        sync.data.streams = false;
      }
    },
    /** How many streams the fast codec has read and written. */
    fastCount: () => sync.fastCount,
    /** Calls a handle with any data. */
    call(handle: number, ...args: unknown[]): unknown {
      const result = sync.callStream(handle, operands(args));
      if (sync.outcome === 0) return result;
      const value = decode(result as Uint8Array);
      if (sync.outcome === 2) throw value;
      return value;
    },
  };
}

/** The operands of `callStream`. */
export const operands = (args: unknown[]): Uint8Array => encode(tuple([tuple(args), null]));
