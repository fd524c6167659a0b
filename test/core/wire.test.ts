/** Programs, batches, flat lists and replies as PROTOCOL.md has them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { Encoder, encodeInto } from "../../src/core/marshal/encode.ts";
import { tupleOf } from "../../src/core/marshal/literals.ts";
import { PyComplex } from "../../src/core/values/complex.ts";
import * as frames from "../../src/core/wire/frames.ts";
import { BatchWriter, writeProgram } from "../../src/core/wire/program.ts";
import { readData, readFlat, readReplies, settleReplies, writeFlat } from "../../src/core/wire/replies.ts";
import { ByteSink } from "../../src/core/wire/sink.ts";
import { Boundary, CPython, decode, encode, FakeExpr, FakeRef, limits, pythonMissing } from "./marshal-support.ts";

const protocol = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
const { Op } = frames;

describe("numbers", () => {
  /** `name` → number, out of a table of PROTOCOL.md. */
  const table = (section: string): Record<string, number> => {
    const text = protocol.slice(protocol.indexOf(`## ${section}`)).split("\n## ")[0] ?? "";
    return Object.fromEntries(
      [...text.matchAll(/^\| (\d+) \| `?(\w+)`? \|/gm)].map(([, number, name]) => [(name as string).toUpperCase(), Number(number)]),
    );
  };
  it("are the ones of PROTOCOL.md", () => {
    expect(frames.FrameKind).toEqual(table("2. Frames"));
    expect(frames.Op).toEqual(table("3. Programs"));
    expect(frames.JsOp).toEqual(table("6. Calls into JavaScript"));
  });
  it("flags are single bits", () => {
    for (const flags of [frames.HandleFlag, frames.LentFlag]) {
      const bits = Object.values(flags);
      expect(new Set(bits).size).toBe(bits.length);
      expect(bits.every((bit) => (bit & (bit - 1)) === 0)).toBe(true);
    }
  });
});

/** The operands; the bytes themselves where they refer to a slot, which is for Python alone. */
function stream(bytes: Uint8Array): unknown {
  return Buffer.from(bytes).includes("slot") ? Buffer.from(bytes).toString("latin1") : decode(bytes);
}

/** A batch as data: programs, with streams of operands read. */
function read(batch: Uint8Array): unknown[] {
  return (readData(batch) as unknown[][]).map((program) =>
    program.map((part, i) => {
      if (i < 3) return part;
      const [op, ...operands] = part as unknown[];
      return operands.length === 1 && operands[0] instanceof Uint8Array ? [op, { stream: stream(operands[0]) }] : part;
    }),
  );
}

describe("programs", () => {
  it("a chain is plain literals", () => {
    const { batch } = writeProgram(
      7,
      2,
      [3, 0, 1, 9],
      [
        { op: Op.IMPORT, target: null, operands: ["math"] },
        { op: Op.GET, target: 0, operands: ["sqrt"] },
        { op: Op.CALL, target: 1, operands: [[2, "x"]] },
        { op: Op.CALL, target: -5, operands: [[], { axis: 0 }] },
        { op: Op.SETITEM, target: 0, operands: [1, null] },
        { op: Op.EVAL, target: null, operands: ["a", ["a"], [[1]]] },
      ],
      new Boundary(),
      limits,
    );
    expect(read(batch)).toEqual([
      [
        7,
        2,
        [3, 0, 1, 9],
        [0, "math"],
        [1, 0, "sqrt"],
        [3, 1, [2, "x"]],
        [3, -5, [], { axis: 0 }],
        [5, 0, 1, null],
        [8, "a", ["a"], [[1]]],
      ],
    ]);
  });

  it("an extension value makes a stream of its instruction, and of no other", () => {
    const boundary = new Boundary();
    const list = [1];
    const { batch } = writeProgram(
      1,
      0,
      [],
      [
        { op: Op.CALL, target: -5, operands: [[list, list]] },
        { op: Op.CALL, target: 0, operands: [[list, new FakeRef(9), list], { z: new PyComplex(1) }] },
        { op: Op.CALL, target: 0, operands: [[2, new FakeExpr(1)]] },
        { op: Op.VALUE, target: null, operands: [new PyComplex(1, 2)] },
        { op: Op.CALL, target: 1, operands: [[list]] },
      ],
      boundary,
      limits,
    );
    const [, , , plain, first, slot, value, last] = read(batch)[0] as [
      number,
      number,
      number[],
      unknown[],
      [number, { stream: unknown[] }],
      unknown,
      unknown,
      unknown,
    ];
    expect(slot).toEqual([3, { stream: "\x80\x05K\x00(K\x02\x8c\x04slotK\x01\x86Qt\x86." }]);
    expect(plain).toEqual([3, -5, [[1], [1]]]);
    const args = first[1].stream[1] as unknown[];
    expect(first[1].stream).toEqual([0, [[1], new FakeRef(9), [1]], { z: new PyComplex(1) }]);
    expect(args[0]).toBe(args[2]);
    expect(value).toEqual([Op.VALUE, { stream: [new PyComplex(1, 2)] }]);
    expect(last).toEqual([3, 1, [[1]]]);
  });

  it("what cannot be sent leaves the program as it was", () => {
    const writer = new BatchWriter(new Boundary(), limits);
    writer.begin();
    writer.program(1, 0);
    writer.instruction(Op.IMPORT, null, "a");
    expect(() => writer.instruction(Op.CALL, 0, [1, { x: new Date(Number.NaN) }])).toThrow(/^args\[1\]\.x cannot be sent/);
    expect(() => writer.instruction(Op.CALL, 0, [], { k: [new Date(Number.NaN)] })).toThrow(/^kwargs\.k\[0\] cannot be sent/);
    expect(writer.instruction(Op.GET, 0, "b")).toBe(1);
    writer.output(1, 0);
    writer.program(2, 0);
    writer.instruction(Op.IMPORT, null, "never");
    writer.abandon();
    expect(read(writer.end())).toEqual([[1, 0, [1, 0], [0, "a"], [1, 0, "b"]]]);
  });

  it("a batch holds its programs in order, however large they are, and the next one nothing of it", () => {
    const writer = new BatchWriter(new Boundary(), limits);
    for (const count of [300, 1, 0, 40]) {
      writer.begin();
      for (let i = 0; i < count; i++) {
        writer.program(i, 0);
        writer.instruction(Op.CALL, -1, ["x".repeat(i * 20), i]);
        writer.output(0, 1);
      }
      expect(read(writer.end())).toEqual(Array.from({ length: count }, (_, i) => [i, 0, [0, 1], [3, -1, ["x".repeat(i * 20), i]]]));
    }
  });

  it("outputs of any number and any slot", () => {
    for (const outputs of [[], [0, 0], [255, 9], [256, 8], [70_000, 2], [1, 0, 2, 1], [300, 0, 4, 8, 70_000, 3]]) {
      const { batch, fragment } = writeProgram(9, 3, outputs, [{ op: Op.IMPORT, target: null, operands: ["a"] }], new Boundary(), limits);
      expect(read(batch)).toEqual([[9, 3, outputs, [0, "a"]]]);
      expect(Array.from(batch.subarray(3, -2))).toEqual(Array.from(fragment));
    }
    const writer = new BatchWriter(new Boundary(), limits);
    for (const slot of [0, 255, 256, 70_000]) {
      writer.begin();
      writer.program(1, 0);
      writer.instruction(Op.IMPORT, null, "a");
      writer.output(slot, 8);
      expect(read(writer.end())).toEqual([[1, 0, [slot, 8], [0, "a"]]]);
    }
  });

  it("limits are checked per program", () => {
    const writer = new BatchWriter(new Boundary(), { ...limits, maxBytes: 500 });
    writer.begin();
    for (let id = 1; id < 4; id++) {
      writer.program(id, 0);
      writer.instruction(Op.CALL, -1, ["x".repeat(400)]);
      writer.output(0, 0);
    }
    writer.program(4, 0);
    expect(() => writer.instruction(Op.CALL, -1, ["x".repeat(600)])).toThrow(expect.objectContaining({ code: "ERR_LIMIT" }));
    writer.instruction(Op.CALL, -1, ["x".repeat(300)]);
    expect(() => writer.instruction(Op.CALL, -1, ["x".repeat(300)])).toThrow(expect.objectContaining({ code: "ERR_LIMIT" }));
  });

  it.skipIf(pythonMissing !== undefined)("CPython loads a batch with one call", async () => {
    const python = new CPython();
    try {
      const { fragment } = writeProgram(
        1,
        0,
        [0, 0],
        [{ op: Op.CALL, target: -3, operands: [[[1, 2], { a: "é" }], { k: 2n ** 70n }] }],
        new Boundary(),
        limits,
      );
      expect(await python.text(new Uint8Array([0x80, 5, 0x28, ...fragment, ...fragment, 0x6c, 0x2e]))).toBe(
        `list [${Array(2).fill("(1, 0, (0, 0), (3, -3, ([1, 2], {'a': '\\xe9'}), {'k': 1180591620717411303424}))").join(", ")}]`,
      );
    } finally {
      python.close();
    }
  });
});

describe("frames of data", () => {
  it("flat lists", () => {
    for (const numbers of [[], [1], [5, 1, 2 ** 40, 3], Array.from({ length: 2500 }, (_, i) => i * 1000)])
      expect(readFlat(writeFlat(numbers))).toEqual(numbers);
    expect(() => readFlat(encode(["a"]))).toThrow(EngineError);
    expect(() => readFlat(encode({}))).toThrow(EngineError);
  });
  it("replies", () => {
    const payload = encode([1]);
    expect(readReplies(encode([4, 2, 0, "x", 1, payload, 9, 0, 10, 1, 2, payload]))).toEqual([
      [
        4,
        {
          outputs: [
            { kind: 0, payload: "x" },
            { kind: 1, payload },
          ],
        },
      ],
      [9, { outputs: [] }],
      [10, { outputs: [{ kind: 2, payload }] }],
    ]);
    for (const broken of [[1], [1, 2, 0, null], [1, 1e9], [1, -1], [1, 1, 7, null], [1, 1, 1, "text"], ["a", 0]]) {
      expect(() => readReplies(encode(broken))).toThrow(expect.objectContaining({ code: "ERR_PROTOCOL" }));
    }
  });
  it("replies settle one after the other", () => {
    const payload = encode([1]);
    const settled: unknown[] = [];
    settleReplies(encode([4, 2, 0, "x", 1, payload, 9, 0, 10, 1, 2, payload]), (...reply) => settled.push(reply));
    expect(settled).toEqual([
      [4, 0, "x", [1, payload]],
      [9, -1, null],
      [10, 2, payload],
    ]);
    for (const broken of [[1], [1, 2, 0, null], [1, 1e9], [1, -1], [1, 1.5, 0, 0, 0], ["a", 0]]) {
      expect(() => settleReplies(encode(broken), () => {})).toThrow(expect.objectContaining({ code: "ERR_PROTOCOL" }));
    }
  });
  it("hold no objects", () => {
    expect(readData(encode({ protocol: 1, gil: true }))).toEqual({ protocol: 1, gil: true });
    expect(() => readData(encode([new FakeRef(1)]))).toThrow(/only data/);
    expect(() => readData(encode([() => 1]))).toThrow(/only data/);
  });
});

describe("buffers", () => {
  it("encodeInto writes into the caller's memory until it does not fit", () => {
    const scratch = new Uint8Array(64);
    const encoder = new Encoder(new ByteSink(scratch));
    const boundary = new Boundary();
    const size = encodeInto(encoder, tupleOf([tupleOf([1, "a"]), null]), boundary, { limits });
    expect(encoder.sink.bytes).toBe(scratch);
    expect(decode(scratch.slice(0, size))).toEqual([[1, "a"], null]);
    const long = encodeInto(encoder, "x".repeat(100), boundary, { limits });
    expect(encoder.sink.bytes).not.toBe(scratch);
    expect(decode(encoder.sink.bytes.slice(0, long))).toBe("x".repeat(100));
    expect(Buffer.from(encoder.sink.peek()).equals(Buffer.from(encoder.sink.copy()))).toBe(true);
  });
  it("text grows in place, whatever it is made of", () => {
    for (const text of ["é".repeat(5000), "😀".repeat(3000), `${"x".repeat(9000)}é`, `${"x".repeat(9000)}\ud800`])
      expect(decode(encode([text, text]))).toEqual([text, text]);
  });
});
