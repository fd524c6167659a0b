/**
 * The one loop that runs the vectors on an engine, each vector as a test of its own.
 *
 * What is skipped for a capability must be exactly what the support matrix declares for the engine,
 * and JavaScript must hold no more of Python at the end than at the beginning.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Skip } from "./run-vector.ts";
import type { EngineName } from "./runner.ts";
import { declaredExceptions } from "./support-matrix.ts";
import { groups } from "./vector.ts";
import { vectors } from "./vectors/index.ts";

/** An engine as the loop sees it: here, or in a page. */
export interface VectorHost {
  /** Why a vector cannot run there, or null. */
  whySkipped(name: string): Promise<Skip | null>;
  /** What is wrong, or null. */
  run(name: string): Promise<string | null>;
  handles(): Promise<number>;
  /** What is still held, for people. */
  report(): Promise<string>;
  close(): Promise<void>;
}

export function runVectors(
  engine: EngineName,
  start: () => Promise<VectorHost | { readonly absent: string }>,
  mustHave: { readonly numpy: boolean },
  most = Number.POSITIVE_INFINITY,
): void {
  const chosen = groups.flatMap((group) => vectors.filter((one) => one.group === group).slice(0, most));
  const names = new Set(chosen.map((one) => one.name));
  let host: VectorHost | undefined;
  let absent = "";
  let before = 0;
  let stuck = "";
  const leftOut = new Set<string>();

  beforeAll(async () => {
    const started = await start();
    if ("absent" in started) absent = started.absent;
    else {
      host = started;
      before = await host.handles();
    }
  }, 120_000);
  afterAll(async () => host?.close());

  for (const group of groups) {
    describe(group, () => {
      for (const vector of chosen.filter((one) => one.group === group)) {
        it(vector.name, async ({ skip }) => {
          if (host === undefined) return skip(absent);
          const why = await host.whySkipped(vector.name);
          if (why?.capability !== undefined) leftOut.add(vector.name);
          if (why !== null && mustHave.numpy && (vector.requires === "numpy" || vector.requires === "pandas"))
            throw new Error(`In CI this may not be skipped: ${why.reason}.`);
          if (why !== null) return skip(why.reason);
          if (stuck !== "") throw new Error(`The engine has not answered since "${stuck}".`);
          const wrong = await withinPatience(host.run(vector.name), () => (stuck = vector.name));
          if (wrong !== null) throw new Error(wrong);
        });
      }
    });
  }

  describe("the engine afterwards", () => {
    it("has left out exactly what the support matrix declares", ({ skip }) => {
      if (host === undefined) return skip(absent);
      const declared = declaredExceptions().filter((one) => one.engines.includes(engine) && names.has(one.vector));
      expect([...leftOut].sort()).toEqual(declared.map((one) => one.vector).sort());
    });
    it("holds no handle more than before", async ({ skip }) => {
      if (host === undefined) return skip(absent);
      expect(await host.handles(), await host.report()).toBe(before);
    });
  });
}

/** Milliseconds until an engine counts as stuck; the slowest vector takes a tenth of it. */
const PATIENCE = 20_000;

async function withinPatience<T>(answer: Promise<T>, lost: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      lost();
      reject(new Error(`There was no answer in ${PATIENCE / 1000} seconds.`));
    }, PATIENCE);
  });
  try {
    return await Promise.race([answer, patience]);
  } finally {
    clearTimeout(timer);
  }
}
