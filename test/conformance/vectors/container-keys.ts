/**
 * Keys of dicts and Maps, members of sets: they never lose their type and never touch a prototype.
 */
import { isRef, tuple } from "isopy";
import { matching } from "../match.ts";
import { inGroup } from "../vector.ts";

const parsed = (json: string): unknown => JSON.parse(json);

export const containerKeys = inGroup("containers", [
  {
    name: "a dict whose keys are all str arrives as a plain object",
    tags: ["keys: str"],
    python: "{'b': 1, 'a': 2, '': 3, 'é': 4}",
    js: () => ({ b: 1, a: 2, "": 3, é: 4 }),
  },
  {
    name: "int keys make a Map with number keys",
    tags: ["keys: int"],
    python: "{1: 'a', -2: 'b', 2**60: 'c'}",
    js: () =>
      new Map<unknown, unknown>([
        [1, "a"],
        [-2, "b"],
        [2n ** 60n, "c"],
      ]),
  },
  {
    name: "float keys make a Map with number keys",
    tags: ["keys: float"],
    python: "{0.5: 'a', float('inf'): 'b'}",
    js: () =>
      new Map([
        [0.5, "a"],
        [Number.POSITIVE_INFINITY, "b"],
      ]),
  },
  { name: "a nan key is one entry", tags: ["keys: nan"], python: "{float('nan'): 1}", js: () => new Map([[Number.NaN, 1]]) },
  {
    name: "None, bool and str keys live in one Map",
    tags: ["keys: mixed"],
    python: "{None: 0, True: 1, 'a': 2, 2: 3}",
    js: () =>
      new Map<unknown, unknown>([
        [null, 0],
        [true, 1],
        ["a", 2],
        [2, 3],
      ]),
  },
  {
    name: "tuple keys are tagged frozen arrays",
    tags: ["keys: tuple"],
    python: "{(1, 'a'): 1, (): 2}",
    expect: new Map([
      [tuple([1, "a"]), 1],
      [tuple([]), 2],
    ] as never),
    roundTrip: true,
  },
  {
    name: "frozenset keys are tagged Sets",
    tags: ["keys: frozenset"],
    python: "{frozenset({1}): 1}",
    expect: new Map([[new Set([1]), 1]]),
    roundTrip: true,
  },
  {
    name: "bytes keys are Uint8Arrays",
    tags: ["keys: bytes"],
    python: "{b'ab': 1}",
    expect: new Map([[Uint8Array.of(97, 98), 1]]),
    roundTrip: true,
  },
  {
    name: "object keys are refs to the very objects",
    tags: ["keys: object"],
    setup: "class K: pass",
    python: "{K: 1, K(): 2}",
    expect: matching("a Map of two refs", (v: Map<unknown, unknown>) => v.size === 2 && [...v.keys()].every(isRef)),
    roundTrip: true,
  },
  {
    name: "dict: 'entries' gives pairs that can be searched by value",
    tags: ["keys: tuple"],
    python: "{(1, 2): 'a'}",
    options: { dict: "entries" },
    expect: [[tuple([1, 2]), "a"]],
  },
  {
    name: "dict: 'map' gives a Map for str keys too, and keeps index-like keys in order (E5)",
    python: "{'2': {'b': 1}, '1': 0}",
    options: { dict: "map" },
    expect: new Map<unknown, unknown>([
      ["2", new Map([["b", 1]])],
      ["1", 0],
    ]),
  },
  {
    name: "dict: 'object' refuses keys that are no text",
    python: "[{1: 'a'}]",
    options: { dict: "object" },
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /\[0\]/ },
  },
  {
    name: "index-like str keys are all there, in JavaScript's order (E5)",
    python: "{'2': 'b', '1': 'a', 'x': 'c'}",
    expect: { 1: "a", 2: "b", x: "c" },
  },
  {
    name: "__proto__ is a key like any other and reaches no prototype",
    tags: ["__proto__"],
    python: "{'__proto__': {'polluted': True}, 'a': 1}",
    expect: parsed('{"__proto__": {"polluted": true}, "a": 1}'),
    roundTrip: true,
  },
  {
    name: "an own __proto__ property of JavaScript arrives as a key",
    tags: ["__proto__"],
    js: () => parsed('{"__proto__": {"polluted": true}}'),
    check: "x == {'__proto__': {'polluted': True}}",
    roundTrip: true,
  },
  {
    name: "nothing that arrived has changed Object.prototype",
    tags: ["__proto__"],
    act: async (t) => {
      await t.evaluate({ source: "[{'__proto__': {'polluted': 1}}, {'constructor': {'prototype': {'polluted': 1}}}]" });
      return ({} as Record<string, unknown>)["polluted"];
    },
    expect: undefined,
  },
  {
    name: "constructor, toString and hasOwnProperty are keys like any other",
    tags: ["constructor"],
    python: "{'constructor': 1, 'toString': 2, 'hasOwnProperty': 3, 'valueOf': 4}",
    js: () => ({ constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }),
  },
  {
    name: "1 and '1' stay two keys",
    tags: ['1 and "1"'],
    python: "{1: 'int', '1': 'str'}",
    js: () =>
      new Map<unknown, unknown>([
        [1, "int"],
        ["1", "str"],
      ]),
  },
  {
    name: "True and 'true' stay two keys",
    tags: ["True and 1"],
    python: "{True: 'bool', 'true': 'str'}",
    js: () =>
      new Map<unknown, unknown>([
        [true, "bool"],
        ["true", "str"],
      ]),
  },
  {
    name: "a Map with true and 1 is refused, naming both",
    tags: ["True and 1"],
    js: () =>
      new Map<unknown, unknown>([
        [true, "a"],
        [1, "b"],
      ]),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /true.*1|1.*true/s },
  },
  {
    name: "a Map with 1 and 1n is refused, naming both",
    tags: ["True and 1"],
    js: () =>
      new Map<unknown, unknown>([
        [1, "a"],
        [1n, "b"],
      ]),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /1.*1n/s },
  },
  {
    name: "a Set with 0 and false is refused",
    tags: ["True and 1"],
    js: () => new Set<unknown>([0, false]),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /0.*false/s },
  },
  {
    name: "a Map with null and undefined is refused, because both are None",
    js: () =>
      new Map([
        [null, 1],
        [undefined, 2],
      ]),
    throws: { code: "ERR_NOT_CONVERTIBLE" },
  },
  {
    name: "a Map with equal tuples as keys is refused",
    js: () =>
      new Map([
        [tuple([1, 2]), "a"],
        [tuple([1, 2]), "b"],
      ]),
    throws: { code: "ERR_NOT_CONVERTIBLE" },
  },
  {
    name: "a Map with an array as key is refused, saying where",
    js: () => ({ a: new Map([[[1], "x"]]) }),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /\.a/ },
  },
  { name: "a Set of arrays is refused", js: () => new Set([[1]]), throws: { code: "ERR_NOT_CONVERTIBLE" } },
  {
    name: "a Map with str keys arrives as a dict and comes back as an object (E8)",
    js: () => new Map([["a", 1]]),
    check: "x == {'a': 1} and type(x) is dict",
    python: "{'a': 1}",
    expect: { a: 1 },
    roundTrip: false,
  },
  {
    name: "a Map keeps its order",
    js: () =>
      new Map([
        [3, "c"],
        [1, "a"],
        [2, "b"],
      ]),
    check: "list(x.items()) == [(3, 'c'), (1, 'a'), (2, 'b')]",
    roundTrip: true,
  },
  {
    name: "a dict whose then is a function arrives as a Map, so that await cannot swallow it",
    python: "{'then': len, 'a': 1}",
    expect: matching(
      "a Map with a ref under then",
      (v: Map<string, unknown>) => v instanceof Map && isRef(v.get("then")) && v.get("a") === 1,
    ),
    roundTrip: true,
  },
  { name: "a dict whose then is data stays an object", python: "{'then': 'next'}", js: () => ({ then: "next" }) },
]);
