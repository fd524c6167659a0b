/**
 * One thread of the stress run: so many calls of mixed kinds, each answer checked, each outcome noted in a ledger.
 *
 * A kind says what it submits and checks what it gets. The Python side counts by itself what it was asked to do.
 */
import { createHash } from "node:crypto";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { createPython, kw, type PyRef, PythonError, ref, run, type Untyped } from "isopy";
import { createPythonSync } from "isopy/sync";
import { type Ending, Ledger } from "./ledger.ts";
import { random } from "./random.ts";

export interface Order {
  readonly calls: number;
  readonly seed: number;
  readonly paths: readonly string[];
}
export interface Outcome {
  readonly kinds: Record<string, number>;
  readonly submitted: number;
  readonly ok: number;
  readonly errors: number;
  readonly cancelled: number;
  readonly problems: readonly string[];
  readonly handles: number;
}

type Call = (n: number) => unknown;

/** Awaited together before the next batch is built. */
const IN_FLIGHT = 256;

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`wrong answer: ${what}`);
}

export async function stress({ calls, seed, paths }: Order): Promise<Outcome> {
  const python = createPythonSync({ paths });
  const py = await createPython({ backend: "native", paths });
  const sync = python.import("stressed");
  const module = py.import("stressed");
  const held: Record<string, Untyped> = {};
  for (const name of ["add", "text", "big", "echo", "data", "fail", "back", "keywords", "later", "items", "digest", "doze", "Box"]) {
    held[name] = await ref(module[name]);
  }
  const session = await py.session();
  const next = random(seed);
  const blob = new Uint8Array(4096).map((_, index) => index);
  const first = createHash("sha256").update(blob).digest("hex").slice(0, 4);
  const ledger = new Ledger();

  const raised = (error: unknown, value: number): "error" => {
    expect(error instanceof PythonError && error.type === "ValueError" && error.message.includes(String(value)), `the error of ${value}`);
    return "error";
  };
  /** By kind: how often it is drawn, and the call. Without a word it ended well; it throws when the answer is wrong. */
  const kinds: Record<string, readonly [weight: number, call: Call]> = {
    "sync call": [30, (n) => expect(sync.add(n, 1) === n + 1, "add")],
    "sync text": [6, (n) => expect(sync.text(`${n}`) === `${n}é\0👍`, "text")],
    "sync big integer": [4, (n) => expect(sync.big(BigInt(n) + 1n) === (BigInt(n) + 1n) << 70n, "big")],
    "sync data": [6, (n) => expect(sync.echo({ n, list: [n, `${n}`] }).list[1] === `${n}`, "data")],
    "sync error": [
      1,
      (n) => {
        try {
          sync.fail(n);
        } catch (error) {
          return raised(error, n);
        }
        throw new Error("nothing was raised");
      },
    ],
    "sync callback": [4, (n) => expect(sync.back((value: number) => value * 2, n) === n * 2 + 1, "callback")],
    "sync object": [
      4,
      (n) => {
        const box = sync.Box(n);
        expect(box.get() === n && box.value === n, "object");
        box[Symbol.dispose]();
      },
    ],
    "awaited call": [30, async (n) => expect((await held["add"](n, 2)) === n + 2, "awaited add")],
    "awaited chain": [4, async (n) => expect((await module.Box(n).get()) === n, "chain")],
    "awaited data": [4, async (n) => expect((await held["echo"]([n, { n }]))[1].n === n, "awaited data")],
    "awaited bytes": [2, async (n) => expect((await held["data"](blob.subarray(0, n % 512))).length === n % 512, "bytes")],
    "awaited error": [
      1,
      (n) =>
        Promise.resolve(held["fail"](n)).then(
          () => {
            throw new Error("nothing was raised");
          },
          (error: unknown) => raised(error, n),
        ),
    ],
    "awaited keywords": [2, async (n) => expect((await held["keywords"](kw({ first: n, second: 2 })))[0] === n, "keywords")],
    "awaited callback": [1, async (n) => expect((await held["back"]((value: number) => value + 1, n)) === n + 2, "awaited callback")],
    coroutine: [2, async (n) => expect((await held["later"](n)) === n, "coroutine")],
    iteration: [
      1,
      async () => {
        let total = 0;
        for await (const item of held["items"](5)) total += item;
        expect(total === 10, "iteration");
      },
    ],
    "without the GIL": [1, async () => expect((await held["digest"](blob)) === first, "digest")],
    session: [1, async (n) => expect((await session.eval(`${n % 97} + 1`)) === (n % 97) + 1, "session")],
    cancelled: [
      0.02,
      async (): Promise<Ending> => {
        const controller = new AbortController();
        const call = run(held["doze"](), { signal: controller.signal });
        setImmediate(() => controller.abort());
        try {
          await call;
        } catch (error) {
          expect((error as Error).name === "AbortError", `the error of an abort, not ${String(error)}`);
          return "cancelled";
        }
        throw new Error("a cancelled call ended well");
      },
    ],
  };
  const names = Object.keys(kinds);
  const total = names.reduce((sum, name) => sum + kinds[name]![0], 0);
  const draw = (): string => {
    let left = next() * total;
    for (const name of names) {
      left -= kinds[name]![0];
      if (left < 0) return name;
    }
    return names[0]!;
  };

  for (let done = 0; done < calls; ) {
    const waiting: Promise<unknown>[] = [];
    for (; done < calls && waiting.length < IN_FLIGHT; done++) {
      const kind = draw();
      const entry = ledger.submit(kind);
      try {
        const outcome = kinds[kind]![1](Math.floor(next() * 1e6));
        if (outcome instanceof Promise) {
          waiting.push(
            outcome.then(
              (ending) => ledger.settle(entry, (ending ?? "ok") as Ending),
              (error: unknown) => ledger.fail(entry, error),
            ),
          );
        } else {
          ledger.settle(entry, (outcome ?? "ok") as Ending);
        }
      } catch (error) {
        ledger.fail(entry, error);
      }
    }
    await Promise.all(waiting);
  }

  await session.close();
  for (const one of Object.values(held)) (one as PyRef)[Symbol.dispose]();
  const collect = globalThis.gc;
  for (let turn = 0; turn < 40 && collect && py.handles.count + python.handles.count > 0; turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  // The module and its functions that the synchronous side reached are held by this very function.
  const handles = py.handles.count;
  await py.close();
  python.close();
  return { ...ledger.summary(), handles };
}

if (!isMainThread) {
  const outcome = await stress(workerData as Order);
  parentPort?.postMessage(outcome);
}
