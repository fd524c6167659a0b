/** Output on its way out of the WebAssembly engine: how many messages it takes, in which order, and that none is lost. */
import { createPython, type Python, run } from "isopy";
import { afterEach, describe, expect, it } from "vitest";

const open: Python[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((py) => py.close()));
});

interface Said {
  readonly name: string;
  readonly text: string;
}

/** An engine, and what it said, one entry a message of the stream. */
async function listening() {
  const said: Said[] = [];
  const listeners = new Set<() => void>();
  const hear = (name: string) => (text: string) => {
    said.push({ name, text });
    for (const listener of listeners) listener();
  };
  const py = await createPython({ backend: "wasm", stdout: hear("stdout"), stderr: hear("stderr") });
  open.push(py);
  const until = (enough: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!enough()) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  return { py, said, until };
}

/** The most that a time may hold: 30 at once and 30 a second, and what a program's end sends. */
const bound = (seconds: number) => 60 * Math.max(1, seconds) + 1;

describe("output", () => {
  it("20,000 prints arrive whole, in order, in at most 60 messages a second", async () => {
    const { py, said } = await listening();
    const seconds = await py.eval<number>`(
      (begin := __import__('time').monotonic()),
      [print(n) for n in range(20_000)],
      __import__('time').monotonic() - begin,
    )[2]`;
    expect(said.map(({ text }) => text).join("")).toBe(Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join(""));
    expect(said.length).toBeLessThanOrEqual(bound(seconds));
  });

  it("two streams in turn keep their order", async () => {
    const { py, said } = await listening();
    await py.exec("import sys\nfor n in range(2_000): print(n, file=sys.stderr if n % 2 else sys.stdout)");
    const lines = said.flatMap(({ name, text }) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => `${name} ${line}`),
    );
    expect(lines).toEqual(Array.from({ length: 2_000 }, (_, n) => `${n % 2 ? "stderr" : "stdout"} ${n}`));
  });

  it("what a program printed is seen while it goes on without printing", async () => {
    const { py, said, until } = await listening();
    const busy = run(py.exec("print('one')\nprint('two', end='', flush=True)\nprint(' and a half')\nwhile True: pass"), { timeout: 5_000 });
    await until(() => said.map(({ text }) => text).join("") === "one\ntwo and a half\n");
    await expect(busy).rejects.toThrow("took longer");
  });

  it("a flood is seen before a sleep, and stops when it is told to", async () => {
    const { py, said, until } = await listening();
    const stop = new AbortController();
    const flood = run(py.exec("import time\nfor n in range(500): print(n)\ntime.sleep(60)"), { signal: stop.signal });
    await until(() => said.at(-1)?.text.endsWith("499\n") === true);
    stop.abort(new Error("seen"));
    await expect(flood).rejects.toThrow("seen");
    const endless = run(py.exec("while True: print('x' * 100)"), { timeout: 300 });
    await expect(endless).rejects.toThrow("took longer");
    expect(await py.eval("6 * 7")).toBe(42);
  });

  it("[W-17] what was printed before the end of the worker is not lost", async () => {
    const { py, said } = await listening();
    await expect(run(py.exec("for n in range(300): print(n)\n__import__('os')._exit(3)"))).rejects.toMatchObject({
      code: "ERR_ENGINE_LOST",
    });
    expect(said.map(({ text }) => text).join("")).toBe(Array.from({ length: 300 }, (_, n) => `${n}\n`).join(""));
  });
});
