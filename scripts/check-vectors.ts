/** Holds the conformance vectors against the specification's "must include" column, by name. */
import { coverageProblems, summary } from "../test/conformance/coverage.ts";
import { vectors } from "../test/conformance/vectors/index.ts";

const problems = coverageProblems(vectors);
for (const problem of problems) console.error(problem);
console.log(`${vectors.length} vectors: ${summary(vectors)}`);
if (problems.length > 0) process.exitCode = 1;
