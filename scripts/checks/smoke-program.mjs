/**
 * The smallest program that touches every part of an engine once. Run as `node smoke-program.mjs native|wasm`.
 *
 * Plain JavaScript without a build step, so that any Node runs it and it can be copied into an empty folder.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createPython, kw, PythonError, run, toJs } from "isopy";

const backend = process.argv[2];
const py = await createPython({ backend });
try {
  assert.equal(await py.import("math").sqrt(16), 4);
  assert.deepEqual(await py.eval("[1, 'two', None, {'three': 3.5}]"), [1, "two", null, { three: 3.5 }]);
  assert.equal(await py.eval("2 ** 80"), 2n ** 80n);
  assert.equal(await py.import("json").dumps({ b: 1, a: [true] }, kw({ sort_keys: true })), '{"a": [true], "b": 1}');
  const bytes = await py.eval("bytes(range(256)) * 1000");
  assert.equal(bytes.length, 256_000);
  const digest = createHash("sha256").update(bytes).digest("hex");
  assert.equal(await py.import("hashlib").sha256(bytes).hexdigest(), digest);
  const counter = await py.import("collections").Counter("mississippi");
  assert.equal(await counter.most_common(1).__getitem__(0).__getitem__(0), "i");
  assert.deepEqual(await toJs(counter), { m: 1, i: 4, s: 4, p: 2 });
  await assert.rejects(run(py.eval("1 / 0")), (error) => error instanceof PythonError && /division/.test(error.message));
  if (py.info.capabilities.syncCallbacks) {
    assert.deepEqual(await py.builtins.list(py.builtins.map((n) => n * n, [1, 2, 3])), [1, 4, 9]);
  }
  console.log(`Python ${py.info.python ?? ""} on ${backend}, Node ${process.versions.node}`);
} finally {
  await py.close();
}
if (backend === "native") {
  const { python } = await import("isopy/sync");
  assert.equal(python.import("math").hypot(3, 4), 5);
}
console.log("smoke ok");
