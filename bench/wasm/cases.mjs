/**
 * What is measured on the wasm engine, and what it must reach. Bars as in `bench/native/cases.mjs`: `peer` is the
 * better of plain Pyodide and Comlink over it, `floor` a message of the platform around the same call.
 */

const peer = (times) => ({ against: "peer", times });
const floor = (times) => ({ against: "floor", times });
const value = (value) => ({ against: "value", value });
/** Never slower than Comlink. */
const NOT_SLOWER = peer(1);

const START =
  "What is left is WebAssembly's compilation, Python's own start and _isopy's import; the library is byte code already. A memory snapshot would take most of it and is not built.";
/** Why a case misses its bar; shown when it does. */
const WHY = {
  call: "A call is a program that Python decodes, queues, runs and encodes: 25 calls of Python functions, 80 µs once V8 has compiled the interpreter and 400 before (the message takes 12 more); in a batch of a thousand it is 5. A shorter way for a lone call is the next step.",
  together: "Python's part of a program is 5 to 6 µs, JavaScript's 2 to 3.5.",
  chain: "One message, but the fixed part of a program (see the awaited call) is half of what six Comlink calls cost.",
  floats: "Of 12 ms Python takes 8: pickling 2, looking at every type first 6, because what is no plain data must not be pickled.",
  rows: "Of 4 ms Python takes 3: pickling 0.4, looking at the types of 10,000 parts the rest.",
  strings:
    "Of 44 ms Python takes 15 (pickling 6), JavaScript's decoding 20 and its garbage collector 9; text was made twice as slowly before.",
  bytes: "Three copies of 10 MB: into the pickle, out of WebAssembly's memory, out of the reply; plain use makes two.",
};

/** @type {readonly (import("../native/cases.mjs").Case & { where: "Node" | "Chromium" })[]} */
export const CASES = [
  {
    where: "Node",
    key: "start",
    name: "Node: worker, start to first result",
    unit: "ms",
    peers: ["plain messages"],
    bars: [peer(0.4)],
    why: START,
  },
  {
    where: "Chromium",
    key: "cold",
    name: "Chromium: start, cold profile",
    unit: "ms",
    peers: ["plain messages"],
    bars: [peer(0.3)],
    why: START,
  },
  {
    where: "Chromium",
    key: "warm",
    name: "Chromium: start, warm profile",
    unit: "ms",
    peers: ["plain messages"],
    bars: [peer(0.55)],
    why: START,
  },
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
    ].map((one) => ({ ...one, why: WHY[one.key] }));
  }),
  {
    where: "Chromium",
    key: "restarts",
    name: "Chromium: memory after 20 restarts of the engine",
    unit: "% more",
    bars: [value(10)],
    why: "20 kB a restart on a page of 2 MB, where an engine has 30 MB of its own; which objects they are is not found yet.",
  },
];
