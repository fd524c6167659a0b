/** The vectors in Chromium: bundled by Vite as an app would be, in a cross-origin isolated page. */

import { openPage } from "../support/browser-page.ts";
import { findChromium } from "../support/chromium.ts";
import type { Conformance } from "./page.ts";
import { runVectors } from "./suite.ts";

declare global {
  var conformance: Conformance;
}

runVectors(
  "browser",
  async () => {
    if (findChromium() === undefined && !process.env["CI"]) return { absent: "no Chromium, Chrome or Edge was found (set CHROME_PATH)" };
    const opened = await openPage({ entry: "test/conformance/page.ts" });
    const { page } = opened;
    try {
      await page.waitForFunction(() => "conformance" in globalThis);
      await page.evaluate(() => conformance.start());
    } catch (error) {
      await opened.close();
      throw new Error(`The page did not start.\n${opened.log.join("\n")}`, { cause: error });
    }
    return {
      whySkipped: (name) => page.evaluate((one) => conformance.whySkipped(one), name),
      run: (name) => page.evaluate((one) => conformance.run(one), name),
      handles: () => page.evaluate(() => conformance.handles()),
      report: () => page.evaluate(() => conformance.report()),
      close: async () => {
        await page.evaluate(() => conformance.close());
        await opened.close();
      },
    };
  },
  { numpy: false },
);
