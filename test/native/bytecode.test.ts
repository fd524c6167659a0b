/** The byte code of `_isopy`, kept in the user's cache: used when it is good, made when it is not, never needed. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { output, root } from "./support.ts";

let folder: string;
let installed: string;
beforeAll(() => {
  // A copy of the package, whose files may be changed.
  installed = mkdtempSync(join(tmpdir(), "isopy-installed-"));
  for (const part of ["dist/node.js", "dist/sync.js", "dist/chunks", "dist/native", "python", "package.json"]) {
    cpSync(join(root, part), join(installed, part), { recursive: true, filter: (path) => !path.includes("__pycache__") });
  }
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isopy-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
afterAll(() => rmSync(installed, { recursive: true }));

/** How the package was loaded, and a traceback of it, by a process whose cache is `cache`. */
async function start(cache = folder): Promise<{ loader: string; file: string; line: string }> {
  const printed = await output(
    `const { createPythonSync } = await import(${JSON.stringify(join(installed, "dist", "sync.js"))});
    const { backend: _, ...options } = native;
    const python = createPythonSync(options);
    const module = "__import__('sys').modules['_isopy.engine']";
    console.log(JSON.stringify({
      loader: python.eval("type(" + module + ".__loader__).__name__"),
      file: python.eval(module + ".__file__"),
      line: python.eval("__import__('inspect').getsource(" + module + ".Engine).splitlines()[0]"),
    }));
    python.close();`,
    { env: { XDG_CACHE_HOME: cache, PYTHONDONTWRITEBYTECODE: "1" } },
  );
  return JSON.parse(printed);
}

const kept = (): string[] => readdirSync(join(folder, "isopy")).filter((name) => name.endsWith(".code"));
const only = (): string => join(folder, "isopy", kept()[0] as string);

describe("the package's byte code", () => {
  it("is written by the first start, for its user alone, and read by the next", async () => {
    const expected = { loader: "Compiled", file: join(installed, "python", "_isopy", "engine.py"), line: "class Engine:" };
    expect(await start()).toEqual(expected);
    expect(kept()).toHaveLength(1);
    if (process.platform !== "win32") expect(statSync(only()).mode & 0o777).toBe(0o600);
    const { ino } = statSync(only());
    expect(await start()).toEqual(expected);
    expect(statSync(only()).ino).toBe(ino);
    expect(existsSync(join(installed, "python", "_isopy", "__pycache__"))).toBe(false);
  });

  it("is made again when a file of the package changed", async () => {
    await start();
    const before = readFileSync(only());
    const file = join(installed, "python", "_isopy", "engine.py");
    const source = readFileSync(file, "utf8");
    writeFileSync(file, source.replace("class Engine:", "class Engine:  # changed"));
    try {
      expect((await start()).line).toBe("class Engine:  # changed");
      expect(kept()).toHaveLength(1);
      expect(readFileSync(only()).equals(before)).toBe(false);
    } finally {
      writeFileSync(file, source);
    }
  });

  it.each([
    ["cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ["empty", () => Buffer.alloc(0)],
    ["changed by a bit", (bytes: Buffer) => bytes.fill((bytes[5_000] as number) ^ 1, 5_000, 5_001)],
    ["of something else", () => Buffer.from("isopy ".repeat(1000))],
  ])("is not believed when the file is %s", async (_, damage) => {
    await start();
    const whole = readFileSync(only());
    writeFileSync(only(), damage(Buffer.from(whole)));
    expect((await start()).loader).toBe("Compiled");
    expect(readFileSync(only()).length).toBe(whole.length);
  });

  it("is not needed: without a place for it the files are imported", async () => {
    writeFileSync(join(folder, "isopy"), "no folder");
    expect((await start()).loader).toBe("SourceFileLoader");
    rmSync(join(folder, "isopy"));
    mkdirSync(join(folder, "isopy"));
    chmodSync(join(folder, "isopy"), 0o500);
    if (process.getuid?.() !== 0) expect((await start()).loader).toBe("SourceFileLoader");
  });

  it("is kept for a few places only", async () => {
    await start();
    for (let index = 0; index < 40; index++) writeFileSync(join(folder, "isopy", `isopy-cpython-00-${index}.code`), "old");
    rmSync(only().replace(/[^/\\]*$/, kept().find((name) => !name.includes("-00-")) as string));
    await start();
    expect(kept()).toHaveLength(16);
    expect(kept().filter((name) => !name.includes("-00-"))).toHaveLength(1);
  });

  it("of two places that share a cache is theirs alone", async () => {
    await start();
    const other = join(folder, "other");
    mkdirSync(other);
    for (const part of ["dist", "package.json"]) cpSync(join(installed, part), join(other, part), { recursive: true });
    symlinkSync(join(installed, "python"), join(other, "python"));
    const printed = await output(
      `const { createPythonSync } = await import(${JSON.stringify(join(other, "dist", "sync.js"))});
      const { backend: _, ...options } = native;
      console.log(createPythonSync(options).eval("__import__('sys').modules['_isopy.engine'].__file__"));`,
      { env: { XDG_CACHE_HOME: folder } },
    );
    expect(printed).toBe(join(other, "python", "_isopy", "engine.py"));
    expect(kept()).toHaveLength(2);
  });
});
