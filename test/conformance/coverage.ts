/**
 * Whether the vectors cover what the specification demands, by name: many loops over integers do not.
 */
import { minimumVectors, mustInclude } from "./must-include.ts";
import { type Group, groups, type Vector } from "./vector.ts";

/** What is missing or double, one sentence each; empty when all is covered. */
export function coverageProblems(vectors: readonly Vector[]): readonly string[] {
  const problems = groups.flatMap((group) =>
    groupProblems(
      group,
      vectors.filter((vector) => vector.group === group),
    ),
  );
  if (vectors.length < minimumVectors) problems.push(`There are ${vectors.length} vectors, ${minimumVectors} are needed.`);
  problems.push(...repeated("name", vectors, (vector) => vector.name), ...repeated("content", vectors, contentOf));
  for (const { name, ...vector } of vectors) {
    if (vector.python === undefined && vector.js === undefined && vector.act === undefined) problems.push(`"${name}" does nothing.`);
    if (vector.js !== undefined && vector.check === undefined && vector.python === undefined && vector.throws === undefined) {
      problems.push(`"${name}" sends a value to Python and checks nothing there.`);
    }
    if (
      (vector.act !== undefined || (vector.python !== undefined && vector.js === undefined)) &&
      !("expect" in vector) &&
      vector.throws === undefined
    ) {
      problems.push(`"${name}" expects nothing.`);
    }
  }
  return problems;
}

function groupProblems(group: Group, vectors: readonly Vector[]): string[] {
  const must = mustInclude[group];
  const tags = new Set(vectors.flatMap((vector) => vector.tags));
  const problems = must.items.filter((item) => !tags.has(item)).map((item) => `No vector of ${group} covers "${item}".`);
  for (const tag of tags) {
    if (!must.items.includes(tag)) problems.push(`${group} has the tag "${tag}", which must-include.ts does not know.`);
  }
  if (vectors.length < must.vectors) problems.push(`${group} has ${vectors.length} vectors, ${must.vectors} are needed.`);
  return problems;
}

const contentOf = ({ setup, python, js, check, act, parts, values, options, toJs }: Vector): string =>
  JSON.stringify(
    [setup, python, js && String(js), check, act && String(act), parts, values && String(values), options, toJs],
    (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value),
  );

function repeated(what: string, vectors: readonly Vector[], of: (vector: Vector) => string): string[] {
  const seen = new Map<string, Vector>();
  const problems: string[] = [];
  for (const vector of vectors) {
    const key = of(vector);
    const first = seen.get(key);
    if (first !== undefined && !closes(vector, first)) problems.push(`"${vector.name}" repeats the ${what} of "${first.name}".`);
    else seen.set(key, vector);
  }
  return problems;
}

/** Functions made in one loop have one text; they differ by what they close over, so their names must. */
const closes = (a: Vector, b: Vector): boolean =>
  a.name !== b.name && a.act !== undefined && b.act !== undefined && (a.tags[0] ?? "") !== (b.tags[0] ?? "");

/** Vectors per group, for people. */
export function summary(vectors: readonly Vector[]): string {
  return groups.map((group) => `${group} ${vectors.filter((vector) => vector.group === group).length}`).join(", ");
}
