/**
 * Linkis' Python engine: cells in order, their output while they run, errors with the user's lines.
 */
import { PythonError, run } from "isopy";
import { expect, test } from "vitest";
import { asyncEngines, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

interface CellEvent {
  readonly type: string;
  readonly name?: string;
  readonly text?: string;
}

async function eventsOf(cell: AsyncIterable<unknown>): Promise<CellEvent[]> {
  const events: CellEvent[] = [];
  for await (const event of cell) events.push(event as CellEvent);
  return events;
}

const textOf = (events: readonly CellEvent[], name: string): string =>
  events.flatMap((event) => (event.type === "stream" && event.name === name ? [event.text ?? ""] : [])).join("");

onEach(asyncEngines, (engine) => {
  test("[LK-02] cells queue and run in order, each with its own result", async () => {
    const session = await engine.py.session();
    const cells = [
      session.run("seen = ['one']\nlen(seen)"),
      session.run("import asyncio\nawait asyncio.sleep(0.05)\nseen.append('two')\nlen(seen)"),
      session.run("seen.append('three')\nseen"),
    ];
    const results = await Promise.all(cells.map((cell) => cell.result));
    expect(results.map((result) => result.status)).toEqual(["ok", "ok", "ok"]);
    expect(results.map((result) => result.value)).toEqual([1, 2, ["one", "two", "three"]]);
    await session.close();
  });

  test("[LK-03] the source runs as it is written, and names stay between cells", async () => {
    const session = await engine.py.session();
    await session.run("text = '''\n# x\n\n'''").result;
    const { value } = await session.run("# a comment\n\ntext").result;
    expect(value).toBe("\n# x\n\n");
    await session.close();
  });

  test("[LK-05] [LK-06] [LK-32] output is seen before the cell ends, stderr apart from it", async () => {
    const session = await engine.py.session();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await session.globals.set("gate", () => gate);
    const cell = session.run("import sys\nprint('first', flush=True)\nawait gate()\nprint('last')\nprint('bad', file=sys.stderr)");
    const events: CellEvent[] = [];
    for await (const event of cell as AsyncIterable<CellEvent>) {
      events.push(event);
      if (event.text?.includes("first")) release();
    }
    expect((await cell.result).status).toBe("ok");
    expect(textOf(events, "stdout")).toBe("first\nlast\n");
    expect(textOf(events, "stderr")).toBe("bad\n");
    await session.close();
  });

  test("[LK-05] every line that a cell prints arrives", async () => {
    const session = await engine.py.session();
    const events = await eventsOf(session.run("for i in range(2500): print(i)"));
    expect(textOf(events, "stdout").trimEnd().split("\n")).toEqual(Array.from({ length: 2500 }, (_, i) => String(i)));
    await session.close();
  });

  test("[LK-08] [LK-12] [LK-13] a cell shows text, HTML, pictures and a value, in order", async () => {
    const session = await engine.py.session();
    const source = [
      "class Table:",
      "    def _repr_html_(self): return '<table><tr><td>1</td></tr></table>'",
      "class Picture:",
      "    def _repr_png_(self): return b'\\x89PNG'",
      "class Broken:",
      "    def _repr_html_(self): raise ValueError('no')",
      "print('text')",
      "display(Table(), Picture())",
      "display(Broken())",
      "Table()",
    ].join("\n");
    const shown: [string, unknown][] = [];
    for await (const event of session.run(source) as AsyncIterable<CellEvent & { data?: Record<string, unknown> }>) {
      if (event.type === "stream") shown.push([event.type, event.text]);
      else if (event.data !== undefined) shown.push([event.type, event.data]);
    }
    const html = "<table><tr><td>1</td></tr></table>";
    expect(shown).toEqual([
      ["stream", "text\n"],
      ["display_data", { "text/plain": expect.stringContaining("Table") as string, "text/html": html }],
      ["display_data", { "text/plain": expect.stringContaining("Picture") as string, "image/png": "iVBORw==" }],
      ["display_data", { "text/plain": expect.stringContaining("Broken") as string }],
      ["execute_result", { "text/plain": expect.stringContaining("Table") as string, "text/html": html }],
    ]);
    await session.close();
  });

  test("[LK-27] a module in a zip is imported", async () => {
    const { py } = engine;
    await py.exec(
      [
        "import os, sys, tempfile, zipfile",
        'archive = os.path.join(tempfile.mkdtemp(), "modules.zip")',
        'with zipfile.ZipFile(archive, "w") as out: out.writestr("seed_zipped.py", "answer = 42")',
        "sys.path.insert(0, archive)",
      ].join("\n"),
    );
    expect(await py.import("seed_zipped").answer).toBe(42);
    await py.exec("sys.path.remove(archive); del sys.modules['seed_zipped']");
  });

  test("[LK-18] an error carries the traceback with the user's own line numbers", async () => {
    const session = await engine.py.session();
    const cell = session.run("def broken():\n    return 1 / 0\n\nbroken()\n");
    const events = await eventsOf(cell);
    const result = await cell.result;
    expect(result.status).toBe("error");
    const error = result.error as PythonError;
    expect(error).toBeInstanceOf(PythonError);
    expect(error.type).toBe("ZeroDivisionError");
    expect(error.frames.map((frame) => [frame.function, frame.line])).toEqual([
      ["<module>", 4],
      ["broken", 2],
    ]);
    expect(error.traceback).toContain("return 1 / 0");
    expect(events.some((event) => event.type === "error")).toBe(true);
    expect((await session.run("'alive'").result).value).toBe("alive");
    await session.close();
  });

  test("[LK-19] an interrupted cell ends, and the session goes on with what it had", async ({ skip }) => {
    skip(!engine.py.info.capabilities.interrupt, "this engine cannot interrupt running code");
    const session = await engine.py.session();
    await session.run("kept = 1").result;
    const abort = new AbortController();
    const cell = session.run("print('started', flush=True)\nwhile True: pass", { signal: abort.signal });
    const events: CellEvent[] = [];
    try {
      for await (const event of cell as AsyncIterable<CellEvent>) {
        events.push(event);
        if (event.text?.includes("started")) abort.abort();
      }
    } catch (error) {
      expect(error).toBe(abort.signal.reason);
    }
    const outcome = await cell.result.then(
      (result) => result.status,
      (error: unknown) => error,
    );
    expect(outcome === "ok").toBe(false);
    expect(textOf(events, "stdout")).toContain("started");
    expect((await session.run("kept").result).value).toBe(1);
    await session.close();
  });

  test("[LK-21] [FA-04] [FA-11] [DD-03] paths and environment are there before user code, in order", async () => {
    const other = await engine.start({ paths: ["/seed/b", "/seed/c"], env: { SEED_KEY: "value" } });
    const path = (await other.eval("[p for p in __import__('sys').path if p.startswith('/seed/')]")) as string[];
    expect(path).toEqual(["/seed/b", "/seed/c"]);
    const all = (await other.eval("list(__import__('sys').path)")) as string[];
    const stdlib = all.findIndex((entry) => /python3|\.zip/.test(entry));
    expect(all.indexOf("/seed/b")).toBeLessThan(stdlib);
    expect(await other.eval("__import__('os').environ['SEED_KEY']")).toBe("value");
    await other.close();
  }, 60_000);

  test("[LK-31] two sessions overlap, one session does not", async () => {
    const [one, two] = [await engine.py.session(), await engine.py.session()];
    // Each waits for the other's word: they can only end when both run.
    await engine.py.exec("import builtins, asyncio\nbuiltins.seed_words = set()");
    const meet = (mine: string, other: string): string =>
      `import asyncio, builtins\nbuiltins.seed_words.add('${mine}')\nwhile '${other}' not in builtins.seed_words: await asyncio.sleep(0.001)\n'${mine}'`;
    const results = await Promise.all([one.run(meet("a", "b")).result, two.run(meet("b", "a")).result]);
    expect(results.map((result) => result.value)).toEqual(["a", "b"]);
    await one.close();
    await two.close();
  });

  test("[LK-37] input() without an input is an EOFError, not a hang", async () => {
    const error = await thrownBy(() => run(engine.py.eval("input()")));
    expect(error).toMatchObject({ type: "EOFError" });
  });

  test("[LK-37] input() reads what the option gives", async () => {
    const lines = ["Ada\n", "36\n"];
    const other = await engine.start({ stdin: () => lines.shift() ?? null });
    expect(await other.eval("[input(), int(input())]")).toEqual(["Ada", 36]);
    await other.close();
  }, 60_000);

  test("[LK-37] input() waits for a promise, and what it rejects with is raised", async () => {
    const answers = [() => new Promise<string>((resolve) => setImmediate(resolve, "Ada")), () => Promise.reject(new Error("no terminal"))];
    const other = await engine.start({ stdin: async () => answers.shift()?.() ?? null });
    expect(await other.eval("input()")).toBe("Ada");
    const error = await thrownBy(() => run(other.eval("input()")));
    expect(error).toMatchObject({ cause: { message: "no terminal" } });
    expect(await thrownBy(() => run(other.eval("input()")))).toMatchObject({ type: "EOFError" });
    await other.close();
  }, 60_000);
});
