/** The app of test/browser/hostile.test.ts: hostile programs, met in the page. */
import * as isopy from "isopy";
import { hostile, type Met, meet, mortalPython } from "../wasm/hostile.ts";

export type MeetAll = () => Promise<readonly (Met & { readonly what: string })[]>;

const meetAll: MeetAll = async () => {
  const mortal = await mortalPython(isopy);
  const met = [];
  for (const one of hostile.filter(({ page }) => page)) met.push({ what: one.what, ...(await meet(isopy, mortal, one)) });
  await mortal.py.close();
  return met;
};

export type MeetOne = (what: string) => Promise<Met>;

const meetOne: MeetOne = async (what) => {
  const one = hostile.find((known) => known.what === what);
  if (one === undefined) throw new Error(`There is no ${what}.`);
  const mortal = await mortalPython(isopy, false);
  try {
    return await meet(isopy, mortal, one);
  } finally {
    await mortal.py.close();
  }
};
Object.assign(globalThis, { meetAll, meetOne });
