/** The exceptions of the support matrix are few, exist, and are of the capabilities that the vectors name. */
import { expect, it } from "vitest";
import { declaredExceptions, maximumExceptions } from "./support-matrix.ts";
import { vectors } from "./vectors/index.ts";

it("there are at most twelve vectors that an engine leaves out", () => {
  expect(declaredExceptions().length).toBeLessThanOrEqual(maximumExceptions);
});

it.for(declaredExceptions())("$vector needs the capability it is left out for", ({ vector, capability }) => {
  expect(vectors.find((one) => one.name === vector)?.needs).toContain(capability);
});
