/** The failure catalogue: what the machine, the shell and the bundler do to an engine. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseNative } from "../../src/backends/native/open.ts";
import { testPython } from "../support/python.ts";
import { inNode, output, python, scale, startSync } from "./support.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isopy-host-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The Python under test, as it describes itself. */
const facts = () => chooseNative(python).python;
const ask = (source: string): string => execFileSync(facts().executable, ["-c", source], { encoding: "utf8" }).trim();

describe("the standard streams and the locale", () => {
  it("[N-62] text is UTF-8 under the C locale, also on the process's own stdout", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("print('é ü 你')\\nimport sys\\nsys.__stdout__.write('é 你\\\\n')\\nsys.__stdout__.flush()");
      console.log(await py.eval("__import__('locale').getpreferredencoding(False).lower().replace('-', '')"));
      await py.close();
    `,
      { env: { LANG: "C", LC_ALL: "C", PYTHONIOENCODING: "" } },
    );
    expect(printed.split("\n").sort()).toEqual(["utf8", "é ü 你", "é 你"].sort());
  });

  it("[N-63] an engine starts, prints and ends in a process whose standard streams are closed", async () => {
    const file = join(folder, "closed.txt");
    const ended = await inNode(
      `
      import { createPython } from "isopy";
      import { writeFileSync } from "node:fs";
      let text = "";
      const py = await createPython({ ...native, stdout: (part) => void (text += part), stderr: (part) => void (text += part) });
      await py.exec("import sys\\nprint('out')\\nprint('err', file=sys.stderr)");
      await py.close();
      writeFileSync(${JSON.stringify(file)}, text);
    `,
      { shell: 'exec "$@" <&- >&- 2>&-' },
    );
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(readFileSync(file, "utf8")).toBe("out\nerr\n");
  });

  it("[N-50] a standard input that says nothing stops neither the start nor an import nor the end", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(${JSON.stringify({ backend: "native", ...testPython(), ...(python === undefined ? {} : { python }) })});
      console.log(await py.exec("import sqlite3, ssl, multiprocessing\\ntry: import numpy\\nexcept ImportError: pass").then(() => "imported"));
    `,
      { silentInput: true },
    );
    expect(printed).toBe("imported");
  });
});

describe("environment variables", () => {
  it("[N-87] os.environ begins as a copy of the process's variables; what Python sets, its children and Node see", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      process.env.ISOPY_LATE = "late";
      const py = await createPython({ ...native, env: { ISOPY_OWN: "own" } });
      const have = await py.eval("dict(__import__('os').environ)");
      console.log(Object.keys(process.env).filter((name) => !(name in have)).length, have.ISOPY_LATE, have.ISOPY_OWN);
      await py.exec("import os, subprocess\\nos.environ['ISOPY_OWN'] = 'changed'");
      console.log(process.env.ISOPY_OWN, await py.eval("subprocess.check_output('echo $ISOPY_OWN $ISOPY_LATE', shell=True, text=True).strip()"));
      await py.close();
    `);
    expect(printed).toBe("0 late own\nchanged changed late");
  });

  it("[N-87] Python and Node set and read them at once, thousands of times", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      const storm = py.exec("import os, time\\nfor i in range(${3000 * scale}):\\n  os.environ['ISOPY_RACE_%d' % (i % 500)] = 'x' * (i % 300)\\n  os.environ.get('HOME')\\n  if i % 100 == 0: time.sleep(0)").then(() => true);
      let over = false;
      storm.then(() => { over = true; });
      let reads = 0;
      while (!over) {
        for (let i = 0; i < 200; i++) { reads += process.env["ISOPY_RACE_" + (i % 500)] === "never" ? 1 : 0; process.env.ISOPY_NODE = String(i); new Date(2020, i % 12).toString(); }
        await new Promise((resolve) => setImmediate(resolve));
      }
      console.log(reads, await py.eval("len(os.environ['ISOPY_RACE_7']) >= 0"));
      await py.close();
    `,
    );
    expect(printed).toBe("0 true");
  });

  it("[N-87] Node reads all variables while Python adds some, and freed memory is overwritten", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      let over = false;
      const storm = py.exec(${JSON.stringify("import os\nfor i in range(600): os.environ[f'ISOPY_NEW_{i}'] = str(i)")}).then(() => { over = true; });
      let complete = true;
      while (!over) {
        for (let i = 0; i < 200; i++) complete &&= process.env.HOME === "/nowhere";
        await new Promise((resolve) => setImmediate(resolve));
      }
      await storm;
      console.log(complete, Object.keys(process.env).filter((name) => name.startsWith("ISOPY_NEW_")).length, process.env.ISOPY_NEW_599);
      await py.exec("for name in [name for name in os.environ if name.startswith('ISOPY_NEW_')]: del os.environ[name]");
      console.log(Object.keys(process.env).filter((name) => name.startsWith("ISOPY_NEW_")).length, process.env.HOME);
      await py.close();
    `,
      { env: { MALLOC_PERTURB_: "165", HOME: "/nowhere" } },
    );
    expect(printed).toBe("true 600 599\n0 /nowhere");
  });

  it("[N-87] names and values that no system takes are refused as in Python itself", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      for (const call of ["os.putenv('', 'x')", "os.putenv('a=b', 'x')", "os.putenv('a', 'x' + chr(0))", "os.unsetenv('a=')", "os.putenv(1, 'x')"]) {
        console.log(await py.exec("import os; " + call).then(() => "taken", (error) => error.type));
      }
      await py.close();
    `);
    expect(printed).toBe("OSError\nValueError\nValueError\nOSError\nTypeError");
  });

  it("[N-74] PYTHONHOME and PYTHONPATH of another Python, and a PYTHONSTARTUP, do no harm", async () => {
    const printed = await output(
      `
      import { createPython } from "isopy";
      const py = await createPython(native);
      console.log(await py.eval("__import__('sys').prefix"));
      await py.close();
    `,
      { env: { PYTHONHOME: join(folder, "home"), PYTHONSTARTUP: join(folder, "startup.py"), PYTHONEXECUTABLE: "/nowhere" } },
    );
    expect(printed).toBe(facts().prefix);
  });
});

describe("what Python imports", () => {
  it("[N-71] [N-79] extension modules with their own OpenSSL, SQLite and zlib work beside Node's", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      import { createHash } from "node:crypto";
      import { deflateSync, inflateSync } from "node:zlib";
      const hash = () => createHash("sha256").update("abc").digest("hex");
      const before = hash();
      const py = await createPython(native);
      await py.exec("import asyncio, ctypes, hashlib, sqlite3, ssl, zlib\\ndigest = hashlib.new('sha256', b'abc').hexdigest()\\npacked = zlib.compress(b'x' * 1000)\\nrows = sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()[0]\\ncontext = ssl.create_default_context()");
      const packed = await py.eval("packed");
      console.log(before === hash(), (await py.eval("digest")) === before, inflateSync(packed).length, await py.eval("zlib.decompress(data)", { locals: { data: deflateSync("hello") } }).then((bytes) => new TextDecoder().decode(bytes)), await py.eval("rows"));
      await py.close();
    `);
    expect(printed).toBe("true true 1000 hello 2");
  });

  it("[N-80] TLS finds the certificates that the same Python finds outside", async () => {
    const outside = ask(
      "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'], ssl.get_default_verify_paths().cafile)",
    );
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("import ssl");
      console.log(await py.eval("ssl.create_default_context().cert_store_stats()['x509_ca']"), (await py.eval("ssl.get_default_verify_paths().cafile")) ?? "None");
      await py.close();
    `);
    expect(printed).toBe(outside);
  });

  it("[N-49] sixteen programs import the same extension modules for the first time at once", async () => {
    const options = JSON.stringify({ backend: "native", ...testPython(), ...(python === undefined ? {} : { python }) });
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(${options});
      const name = (await py.eval("__import__('importlib.util').util.find_spec('numpy') is not None")) ? "numpy" : "sqlite3";
      const ids = await Promise.all(Array.from({ length: 16 }, () => py.eval("(__import__('time').sleep(0.01), id(__import__(n)), __import__('decimal').Decimal(1) + 1)[1]", { locals: { n: name } })));
      console.log(new Set(ids).size);
      await py.close();
    `);
    expect(printed).toBe("1");
  });

  it("[N-72] a module of another ABI, or none at all, is an ImportError", async () => {
    const modules = join(folder, "modules");
    mkdirSync(modules);
    writeFileSync(join(modules, "junk.so"), "no ELF");
    const library = facts().library;
    if (library !== null) copyFileSync(library, join(modules, "alien.so"));
    writeFileSync(join(modules, "tagged.cpython-38-x86_64-linux-gnu.so"), "no ELF");
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython({ ...native, paths: [${JSON.stringify(modules)}] });
      const types = [];
      for (const name of ["junk", "alien", "tagged"]) types.push(await py.import(name).then(() => "imported", (error) => error.type));
      console.log(types.join(), await py.eval("1"));
      await py.close();
    `);
    expect(printed).toBe("ImportError,ImportError,ModuleNotFoundError 1");
  });
});

describe("a Python that is not whole", () => {
  it("[N-05] [N-70] one that has lost its library since it was last asked is a typed error, not the end of the host", async ({ skip }) => {
    const { executable, library, version, basePrefix } = facts();
    const name = `python${version.split(".").slice(0, 2).join(".")}`;
    const home = join(folder, "broken");
    mkdirSync(join(home, "bin"), { recursive: true });
    mkdirSync(join(home, "lib"));
    copyFileSync(realpathSync(executable), join(home, "bin", "python3"));
    symlinkSync(join(basePrefix, "lib", name), join(home, "lib", name));
    if (library !== null) symlinkSync(library, join(home, "lib", library.split("/").at(-1) ?? ""));
    const env = { XDG_CACHE_HOME: join(folder, "cache") };
    const start = `
      import { createPython } from "isopy";
      const options = { backend: "native", python: ${JSON.stringify(join(home, "bin", "python3"))} };
      const outcome = () => createPython(options).then((py) => py.eval("__import__('sys').base_prefix"), (error) => error.code + " " + error.message);
      console.log(await outcome(), "|", await outcome());`;
    const whole = await output(start, { env });
    if (!whole.startsWith(home)) skip("this Python does not look for its library beside its executable");
    unlinkSync(join(home, "lib", name));
    mkdirSync(join(home, "lib", name, "lib-dynload"), { recursive: true });
    writeFileSync(join(home, "lib", name, "os.py"), "");
    const ended = await inNode(start, { env });
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.stdout.match(/ERR_BACKEND_UNAVAILABLE/g)).toHaveLength(2);
    expect(ended.stdout).toContain("encodings");
  });

  it("[N-06] after a library that is none, the next start in the same process works", async () => {
    const usual = facts();
    const library = join(folder, "libpython-none.so");
    writeFileSync(library, "not ELF");
    const file = join(folder, "none-python");
    writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${JSON.stringify({ ...usual, library })}\nEND\n`, { mode: 0o755 });
    const printed = await output(`${startSync}
      import { createPython } from "isopy";
      const refused = await createPython({ backend: "native", python: ${JSON.stringify(file)} }).then(() => "started", (error) => error.code);
      const py = await createPython({ backend: "native", python: ${JSON.stringify(usual.executable)} });
      console.log(refused, await py.eval("1 + 1"));
      await py.close();
    `);
    expect(printed).toBe("ERR_BACKEND_UNAVAILABLE 2");
  });
});

describe("a bundle", () => {
  it("[N-81] that holds isopy's code finds the addon and Python's half, or says which file is missing", async () => {
    const { build } = await import("vite");
    const entry = join(folder, "entry.mjs");
    const dist = new URL("../../dist/", import.meta.url).pathname;
    writeFileSync(
      entry,
      `import { createPython } from ${JSON.stringify(join(dist, "node.js"))};
       const py = await createPython({ backend: "native" }).catch((error) => { console.log(error.code, error.message); process.exit(3); });
       console.log(await py.eval("1 + 1"));
       await py.close();`,
    );
    const out = join(folder, "bundle");
    await build({
      configFile: false,
      logLevel: "silent",
      build: { ssr: entry, outDir: out, rollupOptions: { output: { entryFileNames: "app.mjs", format: "es" } } },
      ssr: { noExternal: true },
    });
    const run = (env: Record<string, string> = {}) =>
      inNode(
        `import { spawnSync } from "node:child_process"; const { stdout, status } = spawnSync(process.execPath, [${JSON.stringify(join(out, "app.mjs"))}], { encoding: "utf8", cwd: ${JSON.stringify(out)} }); console.log(status, stdout);`,
        { env },
      );
    const lost = await run();
    expect(lost.stdout).toMatch(/^3 ERR_BACKEND_UNAVAILABLE [\s\S]*(python|addon)/);
    mkdirSync(join(out, "native"));
    copyFileSync(
      join(dist, "native", `isopy-${process.platform}-${process.arch}.node`),
      join(out, "native", `isopy-${process.platform}-${process.arch}.node`),
    );
    symlinkSync(new URL("../../python", import.meta.url).pathname, join(out, "python"));
    expect((await run()).stdout.trim()).toBe("0 2");
  });
});
