import assert from "node:assert/strict";
import test from "node:test";
import { closingLine, fail, merge, pass, skip } from "../checks/tally.mjs";
import { readUnittest } from "../checks/unittest.mjs";

test("the closing line counts everything once", () => {
  const all = merge("all", [pass("a"), merge("b", [pass("c"), fail("d", "broken")]), skip("e", "not here")]);
  assert.equal(closingLine(all), "2 passed, 1 failed, 1 skipped");
});

test("unittest's counts are read, skips with their reasons", () => {
  const output = "test_a (x.A) ... ok\ntest_b (x.A) ... skipped 'no NumPy'\n\nRan 2 tests in 0.1s\n\nOK (skipped=1)\n";
  const found = readUnittest("Python 3.9", { output, code: 0 });
  assert.equal(found.passed, 1);
  assert.deepEqual(found.skipped, [{ name: "Python 3.9 test_b (x.A)", reason: "no NumPy" }]);
});

test("failures, errors, no tests and no output are all failures", () => {
  const failed = readUnittest("p", { output: "FAIL: test_a (x.A)\nRan 3 tests in 0s\n\nFAILED (failures=1, errors=1)\n", code: 1 });
  assert.equal(failed.failed.length, 2);
  assert.equal(failed.passed, 1);
  assert.equal(readUnittest("p", { output: "Ran 0 tests in 0s\n\nOK\n", code: 0 }).failed.length, 1);
  assert.equal(readUnittest("p", { output: "Segmentation fault", code: null }).failed.length, 1);
});
