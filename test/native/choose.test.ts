/** Which Python is chosen: a pure decision, so these tests need none. */
import { describe, expect, it } from "vitest";
import { choosePython, type Probe } from "../../src/environment/choose.ts";
import { type PythonFacts, refusal, versionMatches } from "../../src/environment/python.ts";

const facts = (executable: string, more: Partial<PythonFacts> = {}): PythonFacts => ({
  version: "3.12.1",
  implementation: "cpython",
  executable,
  prefix: "/usr",
  basePrefix: "/usr",
  bits: 64,
  debug: false,
  freeThreaded: false,
  library: "/usr/lib/libpython3.12.so.1.0",
  searched: [],
  ...more,
});

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, PythonFacts | string>>;
  readonly directories?: Readonly<Record<string, string | undefined>>;
  readonly path?: Readonly<Record<string, string>>;
  readonly up?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, readonly string[]>>;
}

function world({ env = {}, files = {}, directories = {}, path = {}, up = {}, versions = {} }: World): Probe {
  return {
    env: (name) => env[name],
    findUp: (name) => up[name],
    which: (command) => path[command],
    isDirectory: (name) => name in directories,
    executableIn: (directory) => directories[directory],
    versions: (version) => versions[version] ?? [],
    describe(executable) {
      const known = files[executable] ?? "there is no executable file at this path";
      return typeof known === "string" ? { ok: false, reason: known } : { ok: true, facts: known };
    },
  };
}

const everything = world({
  env: { ISOPY_PYTHON: "/env/python", VIRTUAL_ENV: "/active" },
  up: { ".venv": "/near/.venv" },
  directories: {
    "/active": "/active/bin/python",
    "/near/.venv": "/near/.venv/bin/python",
    "/given": "/given/bin/python",
    "/empty": undefined,
  },
  path: { python3: "/usr/bin/python3", python: "/usr/bin/python", "python3.11": "/usr/bin/python3.11" },
  versions: { "3.11": ["/usr/bin/python3.11", "/pyenv/3.11.7/bin/python"], "3.12": ["/odd/python"] },
  files: Object.fromEntries(
    [
      facts("/env/python"),
      facts("/active/bin/python"),
      facts("/near/.venv/bin/python"),
      facts("/given/bin/python"),
      facts("/usr/bin/python3"),
      facts("/usr/bin/python3.11", { version: "3.11.2", library: null, searched: ["/usr/lib/libpython3.11.so.1.0"] }),
      facts("/pyenv/3.11.7/bin/python", { version: "3.11.7" }),
      facts("/odd/python", { version: "3.13.0" }),
    ].map((one) => [one.executable, one]),
  ),
});
const without = (probe: Probe, ...names: string[]): Probe => ({
  ...probe,
  env: (name) => (names.includes(name) ? undefined : probe.env(name)),
});

describe("the order", () => {
  it("is the option, ISOPY_PYTHON, VIRTUAL_ENV, .venv, PATH", () => {
    expect(choosePython(everything, { python: "/given" })).toMatchObject({
      source: 'option "python"',
      found: { executable: "/given/bin/python" },
    });
    expect(choosePython(everything)).toMatchObject({ source: "ISOPY_PYTHON" });
    expect(choosePython(without(everything, "ISOPY_PYTHON"))).toMatchObject({ source: "VIRTUAL_ENV" });
    expect(choosePython(without(everything, "ISOPY_PYTHON", "VIRTUAL_ENV"))).toMatchObject({ source: ".venv" });
    const bare = { ...without(everything, "ISOPY_PYTHON", "VIRTUAL_ENV"), findUp: () => undefined };
    expect(choosePython(bare)).toMatchObject({ source: "PATH", found: { executable: "/usr/bin/python3" } });
  });

  it("what was named never falls through", () => {
    const missing = choosePython(everything, { python: "/nowhere/python" });
    expect(missing).toMatchObject({
      found: undefined,
      rejected: [{ path: "/nowhere/python", reason: "there is no executable file at this path" }],
    });
    const variable = choosePython({ ...everything, env: (name) => (name === "ISOPY_PYTHON" ? "nothing" : everything.env(name)) });
    expect(variable).toMatchObject({ found: undefined, rejected: [{ source: "ISOPY_PYTHON", path: "nothing" }] });
  });

  it("an unusable virtual environment falls through, with its reason kept", () => {
    const probe = world({
      env: { VIRTUAL_ENV: "/broken" },
      directories: { "/broken": "/broken/bin/python" },
      path: { python3: "/usr/bin/python3" },
      files: { "/broken/bin/python": "it ended with exit code 1", "/usr/bin/python3": facts("/usr/bin/python3") },
    });
    expect(choosePython(probe)).toMatchObject({
      source: "PATH",
      rejected: [{ source: "VIRTUAL_ENV", path: "/broken/bin/python", reason: "it ended with exit code 1" }],
    });
  });
});

describe("what a name can mean", () => {
  it("a version takes the first usable Python of that version", () => {
    const choice = choosePython(everything, { python: "3.11" });
    expect(choice.found?.executable).toBe("/pyenv/3.11.7/bin/python");
    expect(choice.rejected[0]?.reason).toContain("apt install libpython3.11");
  });

  it("a version that only something else claims is not found", () => {
    expect(choosePython(everything, { python: "3.12" })).toMatchObject({ found: undefined, rejected: [{ reason: "it is Python 3.13.0" }] });
    expect(choosePython(everything, { python: "3.10" }).rejected[0]?.reason).toContain("no Python 3.10");
  });

  it("a command, a path, a directory", () => {
    expect(choosePython(everything, { python: "python3" }).found?.executable).toBe("/usr/bin/python3");
    expect(choosePython(everything, { python: "/given/bin/python" }).found?.executable).toBe("/given/bin/python");
    expect(choosePython(everything, { python: "/empty" }).rejected[0]?.reason).toContain("no virtual environment");
    expect(choosePython(everything, { python: "pythonista" }).rejected[0]?.reason).toContain("command on PATH");
  });

  it("a prefix of a version is one only at a dot", () => {
    expect([versionMatches("3.11.7", "3.11"), versionMatches("3.11.7", "3.1"), versionMatches("3.11.7", "3.11.70")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("what is refused", () => {
  it.each([
    ["too old", { version: "3.8.18" }],
    ["pypy", { implementation: "pypy" }],
    ["32-bit", { bits: 32 }],
    ["debug build", { debug: true }],
    ["free-threaded", { freeThreaded: true }],
    ["no shared library", { library: null, searched: ["/opt/lib/libpython3.12.so.1.0"] }],
  ] as const)("%s", (reason, more) => {
    expect(refusal(facts("/p", more))).toContain(reason);
  });

  it("[N-85] a debug build can be allowed, a free-threaded one cannot, and the remedy is named", () => {
    const probe = (more: object) =>
      world({ env: { ISOPY_ALLOW: "debug,free-threaded" }, path: { python3: "/d" }, files: { "/d": facts("/d", more) } });
    expect(choosePython(probe({ debug: true })).found?.executable).toBe("/d");
    const free = choosePython(probe({ version: "3.13.0", freeThreaded: true }));
    expect(free.found).toBeUndefined();
    expect(free.rejected[0]?.reason).toMatch(/free-threaded[\s\S]*ordinary build of Python 3\.13/);
  });

  it("a name with a NUL, as an option or a variable", () => {
    for (const choice of [choosePython(everything, { python: "/usr\0/bin" }), choosePython(world({ env: { ISOPY_PYTHON: "3.12\0" } }))]) {
      expect(choice).toMatchObject({ found: undefined, rejected: [{ reason: expect.stringContaining("NUL") as string }] });
    }
  });
});
