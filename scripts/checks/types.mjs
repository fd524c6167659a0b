/** Check: everything type-checks, and users' compilers can read our declarations. */
import { bin, declarations } from "../setup/build.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { fail, main, merge, pass } from "./tally.mjs";

export async function types() {
  const checked = await exec(bin("tsc"), ["--noEmit"]);
  const emitted = await declarations();
  return merge("types", [
    checked.code === 0 ? pass("tsc") : fail("tsc --noEmit", tail(checked, 40)),
    emitted.code === 0 ? pass("declarations") : fail("tsc -p tsconfig.build.json", tail(emitted, 40)),
  ]);
}

await main(import.meta, types);
