/**
 * From test results to a table row × engine: pure functions over Vitest's JSON report.
 *
 * A test proves the rows whose ids stand in brackets at the head of its title, `[PT-24] …`, on the engine that its
 * outermost `describe` names; a test outside of one proves them on every engine. A title that goes on with
 * `refuses` proves that the engine refuses with a typed error.
 *
 * @typedef {{ id: string, tier: "C" | "S" | "X", title: string, later?: string, partly?: string, notOnWasm?: string }} Row
 * @typedef {"green" | "red" | "refused" | "later" | "n/a" | "untested" | "absent"} State
 */

import { isCatalogued } from "./reliability.mjs";
import { titledTests } from "./titles.mjs";

export const ENGINES = ["native", "native sync", "wasm"];
/** The sync facade is the native engine once more: a row that is proved on native need not be repeated there. */
const REPEATED = "native sync";
const SYSTEMS = {
  PT: "python.ts",
  PS: "python.js",
  PN: "PyNode",
  PJ: "pemja",
  FA: "Flink Agents",
  DD: "Datadog Agent",
  GP: "go-python",
  GE: "go-embed-python, gopy",
  LK: "Linkis",
};
/** The systems whose claimed core rows must be green. */
const MUST = ["PT", "PS", "PN", "PJ"];

/**
 * The rows that each test of a report proves.
 *
 * @returns {Map<string, Map<string, { status: string, refuses: boolean, title: string }[]>>} row → engine → outcomes
 */
export function outcomesOf(report) {
  const outcomes = new Map();
  for (const { ids, rest, title, ancestors, status } of titledTests(report)) {
    const named = ancestors.find((name) => ENGINES.includes(name));
    const refuses = /^refuses\b/.test(rest);
    for (const id of ids.filter((one) => !isCatalogued(one))) {
      const row = outcomes.get(id) ?? new Map();
      outcomes.set(id, row);
      for (const engine of named === undefined ? ENGINES : [named]) {
        row.set(engine, [...(row.get(engine) ?? []), { status, refuses, title }]);
      }
    }
  }
  return outcomes;
}

/** @param {Row} row @returns {State} */
export function stateOf(row, engine, outcomes) {
  const tests = outcomes.get(row.id)?.get(engine) ?? [];
  const with_ = (status) => tests.filter((test) => test.status === status);
  if (with_("failed").length > 0) return "red";
  const passed = with_("passed");
  if (passed.some((test) => !test.refuses)) return "green";
  if (passed.length > 0) return "refused";
  if (row.later !== undefined) return "later";
  if (engine === "wasm" && row.notOnWasm !== undefined) return "n/a";
  if (tests.length > 0) return "absent";
  return "untested";
}

/** @param {readonly Row[]} rows @returns {{ row: Row, states: Record<string, State> }[]} */
export function table(rows, outcomes) {
  const known = new Set(rows.map((row) => row.id));
  const strange = [...outcomes.keys()].filter((id) => !known.has(id));
  if (strange.length > 0) throw new Error(`Tests name rows that do not exist: ${strange.join(", ")}.`);
  return rows.map((row) => ({
    row,
    states: Object.fromEntries(ENGINES.map((engine) => [engine, stateOf(row, engine, outcomes)])),
  }));
}

/** Claimed core rows of the four JavaScript systems that are not proved: what makes the exit code 1. */
export function unproved(entries) {
  const proved = (state) => ["green", "refused", "n/a"].includes(state);
  return entries.filter(({ row, states }) => {
    if (row.later !== undefined || row.tier !== "C" || !MUST.includes(row.id.slice(0, 2))) return false;
    if (Object.values(states).includes("red")) return true;
    return ENGINES.some((engine) => engine !== REPEATED && !proved(states[engine]));
  });
}

/** Whether an engine did not run at all: then the table says less than it could. */
export function enginesAbsent(entries) {
  return ENGINES.filter((engine) => !entries.some(({ states }) => ["green", "red", "refused"].includes(states[engine])));
}

/** One line per seed system. */
export function summary(entries) {
  return Object.entries(SYSTEMS).map(([system, name]) => {
    const own = entries.filter(({ row }) => row.id.startsWith(`${system}-`));
    const core = own.filter(({ row }) => row.tier === "C");
    const claimed = own.filter(({ row }) => row.later === undefined);
    const some = (list, state) => list.filter(({ states }) => Object.values(states).includes(state)).length;
    const green = (list) => list.filter(({ states }) => Object.values(states).includes("green") && !Object.values(states).includes("red"));
    return {
      system,
      name,
      rows: own.length,
      core: core.length,
      green: green(own).length,
      coreGreen: green(core).length,
      red: some(own, "red"),
      refused: some(own, "refused"),
      later: own.length - claimed.length,
    };
  });
}

/** What a cell shows: `green*` where the row's tests pass and part of it waits for a capability. */
function word(state, engine, row) {
  if (state === "green" && row.partly !== undefined) return "green*";
  if (state === "absent" || (state === "untested" && engine === REPEATED)) return "·";
  return state;
}

/** The table for a terminal. */
export function terminalTable(entries) {
  const lines = [];
  for (const { row, states } of entries) {
    const cells = ENGINES.map((engine) => word(states[engine], engine, row).padEnd(11));
    lines.push(`${row.id}  ${row.tier}  ${cells.join("  ")}  ${row.title}`);
  }
  return [`row    T  ${ENGINES.map((engine) => engine.padEnd(11)).join("  ")}  capability`, ...lines].join("\n");
}

/** The page `docs/seed-coverage.md`. */
export function page(entries, missing) {
  const lines = [
    "# What of the seed systems works here",
    "",
    "Written by `npm run rows` from the results of tests whose titles carry a row's id. A row is **green** where its tests",
    "pass, **refused** where the engine cannot do it and says so with a typed error, **later** where a capability is",
    "missing (named at the right); `green*` is a row whose tests pass and that still misses something. `·` means that the engine's other facade or a refusal holds the row; `n/a`, that the row",
    "has no meaning on the engine. T: **C** core, **S** secondary, **X** outside a library's reach.",
    "",
    "| system | rows | core | green | core green | red | refused somewhere | later |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...summary(entries).map(
      (s) => `| ${s.system} ${s.name} | ${s.rows} | ${s.core} | ${s.green} | ${s.coreGreen} | ${s.red} | ${s.refused} | ${s.later} |`,
    ),
  ];
  for (const [system, name] of Object.entries(SYSTEMS)) {
    lines.push("", `## ${system}: ${name}`, "", `| row | T | capability | ${ENGINES.join(" | ")} | still missing |`);
    lines.push(`| --- | --- | --- | ${ENGINES.map(() => "---").join(" | ")} | --- |`);
    for (const { row, states } of entries) {
      if (!row.id.startsWith(`${system}-`)) continue;
      const note = row.later ?? row.partly;
      const cells = ENGINES.map((engine) => word(states[engine], engine, row));
      const why = note === undefined ? (row.notOnWasm ?? "") : missing[note];
      lines.push(`| ${row.id} | ${row.tier} | ${row.title.replaceAll("|", "\\|")} | ${cells.join(" | ")} | ${why} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}
