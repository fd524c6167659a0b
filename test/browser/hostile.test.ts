/** Programs that try to take their engine along, in a page of Chromium: each call settles in time, and Python answers again. */
import { afterEach, describe, expect, it } from "vitest";
import { openPage, type TestPage } from "../support/browser-page.ts";
import { DEADLINE, hostile, LATE } from "../wasm/hostile.ts";
import type { MeetAll } from "./hostile-app.ts";

declare const meetAll: MeetAll;

let app: TestPage | undefined;
afterEach(() => app?.close());

describe("wasm: in a page, hostile programs settle in time, and Python answers again", () => {
  it("[W-06] [W-07] [W-11] [W-13] [W-14] [W-15] all of them", { timeout: 90_000 }, async () => {
    app = await openPage({ entry: "test/browser/hostile-app.ts", isolated: true });
    const met = await app.page.evaluate(() => meetAll());
    const strange = met.filter(({ what, fate, after }) => {
      const one = hostile.find((known) => known.what === what);
      return !one?.fates.includes(fate) || after > DEADLINE + LATE;
    });
    expect(strange).toEqual([]);
    expect(met.length).toBe(hostile.filter(({ node }) => !node).length);
  });
});
