/**
 * A scripted engine: keeps what it was sent, answers what the test says. No Python, no time.
 */

import type { Backend, BackendHost, EngineInfo, EngineLost, Program, ReplyOutput, StartOptions } from "../../../src/core/backend.ts";
import type { Python } from "../../../src/core/facade.ts";
import type { Outbound } from "../../../src/core/marshal/boundary.ts";
import { encodeStream } from "../../../src/core/marshal/encode.ts";
import { extension, tupleOf } from "../../../src/core/marshal/literals.ts";
import { optionReader } from "../../../src/core/options.ts";
import { createFacade, readCoreOptions } from "../../../src/core/start.ts";
import { Op } from "../../../src/core/wire/frames.ts";
import { LIST, MARK, PROTO, STOP } from "../../../src/core/wire/opcodes.ts";
import { unpickle } from "./pickle.ts";

export { ext, unpickle } from "./pickle.ts";
export { extension, tupleOf };

const NAMES = Object.fromEntries(Object.entries(Op).map(([name, number]) => [number, name.toLowerCase()])) as Record<number, string>;
const limits = { maxDepth: 10_000, maxNodes: 10_000_000, maxBytes: 2 ** 30 };

export type Instruction = readonly [op: string, ...operands: unknown[]];
export interface Sent {
  readonly id: number;
  readonly context: number;
  /** Slot and mode of each output. */
  readonly outputs: readonly number[];
  readonly instructions: readonly Instruction[];
}

/** What a program answers: one entry per output; a bare value, `refTo`, `raises`. */
export type Answer = unknown;
interface Failure {
  readonly failure: unknown;
}

const nothing: Outbound = {
  handle: () => undefined,
  slot: () => undefined,
  lend: () => {
    throw new Error("a scripted engine lends nothing");
  },
  loan: () => {
    throw new Error("a scripted engine has no calls");
  },
  marked: () => undefined,
  ruled: () => undefined,
  exception: () => undefined,
};
export const stream = (value: unknown): Uint8Array => encodeStream(value, nothing, { limits });
export const refTo = (id: number, typeName = "object", flags = 0): unknown => extension("ref", id, flags, typeName);

export const wireError = (fields: Record<string, unknown> = {}): unknown =>
  extension("error", {
    id: 0,
    name: "ValueError",
    type: "ValueError",
    mro: ["ValueError", "Exception", "BaseException", "object"],
    message: "no",
    args: ["no"],
    frames: [["app.py", 7, 7, 3, "work", "raise ValueError('no')"]],
    traceback: "Traceback …\nValueError: no",
    notes: [],
    cause: null,
    context: null,
    suppress: false,
    errors: null,
    extra: {},
    ...fields,
  });
export const raises = (fields: Record<string, unknown> = {}): Failure => ({ failure: wireError(fields) });
export const refuses = (code: string, message: string): Failure => ({ failure: extension("engine_error", code, message, "hint", null) });

const isFailure = (answer: unknown): answer is Failure => typeof answer === "object" && answer !== null && "failure" in answer;
export function output(answer: unknown): ReplyOutput {
  if (isFailure(answer)) return { kind: 2, payload: stream(answer.failure) };
  if (answer === null || typeof answer !== "object" || answer instanceof Uint8Array) return { kind: 0, payload: answer as null };
  return { kind: 1, payload: stream(answer) };
}

export const info: EngineInfo = {
  backend: "scripted",
  protocol: 1,
  python: "3.14.0",
  implementation: "cpython",
  platform: "test",
  executable: null,
  prefix: null,
  path: [],
  capabilities: {
    sync: false,
    syncCallbacks: true,
    interrupt: true,
    threads: true,
    sharedMemory: false,
    processes: false,
    hostFiles: false,
  },
};

export class ScriptedBackend implements Backend {
  readonly name = "scripted";
  host!: BackendHost;
  options!: StartOptions;
  readonly sent: Sent[] = [];
  readonly batches: Sent[][] = [];
  readonly interrupted: number[] = [];
  /** handle, count, … */
  readonly released: number[] = [];
  closed = 0;
  /** Answers to the next programs; a function sees the program. Undefined: the test answers itself. */
  answers: (Answer | ((sent: Sent) => readonly Answer[]))[] = [];
  /** Answers every program that `answers` does not. */
  always: ((sent: Sent) => readonly Answer[]) | undefined;

  async start(options: StartOptions, host: BackendHost): Promise<EngineInfo> {
    this.options = options;
    this.host = host;
    return info;
  }

  submit(frame: Uint8Array, count: number): void {
    const batch = readBatch(frame);
    if (batch.length !== count) throw new Error(`a batch of ${batch.length} programs was said to hold ${count}`);
    this.sent.push(...batch);
    this.batches.push(batch);
    for (const program of batch) {
      const answer = this.answers.length > 0 ? this.answers.shift() : this.always;
      if (answer === undefined) continue;
      const values = typeof answer === "function" ? (answer(program) as readonly Answer[]) : [answer];
      queueMicrotask(() => this.reply(program.id, ...values));
    }
  }

  reply(id: number, ...answers: readonly Answer[]): void {
    const [first, ...others] = answers.map(output);
    const more = others.flatMap(({ kind, payload }) => [kind, payload]);
    this.host.settle(id, first?.kind ?? -1, first?.payload, more);
  }

  /** A CALL frame; the answer as it is on the wire, `[token, ok, value]`. */
  call(target: number, op: number, ...operands: unknown[]): unknown[] | Promise<unknown[]> {
    const answer = this.host.call(stream(tupleOf([99, 0, target, op, ...operands])));
    return answer instanceof Promise ? answer.then((bytes) => unpickle(bytes) as unknown[]) : (unpickle(answer) as unknown[]);
  }

  event(kind: string, session: number, cell: number, ...data: unknown[]): void {
    this.host.event(stream(tupleOf([kind, session, cell, ...data])));
  }

  interrupt(ids: readonly number[]): void {
    this.interrupted.push(...ids);
  }

  release(batch: readonly number[]): void {
    this.released.push(...batch);
  }

  lose(reason: EngineLost): void {
    this.host.lost(reason);
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

/** The program of a fragment. */
export function readProgram({ bytes }: Program): Sent {
  const [program] = readBatch(new Uint8Array([PROTO, 5, MARK, ...bytes, LIST, STOP]));
  if (program === undefined) throw new Error("a fragment holds no program");
  return program;
}

function readBatch(frame: Uint8Array): Sent[] {
  const programs = unpickle(frame) as [number, number, number[], ...unknown[][]][];
  return programs.map(([id, context, outputs, ...instructions]) => ({
    id,
    context,
    outputs,
    instructions: instructions.map(([op, ...operands]) => {
      const name = NAMES[op as number] as string;
      const whole = operands.length === 1 && operands[0] instanceof Uint8Array ? (unpickle(operands[0]) as unknown[]) : operands;
      return [name, ...whole] as const;
    }),
  }));
}

export interface Scripted {
  readonly py: Python;
  readonly backend: ScriptedBackend;
  readonly sent: Sent[];
}

/** A running Python whose engine is scripted. */
export async function scriptedPython(
  options: { replies?: Answer[]; always?: (sent: Sent) => readonly Answer[]; create?: object } = {},
): Promise<Scripted> {
  const backend = new ScriptedBackend();
  backend.answers = [...(options.replies ?? [])];
  backend.always = options.always;
  const read = optionReader("createPython", options.create);
  const core = readCoreOptions(read);
  read.done();
  const py = await createFacade(backend, core);
  return { py, backend, sent: backend.sent };
}

/** Lets everything that is queued in this turn happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
