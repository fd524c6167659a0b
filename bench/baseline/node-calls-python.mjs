/** The baseline on native: node-calls-python, from a folder given as the first argument. */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const folder = process.argv[2];
const { interpreter } = createRequire(path.join(folder, "package.json"))("node-calls-python");
const file = path.join(folder, "baseline_functions.py");
fs.writeFileSync(file, "def add(a, b):\n    return a + b\n\n\ndef echo(value):\n    return value\n");

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const loop = (body, loops) => {
  const times = [];
  for (let sample = -2; sample < 9; sample++) {
    const begin = performance.now();
    for (let index = 0; index < loops; index++) body();
    if (sample >= 0) times.push((performance.now() - begin) / loops);
  }
  return median(times);
};

const module = interpreter.importSync(file);
if (interpreter.callSync(module, "add", 1, 2) !== 3) throw new Error("the baseline cannot add");
const dict = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key${index}`, index * 1.5]));
const figures = {
  "f(1, 2)": loop(() => interpreter.callSync(module, "add", 1, 2), 100_000) * 1000,
  "dict echo": loop(() => interpreter.callSync(module, "echo", dict), 10_000) * 1000,
};
const times = [];
for (let sample = -1; sample < 7; sample++) {
  const begin = performance.now();
  for (let round = 0; round < 50; round++)
    await Promise.all(Array.from({ length: 100 }, (_, index) => interpreter.call(module, "add", index, 1)));
  if (sample >= 0) times.push(performance.now() - begin);
}
figures["100 in flight"] = (50 * 100) / (median(times) / 1000);
console.log(JSON.stringify({ figures }));
process.exit(0);
