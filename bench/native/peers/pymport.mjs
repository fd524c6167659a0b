/** pymport, with `.toJS()` wherever that is what it takes to get a JavaScript value. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { caught, check, contend, data, milliseconds, perBigCall, perCall, perSecond } from "../sampling.mjs";

const [folder, file] = process.argv.slice(2);
const { pymport, PyObject } = createRequire(`${folder}/package.json`)("pymport");
pymport("sys").get("path").get("insert").call(0, path.dirname(file));
const module = pymport("measured");
const add = module.get("add");
const point = module.get("POINT");
const echo = module.get("echo");
check(add.call(1, 2).toJS() === 3, "1 + 2");
// A plain object as the last argument would become keyword arguments.
const echoed = (value) => echo.call(PyObject.fromJS(value)).toJS();
const held = point.get("m");
const fails = module.get("fails");
const size = module.get("size");
const asBuffer = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

await contend({
  call: () => perCall(() => add.call(1, 2).toJS()),
  attribute: () => perCall(() => point.get("x").toJS()),
  method: () => perCall(() => point.get("m").call().toJS()),
  held: () => perCall(() => held.call().toJS()),
  text: () => perCall(() => echo.call(data.text).toJS()),
  dict: () => perCall(() => echoed(data.dict)),
  nested: () => perCall(() => echoed(data.nested)),
  floats: () => perBigCall(() => echoed(data.floats)),
  bytesIn: () => perBigCall(() => size.call(PyObject.bytes(asBuffer(data.bytes)))),
  bytesOut: () => perBigCall(() => module.get("produce").call().toJS()),
  array: () => {
    const array = module.get("array").call(1_000_000);
    return perBigCall(() => array.toJS());
  },
  arrayInView: () => perBigCall(() => size.call(PyObject.memoryview(asBuffer(data.array)))),
  arrayCopy: () => perBigCall(() => size.call(PyObject.bytes(asBuffer(data.array)))),
  // A fresh number: what the callback returns is not counted right there, and None would be freed.
  callback: () =>
    perCall(() =>
      module.get("callbacks").call(
        PyObject.func(() => 12_345),
        1000,
      ),
    ) / 1000,
  raises: () => {
    check(String(caught(() => fails.call())).includes("x"), "an error's message");
    return perCall(() => caught(() => fails.call()));
  },
  importAgain: () => perCall(() => pymport("json")),
  async1: () => perSecond(async (index) => (await add.callAsync(index, 1)).toJS(), 1, 2_000),
  async100: () => perSecond(async (index) => (await add.callAsync(index, 1)).toJS(), 100, 5_000),
  async10000: () => perSecond(async (index) => (await add.callAsync(index, 1)).toJS(), 10_000, 10_000),
  sleeps: () => milliseconds(() => Promise.all(Array.from({ length: 16 }, () => module.get("snooze").callAsync(0.25))), 1),
  readFile: async () => {
    const busy = Promise.all(Array.from({ length: 16 }, () => module.get("snooze").callAsync(0.25)));
    const begin = performance.now();
    await readFile(file);
    const spent = performance.now() - begin;
    await busy;
    return spent;
  },
});
