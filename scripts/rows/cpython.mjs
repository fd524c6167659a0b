/**
 * On which CPythons the rows of the embedding systems are proved: pure functions over one Vitest report per Python.
 *
 * A row is proved on a Python by its native tests, async or sync; wasm brings its own Python and says nothing here.
 *
 * @typedef {{ version: string, outcomes: ReturnType<typeof import("./outcomes.mjs").outcomesOf> }} PythonRun
 * @typedef {import("./outcomes.mjs").Row} Row
 */
import { stateOf } from "./outcomes.mjs";

/** The systems that embed CPython itself, so that its version could matter. */
const SYSTEMS = ["PJ", "PT", "DD", "GP"];
const ID = new RegExp(`\\[(?:${SYSTEMS.join("|")})-\\d+\\]`);

/** Whether a test file holds tests of these rows. */
export const provesRows = (source) => ID.test(source);

/** `3.9.18` → `3.9`: the page must not change with a patch release. */
export const minorOf = (version) => version.split(".").slice(0, 2).join(".");
const numberOf = (minor) => Number(minor.split(".")[1]);

/** @param {Row} row @returns {"green" | "red" | "untested" | "later"} */
function stateOn(row, outcomes) {
  const states = ["native", "native sync"].map((engine) => stateOf(row, engine, outcomes));
  if (states.includes("red")) return "red";
  if (states.some((state) => state === "green" || state === "refused")) return "green";
  return row.later === undefined ? "untested" : "later";
}

/**
 * The table's entries, each with its state per CPython, oldest first; rows of other systems have none.
 *
 * @template {{ row: Row }} Entry
 * @param {readonly Entry[]} entries
 * @param {readonly PythonRun[]} runs
 * @returns {(Entry & { pythons: Map<string, string> })[]}
 */
export function onPythons(entries, runs) {
  const sorted = runs.toSorted((a, b) => numberOf(minorOf(a.version)) - numberOf(minorOf(b.version)));
  return entries.map((entry) => {
    const own = SYSTEMS.includes(entry.row.id.slice(0, 2)) ? sorted : [];
    return { ...entry, pythons: new Map(own.map(({ version, outcomes }) => [minorOf(version), stateOn(entry.row, outcomes)])) };
  });
}

/** `3.9, 3.10, 3.12` → `3.9–3.10, 3.12`. */
function ranges(minors) {
  const runs = [];
  for (const minor of minors) {
    const last = runs.at(-1);
    if (last !== undefined && numberOf(last.at(-1)) + 1 === numberOf(minor)) last.push(minor);
    else runs.push([minor]);
  }
  return runs.map((run) => (run.length === 1 ? run[0] : `${run[0]}–${run.at(-1)}`)).join(", ");
}

/** What a cell shows: `3.9–3.12, red on 3.13`; nothing for a row that waits for a capability. */
export function cpythonCell(pythons) {
  const of = (state) => ranges([...pythons].filter(([, one]) => one === state).map(([minor]) => minor));
  const parts = [of("green"), of("red") && `red on ${of("red")}`, of("untested") && `untested on ${of("untested")}`];
  return parts.filter((part) => part !== "").join(", ");
}

/** Claimed core rows that a CPython of the run does not hold: what makes the exit code 1. */
export function unprovedOnPythons(entries) {
  return entries.filter(({ row, pythons }) => {
    if (row.later !== undefined || row.tier !== "C") return false;
    return [...pythons.values()].some((state) => state !== "green");
  });
}

const NAMED = "CPython of this page:";

/** The page's line that says on which CPythons the rows ran; `namedOn` reads it again. */
export const pythonsLine = (runs) =>
  `${NAMED} ${runs
    .map(({ version }) => minorOf(version))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .join(", ")}.`;

/** The CPythons that a page names and this run does not have: a machine with fewer must not shorten the page. */
export function pythonsAbsent(page, runs) {
  const line = page.split("\n").find((one) => one.startsWith(NAMED)) ?? "";
  const ran = new Set(runs.map(({ version }) => minorOf(version)));
  return (line.match(/3\.\d+/g) ?? []).filter((minor) => !ran.has(minor));
}
