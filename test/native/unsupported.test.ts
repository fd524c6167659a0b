/** Options that an engine inside this process cannot have: refused before Python starts, never ignored. */
import { createPython } from "isopy";
import { createPythonSync } from "isopy/sync";
import { expect, it } from "vitest";

const options = [
  { whenUnresponsive: "condemn" },
  { whenLost: "replace" },
  { whenLost: "replace", spare: true },
  { limits: { maxMemory: 2 ** 28 } },
  { limits: { maxHeap: 2 ** 28 } },
] as const;

it.for(options.map((one) => [JSON.stringify(one), one] as const))("%s is ERR_UNSUPPORTED, with what to use instead", async ([, one]) => {
  const error = expect.objectContaining({ code: "ERR_UNSUPPORTED", hint: expect.stringContaining('backend: "wasm"') });
  await expect(createPython({ backend: "native", ...one })).rejects.toEqual(error);
  expect(() => createPythonSync(one)).toThrow(error);
});

it("what is asked for by its defaults is not refused", async () => {
  const py = await createPython({
    backend: "native",
    whenUnresponsive: "keep",
    whenLost: "fail",
    grace: 5,
    spare: false,
    onLoss: () => {},
  });
  expect(await py.eval("1 + 1")).toBe(2);
  await py.close();
});

it("packages are those of the environment: py.packages is ERR_UNSUPPORTED, with where to install", async () => {
  const py = await createPython({ backend: "native" });
  const error = expect.objectContaining({ code: "ERR_UNSUPPORTED", hint: expect.stringContaining("pip install") });
  await expect(py.packages.install("numpy")).rejects.toEqual(error);
  await expect(py.packages.install({ from: "./wheels" })).rejects.toEqual(error);
  await expect(py.packages.list()).rejects.toEqual(error);
  await expect(py.packages.lock()).rejects.toEqual(error);
  await expect(py.packages.missing("import numpy")).rejects.toEqual(error);
  await expect(py.packages.installImports("import numpy")).rejects.toEqual(error);
  await py.close();
});
