import assert from "node:assert/strict";
import { test } from "node:test";
import { cpythonCell, onPythons, provesRows, pythonsAbsent, unprovedOnPythons } from "../rows/cpython.mjs";
import { outcomesOf } from "../rows/outcomes.mjs";
import { holders, reliabilityPage, reliabilityTable, unheld } from "../rows/reliability.mjs";
import { rowFiles } from "../rows/runs.mjs";
import { enginesAbsent, page, table, terminalTable, unproved } from "../rows/table.mjs";

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

const run = (version, ...results) => ({ version, outcomes: outcomesOf(report(...results)) });
const per = (rows, ...runs) => onPythons(table(rows, outcomesOf(report())), runs);
const cells = (rows, ...runs) => per(rows, ...runs).map(({ pythons }) => cpythonCell(pythons));

test("the page is the same for the same results, and names what is missing", () => {
  const entries = per([row("PJ-03", { later: "x" }), row("PS-01"), row("PT-01")], run("3.9.18", one("[PT-01] works", "native")));
  const text = page(entries, { x: "the missing thing" }, []);
  assert.equal(text, page(entries, { x: "the missing thing" }, []));
  assert.match(text, /\| PJ-03 \| C \| title of PJ-03 \| later \| later \| later \| {2}\| the missing thing \|/);
  assert.match(text, /\| PT-01 \| C \| title of PT-01 \| untested \| · \| untested \| 3\.9 \| {2}\|/);
  assert.match(
    text,
    /\| PS-01 \| C \| title of PS-01 \| untested \| · \| untested \| {2}\|/,
    "a system that embeds no CPython has no column",
  );
  assert.match(terminalTable(entries), /PT-01 .* 3\.9 .*title of PT-01/);
});

test("a row names the CPythons that hold it as ranges, and those that do not", () => {
  const works = one("[PT-01] works", "native");
  const runs = ["3.13.0", "3.9.18", "3.10.13"].map((version) => run(version, works));
  assert.deepEqual(cells([row("PT-01")], ...runs), ["3.9–3.10, 3.13"]);
  const broken = run("3.12.1", works, one("[PT-01] works", "native sync", "failed"));
  assert.deepEqual(cells([row("PT-01")], ...runs, broken), ["3.9–3.10, 3.13, red on 3.12"]);
  assert.deepEqual(cells([row("PT-01")], ...runs, run("3.14.0", one("[PT-01] works", "native", "skipped"))), [
    "3.9–3.10, 3.13, untested on 3.14",
  ]);
});

test("a CPython is spoken for by native, sync and tests of no engine, never by wasm", () => {
  const found = run(
    "3.9.18",
    one("[PJ-01] a", "wasm"),
    one("[PJ-02] b", "native sync"),
    one("[GP-01] c", null),
    one("[DD-01] refuses", "native"),
  );
  assert.deepEqual(cells([row("PJ-01"), row("PJ-02"), row("GP-01"), row("DD-01")], found), ["untested on 3.9", "3.9", "3.9", "3.9"]);
  assert.deepEqual(cells([row("PS-01"), row("PT-02", { later: "x" })], found), ["", ""]);
});

test("a claimed core row that one CPython does not hold is open; a later, a secondary or another system's is not", () => {
  const rows = [row("DD-01"), row("GP-01"), row("PJ-01", { later: "x" }), row("PT-01", { tier: "S" }), row("FA-01")];
  const results = (status) => rows.map(({ id }) => one(`[${id}] works`, "native", status));
  const [red, untested] = ["failed", "skipped"].map((status) => {
    const second = [one("[DD-01] works", "native", status), ...results("passed").slice(1), one("[PT-01] too", "native", "failed")];
    return unprovedOnPythons(per(rows, run("3.9.18", ...results("passed")), run("3.10.13", ...second)));
  });
  assert.deepEqual(
    red.map((entry) => entry.row.id),
    ["DD-01"],
  );
  assert.deepEqual(
    untested.map((entry) => entry.row.id),
    ["DD-01"],
  );
  assert.deepEqual(unprovedOnPythons(per(rows)), [], "no CPython ran: nothing to say");
});

test("a page is not to be rewritten by a run with fewer CPythons than it names, whatever their patch releases", () => {
  const text = page([], {}, [run("3.13.0"), run("3.9.18"), run("3.10.13")]);
  assert.match(text, /^CPython of this page: 3\.9, 3\.10, 3\.13\.$/m);
  assert.deepEqual(pythonsAbsent(text, [run("3.9.2"), run("3.13.1")]), ["3.10"]);
  assert.deepEqual(pythonsAbsent(text, [run("3.9.2"), run("3.10.0"), run("3.13.1"), run("3.14.0")]), []);
  assert.deepEqual(pythonsAbsent("# a page from before", []), []);
});

test("the files that run on every CPython are those that name rows of the systems that embed it", () => {
  assert.equal(provesRows('test("[N-01] [DD-04] x"'), true);
  assert.equal(provesRows('test("[PS-01] [N-01] x", DD-04'), false);
  const files = rowFiles();
  for (const system of ["pj", "pt", "dd", "gp"]) assert.ok(files.includes(`test/seeds/${system}.test.ts`), system);
});

const inFile = (name, ...assertionResults) => ({ testResults: [{ name, status: "passed", assertionResults }] });
const catalogue = (rows, found) => reliabilityTable(rows, holders(found));

test("rows of the failure catalogue and of the seed systems do not mix, though a title may carry both", () => {
  const found = inFile("/x/test/native/a.test.ts", one("[PT-01] [N-12] works", null));
  assert.deepEqual([...outcomesOf(found).keys()], ["PT-01"]);
  assert.deepEqual([...holders(found).keys()], ["N-12"]);
});

test("a row of the catalogue is held by a passing test, on the engine of its folder or of its describe, or by a command", () => {
  const rows = [
    { id: "N-01", wrong: "a" },
    { id: "N-02", wrong: "b", command: "run it" },
    { id: "N-03", wrong: "c" },
    { id: "N-04", wrong: "d" },
    { id: "N-05", wrong: "e" },
  ];
  const results = [
    inFile(
      "/x/test/native/a.test.ts",
      one("[N-01] holds", null),
      one("[N-04] holds", null, "failed"),
      one("[N-05] later", null, "skipped"),
    ),
    inFile("/x/test/seeds/b.test.ts", one("[N-03] holds", "wasm")),
    inFile("/x/test/conformance/wasm-node.test.ts", one("[N-01] holds", "scalars")),
  ];
  const entries = catalogue(rows, { testResults: results.flatMap((found) => found.testResults) });
  assert.deepEqual(
    entries.map(({ states }) => Object.values(states)),
    [
      ["green", "green"],
      ["command", "–"],
      ["–", "green"],
      ["red", "–"],
      ["–", "–"],
    ],
  );
  assert.deepEqual(
    unheld(entries).map(({ row }) => row.id),
    ["N-03", "N-04", "N-05"],
  );
  assert.match(reliabilityPage(entries), /\| N-02 \| b \| command \| – \| run it \|/);
});

test("an id that the catalogue does not have is an error", () => {
  assert.throws(() => catalogue([], inFile("/x/test/native/a.test.ts", one("[N-99] holds", null))), /N-99/);
});

test("rows with a W must be held on wasm, those with an N on native", () => {
  const entries = catalogue(
    [
      { id: "N-01", wrong: "a" },
      { id: "W-01", wrong: "b" },
      { id: "W-02", wrong: "c" },
      { id: "W-03", wrong: "d", command: "run it" },
    ],
    inFile("/x/test/wasm/a.test.ts", one("[N-01] [W-01] works", null)),
  );
  assert.deepEqual(
    unheld(entries).map(({ row }) => row.id),
    ["N-01", "W-02"],
  );
  assert.deepEqual([...outcomesOf(inFile("/x/test/wasm/a.test.ts", one("[W-01] works", null))).keys()], []);
});
