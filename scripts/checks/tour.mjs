/** Check: the tour runs on every engine of this machine and gives equal results. */
import fs from "node:fs";
import { tail } from "../setup/exec.mjs";
import { venvPython } from "../setup/venv.mjs";
import { runScript } from "./script.mjs";
import { fail, main, pass } from "./tally.mjs";

/** @param {{ show: boolean }} options */
export function runTour({ show }) {
  const python = venvPython();
  return runScript("examples/tour.ts", [], {
    show,
    timeout: 300_000,
    env: fs.existsSync(python) ? { ISOPY_TOUR_PYTHON: python } : {},
  });
}

export async function tour() {
  const outcome = await runTour({ show: false });
  return outcome.code === 0 ? pass("tour") : fail("tour", tail(outcome, 40));
}

await main(import.meta, tour);
