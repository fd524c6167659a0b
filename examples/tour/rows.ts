/** The stops of the tour: each gives plain data that must be equal on every engine. */
import { kw, type Python, PythonError, run } from "isopy";
import type { Sources } from "./input.ts";

export interface Row {
  readonly name: string;
  /** Undefined: this engine does not have what the stop needs. */
  run(py: Python, sources: Sources): Promise<unknown>;
  /** What the table shows of the result. */
  brief(result: never): string;
}

type FunctionRow = readonly [module: string, name: string, lines: number, branches: number, documented: boolean];

const row = <T>(name: string, run: (py: Python, sources: Sources) => Promise<T | undefined>, brief: (result: T) => string): Row => ({
  name,
  run,
  brief: brief as (result: never) => string,
});

/** A small hash of a text, computed in JavaScript on Python's behalf. */
const score = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997, 7);

export const ROWS: readonly Row[] = [
  row(
    "data in: sources as one dict",
    async (py, sources) => (await py.eval("load(sources)", { locals: { sources } })) as { modules: number; characters: number },
    ({ characters }) => `${(characters / 1e6).toFixed(1)} million characters`,
  ),

  row(
    "ast: functions found",
    async (py) => (await py.eval("functions()")) as FunctionRow[],
    (found) => `${found.length} functions`,
  ),

  row(
    "tokenize: comments",
    async (py) => (await py.eval("comments()")) as Record<string, [number, number]>,
    (counts) => `${Object.values(counts).reduce((sum, [comments]) => sum + comments, 0)} comments`,
  ),

  row(
    "sqlite3: most branching modules",
    async (py) => {
      const database = await py.eval("store(functions())");
      const query =
        "select module, sum(branches) as total, rank() over (order by sum(branches) desc) from function group by module order by total desc, module limit 5";
      return (await database.execute(query).fetchall()) as [string, number, number][];
    },
    (top) =>
      top
        .slice(0, 3)
        .map(([module, total]) => `${module} ${total}`)
        .join(", "),
  ),

  row(
    "statistics: lines per function",
    async (py) => (await py.eval("summary([one[2] for one in functions()])")) as { mean: number; median: number },
    ({ mean, median }) => `mean ${mean.toFixed(2)}, median ${median}`,
  ),

  row(
    "NumPy: histogram of lines",
    async (py) => {
      if ((await py.eval("__import__('importlib.util').util.find_spec('numpy') is None")) === true) return undefined;
      const lines = await py.eval("[one[2] for one in functions()]");
      const np = py.import("numpy");
      return (await np
        .histogram(lines, kw({ bins: [0, 5, 10, 20, 50, 1000] }))
        .__getitem__(0)
        .tolist()) as number[];
    },
    (counts) => counts.join(" "),
  ),

  row(
    "data both ways, exactly",
    async (py) => {
      const given = {
        int: 2n ** 100n,
        text: "naïve 🐍",
        nothing: null,
        bytes: new Uint8Array([0, 127, 255]),
        nested: [[1, [2.5, [-0]]], { deep: true }],
      };
      return await py.eval("{'type': type(x['int']).__name__, 'back': x}", { locals: { x: given } });
    },
    () => "2n**100n, text, bytes, nested",
  ),

  row(
    "callback: JavaScript ranks names",
    async (py, sources) => (await py.eval("ranked(names, score)", { locals: { names: Object.keys(sources), score } })) as string[],
    (names) => names.slice(0, 3).join(", "),
  ),

  row(
    "generator: read with for await",
    async (py) => {
      const titles: string[] = [];
      for await (const chapter of py.eval("chapters(1000)")) {
        titles.push((chapter as { title: string }).title);
        if (titles.length === 4) break; // the generator's `finally` runs
      }
      return titles;
    },
    (titles) => `${titles.length} of 1000 read`,
  ),

  row(
    "cancel: while True, 200 ms",
    async (py) => {
      try {
        await run(py.exec("while True: pass"), { timeout: 200 });
        return { error: "none", alive: 0 };
      } catch (error) {
        return { error: (error as Error).name, alive: (await py.eval("1 + 1")) as number };
      }
    },
    ({ error, alive }) => `${error}, then 1 + 1 = ${alive}`,
  ),

  row(
    "error: type, cause, line",
    async (py) => {
      try {
        await py.eval("deep_error('antigravity')");
        return undefined;
      } catch (error) {
        if (!(error instanceof PythonError)) throw error;
        const { type, message, frames, cause } = error;
        const last = frames.at(-1);
        return {
          type,
          message,
          function: last?.function,
          cause: cause instanceof PythonError ? cause.type : null,
          traceback: error.traceback.includes("deep_error"),
        };
      }
    },
    ({ type, cause }) => `${type} from ${cause}`,
  ),

  row(
    "cell: streamed output and value",
    async (py) => {
      const session = await py.session();
      const cell = session.run(
        "import sys\nfor word in ('counting', 'to', 'three'):\n    print(word)\nprint('careful', file=sys.stderr)\nsum(range(4))",
      );
      const text = { stdout: "", stderr: "" };
      let value: unknown;
      for await (const event of cell) {
        if (event.type === "stream") text[event.name] += event.text;
        if (event.type === "execute_result") value = event.data["text/plain"];
      }
      const { status } = await cell.result;
      return { ...text, value, status };
    },
    ({ value, status }) => `${status}, value ${value}`,
  ),
];
