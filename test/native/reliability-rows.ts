/**
 * What goes wrong with a Python inside a host, one row each, and how it is held here.
 *
 * Tests whose titles carry a row's id hold it; `scripts/rows.mjs` collects them and writes docs/reliability.md.
 * `command` is for rows that only a whole run can show (an instrumented Python, a sweep over every allocation).
 * `later` says what of the row waits for an engine that does not exist yet.
 */

export interface ReliabilityRow {
  readonly id: string;
  /** What goes wrong where nobody prevents it. */
  readonly wrong: string;
  readonly command?: string;
  readonly later?: string;
}

const process = "an engine in a process of its own: the loss is an error there, not the end of the host";
const debug = "`npm run lanes -- debug`: the native suite on a CPython built with its own checks";

// biome-ignore format: a table
export const reliabilityRows: readonly ReliabilityRow[] = [
  { id: "N-01", wrong: "Two threads wait for each other: one in Python for JavaScript, one in JavaScript for Python" },
  { id: "N-02", wrong: "Python's memory is touched by a thread that does not hold the interpreter", command: debug },
  { id: "N-03", wrong: "JavaScript's collector drops Python objects on a thread that may not" },
  { id: "N-04", wrong: "Dropping an object runs code that drops and makes others" },
  { id: "N-05", wrong: "A start that fails half way blocks every later one" },
  { id: "N-06", wrong: "After a failed start the process holds half a Python" },
  { id: "N-07", wrong: "The process exits while objects wait to be dropped" },
  { id: "N-08", wrong: "Threads call Python while the process exits" },
  { id: "N-09", wrong: "Python is started by one thread and ended by another" },
  { id: "N-10", wrong: "JavaScript stands still while Python works" },
  { id: "N-11", wrong: "Python's work fills the threads that Node needs for files and names" },
  { id: "N-12", wrong: "One long call into C holds up every short one" },
  { id: "N-13", wrong: "One busy loop starves short calls" },
  { id: "N-14", wrong: "A worker is terminated while Python runs for it" },
  { id: "N-15", wrong: "Callbacks are on their way to a worker that exits" },
  { id: "N-16", wrong: "Python raises an error into an environment that ends" },
  { id: "N-17", wrong: "The addon is unloaded with the last worker, and its threads run on" },
  { id: "N-18", wrong: "A worker's results arrive in another worker" },
  { id: "N-19", wrong: "Several workers load the addon in the same moment" },
  { id: "N-20", wrong: "A worker fails at its top level while it holds objects" },
  { id: "N-21", wrong: "Each short-lived worker leaves memory behind" },
  { id: "N-22", wrong: "Terminating a worker never returns, because its thread computes in Python" },
  { id: "N-23", wrong: "The library is loaded twice in one process and starts Python twice" },
  { id: "N-24", wrong: "After a stop there is no second start" },
  { id: "N-25", wrong: "A name that is not there crashes" },
  { id: "N-26", wrong: "One accessor counts references wrongly", command: debug },
  { id: "N-27", wrong: "Handles pile up in a long synchronous loop" },
  { id: "N-28", wrong: "Dropped proxies keep their objects" },
  { id: "N-29", wrong: "Results of calls leak a little each", command: "`npm run lanes -- leaks`: slopes of blocks, objects and resident memory over many calls" },
  { id: "N-30", wrong: "An object is dropped twice and the damage shows much later", command: debug },
  { id: "N-31", wrong: "A disposed ref is used" },
  { id: "N-32", wrong: "A ref is disposed twice, or by a stranger" },
  { id: "N-33", wrong: "Objects of both languages hold each other for ever" },
  { id: "N-34", wrong: "Errors get lost on their way through callbacks" },
  { id: "N-35", wrong: "An error that is raised again is another one" },
  { id: "N-36", wrong: "An exception cannot be printed" },
  { id: "N-37", wrong: "`sys.exit` ends the host" },
  { id: "N-38", wrong: "`os._exit` and `abort` end the host", later: process },
  { id: "N-39", wrong: "Python takes SIGINT away from Node" },
  { id: "N-40", wrong: "Ctrl-C does nothing while Python computes" },
  { id: "N-41", wrong: "An interrupt that comes late hits the next call" },
  { id: "N-42", wrong: "An interrupt hits code that cleans up" },
  { id: "N-43", wrong: "A forked child waits for threads that it does not have" },
  { id: "N-44", wrong: "A spawned worker process is a second copy of the host" },
  { id: "N-45", wrong: "`sys.executable` is not a Python" },
  { id: "N-46", wrong: "NumPy in two interpreters crashes" },
  { id: "N-47", wrong: "The library itself imports NumPy into an interpreter" },
  { id: "N-48", wrong: "C code asks for the wrong interpreter's lock and waits for ever" },
  { id: "N-49", wrong: "Two threads import an extension module at once" },
  { id: "N-50", wrong: "The protocol uses the standard streams, and an import waits for them", later: "the same for an engine in a process of its own" },
  { id: "N-51", wrong: "The system refuses another thread" },
  { id: "N-52", wrong: "Recursion overflows a thread's stack" },
  { id: "N-53", wrong: "Deep or cyclic values overflow the marshaller's stack" },
  { id: "N-54", wrong: "A crash in C code takes the host along", later: process },
  { id: "N-55", wrong: "A crash leaves no trace" },
  { id: "N-56", wrong: "Large integers lose digits" },
  { id: "N-57", wrong: "Special floats and booleans change their type or sign" },
  { id: "N-58", wrong: "An argument is guessed to be keyword arguments" },
  { id: "N-59", wrong: "Falsy attributes are missing, changing ones are stale" },
  { id: "N-60", wrong: "Text with NUL or lone surrogates is cut" },
  { id: "N-61", wrong: "File names that are not UTF-8 cannot be used" },
  { id: "N-62", wrong: "Under the C locale text is ASCII" },
  { id: "N-63", wrong: "The host has no standard streams" },
  { id: "N-64", wrong: "A long answer hangs, output is taken for the protocol" },
  { id: "N-65", wrong: "A callback is gone once the call that passed it has returned" },
  { id: "N-66", wrong: "A hidden deadline ends long calls" },
  { id: "N-67", wrong: "The process does not end by itself, or ends too soon" },
  { id: "N-68", wrong: "Python outlives its host", later: "the same for an engine in a process of its own" },
  { id: "N-69", wrong: "Exit handlers do not run" },
  { id: "N-70", wrong: "There is no libpython, or not a fitting one" },
  { id: "N-71", wrong: "Extension modules do not find libpython's symbols" },
  { id: "N-72", wrong: "An extension module was built for another Python" },
  { id: "N-73", wrong: "The virtual environment is ignored" },
  { id: "N-74", wrong: "PYTHONHOME poisons the start" },
  { id: "N-75", wrong: "The host forbids memory that it does not own" },
  { id: "N-76", wrong: "Python frees or resizes memory that JavaScript views" },
  { id: "N-77", wrong: "A detached buffer is passed to Python" },
  { id: "N-78", wrong: "The binary fits one version of Node only" },
  { id: "N-79", wrong: "Node's libraries and Python's are mixed up" },
  { id: "N-80", wrong: "TLS finds no certificates" },
  { id: "N-81", wrong: "A bundler loses the binary or Python's half" },
  { id: "N-82", wrong: "A thread that Python made calls JavaScript" },
  { id: "N-83", wrong: "The interpreter changes hands while the host holds a lock of its own" },
  { id: "N-84", wrong: "Memory runs out in the middle of a conversion", command: "`npm run lanes -- memory`: a sweep that fails every allocation once" },
  { id: "N-85", wrong: "A debug or free-threaded Python is picked up unnoticed" },
  { id: "N-86", wrong: "A coroutine meets the wrong event loop, or a closed one" },
  { id: "N-87", wrong: "One thread sets an environment variable while another reads one" },
];
