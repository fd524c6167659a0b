/** The failure catalogue: recursion is an error of Python on every kind of thread, however small its stack. */
import { describe, expect, it } from "vitest";
import { output, startSync, workers } from "./support.ts";

const deep = "__import__('functools').reduce(lambda inner, _: [inner], range(200000), [])";
const endless = {
  function: "(lambda f: f(f))(lambda f: f(f))",
  repr: `repr(${deep})`,
  "sort key": "(lambda f: f(f))(lambda f: sorted([1], key=lambda _: f(f)))",
  "json out": `__import__('json').dumps(${deep})`,
  "json in": "__import__('json').loads('[' * 200000)",
  equality: `${deep} == ${deep}`,
  copy: `__import__('copy').deepcopy(${deep.replace("200000", "5000")})`,
  pickle: `__import__('pickle').dumps(${deep})`,
  regex: "__import__('re').compile('(' * 5000 + ')' * 5000)",
  __getattr__: "type('C', (), {'__getattr__': lambda self, name: getattr(self, name)})().x",
  __str__: "str(type('S', (), {'__str__': lambda self: str(self)})())",
  __format__: "format(type('F', (), {'__format__': lambda self, spec: format(self, spec)})())",
  parser: "compile('-' * 100000 + '1', 'deep', 'eval')",
  compiler: "compile('x' + '.a' * 50000, 'deep', 'eval')",
};

/** Evaluates every shape with `evaluate` and says which gave something else than the error that it must. */
const check = `
  const wrong = [];
  for (const [name, source] of Object.entries(${JSON.stringify(endless)})) {
    let type;
    try { type = "a value: " + typeof (await evaluate(source)); } catch (error) { type = error.type; }
    // The parser counts its own depth, and says so with a MemoryError.
    if (type !== "RecursionError" && !(name === "parser" && type === "MemoryError")) wrong.push(name + ": " + type);
  }`;

describe("endless recursion", () => {
  it("[N-52] on a pool thread and on an event loop's", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      const report = [];
      for (const evaluate of [(source) => py.eval(source), (source) => py.eval("(lambda scope: (exec('async def go(): return ' + source, scope), scope['go']())[1])({})", { locals: { source } })]) {
        ${check}
        report.push(...wrong);
      }
      console.log(report.join("; ") || "all");
      await py.close();
    `);
    expect(printed).toBe("all");
  });

  it("[N-52] in a synchronous call on the main thread", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      const evaluate = (source) => py.eval(source);
      ${check}
      console.log(wrong.join("; ") || "all");
    `);
    expect(printed).toBe("all");
  });

  it("[N-52] in a synchronous call on a worker's thread, whose stack has 4 MB", async () => {
    const printed = await output(`${workers}
      const worker = start(${JSON.stringify(`${startSync}
        const py = startSync();
        const evaluate = (source) => py.eval(source);
        ${check}
        parentPort.postMessage(wrong.join("; ") || "all");`)});
      console.log((await once(worker, "message"))[0]);
    `);
    expect(printed).toBe("all");
  });

  it("[N-52] through both languages in turn, on the main thread and on a worker's", async () => {
    const both = `${startSync}
      const py = startSync();
      const call = py.eval("lambda f: f()");
      const again = () => call(again);
      let caught;
      try { again(); } catch (error) { caught = error.name; }
      const answer = [caught === "PythonError" || caught === "RangeError", py.eval("1")].join();`;
    const printed = await output(`${workers}${both}
      const worker = start(${JSON.stringify(`${both} parentPort.postMessage(answer);`)});
      console.log(answer, (await once(worker, "message"))[0]);
    `);
    expect(printed).toBe("true,1 true,1");
  });

  it("[N-52] while the engine closes, in an exit handler on Python's main thread", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      let text = "";
      const py = await createPython({ ...native, stdout: (part) => void (text += part) });
      await py.exec(\`
import atexit
def again(): again()
def last():
    try: again()
    except RecursionError: print("caught", flush=True)
atexit.register(last)
\`);
      await py.close();
      console.log(text.trim());
    `);
    expect(printed).toBe("caught");
  });
});
