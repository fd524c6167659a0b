import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeCase, nativePage } from "../checks/native-figures.mjs";

const one = { key: "k", name: "k", unit: "µs", bars: [{ against: "peer", times: 0.5 }] };
const rate = { key: "k", name: "k", unit: "calls/s", more: true, bars: [{ against: "peer", times: 4 }] };

test("a time is held against the best peer", () => {
  assert.equal(judgeCase(one, 1, { a: 2.5, b: 2 }, undefined).state, "ok");
  assert.equal(judgeCase(one, 1.1, { a: 2.5, b: 2 }, undefined).state, "MISS");
  assert.deepEqual(judgeCase(one, 1, { a: 2.5, b: 2 }, undefined).best, ["b", 2]);
});

test("a rate is better when it is more", () => {
  const line = judgeCase(rate, 40, { a: 10, b: 9 }, undefined);
  assert.deepEqual([line.state, line.best, line.beaten], ["ok", ["a", 10], false]);
  assert.equal(judgeCase(rate, 39, { a: 10 }, undefined).state, "MISS");
  assert.equal(judgeCase(rate, 9, { a: 10 }, undefined).beaten, true);
});

test("every bar of a case must hold", () => {
  const both = { ...one, bars: [...one.bars, { against: "floor", times: 3 }] };
  assert.equal(judgeCase(both, 1, { a: 2 }, 0.3).state, "MISS");
  assert.equal(judgeCase(both, 1, { a: 2 }, 0.4).state, "ok");
});

test("nothing to compare with decides nothing; no figure is a miss", () => {
  assert.equal(judgeCase(one, 1, {}, undefined).state, "no peer");
  assert.equal(judgeCase(one, undefined, { a: 1 }, undefined).state, "MISS");
});

test("a known miss is explained, and only when it is one", () => {
  const known = { ...one, name: "slow", why: "it is two calls" };
  const summaryOf = (ours) => nativePage("here", [judgeCase(known, ours, { a: 2 }, undefined)], []).summary;
  assert.ok(summaryOf(1.5).includes("slow: it is two calls"));
  assert.ok(!summaryOf(0.5).includes("slow: it is two calls"));
});
