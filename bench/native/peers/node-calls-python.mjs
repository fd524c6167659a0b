/** node-calls-python. Arguments: the folder with its node_modules, the file of the functions. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { caught, check, contend, data, milliseconds, perBigCall, perCall, perSecond } from "../sampling.mjs";

const [folder, file] = process.argv.slice(2);
const { interpreter } = createRequire(`${folder}/package.json`)("node-calls-python");
const module = interpreter.importSync(file);
const point = interpreter.createSync(module, "Point");
const echo = (value) => interpreter.callSync(module, "echo", value);
check(interpreter.callSync(module, "add", 1, 2) === 3, "1 + 2");

await contend({
  call: () => perCall(() => interpreter.callSync(module, "add", 1, 2)),
  method: () => perCall(() => interpreter.callSync(point, "m")),
  text: () => perCall(() => echo(data.text)),
  dict: () => perCall(() => echo(data.dict)),
  nested: () => perCall(() => echo(data.nested)),
  floats: () => perBigCall(() => echo(data.floats)),
  bytesIn: () => perBigCall(() => interpreter.callSync(module, "size", data.bytes)),
  bytesOut: () => perBigCall(() => interpreter.callSync(module, "produce")),
  arrayCopy: () => perBigCall(() => interpreter.callSync(module, "size", new Uint8Array(data.array.buffer))),
  callback: () => {
    let seen = 0;
    const spent = perCall(() => interpreter.callSync(module, "callbacks", () => void seen++, 1000)) / 1000;
    check(seen >= 1000, "callbacks");
    return spent;
  },
  raises: () => {
    check(String(caught(() => interpreter.callSync(module, "fails"))).includes("x"), "an error's message");
    return perCall(() => caught(() => interpreter.callSync(module, "fails")));
  },
  importAgain: () => perCall(() => interpreter.importSync(file)),
  async1: () => perSecond((index) => interpreter.call(module, "add", index, 1), 1, 2_000),
  async100: () => perSecond((index) => interpreter.call(module, "add", index, 1), 100, 5_000),
  async10000: () => perSecond((index) => interpreter.call(module, "add", index, 1), 10_000, 10_000),
  sleeps: () => milliseconds(() => Promise.all(Array.from({ length: 16 }, () => interpreter.call(module, "snooze", 0.25))), 1),
  readFile: async () => {
    const busy = Promise.all(Array.from({ length: 16 }, () => interpreter.call(module, "snooze", 0.25)));
    const begin = performance.now();
    await readFile(file);
    const spent = performance.now() - begin;
    await busy;
    return spent;
  },
});
