/** Real Pythons, real folders: what is found, what is refused and how it is said. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseNative } from "../../src/backends/native/open.ts";
import { findPythons } from "../../src/environment/node-pythons.ts";
import { nodeProbe } from "../../src/environment/probe.ts";
import type { PythonFacts } from "../../src/environment/python.ts";
import { inNode, output, python } from "./support.ts";

const pythons = findPythons();
let folder: string;
let usual: PythonFacts;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isopy-env-"));
  usual = chooseNative(python).python;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("every Python that is found here", () => {
  it("is at least one", () => {
    expect(pythons.length).toBeGreaterThan(0);
  });

  it.each(pythons.map((facts) => [`${facts.version} in ${facts.prefix}`, facts] as const))("%s starts and works", async (_name, facts) => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython({ backend: "native", python: ${JSON.stringify(facts.executable)} });
      const adds = await py.eval("lambda a, b: a + b");
      const checks = [
        py.info.python, await adds(1, 2), await adds("a", "b"), await py.eval("2 ** 70"), await py.eval("chr(0xd800) + chr(0)"),
        await py.eval("[len(__import__(n).__name__) for n in ['ssl', 'sqlite3', 'zlib', 'ctypes', 'asyncio', 'decimal', 'hashlib']]"),
        await py.eval("f(20)", { locals: { f: (n) => n + 1 } }), await py.import("asyncio").sleep(0.01, "awaited"),
        await py.eval("__import__('sys').flags.utf8_mode, 'é'.encode() == open(p, 'w').encoding.encode() or open(p).encoding.lower()", { locals: { p: ${JSON.stringify(join(folder, "probe"))} } }),
      ];
      await py.close();
      console.log(JSON.stringify(checks, (_k, v) => (typeof v === "bigint" ? String(v) : v)));
    `,
      { env: { LANG: "C", LC_ALL: "C" } },
    );
    const found = JSON.parse(printed) as unknown[];
    expect(found).toEqual([facts.version, 3, "ab", String(2n ** 70n), "\ud800\0", [3, 7, 4, 6, 7, 7, 7], 21, "awaited", [1, "utf-8"]]);
  });
});

describe("another Python in a process that runs one", () => {
  const other = pythons.find((facts) => facts.version !== pythons[0]?.version);

  it.skipIf(other === undefined)("is refused, saying which one runs and what to do", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython({ backend: "native", python: ${JSON.stringify(pythons[0]?.executable)} });
      const error = await createPython({ backend: "native", python: ${JSON.stringify(other?.executable)} }).catch((e) => e);
      console.log(error.code, error.message.includes(${JSON.stringify(pythons[0]?.executable)}), error.hint.includes("child process"));
      const again = await createPython({ backend: "native" });
      console.log(again.info.python === py.info.python, again.info.resolution.join().includes("already"));
    `,
      { env: { ISOPY_PYTHON: "" } },
    ); // nothing is named, so the one that runs will do
    expect(printed).toBe("ERR_BACKEND_UNAVAILABLE true true\ntrue true");
  });

  it.skipIf(other === undefined)("two workers that want different ones: one wins, the other is told", async () => {
    const printed = await output(`
      import { Worker } from "node:worker_threads";
      import { once } from "node:events";
      const body = (python) => "import { parentPort } from 'node:worker_threads'; import { createPython } from 'isopy'; try { const py = await createPython({ backend: 'native', python: " +
        JSON.stringify(python) + " }); parentPort.postMessage('ok'); await py.close(); } catch (e) { parentPort.postMessage(e.code); }";
      const messages = await Promise.all(${JSON.stringify([pythons[0]?.executable, other?.executable])}.map(async (python) => {
        const worker = new Worker(body(python), { eval: true, execArgv: ["--input-type=module"] });
        const [[message]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
        return message;
      }));
      console.log(messages.sort().join());
    `);
    expect(printed).toBe("ERR_BACKEND_UNAVAILABLE,ok");
  });
});

describe("what cannot be used", () => {
  const refused = async (options: string, env: Record<string, string> = {}) => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const error = await createPython(${options}).catch((e) => e);
      console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message }));
    `,
      { env },
    );
    return JSON.parse(printed) as { name: string; code: string; message: string };
  };

  it("[N-70] a path that is not there", async () => {
    expect(await refused('{ backend: "native", python: "/nowhere/python3" }')).toMatchObject({
      code: "ERR_BACKEND_UNAVAILABLE",
      message: expect.stringContaining("/nowhere/python3: there is no executable file at this path"),
    });
  });

  it("[N-70] a path that is named is not swapped for another engine", async () => {
    expect(await refused('{ python: "/nowhere/python3" }')).toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
  });

  it("[N-70] a program that is no Python", async () => {
    const file = join(folder, "impostor");
    writeFileSync(file, "#!/bin/sh\necho hello\n");
    chmodSync(file, 0o755);
    expect(await refused(`{ backend: "native", python: ${JSON.stringify(file)} }`)).toMatchObject({
      message: expect.stringContaining("it is no Python"),
    });
  });

  it("[N-70] a Python without a shared library: where was looked, and what to install", async () => {
    const file = join(folder, "static-python");
    const answer = { ...usual, library: null, searched: ["/opt/x/lib/libpython3.11.so.1.0"], executable: file };
    writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`);
    chmodSync(file, 0o755);
    const { message } = await refused(`{ backend: "native", python: ${JSON.stringify(file)} }`);
    expect(message).toContain("/opt/x/lib/libpython3.11.so.1.0");
    expect(message).toContain("apt install libpython");
  });

  it("[N-70] a library that cannot be opened", async () => {
    const library = join(folder, "libpython-damaged.so");
    writeFileSync(library, "not ELF");
    const file = join(folder, "damaged-python");
    writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${JSON.stringify({ ...usual, library })}\nEND\n`);
    chmodSync(file, 0o755);
    const { code, message } = await refused(`{ backend: "native", python: ${JSON.stringify(file)} }`);
    expect(code).toBe("ERR_BACKEND_UNAVAILABLE");
    expect(message).toContain("libpython-damaged.so");
  });

  it("[N-78] an addon that is not there, named explicitly", async () => {
    const { message } = await refused('{ backend: "native" }', { ISOPY_ADDON: join(folder, "no.node") });
    expect(message).toContain("no.node: no such file");
    expect(message).toContain("build-addon.mjs");
  });

  it("auto falls back to WebAssembly and says why", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython();
      console.log(py.info.backend, py.info.fallback.includes("no.node"), await py.eval("1 + 1"));
      await py.close();
    `,
      { env: { ISOPY_ADDON: join(folder, "no.node") } },
    );
    expect(printed).toBe("wasm true 2");
  });
});

describe("virtual environments", () => {
  it("[N-73] a venv's packages are found, by option, by VIRTUAL_ENV and by .venv", async () => {
    const project = join(folder, "project");
    mkdirSync(project);
    execFileSync(usual.executable, ["-m", "venv", "--without-pip", join(project, ".venv")]);
    const [minor] = [usual.version.split(".").slice(0, 2).join(".")];
    const packages = join(project, ".venv", "lib", `python${minor}`, "site-packages");
    writeFileSync(join(packages, "only_in_venv.py"), "answer = 42\n");
    const ask = (options: string) => `
      import { createPython } from "isopy";
      process.chdir(${JSON.stringify(project)});
      const py = await createPython(${options});
      console.log(await py.import("only_in_venv").answer, await py.eval("__import__('sys').prefix == p", { locals: { p: ${JSON.stringify(join(project, ".venv"))} } }));
      await py.close();`;
    expect(await output(ask('{ backend: "native", python: ".venv" }'))).toBe("42 true");
    expect(await output(ask('{ backend: "native" }'), { env: { ISOPY_PYTHON: "", VIRTUAL_ENV: join(project, ".venv") } })).toBe("42 true");
    expect(await output(ask('{ backend: "native" }'), { env: { ISOPY_PYTHON: "", VIRTUAL_ENV: "" } })).toBe("42 true");
  });

  it("[N-74] PYTHONHOME of another Python does no harm", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      console.log(await py.eval("__import__('sys').prefix"), process.env.PYTHONHOME);`,
      { env: { PYTHONHOME: "/nowhere" } },
    );
    expect(printed).toBe(`${usual.prefix} /nowhere`);
  });
});

describe("the cache of answers", () => {
  it("is written, used, and harmless when damaged", () => {
    const before = process.env["XDG_CACHE_HOME"];
    process.env["XDG_CACHE_HOME"] = join(folder, "cache");
    try {
      const file = join(folder, "cache", "isopy", "pythons.json");
      expect(nodeProbe().describe(usual.executable)).toMatchObject({ ok: true });
      expect(existsSync(file)).toBe(true);
      const entries = JSON.parse(readFileSync(file, "utf8")) as Record<string, { facts: { version: string } }>;
      entries[usual.executable]!.facts.version = "3.99.0";
      writeFileSync(file, JSON.stringify(entries));
      expect(nodeProbe().describe(usual.executable)).toMatchObject({ facts: { version: "3.99.0" } });
      for (const damage of ["", "{", "[]", "null", '{"x":1}', JSON.stringify({ [usual.executable]: { stamp: "x", facts: null } })]) {
        writeFileSync(file, damage);
        expect(nodeProbe().describe(usual.executable)).toMatchObject({ ok: true, facts: { version: usual.version } });
      }
    } finally {
      if (before === undefined) delete process.env["XDG_CACHE_HOME"];
      else process.env["XDG_CACHE_HOME"] = before;
    }
  });

  it("a link to another Python is asked again", () => {
    const link = join(folder, "linked");
    symlinkSync("/nowhere", link);
    expect(nodeProbe().describe(link)).toMatchObject({ ok: false });
    rmSync(link);
    symlinkSync(usual.executable, link);
    expect(nodeProbe().describe(link).ok).toBe(true);
  });
});

describe("importing isopy", () => {
  it("loads neither Python nor the addon nor WebAssembly", async () => {
    const ended = await inNode(`
      await import("isopy"); await import("isopy/sync");
      const shared = process.report.getReport().sharedObjects;
      console.log(shared.filter((name) => /libpython|isopy/.test(name)).length);
    `);
    expect(ended.stdout).toBe("0");
  });
});
