/**
 * Programs that try to take their engine along, and what each of them may come to.
 *
 * `value`: it runs to its end. `error`: a PythonError. `stopped`: its caller's deadline, then the engine goes on.
 * `condemned`: the deadline, then the engine is ended. `lost`: the engine dies of it at once. Where a stack or
 * memory decides, several are right. `meet` runs one, in Node and in a page.
 */
import type * as Isopy from "isopy";

/** Milliseconds: the deadline of each program, and how much later its caller may hear of it. */
export const DEADLINE = 300;
export const LATE = 500;

export type Fate = "value" | "error" | "stopped" | "condemned" | "lost";

export interface Hostile {
  /** Rows of the failure catalogue. */
  readonly rows: string;
  readonly what: string;
  readonly source: string;
  /** An expression to be awaited instead of statements. */
  readonly awaits?: string;
  readonly fates: readonly Fate[];
  /** What it began ends the engine later. */
  readonly later?: true;
  /** One of its kind, met in a page too. */
  readonly page?: true;
}

const deep = "x = []\nfor _ in range(10**5): x = [x]\n";
/** A machine that is busy elsewhere meets the deadline first. */
const overflow = ["lost", "error", "stopped", "condemned"] as const;

// biome-ignore format: a table
export const hostile: readonly Hostile[] = [
  // It can be interrupted.
  { rows: "[W-12]", what: "a busy loop", source: "while True: pass", fates: ["stopped"], page: true },
  { rows: "[W-12]", what: "a regular expression that backtracks", source: "import re\nre.match('(a+)+$', 'a' * 40 + 'b')", fates: ["stopped"] },
  { rows: "[W-12]", what: "a number of a hundred million digits", source: "10**10**8", fates: ["stopped"] },
  { rows: "[W-12]", what: "a finalizer that never ends", source: "class D:\n  def __del__(self):\n    while True: pass\nd = D()\ndel d", fates: ["stopped"] },
  { rows: "[W-12]", what: "a finalizer that swallows its interrupt, and a loop after it", source: "class D:\n  def __del__(self):\n    while True: pass\nd = D()\ndel d\nwhile True: pass", fates: ["stopped"], page: true },
  { rows: "[W-12]", what: "lists in lists without end", source: "x = []\nwhile True: x = [x, [1] * 1000]", fates: ["stopped", "lost", "condemned"] },
  { rows: "[W-13]", what: "time.sleep", source: "import time\ntime.sleep(60)", fates: ["stopped"], page: true },
  { rows: "[W-13]", what: "a lock that is held", source: "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", fates: ["stopped"], page: true },
  { rows: "[W-13]", what: "an event that nobody sets", source: "import threading\nthreading.Event().wait()", fates: ["stopped"] },
  { rows: "[W-13]", what: "an empty queue", source: "import queue\nqueue.Queue().get()", fates: ["stopped"] },
  { rows: "[W-14]", what: "asyncio.sleep", source: "", awaits: "__import__('asyncio').sleep(60)", fates: ["stopped"], page: true },
  { rows: "[W-14]", what: "a future that nobody sets", source: "import asyncio\nasync def wait(): await asyncio.Future()", awaits: "wait()", fates: ["stopped"], page: true },
  { rows: "[W-14]", what: "a coroutine that sleeps without awaiting", source: "import asyncio, time\nasync def wait():\n  await asyncio.sleep(0)\n  time.sleep(60)", awaits: "wait()", fates: ["stopped"], page: true },
  { rows: "[W-16]", what: "print without end", source: "while True: print('x' * 100)", fates: ["stopped"], page: true },
  { rows: "[W-16]", what: "writing without end, beside sys.stdout", source: "import os\nwhile True: os.write(1, b'x' * 100)", fates: ["stopped"], page: true },
  // It does not hear.
  { rows: "[W-15]", what: "a loop that catches everything", source: "while True:\n  try:\n    while True: pass\n  except BaseException: pass", fates: ["condemned"], page: true },
  { rows: "[W-15]", what: "a coroutine that catches its cancellation", source: "import asyncio\nasync def stay():\n  while True:\n    try: await asyncio.sleep(60)\n    except BaseException: pass", awaits: "stay()", fates: ["condemned"], page: true },
  { rows: "[W-15]", what: "SIGINT ignored", source: "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", fates: ["condemned"] },
  { rows: "[W-15]", what: "a sum in C", source: "sum(range(10**10))", fates: ["condemned"], page: true },
  { rows: "[W-15]", what: "an iterator in C", source: "import collections, itertools\ncollections.deque(itertools.repeat(0), maxlen=0)", fates: ["condemned"] },
  { rows: "[W-15]", what: "a loop in JavaScript", source: "import js\njs.eval('for (;;);')", fates: ["condemned"], page: true },
  { rows: "[W-08]", what: "recursion without its limit", source: "import sys\nsys.setrecursionlimit(10**7)\ndef f(): f()\nf()", fates: ["condemned", "lost", "error"] },
  // It overflows a stack that Python does not count.
  { rows: "[W-07]", what: "plain recursion", source: "def f(): return f()\nf()", fates: ["error"], page: true },
  { rows: "[W-07]", what: "recursion through __getattr__", source: "class A:\n  def __getattr__(self, name): return getattr(self, name + '_')\nA().x", fates: overflow, page: true },
  { rows: "[W-07]", what: "an object whose repr is its own repr", source: "class R:\n  def __repr__(self): return repr(self)\nrepr(R())", fates: overflow, page: true },
  { rows: "[W-06] [W-07]", what: "the repr of a hundred thousand levels", source: `${deep}repr(x)`, fates: overflow, page: true },
  { rows: "[W-07]", what: "dropping a hundred thousand levels", source: `${deep}del x`, fates: [...overflow, "value"], page: true },
  { rows: "[W-07]", what: "JSON of a hundred thousand levels", source: "import json\njson.loads('[' * 100_000)", fates: overflow, page: true },
  { rows: "[W-07]", what: "a pickle of a hundred thousand levels", source: `${deep}import pickle\npickle.dumps(x)`, fates: overflow },
  { rows: "[W-07]", what: "comparing a hundred thousand levels", source: `${deep}y = []\nfor _ in range(10**5): y = [y]\nx == y`, fates: overflow },
  { rows: "[W-07]", what: "a hundred thousand parentheses", source: "eval('(' * 100_000 + ')' * 100_000)", fates: overflow },
  { rows: "[W-07]", what: "a hundred thousand signs", source: "eval('-' * 100_000 + '1')", fates: overflow },
  // It ends the interpreter, or what that stands on.
  { rows: "[W-06]", what: "os._exit", source: "import os\nos._exit(3)", fates: ["lost"], page: true },
  { rows: "[W-06]", what: "os.abort", source: "import os\nos.abort()", fates: ["lost"], page: true },
  { rows: "[W-06]", what: "reading memory that is not there", source: "import ctypes\nctypes.string_at(1 << 31)", fates: ["lost", "error"] },
  { rows: "[W-06]", what: "builtins taken away", source: "import builtins\nbuiltins.len = None\nbuiltins.isinstance = None", fates: ["lost", "value", "error"], page: true },
  { rows: "[W-06]", what: "JavaScript's arrays broken", source: "import js\njs.eval('Array.prototype.push = null')", fates: ["lost", "value", "error", "condemned"] },
  { rows: "[W-18]", what: "process.exit", source: "import js\njs.process.exit(7)", fates: ["lost"] },
  { rows: "[W-18]", what: "process.exit after its reply", source: "import js\njs.eval('setTimeout(() => process.exit(7), 20)')", fates: ["value"], later: true },
  { rows: "[W-10]", what: "sys.exit", source: "import sys\nsys.exit(3)", fates: ["error"] },
  { rows: "[W-10]", what: "sys.exit in a coroutine", source: "import sys\nasync def leave(): sys.exit(3)", awaits: "leave()", fates: ["error"], page: true },
  { rows: "[W-10]", what: "a KeyboardInterrupt of its own", source: "raise KeyboardInterrupt", fates: ["error"] },
  { rows: "[W-11]", what: "a background task that exits", source: "import asyncio\nasync def bad(): raise SystemExit\ntask = asyncio.ensure_future(bad())", fates: ["value"], page: true },
  { rows: "[W-11]", what: "a background task that fails", source: "import asyncio\nasync def bad(): 1 / 0\ntask = asyncio.ensure_future(bad())", fates: ["value"] },
  { rows: "[W-11] [W-15]", what: "a background task that never gives the thread back", source: "import asyncio\nasync def bad():\n  while True: pass\ntask = asyncio.ensure_future(bad())", fates: ["value"], later: true, page: true },
  { rows: "[W-11]", what: "a callback of the loop that raises", source: "import asyncio\nasyncio.get_event_loop().call_soon(exec, 'raise KeyboardInterrupt')", fates: ["value"] },
  { rows: "[W-11]", what: "a rejection that nobody hears", source: "import js\njs.eval('Promise.reject(new Error(1)); queueMicrotask(() => { throw new Error(2) })')", fates: ["value"], page: true },
  { rows: "[W-09]", what: "three billion bytes at once", source: "bytes(3 * 10**9)", fates: ["error"] },
  { rows: "[W-40]", what: "a message of a hundred thousand levels", source: "import js\njs.eval('let a = []; for (let i = 0; i < 1e5; i++) a = [a]; structuredClone(a)')", fates: ["error", "lost"], page: true },
];

/** Python with an engine that is ended and replaced, and the losses as they come. */
export async function mortalPython({ createPython }: typeof Isopy, spare = true): Promise<Mortal> {
  const losses: Isopy.Loss[] = [];
  let heard = (): void => {};
  const py = await createPython({
    backend: "wasm",
    whenUnresponsive: "condemn",
    grace: 500, // a machine that is busy elsewhere needs some of it
    whenLost: "replace",
    spare,
    stdout: () => {},
    stderr: () => {},
    onUnhandled: () => {},
    onLoss: (loss) => {
      losses.push(loss);
      heard();
    },
  });
  /** Resolves when there are more losses than so many. */
  const lossAfter = (count: number) =>
    losses.length > count
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          heard = resolve;
        });
  return { py, losses, lossAfter };
}

export interface Mortal {
  readonly py: Isopy.Python;
  readonly losses: readonly Isopy.Loss[];
  lossAfter(count: number): Promise<void>;
}

export interface Met {
  readonly fate: Fate;
  /** Milliseconds until its caller knew. */
  readonly after: number;
}

/** Runs one, then waits until Python computes again. */
export async function meet({ run, EngineError, PythonError }: typeof Isopy, mortal: Mortal, one: Hostile): Promise<Met> {
  const { py, losses, lossAfter } = mortal;
  const { source, awaits, fates } = one;
  if (awaits !== undefined && source !== "") await py.exec(source);
  const before = losses.length;
  const start = performance.now();
  const outcome: unknown = await run(awaits === undefined ? py.exec(source) : py.eval(awaits), { timeout: DEADLINE }).then(
    () => "value",
    (error: unknown) => error,
  );
  const after = performance.now() - start;
  let fate: Fate = "value";
  if (outcome instanceof PythonError) fate = "error";
  else if (outcome instanceof EngineError) {
    if (outcome.code !== "ERR_ENGINE_LOST" || losses.length !== before + 1) throw outcome;
    fate = "lost";
  } else if (outcome !== "value") {
    if ((outcome as Error).name !== "TimeoutError") throw outcome;
    // Whoever asks next and gives up, too, is not who ends the engine.
    if (fates.every((name) => name === "condemned")) await lossAfter(before);
    else await answers(run, py);
    fate = losses.length > before ? "condemned" : "stopped";
  }
  if (one.later) {
    // What it began may not have begun yet: then this is answered.
    while (losses.length === before) await run(py.eval("1"), { timeout: DEADLINE }).catch(() => lossAfter(before));
  }
  await answers(run, py);
  return { fate, after };
}

/** Python computes again; a call that meets the end of the old engine is told so, and is made once more. */
async function answers(run: typeof Isopy.run, py: Isopy.Python): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const value: unknown = await run(py.eval("1 + 1"), { timeout: 10_000 }).catch((error: unknown) => error);
    if (value === 2) return;
    if ((value as Isopy.EngineError).code !== "ERR_ENGINE_LOST") throw value;
  }
  throw new Error("Python did not answer again.");
}
