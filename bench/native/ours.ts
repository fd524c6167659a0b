/**
 * isopy's native engine, through its public entries only. Arguments: the file of the functions.
 *
 * The case names are those of the peers' programs; `cases.mjs` says what each must reach.
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createPython, type PyRef, ref, release, type Untyped, view } from "isopy";
import { createPythonSync, toJs } from "isopy/sync";
import { caught, check, contend, data, median, milliseconds, perBigCall, perCall, perSecond } from "./sampling.mjs";

const file = process.argv[2] as string;
const paths = [dirname(file)];
const python = createPythonSync({ paths });
const measured = python.import("measured");
const kept = python.import("measured", { convert: "ref" });
const { add, echo, fails, POINT: point, size, produce, callbacks, new_object: newObject } = measured;
const held = point.m;
const py = await createPython({ backend: "native", paths });
const addAsync = (await ref(py.import("measured").add)) as PyRef & ((a: number, b: number) => PromiseLike<number>);
const snooze = (await ref(py.import("measured").snooze)) as PyRef & ((seconds: number) => PromiseLike<null>);
check(add(1, 2) === 3, "1 + 2");
check(JSON.stringify(echo(data.nested)) === JSON.stringify(data.nested), "a nested dict");

await contend({
  call: () => perCall(() => add(1, 2)),
  attribute: () => perCall(() => point.x),
  method: () => perCall(() => point.m()),
  held: () => perCall(() => held()),
  text: () => perCall(() => echo(data.text)),
  dict: () => perCall(() => echo(data.dict)),
  nested: () => perCall(() => echo(data.nested)),
  floats: () => perBigCall(() => echo(data.floats)),
  dicts: () => perBigCall(() => measured.DICTS),
  bytesIn: () => perBigCall(() => size(data.bytes)),
  bytesOut: () => perBigCall(() => produce()),
  array: () => {
    const array = measured.array(1_000_000);
    return perBigCall(() => toJs(array));
  },
  arrayView: () => {
    const array = measured.array(1_000_000);
    const view = toJs<Float64Array>(array, { view: true });
    check(view[3] === 3, "a view");
    return perBigCall(() => release(toJs<Float64Array>(array, { view: true })));
  },
  arrayIn: () => perBigCall(() => size(data.array)),
  arrayInView: () => perBigCall(() => size(view(data.array))),
  callback: () => {
    let seen = 0;
    const count = () => void seen++;
    const spent = perCall(() => callbacks(count, 1000)) / 1000;
    check(seen >= 1000, "callbacks");
    return spent;
  },
  raises: () => {
    check((caught(fails) as Error).message.includes("x"), "an error's message");
    return perCall(() => caught(fails));
  },
  importAgain: () => perCall(() => python.import("json")),
  async1: () => perSecond((index) => addAsync(index, 1), 1, 2_000),
  async100: () => perSecond((index) => addAsync(index, 1), 100, 20_000),
  async10000: () => perSecond((index) => addAsync(index, 1), 10_000, 50_000),
  sleeps: () => milliseconds(() => Promise.all(Array.from({ length: 16 }, () => snooze(0.25))), 3),
  readFile: async () => {
    const busy = Promise.all(Array.from({ length: 16 }, () => snooze(0.25)));
    const times: number[] = [];
    for (let sample = 0; sample < 5; sample++) {
      const begin = performance.now();
      await readFile(file);
      times.push(performance.now() - begin);
    }
    await busy;
    return median(times);
  },
  /** Milliseconds, 99th percentile of 500 short calls while two threads compute. */
  besideLoops: async () => {
    const burn = (await ref(py.import("measured").burn)) as PyRef & ((count: number) => PromiseLike<number>);
    let stop = false;
    const loops = [0, 1].map(async () => {
      while (!stop) await burn(200_000);
    });
    await burn(1_000);
    const times: number[] = [];
    for (let sample = 0; sample < 500; sample++) {
      const begin = performance.now();
      await addAsync(sample, 1);
      times.push(performance.now() - begin);
    }
    stop = true;
    await Promise.all(loops);
    return times.sort((a, b) => a - b)[494] as number;
  },
  coroutines: async () => {
    const coroutine = (await ref(py.import("measured").coroutine)) as PyRef & (() => PromiseLike<number>);
    return perSecond(() => coroutine(), 100, 5_000);
  },
  excel: () => {
    const sheet = kept.Workbook().active;
    return perCall(() => sheet.cell(1, 2).value);
  },
  /** Times the throughput of one: two loops at once in interpreters of their own. */
  parallel: async () => {
    const contexts = await Promise.all([0, 1].map(() => py.context({ isolation: "interpreter" })));
    const burns = await Promise.all(contexts.map(async (context) => (await ref(context.import("measured").burn)) as Untyped));
    const best: number[] = [];
    for (let sample = 0; sample < 5; sample++) {
      let begin = performance.now();
      await burns[0](1_500_000);
      const alone = performance.now() - begin;
      begin = performance.now();
      await Promise.all(burns.map((burn) => burn(1_500_000)));
      best.push((2 * alone) / (performance.now() - begin));
    }
    await Promise.all(contexts.map((context) => context.close()));
    return median(best);
  },
  /** Bytes that stay for each of a million handles that were dropped. */
  dropped: async () => {
    const collect = globalThis.gc as () => void;
    const round = async (count: number) => {
      for (let made = 0; made < count; made += 5_000) {
        for (let index = 0; index < 5_000; index++) newObject();
        await new Promise(setImmediate);
      }
      for (let settle = 0; settle < 10; settle++) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return process.memoryUsage().rss;
    };
    const before = await round(100_000);
    return Math.max(0, (await round(1_000_000)) - before) / 1_000_000;
  },
  /** Megabytes that 200,000 handles in one synchronous loop add before anything else can run. */
  inOneLoop: () => {
    (globalThis.gc as () => void)();
    const before = process.memoryUsage().rss;
    for (let index = 0; index < 200_000; index++) newObject();
    return (process.memoryUsage().rss - before) / 1e6;
  },
  /** Handles that are alive after all that. */
  live: async () => {
    for (let settle = 0; settle < 10; settle++) {
      (globalThis.gc as () => void)();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const before = python.handles.count;
    for (let index = 0; index < 1_000; index++) newObject();
    for (let settle = 0; settle < 20 && python.handles.count > before; settle++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      (globalThis.gc as () => void)();
    }
    return python.handles.count - before;
  },
});
