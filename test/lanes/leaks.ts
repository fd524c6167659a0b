/**
 * The leak run: what each operation of the API leaves behind in Python, as a slope over many rounds.
 *
 * Blocks and collectable objects on every Python, references too on a debug build. Prints one JSON object; exit code 1
 * when a slope is above its bound. Arguments: `--rounds=N --python=FOLDER`.
 */
import { createPython, kw, type NDArray, type PyRef, proxy, ref, release, run, scope, set, toJs, transfer, type Untyped } from "isopy";
import { createPythonSync, toJs as toJsNow } from "isopy/sync";

const option = (name: string): string | undefined => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const rounds = Number(option("rounds") ?? 500);
const paths = [option("python") as string];
/** Of each kind, left by one operation; and what caches and the collector move anyhow in one window. */
const BOUND = 0.05;
const SLACK = 15;
const WINDOWS = 8;
/** Fills what is bounded by number: an engine remembers its last 1,024 exceptions, and their numbers a little longer. */
const WARM_UP = 1_400;

const python = createPythonSync({ paths });
const py = await createPython({ backend: "native", paths, stdout: () => {}, stderr: () => {} });
const sync = python.import("leaks");
const { echo, fail, call, items, box, new: make } = sync;
const held: Record<string, Untyped> = {};
for (const name of ["echo", "fail", "call", "items", "later", "later_items", "new"]) held[name] = await ref(py.import("leaks")[name]);
const session = await py.session();

const throws = (body: () => unknown): void => {
  try {
    body();
  } catch {
    return;
  }
  throw new Error("nothing was thrown");
};
const bytes = new Uint8Array(300);
const numbers = python.eval("__import__('array').array('d', [1, 2, 3])");
const matrix = python.eval("memoryview(bytearray(6)).cast('B', [2, 3])");
const nested = { a: [1, "two", 3.5, { b: null }], c: new Map<unknown, unknown>([[1, "x"]]), d: new Set([1, 2]) };
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const operations: Record<string, () => unknown> = {
  "sync: call with scalars": () => echo(1),
  "sync: text": () => echo("text é👍\0"),
  "sync: big integer": () => echo(2n ** 100n),
  "sync: containers": () => echo(nested),
  "sync: a cycle": () => echo(cyclic),
  "sync: bytes": () => echo(bytes),
  "sync: typed array": () => toJs(echo(new Float64Array(30))),
  "sync: a copy of an array": () => toJsNow(numbers),
  "sync: a view of an array, released": () => release(toJsNow<Float64Array>(numbers, { view: true })),
  "sync: a view of a matrix, released": () => release(toJsNow<NDArray>(matrix, { view: true })),
  "sync: attribute": () => box.value,
  "sync: method": () => box.method(),
  "sync: keywords": () => echo(kw({ value: 1 })),
  "sync: new object, disposed": () => make()[Symbol.dispose](),
  "sync: error": () => throws(() => fail()),
  "sync: error of a callback": () =>
    throws(() =>
      call(() => {
        throw new Error("no");
      }),
    ),
  "sync: callback": () => call((value: number) => value),
  "sync: iteration": () => [...items()],
  "sync: iteration, left early": () => {
    for (const _ of items()) break;
  },
  "sync: eval with names": () => python.eval("a + 1", { locals: { a: 1 } }),
  "sync: globals": () => {
    python.globals.set("leaky", [1]);
    python.globals.delete("leaky");
  },
  "sync: import": () => python.import("json"),
  "async: call": () => held["echo"](1),
  "async: containers": () => held["echo"](nested),
  "async: chain": () => py.import("leaks").new().method(),
  "async: error": () =>
    held["fail"]().then(
      () => {
        throw new Error("nothing was raised");
      },
      () => undefined,
    ),
  "async: callback": () => held["call"]((value: number) => value),
  "async: callback with a promise": () => held["call"](proxy(async (value: number) => value, { async: true })),
  "async: coroutine": () => held["later"](),
  "async: iteration": async () => {
    for await (const _ of held["items"]());
  },
  "async: iteration, left early": async () => {
    for await (const _ of held["items"]()) break;
  },
  "async: generator of coroutines": async () => {
    for await (const _ of held["later_items"]());
  },
  "async: object, disposed": async () => ((await held["new"]()) as PyRef)[Symbol.dispose](),
  "async: scope": () =>
    scope(async (use) => {
      await use(held["new"]());
    }),
  "async: set": async () => {
    const one = (await held["new"]()) as PyRef;
    await set(one, "value", 2);
    one[Symbol.dispose]();
  },
  "async: eval with names": () => py.eval("len(a) + 1", { locals: { a: [1, 2] } }),
  "async: exec": () => py.exec("leaky = [1]"),
  "async: printing": () => py.exec("print('x')"),
  "async: session": () => session.eval("1 + 1"),
  "async: a session of its own": async () => {
    const own = await py.session();
    await own.exec("a = [1]");
    await own.close();
  },
  "async: transfer": () => held["echo"](transfer(new Uint8Array(10))),
  "async: aborted before": async () => {
    const call = run(held["echo"](1), { signal: AbortSignal.abort() });
    await call.then(
      () => undefined,
      () => undefined,
    );
  },
  "async: run with a timeout that does not fire": () => run(held["echo"](1), { timeout: 10_000 }),
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const alive = async (): Promise<number[]> => {
  await settle();
  return Array.from(sync.alive() as readonly number[]);
};

const fits = (slope: number): boolean => slope * rounds <= Math.max(BOUND * rounds, SLACK);
const slopes: Record<string, number[]> = {};
const problems: string[] = [];
for (const [name, body] of Object.entries(operations)) {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // The least of some windows: what a cache grows by is not in all of them, a leak is.
  for (let round = 0; round < Math.max(WARM_UP, rounds / 4); round++) await body();
  for (let window = 0; window < WINDOWS; window++) {
    const before = await alive();
    for (let round = 0; round < rounds; round++) await body();
    const after = await alive();
    for (const [index, value] of after.entries()) least[index] = Math.min(least[index]!, (value - before[index]!) / rounds);
    if (least.every(fits)) break;
  }
  slopes[name] = least.map((slope) => Number(slope.toFixed(3)));
  if (!least.every(fits)) problems.push(`${name} leaves ${slopes[name]!.join(", ")} (blocks, objects, references) each time`);
}
console.log(JSON.stringify({ operations: Object.keys(operations).length, rounds, slopes, problems }));
process.exit(problems.length === 0 ? 0 : 1);
