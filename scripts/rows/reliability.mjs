/**
 * The failure catalogue, row × engine: pure functions over Vitest's JSON report.
 *
 * A test holds the rows whose ids stand at the head of its title, `[N-12] …`, on the engine that an enclosing
 * `describe` names, else on the one whose folder it is in, else on both. Rows that begin with N must be held on native,
 * those with W on wasm.
 *
 * @typedef {{ id: string, wrong: string, command?: string, later?: string }} Row
 * @typedef {"green" | "red" | "command" | "–"} State
 */
import { titledTests } from "./titles.mjs";

export const ENGINES = ["native", "wasm"];

/** Whether an id is one of the failure catalogue, not of a seed system. */
export const isCatalogued = (id) => /^[NW]-/.test(id);
/** The engine that a row is about. */
const homeOf = ({ id }) => (id.startsWith("W-") ? "wasm" : "native");

function enginesOf({ ancestors, file }) {
  const named = ancestors.map((name) => /^(native|wasm)\b/.exec(name)?.[1]).find((name) => name !== undefined);
  if (named !== undefined) return [named];
  const folder = /\/test\/(native|wasm|conformance)\/(native|wasm)?/.exec(file.replaceAll("\\", "/"));
  const engine = folder?.[1] === "conformance" ? folder[2] : folder?.[1];
  return engine === undefined ? ENGINES : [engine];
}

/** @returns {Map<string, Map<string, { status: string, title: string }[]>>} row → engine → tests */
export function holders(report) {
  const found = new Map();
  for (const test of titledTests(report)) {
    for (const id of test.ids.filter((one) => isCatalogued(one))) {
      const row = found.get(id) ?? new Map();
      found.set(id, row);
      for (const engine of enginesOf(test)) row.set(engine, [...(row.get(engine) ?? []), { status: test.status, title: test.rest }]);
    }
  }
  return found;
}

/** @param {readonly Row[]} rows @returns {{ row: Row, states: Record<string, State>, titles: string[] }[]} */
export function reliabilityTable(rows, held) {
  const known = new Set(rows.map(({ id }) => id));
  const strange = [...held.keys()].filter((id) => !known.has(id));
  if (strange.length > 0) throw new Error(`Tests name rows of the failure catalogue that do not exist: ${strange.join(", ")}.`);
  return rows.map((row) => {
    const tests = held.get(row.id) ?? new Map();
    const state = (engine) => {
      const own = tests.get(engine) ?? [];
      if (own.some(({ status }) => status === "failed")) return "red";
      if (own.some(({ status }) => status === "passed")) return "green";
      return row.command !== undefined && engine === homeOf(row) ? "command" : "–";
    };
    const titles = [...new Set([...tests.values()].flat().map(({ title }) => title))];
    return { row, states: Object.fromEntries(ENGINES.map((engine) => [engine, state(engine)])), titles };
  });
}

/** The rows that nothing holds on the engine they are about, or that a failed test says are broken. */
export const unheld = (entries) =>
  entries.filter(({ row, states }) => states[homeOf(row)] === "–" || Object.values(states).includes("red"));

const SHOWN = 3;

/** The page `docs/reliability.md`. */
export function reliabilityPage(entries) {
  const lines = [
    "# What goes wrong with a Python inside a host, and what holds it here",
    "",
    "Written by `npm run rows`. A row is **green** where the tests that carry its id pass; **command**, where only a whole run",
    "can show it; `–`, where the engine has nothing of the kind. The native engine must hold every N row, wasm every W row.",
    "",
    "| row | what goes wrong | native | wasm | held by |",
    "| --- | --- | --- | --- | --- |",
  ];
  for (const { row, states, titles } of entries) {
    const more = titles.length > SHOWN ? [`${titles.length - SHOWN} more`] : [];
    const by = [...titles.slice(0, SHOWN), ...more, ...(row.command === undefined ? [] : [row.command])];
    if (row.later !== undefined) by.push(`later: ${row.later}`);
    const cells = [row.id, row.wrong, ...ENGINES.map((engine) => states[engine]), by.join("; ")];
    lines.push(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
