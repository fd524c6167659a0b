/**
 * What the tests of a Vitest report say about a row on an engine: pure functions.
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
