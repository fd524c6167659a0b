/**
 * Frames of plain data that a backend reads and writes itself (PROTOCOL.md, sections 2 and 4).
 *
 * Nothing here knows handles: a stream that holds a ref or a lent value is refused.
 */
import type { ProgramId, Reply, ReplyOutput } from "../backend.ts";
import type { Inbound } from "../marshal/boundary.ts";
import { decodeStream } from "../marshal/decode.ts";
import { fail } from "../marshal/settle.ts";
import { FlatReader, UNREAD } from "./flat.ts";
import * as op from "./opcodes.ts";
import { ByteSink } from "./sink.ts";

const refuse = (): never => fail("it holds an object where only data belongs");
const DATA_ONLY: Inbound = {
  ref: refuse,
  lent: refuse,
  memory: refuse,
  copied: refuse,
  enumMember: refuse,
  rule: refuse,
  pythonError: refuse,
};

/** A stream of data: `hello`, flat lists, options. */
export function readData(bytes: Uint8Array): unknown {
  return decodeStream(bytes, DATA_ONLY);
}

function readList(bytes: Uint8Array): readonly unknown[] {
  const list = readData(bytes);
  return Array.isArray(list) ? (list as unknown[]) : fail("a frame holds no list");
}

/**
 * Takes one program's reply: kind and payload of its first output, and those of the others as a flat
 * list. A payload of kind 1 or 2 is valid until the function returns.
 */
export type Settle = (id: ProgramId, kind: number, payload: unknown, more?: readonly unknown[]) => void;

/** Settles the programs of the REPLY frame at these bytes, one after the other. */
export function settleReplies(bytes: Uint8Array, settle: Settle, from = 0, to = bytes.length): void {
  const reader = new FlatReader(bytes, from, to);
  let done = 0;
  if (reader.begin()) {
    for (let more = reader.more(); more !== UNREAD; more = reader.more()) {
      if (!more) return;
      const id = reader.next();
      const count = reader.next();
      const kind = count === 1 ? reader.next() : UNREAD;
      const payload = reader.next();
      // Several outputs, none, or anything unusual: together, below.
      if (typeof id !== "number" || kind === UNREAD || payload === UNREAD) break;
      done++;
      settle(id, kind as number, kind === 0 && payload instanceof Uint8Array ? payload.slice() : payload);
    }
  }
  settleList(readList(bytes.subarray(from, to)), settle, done);
}

/** Settles what a whole frame holds, but for its first replies. */
function settleList(flat: readonly unknown[], settle: Settle, done: number): void {
  for (let at = 0, index = 0; at < flat.length; index++) {
    const id = flat[at];
    const count = flat[at + 1];
    const end = at + 2 + 2 * (count as number);
    if (typeof id !== "number" || !Number.isInteger(count) || (count as number) < 0 || end > flat.length) fail("a reply ends too early");
    if (index >= done) {
      // Without an output there is no kind either.
      if (count === 1) settle(id, flat[at + 2] as number, flat[at + 3]);
      else if (count === 0) settle(id, NO_OUTPUT, null);
      else settle(id, flat[at + 2] as number, flat[at + 3], flat.slice(at + 4, end));
    }
    at = end;
  }
}
const NO_OUTPUT = -1;

/** The replies of a REPLY frame. */
export function readReplies(bytes: Uint8Array): [ProgramId, Reply][] {
  const flat = readList(bytes);
  const replies: [ProgramId, Reply][] = [];
  for (let at = 0; at < flat.length; ) {
    const id = flat[at];
    const count = flat[at + 1];
    at += 2;
    if (typeof id !== "number" || typeof count !== "number" || !(count >= 0 && at + 2 * count <= flat.length))
      fail("a reply ends too early");
    const outputs = new Array<ReplyOutput>(count);
    for (let n = 0; n < count; n++, at += 2) {
      const kind = flat[at];
      const payload = flat[at + 1];
      if (kind !== 0 && !((kind === 1 || kind === 2) && payload instanceof Uint8Array)) fail("an output of a reply has no known kind");
      outputs[n] = { kind, payload } as ReplyOutput;
    }
    replies.push([id, { outputs }]);
  }
  return replies;
}

/** A flat list of integers: RELEASE, FORGET, INTERRUPT. */
export function readFlat(bytes: Uint8Array): number[] {
  const list = readList(bytes);
  return list.every((item) => typeof item === "number") ? (list as number[]) : fail("a flat list holds something else than numbers");
}

/** A flat list of safe integers, in bytes of its own. */
export function writeFlat(numbers: readonly number[]): Uint8Array {
  const sink = new ByteSink(new Uint8Array(8 + 10 * numbers.length));
  sink.op(op.PROTO);
  sink.op(5);
  sink.op(op.EMPTY_LIST);
  if (numbers.length > 0) {
    sink.op(op.MARK);
    for (const number of numbers) sink.int(number);
    sink.op(op.APPENDS);
  }
  sink.op(op.STOP);
  return sink.copy();
}
