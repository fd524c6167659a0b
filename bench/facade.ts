/**
 * What does the facade cost per call when a thousand calls are awaited together?
 *
 * Building, compiling, encoding and settling against an engine that answers at once: no Python.
 * Run: npx rolldown bench/facade.ts --dir dist/bench --no-code-splitting --platform node && node dist/bench/facade.js
 */
import type { Backend, BackendHost, EngineInfo } from "../src/core/backend.ts";
import { createFacade } from "../src/core/start.ts";

let host!: BackendHost;
/** Ids count up from 1. */
let next = 1;
const backend: Backend = {
  name: "echo",
  async start(_options, given) {
    host = given;
    return { protocol: 1, capabilities: {} } as unknown as EngineInfo;
  },
  submit(_frame: Uint8Array, count: number) {
    const first = next;
    next += count;
    queueMicrotask(() => {
      for (let id = first; id < first + count; id++) host.settle(id, 0, 1);
    });
  },
  interrupt() {},
  release() {},
  async close() {},
};

const py = await createFacade(backend);
const f = py.import("m").f;
const N = 1000;
async function round(): Promise<number> {
  const start = performance.now();
  const calls = new Array<PromiseLike<unknown>>(N);
  for (let i = 0; i < N; i++) calls[i] = f(i) as PromiseLike<unknown>;
  await Promise.all(calls);
  return ((performance.now() - start) * 1000) / N;
}
const times: number[] = [];
for (let i = 0; i < 300; i++) times.push(await round());
const warm = times.slice(100).sort((a, b) => a - b);
console.log(`1,000 calls together: median ${warm[100]!.toFixed(2)} µs per call, p95 ${warm[190]!.toFixed(2)} µs`);

const one: number[] = [];
for (let i = 0; i < 20_000; i++) {
  const start = performance.now();
  await f(i);
  one.push((performance.now() - start) * 1000);
}
const sorted = one.slice(5000).sort((a, b) => a - b);
console.log(`one call after the other: median ${sorted[7500]!.toFixed(2)} µs, p95 ${sorted[14250]!.toFixed(2)} µs`);
