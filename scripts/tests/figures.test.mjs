import assert from "node:assert/strict";
import test from "node:test";
import { judge, resultsPage } from "../checks/figures.mjs";

const figure = (ours, bar, baseline) => ({
  name: "f",
  ours,
  unit: "µs",
  bar,
  ...(baseline === undefined ? {} : { baseline: { name: "b", value: baseline } }),
});

test("each kind of bar can be met and missed", () => {
  assert.equal(judge(figure(8, { kind: "at most", value: 8 })).ok, true);
  assert.equal(judge(figure(8.1, { kind: "at most", value: 8 })).ok, false);
  assert.equal(judge(figure(2, { kind: "at least", value: 3 })).ok, false);
  assert.equal(judge(figure(1, { kind: "at most, times the baseline", value: 1 / 3 }, 3)).ok, true);
  assert.equal(judge(figure(1, { kind: "at most, times the baseline", value: 1 / 3 }, 2)).ok, false);
  assert.equal(judge(figure(1, { kind: "times better than the baseline", value: 5 }, 5)).ok, true);
  assert.equal(judge(figure(1, { kind: "times better than the baseline", value: 5 }, 4)).ok, false);
});

test("a bar against a baseline that was not measured is missed", () => {
  assert.equal(judge(figure(1, { kind: "times better than the baseline", value: 5 })).ok, false);
});

test("the page marks a miss", () => {
  assert.match(resultsPage("a machine", [judge(figure(9, { kind: "at most", value: 8 }))]).text, /\*\*MISS\*\*/);
});
