/** Results side by side. */
import type { Row } from "./rows.ts";

export interface Cell {
  /** Plain data, or undefined where the engine cannot do this (no NumPy, for example). */
  readonly result: unknown;
  /** Milliseconds. */
  readonly ms: number;
}

export interface Column {
  readonly title: string;
  readonly cells: Map<string, Cell>;
}

/** Text that is equal exactly when the values are. */
export function exactText(value: unknown): string {
  return (
    JSON.stringify(value, (_key, one: unknown) => {
      if (typeof one === "bigint") return `${one}n`;
      if (typeof one === "number" && (!Number.isFinite(one) || Object.is(one, -0))) return `number ${Object.is(one, -0) ? "-0" : one}`;
      if (one instanceof Map) return { map: [...one] };
      if (ArrayBuffer.isView(one)) return { [one.constructor.name]: [...(one as Uint8Array)] };
      return one;
    }) ?? "undefined"
  );
}

export function sameOnEveryEngine(rows: readonly Row[], columns: readonly Column[]): { name: string; values: string[] }[] {
  return rows.flatMap(({ name }) => {
    const values = columns
      .filter(({ cells }) => cells.get(name)?.result !== undefined)
      .map(({ title, cells }) => [title, exactText(cells.get(name)?.result)] as const);
    return new Set(values.map(([, text]) => text)).size > 1
      ? [{ name, values: values.map(([title, text]) => `${title}: ${text.slice(0, 600)}`) }]
      : [];
  });
}

export function printTable(rows: readonly Row[], columns: readonly Column[]): void {
  const lines = [["", ...columns.map(({ title }) => title)]];
  for (const row of rows) {
    lines.push([
      row.name,
      ...columns.map(({ cells }) => {
        const cell = cells.get(row.name);
        if (cell?.result === undefined) return "not installed here";
        return `${row.brief(cell.result as never)}  ${cell.ms.toFixed(1)} ms`;
      }),
    ]);
  }
  const widths = lines[0]?.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? "").length))) ?? [];
  console.log("");
  for (const [index, line] of lines.entries()) {
    console.log(line.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  |  "));
    if (index === 0) console.log(widths.map((width) => "-".repeat(width)).join("--|--"));
  }
}
