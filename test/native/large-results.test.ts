/** Megabytes on their way, in and out: what they hold, who owns them, and what becomes of their memory. */
import { createHash } from "node:crypto";
import { createPython, type Python, toJs } from "isopy";
import { createPythonSync, type SyncPython, toJs as toJsNow } from "isopy/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { native, output, python, sanitizer, startSync, workers } from "./support.ts";

const MB = 1 << 20;
/** Around the sizes where memory is cleared, counts as large, is written past the caches, and is always fresh. */
const SIZES = [0, 1, 4095, 4096, MB - 1, MB, 4 * MB - 1, 4 * MB, 4 * MB + 1, 10_000_000, 33 * MB + 3];

let py: Python;
let now: SyncPython;
beforeAll(async () => {
  py = await createPython(native);
  now = createPythonSync(python === undefined ? {} : { python });
  now.exec("import array");
});
afterAll(async () => {
  now.close();
  await py.close();
});

/** No two pieces of it are equal: a piece at a wrong place shows. */
function counting(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = at % 251;
  return bytes;
}
const filled = (size: number, value: number): Buffer => Buffer.alloc(size, value);

describe("a large result", () => {
  it("holds every byte and nothing that its memory held before, whatever its size", () => {
    const make = now.eval("lambda size, value: bytes([value]) * size");
    for (const value of [1, 2, 3]) {
      for (const size of SIZES) {
        const bytes = make(size, value) as Uint8Array;
        expect(bytes.length).toBe(size);
        expect(bytes.buffer.byteLength).toBe(size);
        expect(filled(size, value).equals(bytes)).toBe(true);
      }
    }
  });

  it("is in order, from any address", () => {
    const make = now.eval("lambda start, stop: memoryview(bytes(range(251)) * 20_000)[start:stop]");
    const expected = Buffer.from(Array.from({ length: 251 }, (_, index) => index));
    const all = Buffer.concat(Array.from({ length: 20_000 }, () => expected));
    for (const start of [0, 1, 7, 8, 15, 63, 64]) {
      for (const stop of [all.length, all.length - 1, all.length - 64]) {
        expect(all.subarray(start, stop).equals(toJsNow<Uint8Array>(make(start, stop)))).toBe(true);
      }
    }
  });

  it("arrives in Python as it was, and comes back", () => {
    const echo = now.eval("lambda value: value");
    const digest = now.eval("lambda value: __import__('hashlib').sha256(value).hexdigest()");
    for (const size of SIZES) {
      const bytes = counting(size);
      expect(Buffer.from(bytes).equals(echo(bytes) as Uint8Array)).toBe(true);
      expect(digest(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });

  it("is whole when several threads of JavaScript copy at once", async () => {
    const printed = await output(`${workers}
      const copies = Array.from({ length: 4 }, (_, index) => start(\`
        const { createPythonSync } = await import("isopy/sync");
        const py = createPythonSync(native.python === undefined ? {} : { python: native.python });
        const echo = py.eval("lambda value: value");
        const bytes = Buffer.alloc(9_000_001, Buffer.from(Array.from({ length: 251 }, (_, at) => at ^ workerData)));
        let whole = 0;
        for (let round = 0; round < 20; round++) if (bytes.equals(echo(bytes))) whole++;
        py.close();
        parentPort.postMessage(whole);\`, { workerData: index }));
      const whole = await Promise.all(copies.map(async (worker) => (await once(worker, "message"))[0]));
      console.log(whole.join(" "));`);
    expect(printed).toBe("20 20 20 20");
  });

  it("is the same when it is awaited, beside others", async () => {
    const values = await Promise.all(SIZES.map((size, index) => py.eval<Uint8Array>`bytes([${index}]) * ${size}`));
    values.forEach((bytes, index) => {
      expect(filled(SIZES[index] as number, index).equals(bytes)).toBe(true);
    });
    const numbers = await toJs<Float64Array>(py.eval("__import__('array').array('d', range(1_000_000))"));
    expect(numbers.every((number, index) => number === index)).toBe(true);
  });

  it("belongs to JavaScript: it can be transferred, and outlives its engine", () => {
    const bytes = now.eval("bytes([5]) * 5_000_000") as Uint8Array;
    const moved = structuredClone(bytes, { transfer: [bytes.buffer] });
    expect(bytes.length).toBe(0);
    expect(filled(5_000_000, 5).equals(moved)).toBe(true);
  });

  it("outlives the worker that made it", async () => {
    const printed = await output(`${workers}
      const worker = start(\`
        const py = await createPython(native);
        const bytes = await py.eval("bytes([6]) * 5_000_000");
        const kept = await py.eval("bytes([7]) * 5_000_000");
        parentPort.postMessage(bytes, [bytes.buffer]);
        parentPort.on("message", () => kept);\`);
      const [bytes] = await once(worker, "message");
      await worker.terminate();
      console.log(Buffer.alloc(5_000_000, 6).equals(bytes));`);
    expect(printed).toBe("true");
  });
});

/** Resident megabytes before, at the peak of, and after many large results. */
const burst = (body: string) => `${startSync}
  const python = startSync();
  const make = python.eval("lambda size: bytes([1]) * size");
  const resident = () => process.memoryUsage().rss / 1e6;
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  for (let index = 0; index < 10; index++) { make(10_000_000); gc(); await turn(); }
  ${body}`;

const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;

// A sanitizer brings a malloc of its own, which keeps what is freed.
describe.runIf(report?.header?.glibcVersionRuntime !== undefined && sanitizer === undefined)(
  "with glibc, the memory of large results",
  () => {
    it("does not grow in a loop that never ends its turn", async () => {
      const printed = await output(
        burst(`
        const before = resident();
        let peak = 0;
        for (let index = 0; index < 600; index++) {
          make(5_000_000);
          if (index % 20 === 0) peak = Math.max(peak, resident());
        }
        console.log(peak - before);`),
        { flags: ["--expose-gc"] },
      );
      expect(Number(printed)).toBeLessThan(300);
    });

    it("is used again, and goes back to the system when nobody takes any for a while", async () => {
      const printed = await output(
        burst(`
        const before = resident();
        let held = Array.from({ length: 55 }, () => make(10_000_000));
        const peak = resident();
        held.length = 5;
        for (let round = 0; round < 10; round++) { gc(); await turn(); }
        held = undefined;
        for (let round = 0; round < 10; round++) { gc(); await turn(); }
        const kept = resident();
        for (let round = 0; round < 400 && resident() > kept - 20; round++) await turn();
        console.log(JSON.stringify({ rose: peak - before, kept: kept - before, left: resident() - kept }));`),
        { flags: ["--expose-gc"] },
      );
      const { rose, kept, left } = JSON.parse(printed) as Record<"rose" | "kept" | "left", number>;
      expect(rose).toBeGreaterThan(400);
      expect(kept).toBeLessThan(80);
      expect(left).toBeLessThan(-20);
    });
  },
);
