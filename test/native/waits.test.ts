/** Waits that an interrupt ends: every kind, on every CPython found; and what the replaced functions are otherwise. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { findPythons } from "../../src/environment/node-pythons.ts";
import { output } from "./support.ts";

/** The last one of each minor version. */
const pythons = [...new Map(findPythons().map((facts) => [facts.version.split(".").slice(0, 2).join("."), facts])).entries()];

const imports = "import asyncio, concurrent.futures, os, pickle, queue, select, selectors, subprocess, threading, time, _thread";

/** Statements that would take a minute or for ever. `stop` is an event that nobody sets while they run. */
const waits: Readonly<Record<string, string>> = {
  "time.sleep": "time.sleep(60)",
  "Lock.acquire": "l = threading.Lock(); l.acquire(); l.acquire()",
  "Lock.acquire with a timeout": "l = threading.Lock(); l.acquire(); l.acquire(timeout=60)",
  "with Lock": "l = threading.Lock(); l.acquire()\nwith l: pass",
  "with RLock": "l = threading.RLock(); t = threading.Thread(target=l.acquire); t.start(); t.join()\nwith l: pass",
  "Condition.wait": "c = threading.Condition()\nwith c: c.wait()",
  "Condition.wait with a plain lock": "c = threading.Condition(threading.Lock())\nwith c: c.wait(60)",
  "Event.wait": "stop.wait()",
  "Semaphore.acquire": "threading.Semaphore(0).acquire()",
  "Barrier.wait": "threading.Barrier(2).wait()",
  "Queue.get": "queue.Queue().get()",
  "Queue.put": "q = queue.Queue(1); q.put(1); q.put(2)",
  "SimpleQueue.get": "queue.SimpleQueue().get()",
  "SimpleQueue.get with a timeout": "queue.SimpleQueue().get(timeout=60)",
  "Thread.join": "t = threading.Thread(target=stop.wait, daemon=True); t.start(); t.join()",
  "Thread.join with a timeout": "t = threading.Thread(target=stop.wait, daemon=True); t.start(); t.join(60)",
  "Future.result": "concurrent.futures.Future().result()",
  "futures.wait": "concurrent.futures.wait([concurrent.futures.Future()])",
  "the result of a thread pool": "concurrent.futures.ThreadPoolExecutor(1).submit(stop.wait).result()",
  "select.select": "r, w = os.pipe(); select.select([r], [], [])",
  "select.select with a timeout": "r, w = os.pipe(); select.select([r], [], [], 60)",
  "poll.poll": "r, w = os.pipe(); p = select.poll(); p.register(r); p.poll()",
  "poll.poll with a timeout": "r, w = os.pipe(); p = select.poll(); p.register(r); p.poll(60000)",
  "epoll.poll": "r, w = os.pipe(); p = select.epoll(); p.register(r); p.poll()",
  "DefaultSelector.select": "s = selectors.DefaultSelector(); r, w = os.pipe(); s.register(r, 1); s.select(60)",
  "SelectSelector.select": "s = selectors.SelectSelector(); r, w = os.pipe(); s.register(r, 1); s.select()",
  "asyncio.run": "asyncio.run(asyncio.sleep(60))",
  await: "await asyncio.sleep(60)",
  "Popen.wait": "child().wait()",
  "Popen.wait with a timeout": "child().wait(60)",
  "Popen.communicate": "child(stdout=-1, stderr=-1).communicate()",
  "subprocess.run": "subprocess.run(['sleep', '60'])",
};

const script = (python: string): string => `
import { createPython, run } from "isopy";
const py = await createPython({ backend: "native", python: ${JSON.stringify(python)} });
await py.exec(${JSON.stringify(`${imports}
stop = threading.Event()
children = []
def child(**options):
    children.append(subprocess.Popen(["sleep", "60"], **options))
    return children[-1]
`)});
// A call that was aborted keeps no process alive, and on a busy machine its finally may come after that.
const alive = setInterval(() => {}, 1000);
const took = {};
for (const [kind, source] of Object.entries(${JSON.stringify(waits)})) {
  const controller = new AbortController();
  let aborted = 0;
  const begun = () => void setTimeout(() => {
    aborted = performance.now();
    controller.abort();
  }, 10);
  const { promise, resolve: over } = Promise.withResolvers?.() ?? (() => {
    let resolve;
    return { promise: new Promise((r) => { resolve = r; }), resolve };
  })();
  const body = source.split("\\n").map((line) => "    " + line).join("\\n");
  const program = py.exec("try:\\n    begun()\\n" + body + "\\nfinally:\\n    over()", { locals: { begun, over: () => over(performance.now() - aborted) } });
  const end = await run(program, { signal: controller.signal }).then(() => "it returned", (error) => error.name);
  took[kind] = end === "AbortError" ? await promise : end;
}
await py.exec("stop.set()\\nfor one in children: one.kill(); one.wait()");
await py.close();
clearInterval(alive);
console.log(JSON.stringify(took));
`;

describe.each(pythons)("[N-42] on Python %s, an interrupt ends", (_, { executable }) => {
  let took: Promise<Record<string, number | string>> | undefined;
  it.each(Object.keys(waits))(
    "%s, and finally runs",
    async (kind) => {
      took ??= output(script(executable), { timeout: 60_000 }).then((text) => JSON.parse(text));
      expect((await took)[kind]).toBeLessThan(10_000); // of a minute; measured: 20 to 50 ms
    },
    60_000,
  );
});

/** What the types say about themselves, and about arguments that they do not take. */
const questions = `
import _thread, pickle, select, threading, queue, os, json, inspect
def ask(call):
    try: return repr(call())
    except BaseException as error: return type(error).__name__ + ": " + str(error)
lock, taken, rlock = threading.Lock(), threading.Lock(), threading.RLock()
taken.acquire()
r, w = map(os.dup2, os.pipe(), (150, 151))
os.write(w, b"x")
poll, epoll = select.poll(), select.epoll()
poll.register(r, select.POLLIN); epoll.register(r, select.EPOLLIN)
found = {}
for name, one in (("lock", lock), ("taken", taken), ("rlock", rlock)):
    kind = type(one)
    for number, call in enumerate((
        lambda: kind.__name__, lambda: isinstance(lock, _thread.LockType), lambda: pickle.dumps(one), lambda: type(kind.acquire).__name__,
        lambda: kind.acquire.__name__, lambda: kind.acquire.__doc__, lambda: kind.acquire.__objclass__ is kind, lambda: kind.acquire.__qualname__,
        lambda: one.acquire(False), lambda: one.acquire(0), lambda: one.acquire(False, 1), lambda: one.acquire(True, -2), lambda: one.acquire(True, "x"),
        lambda: one.acquire(1, 2, 3), lambda: one.acquire(block=True), lambda: one.acquire(True, blocking=True), lambda: one.acquire(timeout=1e30),
        lambda: one.acquire(timeout=10**400), lambda: one.acquire(timeout=float("nan")), lambda: one.acquire(True, 0), lambda: one.acquire(True, 0.001),
        lambda: one.acquire(timeout=0.12), lambda: kind.acquire(), lambda: kind.acquire(1), lambda: one.locked() if hasattr(one, "locked") else None,
    )):
        if one is lock and lock.locked(): lock.release()
        found[f"{name} {number}"] = ask(call)
for number, call in enumerate((
    lambda: poll.poll(), lambda: poll.poll(0), lambda: poll.poll("x"), lambda: epoll.poll(), lambda: epoll.poll(timeout=0, maxevents=1),
    lambda: epoll.poll(-1), lambda: epoll.poll(1, 0), lambda: epoll.poll("x"), lambda: select.select([r], [], [], -1), lambda: select.select([r], [], []),
    lambda: select.select([], [], [], 0.12), lambda: select.select([r], [w], []), lambda: select.select(1, 2, 3), lambda: select.select([r], [], [], "x"),
    lambda: queue.SimpleQueue().get(False), lambda: queue.SimpleQueue().get(timeout=0.12), lambda: queue.SimpleQueue().get(timeout=-1),
    lambda: threading.Event().wait(0.12), lambda: threading.Thread(target=print).join(), lambda: threading.Condition().wait(),
)):
    found[f"call {number}"] = ask(call)
`;

describe.each(pythons)("on Python %s, a wait", (_, { executable }) => {
  it("is in all else what it is without isopy", async () => {
    const plain = spawnSync(executable, ["-c", `${questions}\nprint(json.dumps(found))`], { encoding: "utf8" });
    const embedded = await output(`
import { createPython } from "isopy";
const py = await createPython({ backend: "native", python: ${JSON.stringify(executable)} });
await py.exec(${JSON.stringify(questions)});
console.log(await py.eval("json.dumps(found)"));
await py.close();
`);
    const address = / at 0x[0-9a-f]+|owner=\d+/g;
    const clean = (text: string) => JSON.parse(text.replaceAll(address, "")) as Record<string, string>;
    expect(clean(embedded)).toEqual(clean(plain.stdout));
    expect(Object.keys(clean(embedded)).length).toBeGreaterThan(90);
  });
});
