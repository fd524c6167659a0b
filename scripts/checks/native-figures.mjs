/** The cases of the native bench against their bars, and the page of results. Pure. */
import { markdownTable, number } from "./figures.mjs";

/**
 * One line of the table.
 *
 * @param {import("../../bench/native/cases.mjs").Case} one
 * @param {number | undefined} ours
 * @param {Record<string, number>} peers  By the peer's name.
 * @param {number | undefined} floor
 */
export function judgeCase(one, ours, peers, floor) {
  const better = (a, b) => (one.more ? a > b : a < b);
  const best = Object.entries(peers).reduce((best, entry) => (best === undefined || better(entry[1], best[1]) ? entry : best), undefined);
  const ratio = (theirs) => (ours === undefined || theirs === undefined ? undefined : ours / theirs);
  const verdicts = one.bars.map((bar) => {
    if (bar.against === "value") return holds(one, ours, bar.value);
    const found = ratio(bar.against === "peer" ? best?.[1] : floor);
    return found === undefined ? undefined : one.more ? found >= bar.times : found <= bar.times;
  });
  // A bar without its other side (a peer that cannot be built here) decides nothing.
  const judged = verdicts.filter((verdict) => verdict !== undefined);
  return {
    name: one.name,
    unit: one.unit,
    ours,
    best,
    floor,
    ratio: ratio(best?.[1]),
    floorRatio: ratio(floor),
    rule: one.bars.map((bar) => ruleOf(one, bar)).join(", "),
    state: ours === undefined ? "MISS" : judged.length === 0 ? "no peer" : judged.every(Boolean) ? "ok" : "MISS",
    why: one.why,
    beaten: best !== undefined && ours !== undefined && better(best[1], ours),
  };
}

const holds = (one, ours, value) => (ours === undefined ? undefined : one.more ? ours >= value : ours <= value);

function ruleOf({ more, unit }, bar) {
  const word = more ? "≥" : "≤";
  if (bar.against === "value") return `${word} ${number(bar.value)} ${unit}`;
  const times = bar.times < 1 ? `1/${number(1 / bar.times)}` : `${number(bar.times)} ×`;
  return `${word} ${times} ${bar.against === "peer" ? "peer" : "floor"}`;
}

/** @param {string} machine @param {readonly ReturnType<typeof judgeCase>[]} lines @param {readonly string[]} remarks */
export const nativePage = (machine, lines, remarks) =>
  page("The native engine, beside its peers", "npm run bench:native", machine, lines, remarks);

/** @param {string} machine @param {readonly ReturnType<typeof judgeCase>[]} lines */
export const wasmPage = (machine, lines) =>
  page("The wasm engine, beside plain Pyodide and Comlink over it", "npm run bench:wasm", machine, lines, [
    "The floor of a call is a message of the platform around the same call of Python.",
    "That every hostile program is settled within half a second of its deadline (two seconds in Chromium) is a test: test/wasm/hostile.test.ts.",
  ]);

/** The page, and whether it is good enough: 80 % of the bars met and no case slower than its best peer. */
function page(title, command, machine, lines, remarks) {
  const head = ["case", "isopy", "best peer", "isopy / peer", "floor", "isopy / floor", "bar", ""];
  const rows = lines.map((one) => [
    one.name,
    one.ours === undefined ? "–" : `${number(one.ours)} ${one.unit}`,
    one.best === undefined ? "" : `${number(one.best[1])} (${one.best[0]})`,
    one.ratio === undefined ? "" : number(one.ratio),
    one.floor === undefined ? "" : number(one.floor),
    one.floorRatio === undefined ? "" : number(one.floorRatio),
    one.rule,
    one.state === "MISS" ? "**MISS**" : one.state,
  ]);
  const table = markdownTable(head, rows);
  const met = lines.filter(({ state }) => state === "ok").length;
  const judged = lines.filter(({ state }) => state !== "no peer").length;
  const beaten = lines.filter((one) => one.beaten).map(({ name }) => name);
  const summary = [
    `${met} of ${judged} bars are met (${Math.round((100 * met) / judged)} %).`,
    beaten.length === 0 ? "No case is slower than its best peer." : `Slower than the best peer: ${beaten.join("; ")}.`,
    ...lines.filter(({ state, why }) => state === "MISS" && why !== undefined).map(({ name, why }) => `${name}: ${why}`),
    ...remarks,
  ];
  const text = `# ${title}\n\nWritten by \`${command}\`: medians, all contenders in turn in one run. Absolute times move with the\nmachine, ratios inside one run are the reliable part.\n\nMachine: ${machine}\n\n${table}\n\n${summary.map((sentence) => `- ${sentence}`).join("\n")}\n`;
  return { text, table, summary, accepted: met / judged >= 0.8 && beaten.length === 0 };
}
