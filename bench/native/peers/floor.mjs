/** The floor: `floor.cc`, which checks nothing and never lets go of the GIL. */
import { constants } from "node:os";
import path from "node:path";
import { check, contend, data, perBigCall, perCall } from "../sampling.mjs";

const [library, file] = process.argv.slice(2);
const loaded = { exports: {} };
// Global: Python's own extension modules look for its symbols.
process.dlopen(loaded, library, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
const floor = loaded.exports;
floor.start(path.dirname(file));
check(floor.call(1, 2) === 3, "1 + 2");
check(JSON.stringify(floor.echoDict(data.dict)) === JSON.stringify(data.dict), "a dict");

await contend({
  empty: () => perCall(() => floor.empty()),
  call: () => perCall(() => floor.call(1, 2)),
  attribute: () => perCall(() => floor.attribute()),
  method: () => perCall(() => floor.method()),
  held: () => perCall(() => floor.held()),
  text: () => perCall(() => floor.echoText(data.text)),
  dict: () => perCall(() => floor.echoDict(data.dict)),
  dicts: () => perBigCall(() => floor.dicts()),
  bytesIn: () => perBigCall(() => floor.bytesIn(data.bytes)),
  bytesOut: () => perBigCall(() => floor.bytesOut()),
  callback: () => perCall(() => floor.callbacks(() => undefined, 1000)) / 1000,
});
