/** The app of test/browser/hostile.test.ts: hostile programs, met in the page. */
import * as isopy from "isopy";
import { hostile, type Met, meet, mortalPython } from "../wasm/hostile.ts";

export type MeetAll = () => Promise<readonly (Met & { readonly what: string })[]>;

const meetAll: MeetAll = async () => {
  const mortal = await mortalPython(isopy);
  const met = [];
  for (const one of hostile.filter(({ node }) => !node)) met.push({ what: one.what, ...(await meet(isopy, mortal, one)) });
  await mortal.py.close();
  return met;
};
Object.assign(globalThis, { meetAll });
