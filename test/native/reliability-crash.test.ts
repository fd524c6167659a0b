/** The failure catalogue: what ends the host, says so; what must not, does not. */
import { describe, expect, it } from "vitest";
import { inNode, output, startSync } from "./support.ts";

const boom = "def boom():\\n  import ctypes\\n  ctypes.string_at(0)\\nboom()";

describe("a crash in C code", () => {
  it.each([
    ["a pool thread", `import { createPython } from "isopy"; await (await createPython(native)).exec("${boom}");`],
    ["a JavaScript thread", `${startSync} startSync().exec("${boom}");`],
    [
      "a thread of an event loop",
      `import { createPython } from "isopy"; await (await createPython(native)).exec("import asyncio\\nasync def main():\\n  import ctypes\\n  ctypes.string_at(0)\\nasyncio.run(main())");`,
    ],
  ])("[N-54] [N-55] on %s ends the host with its signal and the Python stack of every thread on stderr", async (_name, source) => {
    const ended = await inNode(source);
    expect(ended.signal).toBe("SIGSEGV");
    expect(ended.stderr).toMatch(/Fatal Python error: Segmentation fault[\s\S]*in (boom|main)\n/);
    expect(ended.stderr).toMatch(/^Thread 0x/m);
  });

  it("[N-55] says nothing when it is told not to", async () => {
    const ended = await inNode(`import { createPython } from "isopy"; await (await createPython(native)).exec("${boom}");`, {
      env: { ISOPY_FAULTHANDLER: "0" },
    });
    expect(ended).toMatchObject({ signal: "SIGSEGV", stderr: "" });
  });

  it("[N-55] WebAssembly's own faults stay errors of JavaScript, without a word on stderr", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      // (func (export "f") (result i32) (i32.load (i32.const 0x7fffffff))) over one page of memory
      const bytes = [0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,5,3,1,0,1,7,5,1,1,102,0,0,10,13,1,11,0,65,255,255,255,255,7,40,2,0,11];
      const load = () => { try { new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.f(); } catch (error) { return error.name; } };
      console.log(py.eval("1"), load(), py.eval("lambda f: f()")(load), load());
    `);
    expect(printed).toBe("1 RuntimeError RuntimeError RuntimeError");
  });

  it("[N-38] os._exit ends the host with its code, os.abort with its signal: Python is in the process", async () => {
    const exit = (way: string) =>
      inNode(`import { createPython } from "isopy"; await (await createPython(native)).exec("import os; os.${way}");`);
    expect(await exit("_exit(3)")).toMatchObject({ code: 3, signal: null });
    expect(await exit("abort()")).toMatchObject({ signal: "SIGABRT", stderr: expect.stringContaining("Fatal Python error: Aborted") });
  });
});

describe("a forked child", () => {
  const forked = (child: string) => `
    import { createPython } from "isopy";
    const py = await createPython(native);
    await py.exec(${JSON.stringify(`
import os, sys
pid = os.fork()
if pid == 0:
${child}
status = os.waitpid(pid, 0)[1]
`)}, { locals: { ask: () => 1 } });
    console.log("parent", await py.eval("os.WEXITSTATUS(status)"), await py.eval("f() + 1", { locals: { f: () => 1 } }));
    await py.close();`;

  it("[N-43] runs Python, prints, and gets a typed error where it asks JavaScript", async () => {
    const child = `    try: ask()
    except Exception as error: print(error.code, flush=True)
    os._exit(4)`;
    const ended = await inNode(forked(child));
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.stdout.split("\n").sort()).toEqual(["ERR_UNSUPPORTED", "parent 4 2"]);
  });

  it("[N-43] that comes back into the engine ends there, with a reason", async () => {
    const child = "    pass\nif pid == 0: os.waitpid = lambda *_: (0, 0)";
    const ended = await inNode(forked(child));
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "parent 70 2" });
    expect(ended.stderr).toContain("a forked child came back into the engine");
  });

  it("[N-43] from a synchronous call or a coroutine ends as well, and the parent goes on", async () => {
    const ended = await inNode(`${startSync}
      import { createPython } from "isopy";
      const py = await createPython(native);
      const sync = startSync();
      sync.exec("import os\\ndef split(): return os.fork()\\nasync def later(): return os.fork()");
      await py.exec("import os\\nasync def later(): return os.fork()");
      const status = (pid) => py.eval("os.WEXITSTATUS(os.waitpid(pid, 0)[1])", { locals: { pid } });
      console.log(await status(sync.eval("split()")), await status(await py.eval("later()")), sync.eval("1"));
      await py.close();
    `);
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "70 70 1" });
  });

  it("[N-43] multiprocessing's fork method works for plain Python", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("import math, multiprocessing, warnings\\nwarnings.simplefilter('ignore')\\nwith multiprocessing.get_context('fork').Pool(2) as pool: roots = pool.map(math.sqrt, [1, 4, 9])");
      console.log(JSON.stringify(await py.eval("roots")));
      await py.close();
    `);
    expect(printed).toBe("[1,2,3]");
  });

  it("[N-44] [N-45] multiprocessing's spawn method starts Pythons, not hosts", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec(\`
import concurrent.futures, math, multiprocessing, os, platform
context = multiprocessing.get_context("spawn")
with context.Pool(2) as pool: roots = pool.map(math.sqrt, [1, 4, 9])
with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
    version = pool.submit(platform.python_version).result()
    other = pool.submit(os.getpid).result() != os.getpid()
\`);
      console.log(JSON.stringify(await py.eval("[roots, version == platform.python_version(), other]")));
      await py.close();
    `);
    expect(printed).toBe("[[1,2,3],true,true]");
  });
});
