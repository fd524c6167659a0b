/**
 * The types that users see. Checked by `tsc --noEmit`: a line that should not compile is marked, and
 * fails the check when it does.
 */
import {
  as,
  type Cell,
  type CellEvent,
  type CellResult,
  createPython,
  EngineError,
  type EngineErrorCode,
  enter,
  handlesOf,
  type InstallReport,
  isRef,
  item,
  iterate,
  kw,
  type LentMemory,
  type Lock,
  NDArray,
  PackageError,
  type PyExpr,
  type PyRef,
  type Python,
  PythonError,
  proxy,
  ref,
  run,
  scope,
  set,
  slice,
  toJs,
  tuple,
  view,
} from "../../src/node.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};
const any = <A>(_: 0 extends 1 & A ? true : false): void => {};

declare const py: Python;

// The untyped import is the one `any`.
const np = py.import("numpy");
const loose = await np.random.rand(3, 4).mean(kw({ axis: 0 }));
any<typeof loose>(true);

// A typed import is typed to its end.
interface Math {
  readonly pi: number;
  sqrt(x: number): number;
  gcd(...xs: number[]): bigint;
  modf(x: number): [number, number];
}
const math = py.import<Math>("math");
const root = await math.sqrt(2);
same<typeof root, number>(true);
const pi = await math.pi;
same<typeof pi, number>(true);
const parts = await math.modf(1.5);
same<typeof parts, [number, number]>(true);
const nested = await math.sqrt(math.sqrt(16)); // an expression stands for its value
same<typeof nested, number>(true);
await math.gcd(4, 6, kw({ unused: true }));
// @ts-expect-error a string is no number
math.sqrt("2");
// @ts-expect-error there is no such attribute
math.nothing;
// @ts-expect-error Python attributes are read-only here: set(object, name, value)
math.pi = 3;

// An instance is a ref, so a forgotten await shows; data that has methods is data.
interface Vector {
  readonly shape: number[];
  sum(): number;
  copy(): Vector;
  tobytes(): Uint8Array;
  items(): Map<string, bigint>;
}
const vector = await py.import<{ zeros(n: number): Vector }>("numpy").zeros(3);
same<typeof vector, PyRef<Vector>>(true);
// @ts-expect-error not awaited
const forgotten: number = vector.sum();
same<Awaited<typeof forgotten>, number>(true);
const summed = await vector.copy().sum();
same<typeof summed, number>(true);
const raw = await vector.tobytes();
same<typeof raw, Uint8Array>(true);
const pairs = await vector.items();
same<typeof pairs, Map<string, bigint>>(true);
const plain = await py.eval<{ a: number; b: string[] }>("{}");
same<typeof plain, { a: number; b: string[] }>(true);
const dense = await py.eval<NDArray>("x");
same<typeof dense, NDArray>(true);

// An expression has a promise's methods.
const safe = await py.eval<number>("1/0").catch(() => "none");
same<typeof safe, string | number>(true);
const tidied = await math.sqrt(2).finally(() => {});
same<typeof tidied, number>(true);

// Verbs.
const total = await py.eval<number>`sum(${[1, 2]})`;
same<typeof total, number>(true);
const text = await run(py.eval<string>("str(x)", { locals: { x: 1 } }), { timeout: 10, signal: AbortSignal.timeout(5) });
same<typeof text, string>(true);
const held = await ref(py.eval<number[]>`[1]`);
same<typeof held, PyRef<number[]>>(true);
const copy = await toJs<Float64Array>(np.zeros(3));
same<typeof copy, Float64Array>(true);
const entry = await item<string>(held, 0);
same<typeof entry, string>(true);
const done = await set(np, "x", 1);
same<typeof done, null>(true);
await item(np, tuple([1, slice(0, 2)]));
// @ts-expect-error a name is a string
set(np, 1, 2);
// @ts-expect-error a known option
run(np, { timeOut: 1 });
// @ts-expect-error not one of the conversions
run(np, { convert: "text" });

// Functions and instances arrive as refs.
const f = await py.eval<(x: number) => string>`f`;
same<typeof f, PyRef<(x: number) => string>>(true);
const called = await f(1);
same<typeof called, string>(true);

// Refs are disposable and not thenable.
{
  using dying = held;
  await using alsoDying = held;
  void [dying, alsoDying];
}
// @ts-expect-error a ref is no promise
held.then(() => {});
for await (const line of iterate<string>(np.lines(), { window: 1 })) same<typeof line, string>(true);
if (isRef(loose)) await ref(loose);
using refs = handlesOf(loose);
void refs;

// Scopes and context managers.
const kept = await scope(async (s) => {
  const a = await s(py.eval<number>`1`);
  same<typeof a, number>(true);
  return s.ref(py.eval<string>`"x"`);
});
same<typeof kept, PyRef<string>>(true);
await using file = await enter<PyRef>(py.builtins.open("x"));
await file.value.write("x");
const suppressed: boolean = await file.exit(new Error("x"));
const length = await enter(py.builtins.open("x"), () => 5);
same<typeof length, number | undefined>(true);

// Typed targets give types.
const rows = await run(np.rows(), { as: as.list(as.tuple(as.int32(), as.optional(as.string()))) });
same<typeof rows, (readonly [number, string | null])[]>(true);
same<ReturnType<typeof as.uint8>["type"], number>(true);

// Sessions.
const session = await py.session({ name: "n" });
const cell: Cell = session.run("1", { timeout: 5 });
for await (const event of cell) {
  same<typeof event, CellEvent>(true);
  if (event.type === "stream") same<typeof event.name, "stdout" | "stderr">(true);
  if (event.type === "error") same<typeof event.error, PythonError>(true);
}
const { status }: CellResult = await cell.result;
same<typeof status, "ok" | "error" | "aborted">(true);

// Errors.
try {
  await createPython({ backend: "native", python: "3.12", limits: { maxDepth: 10 } });
} catch (error) {
  if (error instanceof EngineError) same<typeof error.code, EngineErrorCode>(true);
  if (error instanceof PythonError) same<typeof error.type, string>(true);
}
// @ts-expect-error an unknown option
void createPython({ bakend: "wasm" });

// Memory that is lent for a call.
const lent = view(new Float64Array(1));
same<typeof lent, LentMemory>(true);
void [view(new ArrayBuffer(1), { readonly: true }), view(new SharedArrayBuffer(1)), view(new NDArray(new Float64Array(1)))];
// @ts-expect-error only memory can be lent
view([1, 2]);

// Callbacks keep their type.
const callback = proxy((n: number) => n * 2, { async: true });
same<typeof callback, (n: number) => number>(true);
const expression: PyExpr<number> = py.eval<number>`1`;
const settled: number = await expression;
void [settled, suppressed];

export async function packages(signal: AbortSignal): Promise<void> {
  same<InstallReport, Awaited<ReturnType<typeof py.packages.install>>>(true);
  const lock: Lock = await py.packages.lock();
  await py.packages.install({ lock, from: "./wheels", signal });
  await py.packages.install(["numpy", new URL("https://example.org/x-1.0-py3-none-any.whl")], { index: "/simple" });
  await py.packages.installImports("import cv2", { names: { cv2: "opencv-python" } });
  // @ts-expect-error: a lock is no index
  await py.packages.install("numpy", { index: lock });
  const error: unknown = undefined;
  if (error instanceof PackageError) {
    const base: EngineError = error;
    same<"hash" | "http", Extract<(typeof error.failures)[number]["cause"], "hash" | "http">>(true);
    void base;
  }
}
