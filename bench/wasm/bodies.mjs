/** What is measured once an engine runs: the same bodies in Node and in Chromium, ours and the baselines'. */

/** Python source that every contender runs first. */
export const SETUP = `
def f(a, b): return a + b
floats = [i * 0.5 for i in range(100_000)]
rows = [{"id": i, "name": f"row {i}", "tags": ["a", "b"], "score": i * 0.25, "ok": i % 2 == 0} for i in range(1_000)]
strings = [f"string number {i}" for i in range(100_000)]
data = bytes(10_000_000)
`;

const TEXT = "the quick brown fox jumps over the lazy dog";
const CALLS = 50;
const TOGETHER = 1_000;
/** Milliseconds for each contender and case. */
const WARM_UP = 600;

const check = (ok, what) => {
  if (!ok) throw new Error(`${what} gave a wrong result`);
};

/** isopy: `{ key: [body, operations in it] }`. */
export function ours(py, { item, ref }) {
  const whole = (name, fits) => [async () => check(fits(await py.eval(name)), name), 1];
  let f;
  const held = async () => (f ??= await ref(py.globals.get("f")));
  return {
    call: [
      async () => {
        const g = await held();
        for (let n = 0; n < CALLS; n++) check((await g(n, 2)) === n + 2, "f");
      },
      CALLS,
    ],
    together: [
      async () => {
        const g = await held();
        const sums = await Promise.all(Array.from({ length: TOGETHER }, (_, n) => g(n, 1)));
        check(sums[999] === 1_000, "f");
      },
      TOGETHER,
    ],
    chain: [async () => check((await item(py.import("collections").deque(TEXT).__copy__(), 0)) === "t", "the chain"), 1],
    floats: whole("floats", (found) => found.length === 100_000 && found[3] === 1.5),
    rows: whole("rows", (found) => found.length === 1_000 && found[7].name === "row 7"),
    strings: whole("strings", (found) => found.length === 100_000 && found[9] === "string number 9"),
    bytes: whole("data", (found) => found.length === 10_000_000),
  };
}

/** Messages with nothing around them: the floor. */
export function raw(ask) {
  const whole = (name, fits) => [async () => check(fits(await ask("value", name)), name), 1];
  return {
    call: [
      async () => {
        for (let n = 0; n < CALLS; n++) check((await ask("f", n, 2)) === n + 2, "f");
      },
      CALLS,
    ],
    floats: whole("floats", (found) => found.length === 100_000 && found[3] === 1.5),
    rows: whole("rows", (found) => found.length === 1_000 && found[7].name === "row 7"),
    strings: whole("strings", (found) => found.length === 100_000 && found[9] === "string number 9"),
    bytes: whole("data", (found) => found.length === 10_000_000),
  };
}

/** Comlink over the same worker. */
export function comlink(remote) {
  return {
    call: [
      async () => {
        for (let n = 0; n < CALLS; n++) check((await remote.f(n, 2)) === n + 2, "f");
      },
      CALLS,
    ],
    together: [
      async () => {
        const sums = await Promise.all(Array.from({ length: TOGETHER }, (_, n) => remote.f(n, 1)));
        check(sums[999] === 1_000, "f");
      },
      TOGETHER,
    ],
    chain: [
      async () => {
        const module = await remote.importModule("collections");
        const deque = await remote.attribute(module, "deque");
        const letters = await remote.call(deque, TEXT);
        const copy = await remote.attribute(letters, "__copy__");
        const copied = await remote.call(copy);
        check((await remote.item(copied, 0)) === "t", "the chain");
      },
      1,
    ],
  };
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * The contenders in turn, case by case: milliseconds of one operation, medians. Each is warmed up for a while: V8 takes
 * thousands of calls until WebAssembly is compiled for speed, and a program that calls Python makes them.
 *
 * @param contenders `{ name: { key: [body, operations] } }`
 * @returns `{ name: { key: milliseconds } }`
 */
export async function compare(contenders, only, samples = 9) {
  const keys = [...new Set(Object.values(contenders).flatMap(Object.keys))].filter((key) => only === undefined || only.includes(key));
  const figures = Object.fromEntries(Object.keys(contenders).map((name) => [name, {}]));
  for (const key of keys) {
    const times = {};
    for (const cases of Object.values(contenders)) {
      const end = performance.now() + WARM_UP;
      while (cases[key] !== undefined && performance.now() < end) await cases[key][0]();
    }
    for (let sample = -2; sample < samples; sample++) {
      for (const [name, cases] of Object.entries(contenders)) {
        if (cases[key] === undefined) continue;
        const [body, operations] = cases[key];
        const begin = performance.now();
        await body();
        if (sample >= 0) (times[name] ??= []).push((performance.now() - begin) / operations);
      }
    }
    for (const [name, found] of Object.entries(times)) figures[name][key] = median(found);
  }
  return figures;
}

/** Milliseconds from an interrupt to the settled promise, the 99th percentile: `{ loop, sleep, await }`. */
export async function interrupts(py, run, times = 40) {
  const found = {};
  for (const [key, source] of Object.entries({
    interruptLoop: "import time\ngo()\nwhile True: pass",
    interruptSleep: "import time\ngo()\ntime.sleep(60)",
    interruptAwait: "import asyncio\ngo()\nawait asyncio.sleep(60)",
  })) {
    const latencies = [];
    for (let n = 0; n < times; n++) {
      const stop = new AbortController();
      let began;
      const begins = new Promise((resolve) => (began = resolve));
      // The promise rejects at once; what is measured is when the engine answers again.
      const program = run(py.exec(source, { locals: { go: () => began() } }), { signal: stop.signal }).catch(() => undefined);
      await begins;
      const begin = performance.now();
      stop.abort();
      await program;
      await py.eval("1");
      latencies.push(performance.now() - begin);
    }
    latencies.sort((a, b) => a - b);
    found[key] = latencies[Math.ceil(0.99 * times) - 1];
  }
  return found;
}
