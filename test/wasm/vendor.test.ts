/** `vendor` of `isopy/packages`: the host's pip brings wheels ahead of time, an engine installs them without a network. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPython } from "isopy";
import { vendor } from "isopy/packages";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PackageIndex, startIndex } from "../support/package-index.ts";
import { needWheels, realLock } from "../support/real-wheels.ts";
import { makeWheel } from "../support/wheels.ts";

let index: PackageIndex;
let folder: string;

beforeAll(async () => {
  index = await startIndex();
  index.addLocked(realLock(), (name) => name === "micropip");
  folder = await mkdtemp(join(tmpdir(), "isopy-vendor-"));
});
afterAll(() => Promise.all([index.close(), rm(folder, { recursive: true, force: true })]));

beforeEach(needWheels);

describe("vendor", () => {
  it("brings wheels and what they need inside Pyodide, and writes a lock that an engine installs from", async () => {
    const only = makeWheel("only-there", "1.0", { tags: "cp314-cp314-pyemscripten_2026_0_wasm32" });
    const main = makeWheel("vendored", "1.0", {
      requires: ["only-there; sys_platform == 'emscripten'", "not-there; sys_platform == 'no-such-platform'"],
    });
    index.add(only, main);
    await writeFile(join(folder, "mine.txt"), "left alone");
    const lines: string[] = [];
    const lock = await vendor("vendored", { folder, index: index.url, onProgress: ({ line }) => lines.push(line) });
    expect(lock.packages.map(({ name, sha256 }) => [name, sha256])).toEqual(
      expect.arrayContaining([
        ["vendored", main.sha256],
        ["only-there", only.sha256],
      ]),
    );
    expect(lock.packages.length).toBe(3); // and micropip
    expect(JSON.parse(await readFile(join(folder, "isopy-lock.json"), "utf8"))).toEqual(lock);
    expect((await readdir(folder)).sort()).toEqual([...lock.packages.map(({ file }) => file), "isopy-lock.json", "mine.txt"].sort());
    expect(lines.join("\n")).toContain("Collecting vendored");
    const py = await createPython({ backend: "wasm" });
    try {
      index.asked.length = 0;
      const { installed } = await py.packages.installImports("import vendored", { from: folder });
      expect(installed.map(({ name }) => name)).toEqual(["micropip", "only-there", "vendored"]);
      expect(index.asked).toEqual([]);
      expect(await py.import("only_there").version).toBe("1.0");
      expect(await py.eval("__import__('sysconfig').get_config_var('PYEMSCRIPTEN_PLATFORM_VERSION')")).toBe("2026_0");
    } finally {
      await py.close();
    }
  });

  it("what cannot be had is ERR_PACKAGE in pip's words, and the folder is as it was", async () => {
    index.publish("linux-only", makeWheel("linux-only", "1.0", { tags: "cp314-cp314-manylinux_2_28_x86_64" }));
    const before = await readdir(folder);
    await expect(vendor(["linux-only"], { folder, index: index.url })).rejects.toMatchObject({
      code: "ERR_PACKAGE",
      message: expect.stringContaining("No matching distribution found for linux-only") as string,
      hint: expect.stringContaining("pyemscripten_2026_0_wasm32") as string,
    });
    expect(await readdir(folder)).toEqual(before);
  });

  it("a signal ends pip, with its reason", async () => {
    const stop = new AbortController();
    const before = await readdir(folder);
    index.instead("/simple/never/", () => stop.abort("enough"));
    await expect(vendor("never", { folder, index: index.url, signal: stop.signal })).rejects.toBe("enough");
    expect(await readdir(folder)).toEqual(before);
  });

  it("a Python that is none, and options that are none, are named", async () => {
    const unsupported = { code: "ERR_UNSUPPORTED", message: expect.stringContaining("no-such-python") as string };
    await expect(vendor("six", { folder, python: "no-such-python" })).rejects.toMatchObject(unsupported);
    await expect(vendor("six", {} as { folder: string })).rejects.toMatchObject({ code: "ERR_OPTION" });
    await expect(vendor([7 as unknown as string], { folder })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });
});
