/** Programs that try to take their engine along: each call settles in time, and Python answers again. */
import * as isopy from "isopy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEADLINE, hostile, LATE, type Mortal, meet, mortalPython } from "./hostile.ts";

let mortal: Mortal;
beforeAll(async () => {
  mortal = await mortalPython(isopy);
});
afterAll(() => mortal.py.close());

describe("wasm: a hostile program settles in time, and Python answers again", () => {
  it.for(hostile.map((one) => [`${one.rows} ${one.what}`, one] as const))("%s", async ([, one]) => {
    const { fate, after } = await meet(isopy, mortal, one);
    expect(one.fates).toContain(fate);
    expect(after).toBeLessThan(DEADLINE + LATE);
  });
});
