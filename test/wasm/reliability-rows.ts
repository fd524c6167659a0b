/**
 * What goes wrong with Pyodide in a worker, one row each; tests whose titles carry a row's id hold it.
 *
 * The numbers in between are rows about memory, proxies and pages that no test carries yet.
 */
import type { ReliabilityRow } from "../native/reliability-rows.ts";

// biome-ignore format: a table
export const reliabilityRows: readonly ReliabilityRow[] = [
  { id: "W-06", wrong: "After a fatal error every call fails with \"already fatally failed\"" },
  { id: "W-07", wrong: "Deep recursion in C overflows JavaScript's stack, and the worker is dead" },
  { id: "W-08", wrong: "After a stack overflow the worker loops and prints" },
  { id: "W-09", wrong: "Memory runs out, and nothing bounds it" },
  { id: "W-10", wrong: "`sys.exit` ends the worker" },
  { id: "W-11", wrong: "A background task that fails ends the worker" },
  { id: "W-12", wrong: "An interrupt surfaces outside its call and ends the worker" },
  { id: "W-13", wrong: "A sleep or another wait does not hear an interrupt" },
  { id: "W-14", wrong: "An await that is interrupted never settles" },
  { id: "W-15", wrong: "A program swallows its interrupt, or cannot hear it, and keeps the engine" },
  { id: "W-16", wrong: "A flood of output holds up the interrupt" },
  { id: "W-17", wrong: "Calls in flight are forgotten when the worker ends" },
  { id: "W-18", wrong: "`process.exit` in the worker loses results, and the next call hangs" },
  { id: "W-19", wrong: "Loading packages succeeds although one of them is not there" },
  { id: "W-20", wrong: "A package that failed spoils later ones" },
  { id: "W-21", wrong: "A page of an error, or a part of a file, is taken for the file" },
  { id: "W-22", wrong: "A damaged file of the engine, or a damaged wheel, is used" },
  { id: "W-23", wrong: "Files of two builds meet" },
  { id: "W-24", wrong: "A Content-Security-Policy stops the start, and nobody says so" },
  { id: "W-25", wrong: "A page that is not isolated has no shared memory" },
  { id: "W-31", wrong: "Engines that start together disturb each other" },
  { id: "W-36", wrong: "A worker that cannot be made ends the process, or nothing" },
  { id: "W-37", wrong: "The package alone has no wheels, and without a network nothing says what to do" },
  { id: "W-38", wrong: "Separators of Windows make a wheel's name another one" },
  { id: "W-39", wrong: "A worker of another kind, or in a frame without an origin, does not start" },
  { id: "W-40", wrong: "A value that is too deep for a message ends its sender" },
];
