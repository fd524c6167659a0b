/**
 * Containers that change while they are read, and containers under conversion options and typed targets.
 */
import { as, tuple } from "isopy";
import { aRef, having, matching } from "../match.ts";
import { inGroup } from "../vector.ts";

const collections = "from collections import *";

export const containerConversion = inGroup("containers", [
  {
    name: "a list that grows while it is read arrives whole, and the engine goes on",
    tags: ["mutation during read"],
    act: async (t) =>
      t.evaluate({
        setup:
          "from datetime import *\nxs = []\nclass Zone(tzinfo):\n    def utcoffset(self, when):\n        if len(xs) < 50: xs.append('more')\n        return timedelta(0)\nxs += [1, datetime(2020, 1, 1, tzinfo=Zone()), 3]",
        source: "xs",
      }),
    expect: matching("an array that begins with what was there", (v: unknown[]) => v[0] === 1 && v[2] === 3 && v.length >= 3),
  },
  {
    name: "a dict that grows while it is read arrives whole or is refused, and the engine goes on",
    tags: ["mutation during read"],
    act: async (t) => {
      const setup =
        "from datetime import *\nd = {}\nclass Zone(tzinfo):\n    def utcoffset(self, when):\n        d[len(d)] = 1\n        return timedelta(0)\nd['a'] = datetime(2020, 1, 1, tzinfo=Zone())\nd['b'] = 2";
      const outcome = await t.evaluate({ setup, source: "d" }).then(
        (v) => {
          t.release(v);
          return v instanceof Map ? v.get("b") : (v as { b: unknown }).b;
        },
        (error: Error) => /changed|mutat/.test(error.message) && 2,
      );
      return [outcome, await t.evaluate({ source: "1 + 1" })];
    },
    expect: [2, 2],
  },
  {
    name: "a list that another thread changes arrives as a consistent array",
    tags: ["mutation during read"],
    needs: ["threads"],
    act: async (t) =>
      t.evaluate({
        setup:
          "import threading\nxs = [[i] for i in range(2000)]\nstop = threading.Event()\ndef churn():\n    while not stop.is_set():\n        xs.append([0]); xs.pop()\nthread = threading.Thread(target=churn, daemon=True)\nthread.start()\nthreading.Timer(0.5, stop.set).start()",
        source: "xs",
      }),
    expect: matching(
      "2,000 or 2,001 arrays of a number",
      (v: unknown[][]) => (v.length === 2000 || v.length === 2001) && v.every((item) => typeof item[0] === "number"),
    ),
  },
  {
    name: "an array that its own getter changes arrives as a consistent list",
    tags: ["mutation during read"],
    js: () => {
      const a: unknown[] = [0, 1, 2];
      Object.defineProperty(a, 0, {
        enumerable: true,
        get: () => {
          a.length = 2;
          return "first";
        },
      });
      return a;
    },
    check: "x[0] == 'first' and x[1] == 1 and len(x) in (2, 3)",
  },
  {
    name: "an object that its own getter changes arrives as a consistent dict",
    tags: ["mutation during read"],
    js: () => {
      const o: Record<string, unknown> = {
        get a() {
          delete o["b"];
          o["c"] = 3;
          return 1;
        },
        b: 2,
      };
      return o;
    },
    check: "x['a'] == 1 and x.get('b') in (None, 2)",
  },

  {
    name: "objects inside data arrive as refs in place",
    python: "{'f': len, 'n': [1, int]}",
    expect: { f: aRef, n: [1, aRef] },
    roundTrip: true,
  },
  { name: "convert: 'ref' keeps a list in Python", python: "[1, 2]", options: { convert: "ref" }, expect: aRef },
  {
    name: "convert: 'portable' refuses a handle and says where it is",
    python: "{'users': [1, {'f': len}]}",
    options: { convert: "portable" },
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /users.*1.*f/s },
  },
  {
    name: "convert: 'copy' copies what auto would keep as a handle",
    setup: collections,
    python: "[Counter('a')]",
    options: { convert: "copy" },
    expect: [{ a: 1 }],
  },
  { name: "toJs of something that is no data is refused", python: "object()", toJs: {}, throws: { code: "ERR_NOT_CONVERTIBLE" } },
  {
    name: "a dataclass is a handle, and toJs copies its fields recursively",
    setup:
      "from dataclasses import *\n@dataclass\nclass P:\n    x: int\n    tags: list\n    double: int = field(init=False)\n    def __post_init__(self): self.double = 2 * self.x",
    python: "P(1, [P(2, [])])",
    toJs: {},
    expect: having({ x: 1, double: 2, tags: [having({ x: 2, double: 4 })] }),
  },
  {
    name: "a frozen dataclass with slots is copied by toJs too",
    since: [3, 10],
    setup: "from dataclasses import *\n@dataclass(frozen=True, slots=True)\nclass P:\n    x: int",
    python: "P(1)",
    toJs: {},
    expect: having({ x: 1 }),
  },
  {
    name: "as list(int32) checks every member and names the path",
    python: "[1, 'x']",
    options: { as: as.list(as.int32()) },
    throws: { type: "TypeError", message: /\[1\]/ },
  },
  { name: "as list makes an array of a tuple", python: "(1, 2)", options: { as: as.list(as.int32()) }, expect: [1, 2] },
  { name: "as tuple checks each place", python: "(1, 'a')", options: { as: as.tuple(as.int32(), as.string()) }, expect: tuple([1, "a"]) },
  { name: "as dict checks keys and values", python: "{'a': 1}", options: { as: as.dict(as.string(), as.int32()) }, expect: { a: 1 } },
  { name: "as optional lets None through", python: "[None, 1]", options: { as: as.list(as.optional(as.int32())) }, expect: [null, 1] },
  {
    name: "as union takes the first target that fits",
    python: "['a', 1]",
    options: { as: as.list(as.union(as.int32(), as.string())) },
    expect: ["a", 1],
  },
]);
