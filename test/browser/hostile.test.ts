/** Programs that try to take their engine along, in a page of Chromium: each call settles in time, and Python answers again. */
import { afterEach, describe, expect, it } from "vitest";
import { openPage, type TestPage } from "../support/browser-page.ts";
import { DEADLINE, hostile } from "../wasm/hostile.ts";
import type { MeetAll, MeetOne } from "./hostile-app.ts";

declare const meetAll: MeetAll;
declare const meetOne: MeetOne;

/** Milliseconds: the page's own thread shares two cores with the worker, the spare that starts, and the browser. */
const LATE = 2_000;

let app: TestPage | undefined;
afterEach(() => app?.close());

describe("wasm: in a page, hostile programs settle in time, and Python answers again", () => {
  it("[W-06] [W-07] [W-11] [W-13] [W-14] [W-15] one of each kind", { timeout: 90_000 }, async () => {
    app = await openPage({ entry: "test/browser/hostile-app.ts", isolated: true });
    const met = await app.page.evaluate(() => meetAll());
    const strange = met.filter(({ what, fate, after }) => {
      const one = hostile.find((known) => known.what === what);
      return !one?.fates.includes(fate) || after > DEADLINE + LATE;
    });
    expect(strange).toEqual([]);
    expect(met.length).toBe(hostile.filter(({ page }) => page).length);
  });

  it.for([
    ["[W-15] without shared memory a loop, which nothing can interrupt, ends its engine", "a busy loop", "condemned"],
    ["[W-14] without shared memory an await is stopped all the same", "a future that nobody sets", "stopped"],
  ] as const)("%s", async ([, what, fate]) => {
    app = await openPage({ entry: "test/browser/hostile-app.ts", isolated: false });
    const met = await app.page.evaluate((name) => meetOne(name), what);
    expect(met.fate).toBe(fate);
    expect(met.after).toBeLessThan(DEADLINE + LATE);
  });
});
