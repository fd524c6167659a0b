/**
 * The frames that a backend itself writes and reads: batches, flat lists, replies, the hello.
 *
 * Everything else crosses a backend as bytes that it does not look at.
 */
import type { EngineInfo, Program, StartOptions } from "./backend.ts";
import { EMPTY_DICT, MARK, PROTO, SETITEM, SETITEMS, STOP } from "./wire/opcodes.ts";
import { encodeBatch } from "./wire/program.ts";
import { readData } from "./wire/replies.ts";
import { ByteSink } from "./wire/sink.ts";

export { readFlat, readReplies, writeFlat } from "./wire/replies.ts";

/** A SUBMIT stream (PROTOCOL.md, section 3) in a buffer of its own. */
export function writeBatch(programs: readonly Program[]): Uint8Array {
  return encodeBatch(programs.map(({ bytes }) => bytes));
}

/** The stream with the engine's options (PROTOCOL.md, section 8). */
export function engineOptions({ limits }: StartOptions): Uint8Array {
  const sink = new ByteSink();
  for (const op of [PROTO, 5, EMPTY_DICT]) sink.op(op);
  sink.text("limits");
  for (const op of [EMPTY_DICT, MARK]) sink.op(op);
  for (const [name, value] of Object.entries(limits)) {
    sink.text(name);
    sink.int(value);
  }
  for (const op of [SETITEMS, SETITEM, STOP]) sink.op(op);
  return sink.copy();
}

/** What an engine says about itself; its own word on capabilities included. */
export type Hello = Omit<EngineInfo, "backend">;

export function readHello(bytes: Uint8Array): Hello {
  return readData(bytes) as Hello;
}
