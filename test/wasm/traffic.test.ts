/** What travels between Node and the worker: messages, callbacks, output, big values. */
import { MessagePort } from "node:worker_threads";
import { createPython, type Python, proxy, run } from "isopy";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

let py: Python;
const output: string[] = [];
beforeAll(async () => {
  py = await createPython({ backend: "wasm", stdout: (text) => output.push(text), stderr: (text) => output.push(`!${text}`) });
});
afterAll(() => py.close());

describe("messages", () => {
  it("a chain of any length is one message", async () => {
    await py.import("datetime");
    const post = vi.spyOn(MessagePort.prototype, "postMessage");
    const text = await py.import("datetime").date(2020, 2, 29).replace(2024).isoformat().upper();
    const sent = post.mock.calls.length;
    post.mockRestore();
    expect(text).toBe("2024-02-29");
    expect(sent).toBe(1);
  });

  it("what is awaited together is one message", async () => {
    const post = vi.spyOn(MessagePort.prototype, "postMessage");
    const roots = await Promise.all(Array.from({ length: 100 }, (_, n) => py.import("math").sqrt(n * n)));
    const sent = post.mock.calls.length;
    post.mockRestore();
    expect(roots[99]).toBe(99);
    expect(sent).toBe(1);
  });

  it("a fast program does not wait for a slow one of its batch", async () => {
    const order: string[] = [];
    await Promise.all([
      py.eval("'fast'").then((word: unknown) => order.push(word as string)),
      py.eval("[len(str(n)) for n in range(10**6)] and 'slow'").then((word: unknown) => order.push(word as string)),
    ]);
    expect(order).toEqual(["fast", "slow"]);
  });
});

describe("callbacks", () => {
  it("Python waits for a function's answer", async () => {
    expect(await py.eval`[${(n: number) => n * n}(i) for i in range(4)]`).toEqual([0, 1, 4, 9]);
  });

  it("what a function throws is raised in Python, and is the same object in JavaScript", async () => {
    const thrown = new TypeError("not today");
    const fail = () => {
      throw thrown;
    };
    await expect(run(py.eval`${fail}()`)).rejects.toMatchObject({ cause: thrown });
  });

  it("an answer bigger than the mailbox arrives whole", async () => {
    const big = "é".repeat(500_000);
    expect(await py.eval`len(${() => big}())`).toBe(500_000);
    const bytes = new Uint8Array(300_000).fill(7);
    expect(await py.eval`sum(${() => bytes}())`).toBe(2_100_000);
  });

  it("a function may ask Python again", async () => {
    const double = async (n: number) => (await py.eval`${n} * 2`) as number;
    expect(await py.eval`${proxy(double, { async: true })}(21)`).toBe(42);
  });

  it("depth: a function asks Python, which asks a function", async () => {
    const inner = (n: number) => n + 1;
    const outer = async (n: number) => (await py.eval`${inner}(${n}) * 10`) as number;
    expect(await py.eval`${proxy(outer, { async: true })}(3)`).toBe(40);
  });
});

describe("output", () => {
  beforeEach(() => {
    output.length = 0;
  });

  it("print arrives before the reply", async () => {
    await py.exec("print('one')\nprint('two')");
    expect(output.join("")).toBe("one\ntwo\n");
  });

  it("what C code writes arrives too, whole characters only", async () => {
    await py.exec("import os\nfor b in 'né→'.encode(): os.write(1, bytes([b]))\nos.write(2, b'bad')");
    expect(output.join("")).toBe("né→!bad");
  });

  it("input() is at its end", async () => {
    await expect(run(py.eval("input()"))).rejects.toMatchObject({ type: "EOFError" });
  });
});

describe("big values", () => {
  it("bytes go both ways", async () => {
    const bytes = new Uint8Array(4_000_000).map((_, i) => i & 0xff);
    const back = (await py.eval`${bytes}[::-1]`) as Uint8Array;
    expect(back.length).toBe(bytes.length);
    expect(back[0]).toBe(bytes.at(-1));
    expect(await py.eval`len(${bytes})`).toBe(4_000_000); // the caller's buffer is not taken away
  });

  it("100,000 floats", async () => {
    const floats = (await py.eval("[n / 2 for n in range(100_000)]")) as number[];
    expect(floats.length).toBe(100_000);
    expect(floats[99_999]).toBe(49_999.5);
  });
});
