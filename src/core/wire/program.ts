/**
 * Programs: fragments of a SUBMIT frame (PROTOCOL.md, section 3).
 *
 * An instruction is written as `(op, …operands)`. When an operand turned out to hold an extension
 * value, the bytes just written are wrapped in place into `(op, stream)`, so that operands are walked
 * once and getters run once. Nothing is remembered from one instruction to the next: each decodes on
 * its own, and a list given to two calls is two lists in Python.
 *
 * One writer writes one program at a time, into one buffer that it keeps.
 */
import type { ContextId, ProgramId, WireLimits } from "../backend.ts";
import type { Outbound } from "../marshal/boundary.ts";
import { Encoder } from "../marshal/encoder.ts";
import { TupleOf } from "../marshal/literals.ts";
import { Op } from "./frames.ts";
import * as op from "./opcodes.ts";
import { ByteSink } from "./sink.ts";
import { Slab } from "./slab.ts";

export class ProgramWriter {
  readonly #outbound: Outbound;
  readonly #limits: WireLimits;
  readonly #encoder = new Encoder();
  readonly #head = new ByteSink(new Uint8Array(256));
  readonly #slab = new Slab();
  #id: ProgramId = 0;
  #context: ContextId = 0;
  #slots = 0;

  constructor(outbound: Outbound, limits: WireLimits) {
    this.#outbound = outbound;
    this.#limits = limits;
  }

  begin(id: ProgramId, context: ContextId): void {
    this.#id = id;
    this.#context = context;
    this.#slots = 0;
    this.#encoder.begin(this.#outbound, this.#limits);
    this.#encoder.sink.reset();
  }

  /**
   * Writes the next instruction and returns its slot. `target` is a slot, a negated handle, or null
   * where the op has none; the first `undefined` ends the operands. The arguments of a call and the
   * names and values of `eval` and `exec` are arrays, and go out as tuples.
   *
   * When it throws, the instruction is not part of the program, and the writer can go on.
   */
  instruction(code: number, target: number | null, a?: unknown, b?: unknown, c?: unknown): number {
    const encoder = this.#encoder;
    const { sink } = encoder;
    const start = sink.at;
    const count = (target === null ? 0 : 1) + (a === undefined ? 0 : b === undefined ? 1 : c === undefined ? 2 : 3);
    try {
      if (count > 2) sink.op(op.MARK);
      sink.int(code);
      const operands = sink.at;
      encoder.forget();
      if (target !== null) sink.int(target);
      if (a !== undefined) {
        this.#operand(code, 0, a);
        if (b !== undefined) {
          this.#operand(code, 1, b);
          if (c !== undefined) this.#operand(code, 2, c);
        }
      }
      if (encoder.extended) {
        // What was written becomes a tuple and a stream of its own.
        if (count > 3) throw new TypeError("isopy: an instruction has at most three operands");
        sink.op(TUPLES[count] as number);
        sink.op(op.STOP);
        sink.insert(operands, PROTOCOL);
        sink.wrap(operands);
      }
      // `(op, stream)` has two parts, however many operands the stream holds.
      sink.op(count > 2 ? op.TUPLE : (TUPLES[encoder.extended ? 2 : count + 1] as number));
      sink.check();
    } catch (error) {
      sink.at = start;
      throw error;
    }
    return this.#slots++;
  }

  #operand(code: number, index: number, value: unknown): void {
    const asTuple = (code === Op.CALL && index === 0) || ((code === Op.EVAL || code === Op.EXEC) && index > 0);
    if (asTuple && Array.isArray(value) && value.length < 4 && value.every(isScalar)) {
      for (const item of value) this.#encoder.write(item);
      this.#encoder.sink.op(TUPLES[value.length] as number);
      return;
    }
    const root = code === Op.CALL ? (index === 0 ? "args" : "kwargs") : asTuple ? (index === 1 ? "names" : "values") : "value";
    this.#encoder.write(asTuple && Array.isArray(value) ? new TupleOf(value) : value, root);
  }

  /** The program: bytes that are not written again, and whose buffer must not be transferred. `outputs`: slot, mode, slot, mode, … */
  end(outputs: readonly number[]): Uint8Array {
    const head = this.#head;
    const body = this.#encoder.sink;
    head.at = 0;
    head.op(op.MARK);
    head.int(this.#id);
    head.int(this.#context);
    if (outputs.length > 3) head.op(op.MARK);
    for (const output of outputs) head.int(output);
    head.op(outputs.length > 3 ? op.TUPLE : (TUPLES[outputs.length] as number));
    const bytes = this.#slab.take(head.at + body.at + 1);
    if (bytes.length < 64) {
      // Two views and two calls cost more than the bytes of a small program (bench/facade).
      for (let i = 0; i < head.at; i++) bytes[i] = head.bytes[i] as number;
      for (let i = 0; i < body.at; i++) bytes[head.at + i] = body.bytes[i] as number;
    } else {
      bytes.set(head.bytes.subarray(0, head.at));
      bytes.set(body.bytes.subarray(0, body.at), head.at);
    }
    bytes[bytes.length - 1] = op.TUPLE;
    return bytes;
  }
}

/** Nothing to remember, refuse or lend. */
function isScalar(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

const PROTOCOL = new Uint8Array([op.PROTO, 5]);
const TUPLES: readonly number[] = [op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3];

/** An instruction as plain data. */
export interface Instruction {
  readonly op: number;
  /** A slot or a negated handle; null where the op has no target. */
  readonly target: number | null;
  readonly operands: readonly unknown[];
}

/** A whole program at once; for callers that are not on the hot path. */
export function writeProgram(
  id: ProgramId,
  context: ContextId,
  outputs: readonly number[],
  instructions: readonly Instruction[],
  outbound: Outbound,
  limits: WireLimits,
): Uint8Array {
  const writer = new ProgramWriter(outbound, limits);
  writer.begin(id, context);
  for (const { op: code, target, operands } of instructions) {
    writer.instruction(code, target, operands[0], operands[1], operands[2]);
  }
  return writer.end(outputs);
}

/** A SUBMIT stream of programs, in bytes of its own. */
export function encodeBatch(programs: readonly Uint8Array[]): Uint8Array {
  let size = 5;
  for (const program of programs) size += program.length;
  const frame = new Uint8Array(size);
  frame[0] = op.PROTO;
  frame[1] = 5;
  frame[2] = op.MARK;
  let at = 3;
  for (const program of programs) {
    frame.set(program, at);
    at += program.length;
  }
  frame[at] = op.LIST;
  frame[at + 1] = op.STOP;
  return frame;
}
