import assert from "node:assert/strict";
import { test } from "node:test";
import { enginesAbsent, outcomesOf, page, table, unproved } from "../rows/table.mjs";

const one = (title, engine, status = "passed") => ({ title, status, ancestorTitles: engine === null ? [] : [engine, "inner"] });
const report = (...assertionResults) => ({ testResults: [{ name: "a.test.ts", status: "passed", assertionResults }] });
const row = (id, more = {}) => ({ id, tier: "C", title: `title of ${id}`, ...more });
const states = (rows, ...results) => table(rows, outcomesOf(report(...results))).map((entry) => Object.values(entry.states));

test("a row is what its tests say, per engine", () => {
  assert.deepEqual(states([row("PT-01")], one("[PT-01] works", "native"), one("[PT-01] works", "wasm", "failed")), [
    ["green", "untested", "red"],
  ]);
});

test("a refusal that is proved counts only where nothing else passed", () => {
  const results = [
    one("[PT-24] threads run", "native"),
    one("[PT-24] refuses a thread", "native", "skipped"),
    one("[PT-24] threads run", "wasm", "skipped"),
    one("[PT-24] refuses a thread", "wasm"),
  ];
  assert.deepEqual(states([row("PT-24")], ...results), [["green", "untested", "refused"]]);
});

test("one title may carry many ids, and a test outside of an engine counts on all", () => {
  assert.deepEqual(states([row("FA-13"), row("DD-01")], one("[FA-13] [DD-01] starts nothing", null)), [
    ["green", "green", "green"],
    ["green", "green", "green"],
  ]);
});

test("an id that no row has is an error", () => {
  assert.throws(() => states([row("PT-01")], one("[PT-99] works", "native")), /PT-99/);
});

test("a file that did not run is an error, not an empty row", () => {
  const broken = { testResults: [{ name: "b.test.ts", status: "failed", message: "no module", assertionResults: [] }] };
  assert.throws(() => outcomesOf(broken), /b\.test\.ts did not run: no module/);
});

test("tests that were skipped because their engine did not start are red", () => {
  const results = report(one("[PT-01] works", "native"), one("[PT-02] works", "wasm", "skipped"));
  results.testResults[0].status = "failed";
  const entries = table([row("PT-01"), row("PT-02")], outcomesOf(results));
  assert.deepEqual(
    entries.map(({ states }) => [states.native, states.wasm]),
    [
      ["green", "untested"],
      ["untested", "red"],
    ],
  );
});

test("claimed core rows of the JavaScript systems must be proved on native and on wasm", () => {
  const rows = [row("PJ-01"), row("PJ-02", { notOnWasm: "none" }), row("PJ-03", { later: "x" }), row("FA-01"), row("PS-01", { tier: "S" })];
  const entries = table(rows, outcomesOf(report(one("[PJ-01] [PJ-02] works", "native"))));
  assert.deepEqual(
    unproved(entries).map((entry) => entry.row.id),
    ["PJ-01"],
  );
  assert.deepEqual(enginesAbsent(entries), ["native sync", "wasm"]);
});

test("the page is the same for the same results, and names what is missing", () => {
  const entries = table([row("PJ-03", { later: "x" })], outcomesOf(report()));
  const text = page(entries, { x: "the missing thing" });
  assert.equal(text, page(entries, { x: "the missing thing" }));
  assert.match(text, /\| PJ-03 \| C \| title of PJ-03 \| later \| later \| later \| the missing thing \|/);
});
