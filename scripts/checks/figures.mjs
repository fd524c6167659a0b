/**
 * A measured figure against its bar, and the page of results. Pure.
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} ours  In `unit`.
 * @property {string} unit
 * @property {{ name: string, value: number }} [baseline]  What was measured beside it in the same run.
 * @property {{ kind: "at most" | "at least" | "at most, times the baseline" | "times better than the baseline", value: number }} bar
 * @property {string} [note]  Why a baseline is missing.
 */

/**
 * @param {Figure} figure
 * @returns {Figure & { ok: boolean, ratio: number | undefined, rule: string }}
 */
export function judge(figure) {
  const { ours, baseline, bar } = figure;
  const ratio = baseline === undefined ? undefined : ours / baseline.value;
  switch (bar.kind) {
    case "at most":
      return { ...figure, ratio, ok: ours <= bar.value, rule: `at most ${number(bar.value)} ${figure.unit}` };
    case "at least":
      return { ...figure, ratio, ok: ours >= bar.value, rule: `at least ${number(bar.value)} ${figure.unit}` };
    case "at most, times the baseline":
      return { ...figure, ratio, ok: ratio !== undefined && ratio <= bar.value, rule: `at most ${number(bar.value)} of the baseline` };
    case "times better than the baseline":
      return { ...figure, ratio, ok: ratio !== undefined && 1 / ratio >= bar.value, rule: `at least ${number(bar.value)} times faster` };
    default:
      throw new Error(`A bar of an unknown kind: ${bar.kind}`);
  }
}

export const number = (value) => (value >= 1000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3))));

/** A table whose columns line up in plain text too. */
export function markdownTable(head, rows) {
  const widths = head.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

export function resultsPage(machine, judged) {
  const head = ["figure", "ours", "baseline", "ours / baseline", "bar", ""];
  const rows = judged.map((one) => [
    one.name,
    `${number(one.ours)} ${one.unit}`,
    one.baseline === undefined ? (one.note ?? "") : `${number(one.baseline.value)} ${one.unit} (${one.baseline.name})`,
    one.ratio === undefined ? "" : number(one.ratio),
    one.rule,
    one.ok ? "ok" : "**MISS**",
  ]);
  const table = markdownTable(head, rows);
  const text = `# Results\n\nWritten by \`npm run bench\`. Each figure is a median; a baseline is measured in the same run.\nAbsolute times move with the machine, ratios inside one run are the reliable part.\n\nMachine: ${machine}\n\n${table}\n`;
  return { text, table };
}
