/**
 * Lists, tuples, dicts and sets as structures: order, depth, cycles, and what is shared.
 *
 * Exact containers are copied whole, with their sharing and cycles; a tuple is not a list.
 */
import { isRef, tuple } from "isopy";
import { matching } from "../match.ts";
import { inGroup } from "../vector.ts";

/** How deep arrays, objects or Maps lie in one another, by their only member. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let at = value; typeof at === "object" && at !== null; depth++) {
    at = at instanceof Map ? at.values().next().value : Array.isArray(at) ? at[0] : Object.values(at)[0];
  }
  return depth;
}
const deep = (levels: number) => matching(`${levels} levels deep`, (value) => depthOf(value) === levels);
const nest = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = wrap(0);
  for (let i = 1; i < levels; i++) value = wrap(value);
  return value;
};
const pythonDepth =
  "def depth(x):\n    n = 0\n    while isinstance(x, (list, tuple, dict)) and len(x):\n        x = next(iter(x.values())) if isinstance(x, dict) else x[0]\n        n += 1\n    return n";

const selfArray = (): unknown[] => {
  const a: unknown[] = [1];
  a.push(a);
  return a;
};
const selfObject = (): Record<string, unknown> => {
  const o: Record<string, unknown> = { n: 1 };
  o["me"] = o;
  return o;
};

export const containerStructure = inGroup("containers", [
  { name: "an empty list is an empty array both ways", python: "[]", js: () => [] },
  {
    name: "a list of mixed values arrives as an Array",
    python: "[1, 'a', None, 2.5, True, b'x']",
    js: () => [1, "a", null, 2.5, true, Uint8Array.of(120)],
  },
  {
    name: "a list is not a tuple: it arrives unfrozen",
    tags: ["tuple and list stay apart"],
    python: "[[1], [2]]",
    expect: matching("two arrays that may change", (v: unknown[][]) => !Object.isFrozen(v) && !Object.isFrozen(v[0])),
    roundTrip: true,
  },
  {
    name: "a tuple arrives as a frozen array and returns as a tuple",
    tags: ["tuple and list stay apart"],
    python: "(1, [2], (3,))",
    expect: tuple([1, [2], tuple([3])]),
    roundTrip: true,
  },
  { name: "the empty tuple returns as a tuple", tags: ["tuple and list stay apart"], python: "()", expect: tuple([]), roundTrip: true },
  {
    name: "tuple(array) makes Python receive a tuple",
    tags: ["tuple and list stay apart"],
    js: () => tuple([1, tuple(["a"])]),
    check: "x == (1, ('a',)) and type(x) is tuple",
    roundTrip: true,
  },
  {
    name: "a copy of a tuple made by JavaScript is a list",
    tags: ["tuple and list stay apart"],
    js: () => [...tuple([1, 2])],
    check: "x == [1, 2] and type(x) is list",
  },
  {
    name: "a frozen array that nobody tagged is a list",
    tags: ["tuple and list stay apart"],
    js: () => Object.freeze([1, 2]),
    check: "type(x) is list and x == [1, 2]",
  },
  { name: "tuples of four and more items keep their order", python: "(1, 2, 3, 4, 5)", expect: tuple([1, 2, 3, 4, 5]), roundTrip: true },
  { name: "an empty dict is an empty object both ways", python: "{}", js: () => ({}) },
  {
    name: "a list of 100,000 numbers arrives whole",
    python: "list(range(100000))",
    expect: matching("0 to 99,999", (v: number[]) => v.length === 100_000 && v.every((n, i) => n === i)),
    roundTrip: true,
  },
  {
    name: "a dict of 10,000 keys keeps their order",
    python: "{'k%d' % i: i for i in range(10000)}",
    expect: matching(
      "k0 to k9999 in order",
      (v: object) => Object.keys(v).every((k, i) => k === `k${i}`) && Object.keys(v).length === 10_000,
    ),
    roundTrip: true,
  },
  {
    name: "a list of 2,000 items crosses every batch boundary of a pickler",
    js: () => Array.from({ length: 2000 }, (_, i) => i),
    check: "x == list(range(2000))",
    roundTrip: true,
  },

  {
    name: "a list 5,000 levels deep arrives whole",
    tags: ["nested 5,000 deep"],
    setup: "x = []\nfor _ in range(4999): x = [x]",
    python: "x",
    expect: deep(5000),
    roundTrip: true,
  },
  {
    name: "a dict 5,000 levels deep arrives whole",
    tags: ["nested 5,000 deep"],
    setup: "x = {}\nfor _ in range(4999): x = {'a': x}",
    python: "x",
    expect: deep(5000),
    roundTrip: true,
  },
  {
    name: "a tuple 5,000 levels deep arrives whole",
    tags: ["nested 5,000 deep"],
    setup: "x = ()\nfor _ in range(4999): x = (x,)",
    python: "x",
    expect: deep(5000),
    roundTrip: true,
  },
  {
    name: "an array 5,000 levels deep arrives whole",
    tags: ["nested 5,000 deep"],
    setup: pythonDepth,
    js: () => nest(5000, (inner) => [inner]),
    check: "depth(x) == 5000",
    roundTrip: true,
  },
  {
    name: "an object 5,000 levels deep arrives whole",
    tags: ["nested 5,000 deep"],
    setup: pythonDepth,
    js: () => nest(5000, (inner) => ({ a: inner })),
    check: "depth(x) == 5000",
    roundTrip: true,
  },
  {
    name: "a tuple 5,000 levels deep from JavaScript arrives whole",
    tags: ["nested 5,000 deep"],
    setup: pythonDepth,
    js: () => nest(5000, (inner) => tuple([inner])),
    check: "depth(x) == 5000 and type(x) is tuple",
  },
  {
    name: "lists, dicts and tuples alternate 5,000 levels deep",
    tags: ["nested 5,000 deep"],
    setup: "x = [7]\nfor i in range(4999): x = ([x], {'a': x}, (x,))[i % 3]",
    python: "x",
    expect: deep(5000),
    roundTrip: true,
  },
  {
    name: "a deep list that ends in an object keeps the object",
    setup: "x = object()\nfor _ in range(2000): x = [x]",
    python: "x",
    expect: matching("a ref 2,000 levels down", (v) => {
      let at: unknown = v;
      while (Array.isArray(at)) at = at[0];
      return isRef(at);
    }),
    roundTrip: true,
  },

  {
    name: "[N-53] a list that contains itself arrives as an array that contains itself",
    tags: ["self-cycle list"],
    setup: "x = [1]\nx.append(x)",
    python: "x",
    expect: selfArray(),
    roundTrip: true,
  },
  {
    name: "[N-53] an array that contains itself arrives as such a list",
    tags: ["self-cycle list"],
    js: selfArray,
    check: "x[0] == 1 and x[1] is x and len(x) == 2",
    roundTrip: true,
  },
  {
    name: "a dict that contains itself arrives as an object that contains itself",
    tags: ["self-cycle dict"],
    setup: "x = {'n': 1}\nx['me'] = x",
    python: "x",
    expect: selfObject(),
    roundTrip: true,
  },
  {
    name: "an object that contains itself arrives as such a dict",
    tags: ["self-cycle dict"],
    js: selfObject,
    check: "x['n'] == 1 and x['me'] is x",
    roundTrip: true,
  },
  {
    name: "a Map that contains itself arrives as such a dict",
    tags: ["self-cycle dict"],
    js: () => {
      const m = new Map<unknown, unknown>();
      return m.set(1, m);
    },
    check: "x[1] is x",
    roundTrip: true,
  },
  {
    name: "a list and a dict that contain each other keep their ring",
    tags: ["mutual cycle"],
    setup: "a = []\nb = {'a': a}\na.append(b)",
    python: "a",
    expect: matching("a ring", (v: { a: unknown }[]) => v[0]?.a === v),
    roundTrip: true,
  },
  {
    name: "two arrays that contain each other keep their ring",
    tags: ["mutual cycle"],
    js: () => {
      const a: unknown[] = [];
      const b = [a];
      a.push(b);
      return a;
    },
    check: "x[0][0] is x and x[0] is not x",
    roundTrip: true,
  },
  {
    name: "a tuple in a cycle through a list is the same tuple",
    tags: ["mutual cycle"],
    setup: "l = []\nt = (l,)\nl.append(t)",
    python: "t",
    expect: matching("a frozen array in a ring", (v: unknown[][]) => v[0]?.[0] === v && Object.isFrozen(v)),
    roundTrip: true,
  },
  {
    name: "a tuple from JavaScript in a cycle through an array is the same tuple",
    tags: ["mutual cycle"],
    js: () => {
      const l: unknown[] = [];
      const t = tuple([l]);
      l.push(t);
      return t;
    },
    check: "type(x) is tuple and x[0][0] is x",
  },
  {
    name: "a set member that leads back to the set's owner keeps the ring",
    tags: ["mutual cycle"],
    setup: "class K:\n    pass\nk = K()\nx = {'s': {k}, 'k': k}",
    python: "x",
    expect: matching("one ref twice", (v: { s: Set<unknown>; k: unknown }) => v.s.has(v.k) && isRef(v.k)),
    roundTrip: true,
  },
  {
    name: "a list that is in two places arrives as one array",
    tags: ["DAG identity"],
    setup: "s = [1]",
    python: "[s, s, {'s': s}]",
    expect: matching("the same array three times", (v: [unknown, unknown, { s: unknown }]) => v[0] === v[1] && v[2].s === v[0]),
    roundTrip: true,
  },
  {
    name: "equal lists that are two objects arrive as two",
    tags: ["DAG identity"],
    python: "[[1], [1]]",
    expect: matching("two arrays", (v: unknown[]) => v[0] !== v[1]),
    roundTrip: true,
  },
  {
    name: "an object that is in two places arrives as one dict",
    tags: ["DAG identity"],
    js: () => {
      const s = {};
      return [s, s, new Map([[1, s]])];
    },
    check: "x[0] is x[1] and x[2][1] is x[0]",
    roundTrip: true,
  },
  {
    name: "sixty doublings of one list cost sixty lists, not 2**60",
    tags: ["DAG identity"],
    setup: "x = [1]\nfor _ in range(60): x = [x, x]",
    python: "x",
    expect: matching("the same array on both sides, all the way down", (v) => {
      let at = v as [unknown, unknown];
      let n = 0;
      while (Array.isArray(at[0])) {
        if (at[0] !== at[1]) return false;
        at = at[0] as [unknown, unknown];
        n++;
      }
      return n === 60;
    }),
    roundTrip: true,
  },
  {
    name: "a shared tuple arrives once",
    tags: ["DAG identity"],
    setup: "t = (1, [2])",
    python: "{'a': t, 'b': [t]}",
    expect: matching("the same frozen array twice", (v: { a: unknown; b: unknown[] }) => v.a === v.b[0] && Object.isFrozen(v.a)),
    roundTrip: true,
  },
]);
