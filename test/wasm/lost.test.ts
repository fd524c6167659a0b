/** Errors that an engine does not survive: everything pending settles, once, and says why. */
import { createPython, type EngineError, type Python, run } from "isopy";
import { afterEach, describe, expect, it } from "vitest";

let py: Python | undefined;
afterEach(() => py?.close());

describe("a fatal error", () => {
  it.for([
    ["a stack overflow in C", "x = []\nfor _ in range(10**6): x = [x]\nimport pickle\npickle.dumps(x)"],
    ["os.abort", "import os\nos.abort()"],
    ["os._exit", "import os\nos._exit(3)"],
    ["process.exit of the worker", "import js\njs.process.exit(7)"],
  ] as const)("[W-06] [W-18] %s settles everything that is pending", async ([, source]) => {
    py = await createPython({ backend: "wasm" });
    const waiting = Array.from({ length: 20 }, () => settled(py?.import("asyncio").sleep(30)));
    const fatal = await settled(py.exec(source));
    const outcomes = await Promise.all(waiting);
    expect([fatal, ...outcomes].map((error) => (error as EngineError).code)).toEqual(Array(21).fill("ERR_ENGINE_LOST"));
    await expect(run(py.eval("1"))).rejects.toMatchObject({ code: "ERR_ENGINE_LOST" });
  });

  it("says what it was", async () => {
    py = await createPython({ backend: "wasm" });
    const error = (await settled(py.exec("import js\njs.process.exit(7)"))) as EngineError;
    expect(error.message).toContain("exit code 7");
  });

  it("leaves other engines alone, and a new one starts", async () => {
    py = await createPython({ backend: "wasm" });
    const other = await createPython({ backend: "wasm" });
    try {
      await settled(other.exec("import os\nos.abort()"));
      expect(await py.eval("1 + 1")).toBe(2);
    } finally {
      await other.close();
    }
  });
});

async function settled(expression: PromiseLike<unknown> | undefined): Promise<unknown> {
  try {
    return await expression;
  } catch (error) {
    return error;
  }
}
