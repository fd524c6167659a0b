/**
 * The intents of the Datadog Agent's own tests of its Python loader, package by package: what Python and the host's
 * modules say to each other. Those that load, configure, run and cancel checks wait for plugins.
 */
import type { PythonError } from "isopy";
import { beforeAll, describe, expect, test } from "vitest";
import { everyEngine, type LiveEngine, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

/** What the host was told, last. */
let told: Record<string, unknown> = {};

const text = (value: unknown, at: number): string => {
  if (typeof value !== "string") throw new TypeError(`argument ${at} must be str, not ${typeof value}`);
  return value;
};
const texts = (value: unknown): string[] => {
  if (!Array.isArray(value)) throw new TypeError("tags must be a sequence");
  return value.filter((tag): tag is string => typeof tag === "string");
};

/** The host's side, as the agent has it: it checks what Python gives. */
const aggregator = {
  GAUGE: 0,
  submit_metric: (id: unknown, type: number, name: string, value: number, tags: unknown, host: string, flush = false) => {
    told = { id: text(id, 2), type, name, value, tags: texts(tags), host, flush };
  },
  submit_service_check: (id: unknown, name: string, level: number, tags: unknown, host: string, message: string) => {
    told = { id: text(id, 1), name, level, tags: texts(tags), host, message };
  },
  submit_event: (id: unknown, event: unknown) => {
    if (typeof event !== "object" || event === null) throw new TypeError("event must be a dict");
    const { tags, ...rest } = event as Record<string, unknown>;
    told = { id: text(id, 2), ...rest, ...(tags !== undefined && { tags: texts(tags) }) };
  },
  submit_histogram_bucket: (
    id: string,
    name: string,
    value: number,
    lower: number,
    upper: number,
    monotonic: number,
    host: string,
    tags: unknown,
  ) => {
    told = { id, name, value, lower, upper, monotonic: monotonic === 1, host, tags: texts(tags) };
  },
};
const cardinalities: Record<number, string[]> = { 0: ["a", "b", "c"], 1: ["A", "B", "C"], 2: ["1", "2", "3"] };
const tagger = {
  LOW: 0,
  HIGH: 1,
  ORCHESTRATOR: 2,
  tag: (entity: unknown, cardinality: number) => {
    if (!(cardinality in cardinalities)) throw new TypeError("Invalid cardinality");
    return text(entity, 1) === "base" ? cardinalities[cardinality] : [];
  },
};
let warnings: string[] = [];
const agent = {
  get_version: () => "1.2.3",
  get_config: (key: string) => ({ name: key, items: ["a", { b: [1, 2.5, null, true] }] }),
  headers: (...given: unknown[]) => ({ "User-Agent": "agent", Accept: "*/*", given }),
  log: (message: string, level: number) => {
    warnings = [...warnings, `${level} ${message}`];
  },
  fail: (message: string) => {
    throw new Error(message);
  },
};

const importLine = "import seed_aggregator as aggregator, seed_tagger as tagger, seed_agent as agent";

const check = (line: string): string => `${importLine}
try:
    ${line}
    caught = ""
except Exception as e:
    caught = next(t.__name__ for t in type(e).__mro__ if t.__module__ == "builtins") + ": " + str(e)`;

/** Runs a line, as a check would, and tells what Python caught: the built-in type and the text, or "" for nothing. */
async function caught(engine: LiveEngine, line: string): Promise<string> {
  await engine.py.exec(check(line));
  return (await engine.py.eval("caught")) as string;
}

onEach(everyEngine, (engine) => {
  beforeAll(async () => {
    await engine.py.registerModule("seed_aggregator", aggregator);
    await engine.py.registerModule("seed_tagger", tagger);
    await engine.py.registerModule("seed_agent", agent);
  });

  describe("aggregator", () => {
    test.each([
      ["a metric, the flag left out", "'myhost'", false],
      ["a metric with its flag", "'myhost', True", true],
    ])("[DD-39] %s arrives, and tags that are no text are left out", async (_, rest, flush) => {
      const line = `aggregator.submit_metric('id', aggregator.GAUGE, 'name', -99.0, ['foo', 21, 'bar', ['hey']], ${rest})`;
      expect(await caught(engine, line)).toBe("");
      expect(told).toEqual({ id: "id", type: 0, name: "name", value: -99, tags: ["foo", "bar"], host: "myhost", flush });
    });

    test("[DD-39] a service check arrives", async () => {
      const line = "aggregator.submit_service_check('id', 'my.check', 1, ('foo', 21, 'bar'), 'myhost', 'A message!')";
      expect(await caught(engine, line)).toBe("");
      expect(told).toEqual({ id: "id", name: "my.check", level: 1, tags: ["foo", "bar"], host: "myhost", message: "A message!" });
    });

    test("[DD-39] an event arrives with the fields it has, and with no others", async () => {
      expect(await caught(engine, "aggregator.submit_event('id', {'timestamp': 123456, 'host': 'ü', 'tags': ['foo', 21]})")).toBe("");
      expect(told).toEqual({ id: "id", timestamp: 123_456, host: "ü", tags: ["foo"] });
      expect(await caught(engine, "aggregator.submit_event('id', {'msg_text': 'text'})")).toBe("");
      expect(told).toEqual({ id: "id", msg_text: "text" });
    });

    test("[DD-39] a bucket of a histogram arrives", async () => {
      expect(await caught(engine, "aggregator.submit_histogram_bucket('id', 'name', 42, 1.0, 2.5, 1, 'myhost', ['foo', 21])")).toBe("");
      expect(told).toEqual({ id: "id", name: "name", value: 42, lower: 1, upper: 2.5, monotonic: true, host: "myhost", tags: ["foo"] });
    });

    test.each([
      ["aggregator.submit_metric(21, 0, 'name', -99.0, [], 'myhost')", "argument 2 must be str, not number"],
      ["aggregator.submit_metric('id', 0, 'name', -99.0, 123, 'myhost')", "tags must be a sequence"],
      ["aggregator.submit_service_check(123, 'c', 1, [], 'myhost', 'm')", "argument 1 must be str, not number"],
      ["aggregator.submit_event('id', 'I should be a dict')", "event must be a dict"],
      ["aggregator.submit_event('id', {'tags': 123})", "tags must be a sequence"],
    ])("[DD-39] what the host refuses is a TypeError in the check: %s", async (line, message) => {
      told = {};
      const got = await caught(engine, line);
      expect(got).toMatch(/^TypeError: /);
      expect(got).toContain(message);
      expect(told).toEqual({});
    });
  });

  describe("tagger", () => {
    test("[DD-39] tags of each cardinality, and none of what is not known", async () => {
      await engine.py.exec(importLine);
      const asked = "[tagger.tag('base', c) for c in (tagger.LOW, tagger.HIGH, tagger.ORCHESTRATOR)] + [tagger.tag('else', tagger.LOW)]";
      // What a host's function returns is Python's own: json.dumps takes it.
      expect(JSON.parse((await engine.py.eval(`__import__('json').dumps(${asked})`)) as string)).toEqual([
        ["a", "b", "c"],
        ["A", "B", "C"],
        ["1", "2", "3"],
        [],
      ]);
      expect(await caught(engine, "tagger.tag('base', 123456)")).toMatch(/^TypeError: .*Invalid cardinality/);
      expect(await caught(engine, "tagger.tag(1234, tagger.LOW)")).toMatch(/^TypeError: .*argument 1 must be str/);
    });
  });

  describe("datadog_agent", () => {
    test("[DD-39] version, nested configuration and headers are Python's values", async () => {
      await engine.py.exec(importLine);
      expect(await engine.py.eval("agent.get_version()")).toBe("1.2.3");
      expect(await engine.py.eval("agent.get_config('url') == {'name': 'url', 'items': ['a', {'b': [1, 2.5, None, True]}]}")).toBe(true);
      expect(await engine.py.eval("agent.headers(1, http_host='h')['given']")).toEqual([1, { http_host: "h" }]);
    });

    test("[DD-39] a line of the log arrives, with bytes, accents and an emoji whole", async () => {
      warnings = [];
      expect(await caught(engine, "agent.log('grüße 😀 \\x00 end', 30)")).toBe("");
      expect(warnings).toEqual(["30 grüße 😀 \0 end"]);
    });

    test.each(["THIS IS AN ERROR OF THE HOST", ""])(
      "[DD-39] an error of the host reaches the check with its text: '%s'",
      async (message) => {
        const got = await caught(engine, `agent.fail(${JSON.stringify(message)})`);
        expect(got).toMatch(/^\w*(Error|Exception): /);
        expect(got).toContain(message);
      },
    );
  });

  describe("rtloader", () => {
    test("[DD-39] the version is there before anything ran, and the path is not empty", () => {
      expect(engine.py.info.python).toMatch(/^3\.\d+\./);
      expect(engine.py.info.path.length).toBeGreaterThan(0);
    });

    test("[DD-39] a source writes a file and text is UTF-8", async () => {
      const source =
        "import os, tempfile\nfd, name = tempfile.mkstemp()\nos.close(fd)\nwith open(name, 'w', encoding='utf-8') as f: f.write('Hällo')";
      await engine.py.exec(`${source}\nwith open(name, 'rb') as f: written = f.read()\nos.remove(name)`);
      expect(new TextDecoder().decode((await engine.py.eval("written")) as Uint8Array)).toBe("Hällo");
    });

    test("[DD-39] a module that is not there is an error with its name, and the next call has none", async () => {
      const error = await thrownBy(async () => await engine.py.exec("import seed_not_there"));
      expect((error as PythonError).pythonMessage).toBe("No module named 'seed_not_there'");
      expect(await engine.py.eval("1 + 1")).toBe(2);
    });

    test.each([
      ["True", true],
      ["False", false],
      ["'bar'", "bar"],
      ["None", null],
    ])("[DD-39] an attribute that is %s keeps its type", async (source, value) => {
      await engine.py.exec(`import types, sys\nm = sys.modules['seed_fake'] = types.ModuleType('seed_fake')\nm.foo = ${source}`);
      expect(await engine.py.import("seed_fake").foo).toBe(value);
    });

    test("[DD-39] an attribute that is not there is an AttributeError", async () => {
      await engine.py.exec("import types, sys\nsys.modules['seed_fake'] = types.ModuleType('seed_fake')");
      const error = await thrownBy(async () => await engine.py.import("seed_fake").foo);
      expect(error).toMatchObject({ type: "AttributeError" });
    });
  });
});
