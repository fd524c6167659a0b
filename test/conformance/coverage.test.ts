/** The vectors are held against the specification's "must include" column; so is the check itself. */
import { expect, it } from "vitest";
import { coverageProblems } from "./coverage.ts";
import { mustInclude } from "./must-include.ts";
import type { Vector } from "./vector.ts";
import { vectors } from "./vectors/index.ts";

it("the vectors cover every item of every group, without repeating themselves", () => {
  expect(coverageProblems(vectors)).toEqual([]);
});

it("a vector less is noticed for every tagged item that only it covers", () => {
  const without = vectors.filter((vector) => !vector.tags.includes("revoked proxy"));
  expect(coverageProblems(without)).toContain('No vector of limits covers "revoked proxy".');
});

it("hundreds of loops over integers cannot pass for the vectors", () => {
  const loops = Array.from(
    { length: 400 },
    (_, i): Vector => ({ name: `the integer ${i} arrives`, group: "scalars", tags: [], python: String(i), expect: i }),
  );
  const missing = coverageProblems(loops);
  for (const { items } of Object.values(mustInclude)) {
    for (const item of items)
      expect(
        missing.some((problem) => problem.endsWith(`covers "${item}".`)),
        item,
      ).toBe(true);
  }
});

it("the same source twice is noticed", () => {
  const [first] = vectors as readonly [Vector];
  expect(coverageProblems([...vectors, { ...first, name: "another name" }])).toContainEqual(expect.stringContaining("repeats the content"));
});
