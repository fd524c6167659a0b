/**
 * The allocation-failure run: for each operation, the n-th allocation of Python fails, for n = 0, 1, 2 …
 *
 * Uses CPython's own hook (`_testcapi.set_nomemory`). Each call must give its answer, a MemoryError or another typed
 * error; the process must live, and the engine must answer rightly afterwards. Before each try the number goes to
 * stderr, so that a crash names its place. Arguments: `--points=N --python=FOLDER`.
 */
import { writeSync } from "node:fs";
import { createPython, EngineError, PythonError, toJs } from "isopy";
import { createPythonSync } from "isopy/sync";

const option = (name: string): string | undefined => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const points = Number(option("points") ?? 50);

const start = () => createPythonSync({ paths: [option("python") as string], stdout: () => {}, stderr: () => {} });
const nested = { a: [1, "two", 3.5, { b: null }], c: new Map<unknown, unknown>([[1, "x"]]), d: new Set([1, 2]) };
const floats = Array.from({ length: 100 }, (_, index) => index + 0.5);

interface Hooks {
  set_nomemory(start: number, stop: number): void;
  remove_mem_hooks(): void;
}

/** An engine, its hooks and the operations on it. */
function begin() {
  const python = start();
  const { set_nomemory: failFrom, remove_mem_hooks: restore } = python.import<Hooks>("_testcapi");
  const { echo, fail, call, items, box, new: make } = python.import("leaks");
  const operations: Record<string, () => unknown> = {
    scalars: () => echo(12_345.5),
    text: () => echo("text é👍\0".repeat(20)),
    "big integer": () => echo(2n ** 300n),
    containers: () => echo(nested),
    floats: () => echo(floats),
    bytes: () => echo(new Uint8Array(300)),
    "typed array": () => toJs(echo(new Float64Array(30))),
    attribute: () => box.value,
    method: () => box.method(),
    "new object": () => make()[Symbol.dispose](),
    error: () => fail(),
    callback: () => call((value: number) => [value]),
    "callback that throws": () =>
      call(() => {
        throw new RangeError("thrown");
      }),
    iteration: () => [...items()],
    eval: () => python.eval("[a] * 3", { locals: { a: 1 } }),
    exec: () => python.exec("leaky = [1]; print(leaky)"),
    import: () => python.import("colorsys").rgb_to_hsv(1, 1, 1),
  };
  return { python, failFrom, restore, echo, operations };
}

{
  // Enough threads now: CPython 3.11 itself crashes when the state of a new thread cannot be allocated.
  const py = await createPython({ backend: "native" });
  await py.exec("import time");
  await Promise.all(Array.from({ length: 8 }, () => py.import("time").sleep(0.1)));
}
{
  const python = start();
  try {
    python.import("_testcapi");
  } catch {
    console.log(JSON.stringify({ missing: `Python ${python.info.python} has no module _testcapi` }));
    process.exit(0);
  }
  python.close();
}

/** How a call ended; anything that is not typed is a problem. */
function ending(body: () => unknown): "answered" | "refused" | string {
  try {
    body();
    return "answered";
  } catch (error) {
    return error instanceof PythonError || error instanceof EngineError || (error instanceof RangeError && error.message === "thrown")
      ? "refused"
      : `an untyped error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

const problems: string[] = [];
const counts: Record<string, Record<string, number>> = {};
let engine = begin();
for (const name of Object.keys(engine.operations)) {
  const endings: Record<string, number> = { answered: 0, refused: 0, lost: 0 };
  ending(engine.operations[name] as () => unknown);
  for (let point = 0; point < points; point++) {
    writeSync(2, `${name} ${point}\n`);
    const { failFrom, restore, echo, operations } = engine;
    ending(() => failFrom(point, point + 1));
    const how = ending(operations[name] as () => unknown);
    // The hook's own removal allocates a little: the one failure may fall on it.
    for (let tries = 0; tries < 3 && ending(restore) !== "answered"; tries++);
    if (how === "answered" || how === "refused") endings[how] = (endings[how] as number) + 1;
    else problems.push(`${name}, allocation ${point}: ${how}`);
    await new Promise(setImmediate);
    let right: unknown;
    const after = ending(() => {
      right = echo(point);
    });
    if (after === "answered" && right === point) continue;
    // What the engine did in between (a release, a flush) had no memory: it is lost as a whole, and said so.
    endings["lost"] = (endings["lost"] as number) + 1;
    if (after !== "refused") problems.push(`${name}, allocation ${point}: the engine answers wrongly afterwards`);
    engine = begin();
  }
  counts[name] = endings;
}
console.log(JSON.stringify({ points, counts, problems: problems.slice(0, 10) }));
process.exit(problems.length === 0 ? 0 : 1);
