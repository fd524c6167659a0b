/**
 * The vectors that an engine may leave out: the last table of `docs/guide/support-matrix.md`.
 */
import { readFileSync } from "node:fs";
import type { EngineName } from "./runner.ts";
import type { Need } from "./vector.ts";

export interface Exception {
  readonly vector: string;
  readonly engines: readonly EngineName[];
  readonly capability: Need;
}

/** No more than this; a longer list would be a second set of results. */
export const maximumExceptions = 12;

const heading = "## Vectors left out";

/** @throws when the document has no such table */
export function declaredExceptions(): readonly Exception[] {
  const text = readFileSync(new URL("../../docs/guide/support-matrix.md", import.meta.url), "utf8");
  const section = text.split(heading)[1];
  if (section === undefined) throw new Error(`docs/guide/support-matrix.md has no section "${heading}".`);
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
  return rows.map((line) => {
    const [vector = "", engines = "", capability = ""] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { vector, engines: engines.split(", ") as EngineName[], capability: capability.replaceAll("`", "") as Need };
  });
}
