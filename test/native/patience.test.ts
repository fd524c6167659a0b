/** One call in flight: JavaScript looks for its reply a moment before it goes back to its event loop. */
import { createPython, ref } from "isopy";
import { afterAll, describe, expect, it } from "vitest";
import { python } from "./support.ts";

const py = await createPython({ backend: "native", ...(python === undefined ? {} : { python }) });
afterAll(() => py.close());

await py.exec(`
def add(a, b):
    return a + b

def ask(f, n):
    return f(n)

def boom():
    raise ValueError("boom")
`);
const add = await ref(py.globals.get("add"));

describe("awaiting one call after another", () => {
  it("lets the event loop turn, however short the calls are", async () => {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    let calls = 0;
    // Without a turn this would go on for ever: every reply could be there in time.
    while (!turned && calls < 10_000) expect(await add(calls++, 1)).toBe(calls);
    expect(calls).toBeLessThan(200);
  });

  it("settles each in its order, results and errors", async () => {
    const seen: unknown[] = [];
    for (let n = 0; n < 300; n++) {
      if (n % 3 === 0) await Promise.resolve(py.globals.get("boom")()).catch((error: Error) => seen.push(error.message));
      else seen.push(await add(n, 0));
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => (n % 3 === 0 ? "ValueError: boom" : n)));
  });

  it("answers a callback that Python waits for", async () => {
    for (let n = 0; n < 50; n++) expect(await py.globals.get("ask")((x: number) => x * 2, n)).toBe(2 * n);
  });

  it("settles what is started while another reply is there, and nothing twice", async () => {
    let settled = 0;
    for (let n = 0; n < 100; n++) {
      const first = add(n, 1);
      const [one, two] = await Promise.all([
        first,
        Promise.resolve(first).then(() => {
          settled++;
          return add(n, 2);
        }),
      ]);
      expect([one, two]).toEqual([n + 1, n + 2]);
    }
    expect(settled).toBe(100);
  });
});
