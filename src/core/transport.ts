/**
 * The frames that a backend itself writes and reads: flat lists, replies, the hello.
 *
 * Everything else crosses a backend as bytes that it does not look at.
 */
import type { EngineInfo, StartOptions } from "./backend.ts";
import { EMPTY_DICT, MARK, PROTO, SETITEM, SETITEMS, STOP } from "./wire/opcodes.ts";
import { readData } from "./wire/replies.ts";
import { ByteSink } from "./wire/sink.ts";

export { readFlat, readReplies, type Settle, settleReplies, writeFlat } from "./wire/replies.ts";

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
