/**
 * A tour: the same program on every engine of this machine, results side by side.
 *
 * Real input (sources of Python's standard library), real Python (`ast`, `tokenize`, `sqlite3`,
 * `statistics`, NumPy where it is installed), data and callbacks both ways, a call that is cancelled,
 * an error, a notebook cell. The input is read once and given to every engine, because each has a
 * standard library of its own version. Exit code 1 when two engines disagree.
 */
import { createPython, EngineError, type Python } from "isopy";
import { ANALYSIS } from "./tour/analysis.ts";
import { readSources, type Sources } from "./tour/input.ts";
import { ROWS } from "./tour/rows.ts";
import { type Column, printTable, sameOnEveryEngine } from "./tour/table.ts";

const say = (text: string) => console.log(text);

/** Where NumPy may be installed; without it the native engine takes the Python of PATH. */
const chosenPython = process.env["ISOPY_TOUR_PYTHON"];

async function start(backend: "native" | "wasm"): Promise<{ py: Python; ms: number } | undefined> {
  const begin = performance.now();
  try {
    const py = await createPython(backend === "native" && chosenPython !== undefined ? { backend, python: chosenPython } : { backend });
    return { py, ms: performance.now() - begin };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    say(`  ${backend} is not available here: ${error.message}`);
    return undefined;
  }
}

async function visit(py: Python, column: Column, sources: Sources): Promise<void> {
  await py.exec(ANALYSIS);
  for (const row of ROWS) {
    const begin = performance.now();
    const result = await row.run(py, sources);
    column.cells.set(row.name, { result, ms: performance.now() - begin });
    say(`  ${row.name.padEnd(34)} ${(performance.now() - begin).toFixed(1).padStart(8)} ms`);
  }
}

say("Starting engines …");
const engines: { py: Python; column: Column }[] = [];
for (const backend of ["native", "wasm"] as const) {
  const started = await start(backend);
  if (started === undefined) continue;
  const { info } = started.py;
  engines.push({ py: started.py, column: { title: `${backend}, Python ${info.python}`, cells: new Map() } });
  say(`  ${backend}: Python ${info.python} in ${started.ms.toFixed(0)} ms`);
}

try {
  if (engines.length === 0) throw new Error("No engine could be started.");
  const sources = await readSources(engines.map(({ py }) => py));
  const bytes = Object.values(sources).reduce((sum, text) => sum + text.length, 0);
  say(`Input: ${Object.keys(sources).length} modules of the standard library, ${(bytes / 1000).toFixed(0)} kB of source`);
  for (const { py, column } of engines) {
    say(`On ${column.title} …`);
    await visit(py, column, sources);
  }
  const columns = engines.map(({ column }) => column);
  printTable(ROWS, columns);
  const different = sameOnEveryEngine(ROWS, columns);
  if (different.length > 0) {
    for (const { name, values } of different) say(`DIFFERENT ${name}:\n${values.map((value) => `    ${value}`).join("\n")}`);
    process.exitCode = 1;
  } else if (columns.length > 1) say(`\nEqual on ${columns.length} engines.`);
  else say("\nOnly one engine ran, so there was nothing to compare with.");
} finally {
  for (const { py } of engines) await py.close();
}
