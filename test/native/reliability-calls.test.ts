/** The failure catalogue: calls, threads and the GIL. */
import { describe, expect, it } from "vitest";
import { inNode, output, scale, startSync } from "./support.ts";

describe("who waits for whom", () => {
  it("[N-01] eight Python threads call JavaScript while JavaScript calls Python synchronously", async () => {
    const printed = await output(
      `${startSync}
      const py = startSync();
      const rounds = ${25 * scale};
      let calls = 0;
      const stuck = setTimeout(() => { py.import("faulthandler").dump_traceback(); process.exit(9); }, 25_000);
      const storm = py.eval("lambda inc, rounds, done: [__import__('threading').Thread(target=lambda: ([inc() for _ in range(rounds)], done())).start() for _ in range(8)]");
      const add = py.eval("lambda a, b: a + b");
      let ended = 0;
      storm(() => ++calls, rounds, () => void ended++);
      while (ended < 8) {
        for (let i = 0; i < 20; i++) if (add(i, 1) !== i + 1) throw new Error("wrong");
        await new Promise((resolve) => setImmediate(resolve));
      }
      clearTimeout(stuck);
      console.log(calls === 8 * rounds);
    `,
    );
    expect(printed).toBe("true");
  });

  it("[N-12] [N-13] short calls are answered while one computes in C without the GIL and one loops with it", async () => {
    const printed = await output(`
      import { createPython, run } from "isopy";
      const py = await createPython(native);
      const settled = [];
      const spin = new AbortController();
      const spinner = run(py.exec("while True: pass"), { signal: spin.signal }).catch(() => settled.push("spinner"));
      const long = py.import("hashlib").pbkdf2_hmac("sha256", new Uint8Array(8), new Uint8Array(8), 2_000_000).then(() => settled.push("long"));
      for (let i = 0; i < ${50 * scale}; i++) if (await py.eval(String(i)) !== i) throw new Error("wrong");
      settled.push("short");
      spin.abort();
      await Promise.all([spinner, long]);
      console.log(settled[0]);
      await py.close();
    `);
    expect(printed).toBe("short");
  });

  it("[N-66] a call without a deadline starts no timer", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      let timers = 0;
      for (const name of ["setTimeout", "setInterval"]) {
        const real = globalThis[name];
        globalThis[name] = (...args) => { timers++; return real(...args); };
      }
      await py.import("time").sleep(0.2);
      await py.eval("f()", { locals: { f: async () => 1 } });
      console.log(timers);
      await py.close();
    `);
    expect(printed).toBe("0");
  });

  it("[N-83] the text of an exception may be slow, and ask JavaScript, while other threads raise and log", async () => {
    const ended = await inNode(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec(\`
import logging, time
class Slow(Exception):
    def __str__(self):
        time.sleep(0.001)
        return ask()
def work():
    logging.warning("%s", Slow())
    raise Slow()
\`);
      await py.eval("globals().__setitem__('ask', f)", { locals: { f: () => "asked" } });
      const outcomes = await Promise.all(Array.from({ length: 8 * ${scale} }, () => py.eval("work()").then(() => "no error", (e) => e.pythonMessage)));
      console.log([...new Set(outcomes)].join());
      await py.close();
    `);
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: "asked" });
    expect(ended.stderr.match(/WARNING:root:asked/g)).toHaveLength(8 * scale);
  });

  it("[N-65] a callback works long after the call that passed it", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const called = new Promise((resolve) => {
        py.eval("__import__('threading').Timer(0.3, f, ['later']).start()", { locals: { f: resolve } }).then(() => {});
      });
      setTimeout(() => {}, 5_000).unref();
      const keep = setInterval(() => {}, 1_000);
      console.log(await called);
      clearInterval(keep);
      await py.close();
    `);
    expect(printed).toBe("later");
  });

  it("[N-25] [N-59] a name that is not there is an error; what is falsy or changes is what it is now", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      let error;
      try { py.import("math").no_such_function(1); } catch (e) { error = e.type; }
      py.exec("class Thing:\\n    zero = 0\\n    empty = ''\\n    none = None\\n    no = False\\n    count = 0\\n    @property\\n    def next(self):\\n        type(self).count += 1\\n        return self.count\\nthing = Thing()");
      const thing = py.eval("thing");
      console.log(error, JSON.stringify([thing.zero, thing.empty, thing.none, thing.no, thing.next, thing.next, thing.next]));
    `);
    expect(printed).toBe('AttributeError [0,"",null,false,1,2,3]');
  });

  it("[N-58] the last argument is never taken for keyword arguments, whatever it is", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      const seen = py.eval("lambda *args, **kw: [len(args), len(kw), type(args[-1]).__name__]");
      console.log(JSON.stringify([{ a: 1 }, new Uint8Array(2), () => 1, null, undefined, [1]].map((last) => seen(0, last))));
    `);
    expect(JSON.parse(printed).map((one: unknown[]) => one.slice(0, 2))).toEqual(Array(6).fill([2, 0]));
  });
});
