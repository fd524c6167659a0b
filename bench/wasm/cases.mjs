/**
 * What is measured on the wasm engine, and what it must reach. Bars as in `bench/native/cases.mjs`: `peer` is the
 * better of plain Pyodide and Comlink over it, `floor` a message of the platform around the same call.
 */

const peer = (times) => ({ against: "peer", times });
const floor = (times) => ({ against: "floor", times });
const value = (value) => ({ against: "value", value });
/** Never slower than Comlink. */
const NOT_SLOWER = peer(1);

/** @type {readonly (import("../native/cases.mjs").Case & { where: "Node" | "Chromium" })[]} */
export const CASES = [
  { where: "Node", key: "start", name: "Node: worker, start to first result", unit: "ms", peers: ["plain messages"], bars: [peer(0.4)] },
  { where: "Chromium", key: "cold", name: "Chromium: start, cold profile", unit: "ms", peers: ["plain messages"], bars: [peer(0.3)] },
  { where: "Chromium", key: "warm", name: "Chromium: start, warm profile", unit: "ms", peers: ["plain messages"], bars: [peer(0.55)] },
  ...["Node", "Chromium"].flatMap((where) => {
    const inNode = where === "Node";
    return [
      {
        where,
        key: "call",
        name: `${where}: one awaited call`,
        unit: "µs",
        peers: ["Comlink"],
        floor: true,
        bars: [floor(1.6), NOT_SLOWER],
      },
      {
        where,
        key: "together",
        name: `${where}: 1,000 calls awaited together, each`,
        unit: "µs",
        peers: ["Comlink"],
        bars: [value(inNode ? 6 : 10)],
      },
      { where, key: "chain", name: `${where}: a chain of 6 operations`, unit: "µs", peers: ["Comlink"], bars: [peer(1 / 4)] },
      {
        where,
        key: "floats",
        name: `${where}: 100,000 floats out`,
        unit: "ms",
        peers: ["plain messages"],
        bars: [peer(inNode ? 1 / 6 : 1 / 5)],
      },
      {
        where,
        key: "rows",
        name: `${where}: 1,000 nested rows out`,
        unit: "ms",
        peers: ["plain messages"],
        bars: [peer(inNode ? 1 / 5 : 1 / 4)],
      },
      { where, key: "strings", name: `${where}: 100,000 strings out`, unit: "ms", peers: ["plain messages"], bars: [peer(1 / 5)] },
      { where, key: "bytes", name: `${where}: 10 MB of bytes out`, unit: "ms", peers: ["plain messages"], bars: [peer(1 / 2)] },
      { where, key: "interruptLoop", name: `${where}: interrupt to answering again, a loop, p99`, unit: "ms", bars: [value(100)] },
      { where, key: "interruptSleep", name: `${where}: interrupt to answering again, a sleep, p99`, unit: "ms", bars: [value(250)] },
      { where, key: "interruptAwait", name: `${where}: interrupt to answering again, an await, p99`, unit: "ms", bars: [value(250)] },
    ];
  }),
  { where: "Chromium", key: "restarts", name: "Chromium: memory after 20 restarts of the engine", unit: "% more", bars: [value(10)] },
];
