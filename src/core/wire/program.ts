/**
 * Batches of programs: SUBMIT streams (PROTOCOL.md, section 3).
 *
 * An instruction is written as `(op, …operands)`. When an operand turned out to hold an extension
 * value, the bytes just written are wrapped in place into `(op, stream)`, so that operands are walked
 * once and getters run once. Nothing is remembered from one instruction to the next: each decodes on
 * its own, and a list given to two calls is two lists in Python.
 *
 * One writer writes one batch after the other into one buffer that it keeps, and hands out views of it.
 */
import type { ContextId, ProgramId, WireLimits } from "../backend.ts";
import type { Outbound } from "../marshal/boundary.ts";
import { Encoder } from "../marshal/encoder.ts";
import { TupleOf } from "../marshal/literals.ts";
import { Op } from "./frames.ts";
import * as op from "./opcodes.ts";
import { ByteSink } from "./sink.ts";

export class BatchWriter {
  readonly #outbound: Outbound;
  readonly #limits: WireLimits;
  readonly #encoder = new Encoder();
  #slots = 0;
  /** Where the program being written begins, and where its outputs belong. */
  #start = 0;
  #outputs = 0;

  constructor(outbound: Outbound, limits: WireLimits) {
    this.#outbound = outbound;
    this.#limits = limits;
  }

  /** A new batch, over the last one. */
  begin(): void {
    const { sink } = this.#encoder;
    sink.reset();
    sink.raw(BATCH);
  }

  /** The next program. It ends with `output` or `outputs`, or is dropped with `abandon`. */
  program(id: ProgramId, context: ContextId): void {
    const { sink } = this.#encoder;
    this.#start = sink.at;
    this.#slots = 0;
    sink.op(op.MARK);
    sink.int(id);
    sink.int(context);
    this.#outputs = sink.at;
    sink.raw(OUTPUT);
    this.#encoder.begin(this.#outbound, this.#limits);
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
    if (asTuple && Array.isArray(value) && value.length < 4 && this.#scalars(value)) return;
    const root = code === Op.CALL ? (index === 0 ? "args" : "kwargs") : asTuple ? (index === 1 ? "names" : "values") : "value";
    this.#encoder.write(asTuple && Array.isArray(value) ? new TupleOf(value) : value, root);
  }

  /** A short tuple of what needs no looking after, the most frequent arguments; false when it is something else. */
  #scalars(values: readonly unknown[]): boolean {
    const encoder = this.#encoder;
    const { sink } = encoder;
    const start = sink.at;
    for (let i = 0; i < values.length; i++) {
      if (encoder.scalar(values[i])) continue;
      sink.at = start;
      return false;
    }
    sink.op(TUPLES[values.length] as number);
    return true;
  }

  /** Ends the program; it sends one value. */
  output(slot: number, mode: number): void {
    const { sink } = this.#encoder;
    if (slot > 0xff) {
      this.outputs([slot, mode]);
      return;
    }
    sink.bytes[this.#outputs + 1] = slot;
    sink.bytes[this.#outputs + 3] = mode;
    sink.op(op.TUPLE);
  }

  /** Ends the program. `outputs`: slot, mode, slot, mode, … */
  outputs(outputs: readonly number[]): void {
    const { sink } = this.#encoder;
    const head = new ByteSink(new Uint8Array(8 + 5 * outputs.length));
    if (outputs.length > 3) head.op(op.MARK);
    for (const output of outputs) head.int(output);
    head.op(outputs.length > 3 ? op.TUPLE : (TUPLES[outputs.length] as number));
    const body = this.#outputs + OUTPUT.length;
    sink.need(head.at);
    sink.bytes.copyWithin(this.#outputs + head.at, body, sink.at);
    sink.bytes.set(head.peek(), this.#outputs);
    sink.at += head.at - OUTPUT.length;
    sink.op(op.TUPLE);
  }

  /** Takes the program back. */
  abandon(): void {
    this.#encoder.sink.at = this.#start;
  }

  /** The program that was just ended, without the batch around it; valid until something is written. */
  fragment(): Uint8Array {
    return this.#encoder.sink.peek(this.#start);
  }

  /** The batch; valid until something is written. */
  end(): Uint8Array {
    const { sink } = this.#encoder;
    sink.op(op.LIST);
    sink.op(op.STOP);
    return sink.peek();
  }
}

const PROTOCOL = new Uint8Array([op.PROTO, 5]);
const BATCH = new Uint8Array([op.PROTO, 5, op.MARK]);
/** Room for the most frequent outputs: one, of a slot below 256. */
const OUTPUT = new Uint8Array([op.BININT1, 0, op.BININT1, 0, op.TUPLE2]);
const TUPLES: readonly number[] = [op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3];

/** An instruction as plain data. */
export interface Instruction {
  readonly op: number;
  /** A slot or a negated handle; null where the op has no target. */
  readonly target: number | null;
  readonly operands: readonly unknown[];
}

/** A batch of one program at once; for callers that are not on the hot path. */
export function writeProgram(
  id: ProgramId,
  context: ContextId,
  outputs: readonly number[],
  instructions: readonly Instruction[],
  outbound: Outbound,
  limits: WireLimits,
): { readonly fragment: Uint8Array; readonly batch: Uint8Array } {
  const writer = new BatchWriter(outbound, limits);
  writer.begin();
  writer.program(id, context);
  for (const { op: code, target, operands } of instructions) {
    writer.instruction(code, target, operands[0], operands[1], operands[2]);
  }
  writer.outputs(outputs);
  const fragment = writer.fragment().slice();
  return { fragment, batch: writer.end() };
}
