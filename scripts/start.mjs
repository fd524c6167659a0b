/**
 * `npm start`: sets everything up and runs the tour on every engine of this machine.
 *
 * Says what was done, what could not be done and what is then missing. Ends with the tour's exit code:
 * non-zero when two engines give different results.
 */
import { setUp } from "./setup/all.mjs";
import { SetupError } from "./setup/step.mjs";

try {
  const ready = await setUp({ forTests: false });
  const { runTour } = await import("./checks/tour.mjs");
  const lost = [ready.addon, ready.venv].filter((ending) => ending.state === "missing");
  for (const { note } of lost) console.log(`Going on without: ${note.split("\n")[0]}`);
  process.exitCode = await runTour({ show: true }).then(({ code }) => code ?? 1);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\nSet-up stopped: ${error.message}`);
  process.exitCode = 1;
}
