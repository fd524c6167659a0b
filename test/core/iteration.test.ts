import { describe, expect, it } from "vitest";
import { HandleFlag } from "../../src/core/wire/frames.ts";
import { iterate } from "../../src/index.ts";
import { raises, refTo, type Scripted, type Sent, scriptedPython, tupleOf, turn } from "./scripted/index.ts";

/** An engine with one generator of n items behind handle 50. */
function generator(n: number, value: unknown = null): Promise<Scripted & { log: string[] }> {
  const log: string[] = [];
  let at = 0;
  const page = (want: number): unknown => {
    const items: number[] = [];
    while (items.length < want && at < n) items.push(at++);
    const done = items.length < want;
    return tupleOf([done, items, done ? value : null]);
  };
  const always = ({ instructions }: Sent): unknown[] => {
    const answers: unknown[] = [];
    for (const [op, , a] of instructions) {
      if (op === "iter") answers.push(refTo(50, "generator", HandleFlag.ITERATOR));
      if (op === "next") {
        log.push(`next ${String(a)}`);
        answers.push(page(a as number));
      }
      if (op === "send" || op === "throw") {
        log.push(`${op} ${String(a)}`);
        answers.push(page(1));
      }
      if (op === "close") {
        log.push("close");
        answers.push(null);
      }
    }
    return answers.length > 0 ? answers : [refTo(50, "generator", HandleFlag.ITERATOR)];
  };
  return scriptedPython({ always }).then((s) => ({ ...s, log }));
}

describe("iteration", () => {
  it("the first item comes with the first message, and the window grows", async () => {
    const s = await generator(20);
    const seen: unknown[] = [];
    for await (const x of s.py.import("m").items()) seen.push(x);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(s.sent[0]?.instructions.map(([op]) => op)).toEqual(["import", "get", "call", "iter", "next"]);
    expect(s.log).toEqual(["next 1", "next 2", "next 4", "next 8", "next 16"]);
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
    expect(s.py.handles.count).toBe(0);
  });

  it("window 1 pins Python to the consumer", async () => {
    const s = await generator(3);
    const seen: unknown[] = [];
    for await (const x of iterate(s.py.import("m").items(), { window: 1 })) seen.push(x);
    expect(s.log).toEqual(["next 1", "next 1", "next 1", "next 1"]);
  });

  it("nothing is asked before it is used up", async () => {
    const s = await generator(20);
    const iterator = s.py.import("m").items()[Symbol.asyncIterator]();
    await iterator.next();
    await turn();
    expect(s.log).toEqual(["next 1"]);
    await iterator.next();
    await turn();
    expect(s.log).toEqual(["next 1", "next 2"]);
    await iterator.return?.();
  });

  it("leaving early closes the generator and gives the handle back", async () => {
    const s = await generator(20);
    for await (const x of s.py.import("m").items()) if (x === 2) break;
    expect(s.log.at(-1)).toBe("close");
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
  });

  it("a throwing body closes the generator too", async () => {
    const s = await generator(20);
    await expect(
      (async () => {
        for await (const _ of s.py.import("m").items()) throw new Error("stop");
      })(),
    ).rejects.toThrow("stop");
    expect(s.log.at(-1)).toBe("close");
  });

  it("iterating a ref that is its own iterator leaves the ref to its owner", async () => {
    const s = await generator(2);
    const gen = await s.py.import("m").items();
    for await (const _ of gen) {
      // all of it
    }
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
    expect(s.py.handles.list()).toMatchObject([{ id: 50, count: 1 }]);
    gen[Symbol.dispose]();
  });

  it("the return value is the value of the last result", async () => {
    const s = await generator(1, "done");
    const iterator = s.py.import("m").items()[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 0 });
    expect(await iterator.next()).toEqual({ done: true, value: "done" });
    expect(await iterator.next()).toEqual({ done: true, value: "done" });
  });

  it("values are sent to a pinned generator, and errors thrown into it", async () => {
    const s = await generator(9);
    const iterator = iterate(s.py.import("m").items(), { window: 1 });
    await iterator.next();
    await iterator.next("hello");
    await iterator.throw?.("oops");
    expect(s.log).toEqual(["next 1", "send hello", "throw oops"]);
    await iterator.return?.();
  });

  it("sending to a generator that is ahead is an error", async () => {
    const s = await generator(9);
    const iterator = s.py.import("m").items()[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    await expect(iterator.next("late")).rejects.toMatchObject({ code: "ERR_ARGUMENT", hint: expect.stringContaining("window: 1") });
    await iterator.return?.();
  });

  it("calls that overlap are answered in order", async () => {
    const s = await generator(3);
    const iterator = s.py.import("m").items()[Symbol.asyncIterator]();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
    expect(results.map((r: IteratorResult<unknown>) => (r.done ? "end" : r.value))).toEqual([0, 1, 2, "end"]);
  });

  it("an error of Python ends the iteration", async () => {
    const s = await scriptedPython({ replies: [() => [refTo(50), tupleOf([false, [1], null])], raises({ message: "broken" })] });
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const x of s.py.import("m").items()) seen.push(x);
      })(),
    ).rejects.toMatchObject({ pythonMessage: "broken" });
    expect(seen).toEqual([1]);
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
  });

  it("a signal ends the iteration, also while Python computes an item", async () => {
    const s = await generator(9);
    const controller = new AbortController();
    const iterator = iterate(s.py.import("m").items(), { signal: controller.signal });
    await iterator.next();
    s.backend.always = undefined;
    const next = iterator.next();
    await turn();
    controller.abort("enough");
    await expect(next).rejects.toBe("enough");
    expect(s.backend.interrupted).toEqual([2]);
    expect(s.backend.released).toEqual([]);
    s.backend.reply(2, raises({ name: "KeyboardInterrupt" }));
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("a signal while the first item is computed interrupts the program too", async () => {
    const s = await scriptedPython();
    const controller = new AbortController();
    const first = iterate(s.py.import("m").items(), { signal: controller.signal }).next();
    await turn();
    controller.abort("enough");
    await expect(first).rejects.toBe("enough");
    expect(s.backend.interrupted).toEqual([1]);
    s.backend.reply(1, refTo(50), tupleOf([false, [1], null]));
    await turn();
    expect(s.backend.released).toEqual([50, 1]);
  });

  it("a signal between two items closes the generator", async () => {
    const s = await generator(9);
    const controller = new AbortController();
    const iterator = iterate(s.py.import("m").items(), { signal: controller.signal });
    await iterator.next();
    controller.abort("enough");
    await expect(iterator.next()).rejects.toBe("enough");
    expect(s.log.at(-1)).toBe("close");
  });

  it("an object that is not iterable has no iterator", async () => {
    const s = await scriptedPython({ replies: [refTo(1, "Plain", 0)] });
    const plain = await s.py.import("m").x;
    expect(plain[Symbol.asyncIterator]).toBeUndefined();
    expect(Symbol.asyncIterator in plain).toBe(false);
  });
});
