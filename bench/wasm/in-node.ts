/** One process: our engine and the baseline's worker in it, one after the other started, then in turn. */
import { MessageChannel, Worker } from "node:worker_threads";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import * as isopy from "isopy";
import { comlink, compare, interrupts, ours, raw, SETUP } from "../../bench/wasm/bodies.mjs";
import { rawClient } from "../../bench/wasm/plain.mjs";

const only = process.env["ISOPY_BENCH_ONLY"]?.split(",");
const begin = performance.now();
const py = await isopy.createPython({ backend: "wasm" });
if ((await py.eval("1 + 1")) !== 2) throw new Error("1 + 1");
const start = performance.now() - begin;

const plainBegin = performance.now();
const worker = new Worker(new URL("../../bench/wasm/plain-node.worker.mjs", import.meta.url));
const channels = { raw: new MessageChannel(), comlink: new MessageChannel() };
await new Promise<void>((resolve) => {
  worker.once("message", () => resolve());
  worker.postMessage({ raw: channels.raw.port2, comlink: channels.comlink.port2 }, [channels.raw.port2, channels.comlink.port2]);
});
const ask = rawClient(channels.raw.port1);
await ask("noop");
const plainStart = performance.now() - plainBegin;

const remote = wrap(nodeEndpoint(channels.comlink.port1));
await ask("run", SETUP);
await py.exec(SETUP);
const figures = await compare({ isopy: ours(py, isopy), "plain messages": raw(ask), Comlink: comlink(remote) }, only);
const stops = only === undefined || only.includes("interrupts") ? await interrupts(py, isopy.run) : {};
await py.close();
await worker.terminate();
for (const { port1 } of Object.values(channels)) port1.close();
console.log(
  JSON.stringify({
    isopy: { start, ...figures["isopy"], ...stops },
    "plain messages": { start: plainStart, ...figures["plain messages"] },
    Comlink: figures["Comlink"],
  }),
);
