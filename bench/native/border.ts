/**
 * The addon's own border: prepared batches in, settled replies out, without the facade.
 *
 * The one program of this bench that imports more than public entries: what it measures has none.
 */
import { dirname } from "node:path";
import { NativeBackend } from "../../src/backends/native/backend.ts";
import { chooseNative } from "../../src/backends/native/open.ts";
import type { BackendHost, StartOptions } from "../../src/core/backend.ts";
import type { Inbound, Outbound } from "../../src/core/marshal/boundary.ts";
import { decodeStream } from "../../src/core/marshal/decode.ts";
import { Mode, Op } from "../../src/core/wire/frames.ts";
import { BatchWriter } from "../../src/core/wire/program.ts";
import { check, contend, median } from "./sampling.mjs";

const limits = { maxDepth: 10_000, maxNodes: 10_000_000, maxBytes: 2 ** 30 };
const nothing = () => {
  throw new TypeError("nothing is lent here");
};
const outbound = { handle: nothing, slot: nothing, lend: nothing, exception: nothing, marked: nothing } as unknown as Outbound;
const writer = new BatchWriter(outbound, limits);

let open = 0;
let last: unknown;
let turned: () => void = () => {};
const host: BackendHost = {
  settle(_id, _kind, payload) {
    last = payload;
    if (--open === 0) turned();
    return true;
  },
  event() {},
  call: nothing,
  callee: () => undefined,
  answer: nothing,
  forget() {},
  lost(reason) {
    throw new Error(reason.reason);
  },
};
const paths = [dirname(process.argv[2] as string)];
const start: StartOptions = { paths, env: {}, args: [], limits, watched: false, startTimeout: 20_000 };
const backend = new NativeBackend({ python: chooseNative(undefined).python });
await backend.start(start, host);

let next = 1;
/** A batch of so many `add(1, 2)`. */
function batch(count: number): Uint8Array {
  writer.begin();
  for (let index = 0; index < count; index++) {
    writer.program(next++, 0);
    writer.output(writer.instruction(Op.CALL, 0 - handle, [1, 2]), Mode.AUTO);
  }
  return writer.end().slice();
}

/** All of a batch is over. */
async function round(frame: Uint8Array, count: number): Promise<void> {
  const over = new Promise<void>((resolve) => {
    turned = resolve;
  });
  open = count;
  backend.submit(frame, count);
  await over;
}

writer.begin();
writer.program(next++, 0);
const module = writer.instruction(Op.IMPORT, null, "measured");
writer.output(writer.instruction(Op.GET, module, "add"), Mode.REF);
await round(writer.end().slice(), 1);
const inbound = { ref: (id: number) => id } as unknown as Inbound;
const handle = decodeStream((last as Uint8Array).slice(), inbound) as number;

const rate = (count: number, rounds: number) => async (): Promise<number> => {
  const frame = batch(count);
  const rates: number[] = [];
  for (let sample = -1; sample < 5; sample++) {
    const begin = performance.now();
    for (let index = 0; index < rounds; index++) await round(frame, count);
    if (sample >= 0) rates.push((count * rounds) / ((performance.now() - begin) / 1000));
  }
  check(last === 3, "1 + 2");
  return median(rates);
};

await contend({ border1: rate(1, 2_000), border100: rate(100, 300), border10000: rate(10_000, 8) });
