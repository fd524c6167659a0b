/**
 * The C++ evaluator and Python's agree: the same programs, in the default context where C++ runs what
 * it can, and in a context of their own, which it leaves to Python. How many programs Python's
 * evaluator was given is counted, so that agreement is no accident.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BackendHost } from "../../src/core/backend.ts";
import { EngineError } from "../../src/core/errors.ts";
import type { Inbound, Outbound } from "../../src/core/marshal/boundary.ts";
import { decodeStream } from "../../src/core/marshal/decode.ts";
import { Op } from "../../src/core/wire/frames.ts";
import { BatchWriter, type Instruction } from "../../src/core/wire/program.ts";
import { Handle, inbound, limits, outbound, silentHost, startRaw } from "./raw.ts";

/** Stands for the value of an earlier instruction among operands. */
class Slot {
  constructor(readonly index: number) {}
}

interface Program {
  readonly outputs: readonly number[];
  readonly instructions: readonly Instruction[];
}

type Entry = { readonly text: string } | { readonly reply: number; readonly outputs: readonly unknown[] };

const FIRST = 1_000_000;
let nextId = FIRST;
let log: Entry[] = [];
let due = 0;
let done = (): void => {};

const readable: Inbound = {
  ...inbound,
  ref: (_id, flags, type) => ({ ref: type, flags }),
  enumMember: (_id, name, value, type) => ({ member: name, value, type }),
  pythonError: ({ id, ...fields }) => ({ error: id > 0, ...fields }) as never,
} as Inbound;

function read(kind: unknown, payload: unknown): unknown {
  if (kind === 0) return { data: payload };
  const value = decodeStream((payload as Uint8Array).slice(), readable);
  return value instanceof EngineError ? { code: value.code, message: value.message, hint: value.hint } : { kind, value };
}

const host: BackendHost = {
  ...silentHost,
  settle(id, kind, payload, more = []) {
    if (id < FIRST) return false;
    const outputs = kind === -1 ? [] : [read(kind, payload)];
    for (let i = 0; i < more.length; i += 2) outputs.push(read(more[i], more[i + 1]));
    log.push({ reply: id, outputs });
    if (--due === 0) done();
    return true;
  },
  event(frame) {
    const [kind, , , , text] = decodeStream(frame.slice(), readable) as [string, number, number, string, string];
    if (kind === "stream") log.push({ text });
  },
};

const writing = { ...outbound, slot: (value: object) => (value instanceof Slot ? value.index : undefined) } as unknown as Outbound;

let raw: ReturnType<typeof startRaw>;
let aside: number;
let handles: Record<string, number>;
let reset: number;
let given: number;
let held: number;
let ended: number;

/** Sends programs as one batch; their ids. */
function submit(programs: readonly Program[], context = 0): number[] {
  const writer = new BatchWriter(writing, limits);
  writer.begin();
  const ids = programs.map(({ outputs, instructions }) => {
    const id = nextId++;
    writer.program(id, context);
    for (const { op, target, operands } of instructions) writer.instruction(op, target, operands[0], operands[1], operands[2]);
    writer.outputs(outputs);
    return id;
  });
  due += ids.length;
  raw.backend.submit(writer.end(), ids.length);
  return ids;
}

const settled = (): Promise<void> => (due === 0 ? Promise.resolve() : new Promise((resolve) => (done = resolve)));

/** Everything that happened, with ids counted from the first program. */
async function happened(programs: readonly Program[], context: number): Promise<Entry[]> {
  log = [];
  const [first] = submit(programs, context);
  await settled();
  return log.map((entry) => ("reply" in entry ? { ...entry, reply: entry.reply - first! } : entry));
}

const call = (target: number, ...args: unknown[]): Instruction => ({ op: Op.CALL, target, operands: [args] });
const one = (...instructions: Instruction[]): Program => ({ outputs: [instructions.length - 1, 0], instructions });

beforeAll(() => {
  raw = startRaw(host);
  const engine = raw.define(
    "engine",
    `
import asyncio, contextvars, threading, time
lanes = __import__('_isopy.lanes', fromlist=['x'])
engine = __import__('_isopy.engine', fromlist=['x']).ENGINES[-1]
counts = {"run": 0}
def counted(run):
    def runs(*args):
        counts["run"] += 1
        return run(*args)
    return runs
engine.scheduler.evaluator.run = counted(engine.scheduler.evaluator.run)
def given():
    return counts["run"]
def held():
    return sum(count for _, count, _ in engine.handles)
class Thing:
    kind = "thing"
    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
    def __repr__(self):
        return "<a thing>"
    @property
    def broken(self):
        raise LookupError("a property that fails")
    def __getitem__(self, key):
        if key == "lost": raise KeyError(key)
        return [key, key]
    async def later(self, value=None):
        await asyncio.sleep(0)
        if value == 0: raise ValueError("later")
        return value
    def say(self, text):
        print(text)
        return len(str(text))
def fail(kind="ValueError", *args):
    raise {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit, "StopIteration": StopIteration}.get(kind, ValueError)(*args) from OSError(2, "cause")
def say(text):
    print(text)
def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
    return "spun"
gate = threading.Event()
def blocked(): return gate.wait(20)
steps = {"ended": 0}
if hasattr(engine.host, "first_steps"):
    def first_steps(*args, take=engine.host.first_steps):
        result = take(*args)
        steps["ended"] += result[0] - (result[1] is not None)
        return result
    engine.host.first_steps = first_steps
def ended(): return steps["ended"]
variable = contextvars.ContextVar("variable", default="unset")
kept, watched = [], []
async def acts(what, value=None):
    if what == "raises": raise ValueError(value) from OSError(2, "cause")
    if what == "exits": raise SystemExit(value)
    if what == "interrupts": raise KeyboardInterrupt
    if what == "prints": print(value)
    if what == "waits": await asyncio.sleep(0)
    if what == "object": return Thing(value)
    if what == "variable": before, _ = variable.get(), variable.set(value); return [before, variable.get()]
    if what == "origin": return lanes.current()[1] == lanes.TASK.get()[1] > 0
    if what == "spawns": return await asyncio.ensure_future(acts("origin"))
    if what == "nests": return await acts("raises", value)
    if what == "keeps": kept.append(asyncio.current_task())
    if what == "watches": asyncio.current_task().add_done_callback(watched.append)
    if what == "cancels": asyncio.current_task().cancel()
    if what == "spins": spin(value)
    return value
async def task_of(value): return id(asyncio.current_task()), value
`,
  );
  expect(engine).toBeGreaterThan(0);
  given = raw.handle("given");
  held = raw.handle("held");
  ended = raw.handle("ended");
  reset = raw.handle("gate.set");
  aside = raw.sync.call(raw.handle("__import__('_isopy.contexts', fromlist=['x']).create"), []) as number;
  handles = Object.fromEntries(
    Object.entries({
      add: "lambda a=1, b=2: a + b",
      echo: "lambda *args, **kwargs: (args, kwargs) if kwargs or len(args) != 1 else args[0]",
      thing: "Thing('x', y=1)",
      Thing: "Thing",
      fail: "fail",
      math: "__import__('math')",
      len: "len",
      generator: "lambda n=2: (i for i in range(n))",
      enum: "lambda: __import__('http', fromlist=['HTTPStatus']).HTTPStatus.OK",
      set: "set",
      deep: "lambda: __import__('functools').reduce(lambda inner, _: [inner], range(2000), 0)",
    }).map(([name, source]) => [name, raw.handle(source)]),
  );
});
afterAll(() => raw.backend.close());

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    1,
    255,
    256,
    65_536,
    -1,
    2 ** 31,
    2 ** 53,
    Number.NaN,
    "",
    "é",
    "\ud800",
    "lost",
    "kind",
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 250, maxLength: 270 }),
  fc.uint8Array({ maxLength: 300 }),
);
const data = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.string(), fc.array(scalar, { maxLength: 2 }), { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }).map((items) => [items, items]) },
);

const KNOWN = ["add", "echo", "thing", "Thing", "fail", "math", "len", "generator", "enum", "set", "deep"];
const NAMES = ["kind", "args", "broken", "later", "missing", "sqrt", "pi", "__class__", "__getitem__", "é", "real", "upper"];
const MODULES = ["math", "json", "collections.abc", "no_such_module_anywhere", ""];

/** An instruction at place `at`: its targets and operands are slots before it, or handles. */
const instruction = (at: number): fc.Arbitrary<() => Instruction> => {
  const handle = fc.constantFrom(...KNOWN).map((name) => () => -handles[name]!);
  const gone = fc.constant(() => -((7 << 24) | 5));
  const slot = fc.nat(at).map((index) => () => Math.min(index, at === 0 ? 0 : at - 1));
  const target = fc.oneof({ weight: 6, arbitrary: handle }, { weight: at === 0 ? 0 : 6, arbitrary: slot }, { weight: 1, arbitrary: gone });
  const operand = fc.oneof(
    { weight: 12, arbitrary: data.map((value) => () => value) },
    { weight: 1, arbitrary: fc.constantFrom(...KNOWN).map((name) => () => new Handle(handles[name]!) as unknown) },
    { weight: at === 0 ? 0 : 1, arbitrary: fc.nat(Math.max(at - 1, 0)).map((index) => () => new Slot(index) as unknown) },
  );
  const args = fc.array(operand, { maxLength: 4 }).map((each) => () => each.map((make) => make()));
  const plainly = (op: number, ...operands: unknown[]) => fc.constant(() => ({ op, target: null, operands }));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...MODULES).map((name) => () => ({ op: Op.IMPORT, target: null, operands: [name] })) },
    {
      weight: 5,
      arbitrary: fc.tuple(target, fc.constantFrom(...NAMES)).map(([of, name]) => () => ({ op: Op.GET, target: of(), operands: [name] })),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(target, operand).map(([of, key]) => () => ({ op: Op.ITEM, target: of(), operands: [key()] })),
    },
    {
      weight: 8,
      arbitrary: fc.tuple(target, args).map(([of, given]) => () => ({ op: Op.CALL, target: of(), operands: [given()] })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(target, args, fc.dictionary(fc.constantFrom("a", "b", "key", "n"), data, { maxKeys: 2 }))
        .map(([of, given, named]) => () => ({ op: Op.CALL, target: of(), operands: [given(), named] })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(target, operand).map(([of, value]) => () => ({ op: Op.SET, target: of(), operands: ["zz", value()] })),
    },
    { weight: 1, arbitrary: operand.map((value) => () => ({ op: Op.VALUE, target: null, operands: [value()] })) },
    { weight: 1, arbitrary: plainly(Op.EVAL, "6 * 7", [], []) },
    { weight: 1, arbitrary: plainly(77, "no such instruction") },
    { weight: 1, arbitrary: fc.constant(() => ({ op: Op.GET, target: 40, operands: ["kind"] })) },
  );
};

const program = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc
    .tuple(
      fc.tuple(...Array.from({ length: count }, (_, at) => instruction(at))),
      fc.array(fc.tuple(fc.nat(count - 1), fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 8, 9)), { minLength: 1, maxLength: 3 }),
    )
    .map(([instructions, outputs]) => () => ({ outputs: outputs.flat(), instructions: instructions.map((make) => make()) })),
);

const number = (handle: number): number => raw.sync.call(handle, []) as number;
const byReply = (entries: readonly Entry[]): Entry[] =>
  entries.filter((entry) => "reply" in entry).sort((a, b) => ("reply" in a && "reply" in b ? a.reply - b.reply : 0));

describe("the C++ evaluator and Python's", () => {
  it("give the same results, errors and handles for random programs", async () => {
    let fast = 0;
    let all = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(program, { minLength: 1, maxLength: 24 }), async (makers) => {
        const programs = makers.map((make) => make());
        const before = number(held);
        const slow = number(given);
        const here = await happened(programs, 0);
        const between = number(held);
        all += programs.length;
        fast += programs.length - (number(given) - slow);
        const there = await happened(programs, aside);
        expect(byReply(here)).toStrictEqual(byReply(there));
        expect(between - before).toBe(number(held) - between);
      }),
      { numRuns: 150 },
    );
    expect(all).toBeGreaterThan(500);
    expect(fast / all).toBeGreaterThan(0.3);
  });

  it("run every common program in C++", async () => {
    const before = number(given);
    const entries = await happened(
      [
        one(call(-handles["add"]!, 1, 2)),
        one(call(-handles["add"]!, "a", "b")),
        one({ op: Op.CALL, target: -handles["add"]!, operands: [[], { a: 1.5, b: 2 }] }),
        one({ op: Op.IMPORT, target: null, operands: ["math"] }, { op: Op.GET, target: 0, operands: ["sqrt"] }, call(1, 9)),
        one({ op: Op.ITEM, target: -handles["thing"]!, operands: [[1, { two: 3 }]] }),
        { outputs: [0, 0, 0, 4], instructions: [call(-handles["echo"]!, { deep: [1, [2, [3]]] })] },
      ],
      0,
    );
    expect(entries.map((entry) => "outputs" in entry && entry.outputs[0])).toMatchObject([
      { data: 3 },
      { data: "ab" },
      { data: 3.5 },
      { data: 3 },
      {
        value: [
          [1, { two: 3 }],
          [1, { two: 3 }],
        ],
      },
      { value: { deep: [1, [2, [3]]] } },
    ]);
    expect(number(given)).toBe(before);
  });

  it("send what a program printed before its reply", async () => {
    const say = raw.handle("say");
    const method = { op: Op.GET, target: -handles["thing"]!, operands: ["say"] };
    const line = fc.constantFrom<(mark: string) => Program>(
      (mark) => one(call(-say, mark)),
      (mark) => one(method, call(0, mark)),
      () => one(call(-handles["add"]!, 4, 1)),
      (mark) => one(call(-handles["fail"]!, "ValueError", mark)),
      (mark) => one({ op: Op.EVAL, target: null, operands: [`print('${mark}')`, [], []] }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 2, maxLength: 12 }), async (lines) => {
        const programs = lines.map((make, index) => make(`<${index}>`));
        const here = await happened(programs, 0);
        expect(byReply(here)).toStrictEqual(byReply(await happened(programs, aside)));
        // On a busy machine a second worker may step in, so programs need not end in the order of their start.
        const printed = here.flatMap((entry, at) =>
          "text" in entry ? [...entry.text.matchAll(/<(\d+)>/g)].map(([, index]) => [Number(index), at]) : [],
        );
        for (const [index, at] of printed) {
          expect(here.findIndex((entry) => "reply" in entry && entry.reply === index)).toBeGreaterThan(at!);
        }
        const silent = new Set(["add", "fail"].map((name) => -handles[name]!));
        expect(printed).toHaveLength(programs.filter(({ instructions }) => !silent.has(instructions[0]!.target!)).length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("first steps of coroutines that C++ takes and that Python takes", () => {
  const kinds = [
    "returns",
    "raises",
    "exits",
    "interrupts",
    "prints",
    "waits",
    "object",
    "variable",
    "origin",
    "spawns",
    "nests",
    "keeps",
    "watches",
    "cancels",
  ];
  let acts: number;
  beforeAll(() => (acts = raw.handle("acts")));

  it("give the same results and errors for random batches, and print before they reply", async () => {
    const taken = number(ended);
    const line = fc.record({
      kind: fc.oneof(fc.constant("returns"), fc.constantFrom(...kinds)),
      value: data,
      mode: fc.constantFrom(0, 0, 0, 8, 4),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 24 }), async (lines) => {
        const programs = lines.map(({ kind, value, mode }, index) => ({
          outputs: [0, mode],
          instructions: [call(-acts, kind, kind === "prints" ? `<${index}>` : value)],
        }));
        const here = await happened(programs, 0);
        expect(byReply(here)).toStrictEqual(byReply(await happened(programs, aside)));
        for (const [at, entry] of here.entries()) {
          if (!("text" in entry)) continue;
          for (const [, index] of entry.text.matchAll(/<(\d+)>/g))
            expect(here.findIndex((other) => "reply" in other && other.reply === Number(index))).toBeGreaterThan(at);
        }
      }),
      { numRuns: 150 },
    );
    if (raw.sync.call(raw.handle("lambda: hasattr(engine.host, 'first_steps')"), []) === true)
      expect(number(ended) - taken).toBeGreaterThan(200);
  });

  it("leave a task that is held, watched or cancelled to the coroutine that did it", async () => {
    const task = raw.handle("task_of");
    for (const what of ["keeps", "watches", "cancels", "raises", "returns"]) {
      log = [];
      const rounds = Array.from({ length: 20 }, () => [one(call(-acts, what, 1)), one(call(-task, 1))]).flat();
      submit(rounds);
      await settled();
      const answers = log.flatMap((entry) => ("reply" in entry ? [entry.outputs[0]] : []));
      expect(answers).toHaveLength(40);
      if (what === "raises") continue;
      for (const answer of answers) expect(answer).not.toMatchObject({ kind: 2 });
    }
    expect(
      raw.sync.call(raw.handle("lambda: len(set(map(id, kept))) == len(kept) and len(set(map(id, watched))) == len(watched)"), []),
    ).toBe(true);
  });

  it("are ended by their interrupt, and by no other", async () => {
    log = [];
    const short = one(call(-acts, "returns", 2));
    const wanted: number[] = [];
    const others: number[] = [];
    for (let round = 0; round < 10; round++) {
      const [before, long, ...rest] = submit([short, one(call(-acts, "spins", 10)), short, short]);
      wanted.push(long!);
      others.push(before!, ...rest);
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      raw.backend.interrupt([long!]);
      others.push(...submit([short, short]));
    }
    await settled();
    const outcome = Object.fromEntries(log.flatMap((entry) => ("reply" in entry ? [[entry.reply, entry.outputs[0]]] : [])));
    for (const id of wanted) expect(outcome[id]).toMatchObject({ kind: 2, value: { name: "KeyboardInterrupt", cancelled: true } });
    for (const id of others) expect(outcome[id]).toEqual({ data: 2 });
  });
});

describe("programs that C++ runs", () => {
  const replies = () =>
    Object.fromEntries(log.flatMap((entry) => ("reply" in entry ? [[entry.reply, entry.outputs[0] as { kind?: number }]] : [])));

  it("settle before a slow neighbour of their batch is done, and leave it to others to run what follows", async () => {
    log = [];
    const block = raw.handle("blocked");
    const add = one(call(-handles["add"]!, 20, 22));
    const [first, slow, last] = submit([add, one(call(-block)), add]);
    while (log.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(replies()).toEqual({ [first!]: { data: 42 }, [last!]: { data: 42 } });
    raw.sync.call(reset, []);
    await settled();
    expect(replies()[slow!]).toEqual({ data: true });
  });

  it("are ended by their interrupt, and by no other", async () => {
    log = [];
    const spin = raw.handle("spin");
    const short = one(call(-handles["add"]!, 1, 1));
    const wanted: number[] = [];
    const others: number[] = [];
    for (let round = 0; round < 60; round++) {
      const [long, ...rest] = submit([one(call(-spin, 10)), short, short, short]);
      wanted.push(long!);
      others.push(...rest);
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      raw.backend.interrupt([long!]);
      others.push(...submit([short, short]));
    }
    await settled();
    const outcome = replies();
    for (const id of wanted) expect(outcome[id]).toMatchObject({ kind: 2, value: { name: "KeyboardInterrupt", cancelled: true } });
    for (const id of others) expect(outcome[id]).toEqual({ data: 2 });
  });

  it("are refused when they are interrupted before they begin", async () => {
    log = [];
    const ids = submit(Array.from({ length: 2_000 }, () => one(call(-handles["add"]!, 1, 1))));
    raw.backend.interrupt(ids.slice(1_000));
    await settled();
    const outcome = replies();
    expect(Object.keys(outcome)).toHaveLength(ids.length);
    for (const id of ids.slice(0, 1_000)) expect(outcome[id]).toEqual({ data: 2 });
    for (const id of ids.slice(1_000)) {
      if (outcome[id]?.kind === 2) expect(outcome[id]).toMatchObject({ value: { name: "KeyboardInterrupt", cancelled: true } });
      else expect(outcome[id]).toEqual({ data: 2 }); // it had run already
    }
  });
});
