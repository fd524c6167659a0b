/**
 * Relatives and subclasses of the containers, and the kinds of JavaScript objects.
 *
 * A subclass never silently becomes its base; an object is data only when it is plain.
 */
import { frozenset, isRef, tuple } from "isopy";
import { aRef, matching } from "../match.ts";
import { inGroup } from "../vector.ts";

const collections = "from collections import *";

export const containerKinds = inGroup("containers", [
  {
    name: "an OrderedDict arrives as a Map and returns as an OrderedDict",
    setup: collections,
    python: "OrderedDict([('b', 1), ('a', 2)])",
    expect: new Map([
      ["b", 1],
      ["a", 2],
    ]),
    roundTrip: true,
  },
  {
    name: "an OrderedDict keeps the order that move_to_end made",
    setup: `${collections}\no = OrderedDict(a=1, b=2)\no.move_to_end('a')`,
    python: "o",
    expect: new Map([
      ["b", 2],
      ["a", 1],
    ]),
    roundTrip: true,
  },
  {
    name: "a defaultdict is a handle, and toJs copies its items",
    setup: `${collections}\nd = defaultdict(list, a=[1])`,
    python: "d",
    toJs: {},
    expect: { a: [1] },
  },
  {
    name: "a Counter is a handle, and toJs copies its counts",
    setup: collections,
    python: "Counter('aab')",
    toJs: {},
    expect: { a: 2, b: 1 },
  },
  {
    name: "a Counter of numbers becomes a Map by toJs",
    setup: collections,
    python: "Counter([1, 1, 2])",
    toJs: {},
    expect: new Map([
      [1, 2],
      [2, 1],
    ]),
  },
  {
    name: "a defaultdict comes back as itself, factory and all",
    setup: `${collections}\nd = defaultdict(list)`,
    python: "d",
    expect: aRef,
    roundTrip: true,
  },
  { name: "a list subclass stays a Python object", setup: "class L(list): pass", python: "L([1])", expect: aRef, roundTrip: true },
  { name: "a dict subclass stays a Python object", setup: "class D(dict): pass", python: "D(a=1)", expect: aRef, roundTrip: true },
  {
    name: "a ChainMap and a mappingproxy are live views, not copies",
    setup: `${collections}\nimport types`,
    python: "[ChainMap({'a': 1}), types.MappingProxyType({'a': 1})]",
    expect: [aRef, aRef],
    roundTrip: true,
  },
  { name: "a deque is a handle that comes back as itself", setup: collections, python: "deque([1, 2])", expect: aRef, roundTrip: true },
  {
    name: "a set arrives as a Set",
    python: "{1, 'a', None, 2.5}",
    expect: matching(
      "the four members",
      (v: Set<unknown>) => v instanceof Set && v.size === 4 && [1, "a", null, 2.5].every((m) => v.has(m)),
    ),
    roundTrip: true,
  },
  { name: "an empty set is an empty Set both ways", python: "set()", js: () => new Set() },
  { name: "a set of tuples has tagged frozen arrays as members", python: "{(1, 2)}", expect: new Set([tuple([1, 2])]), roundTrip: true },
  {
    name: "a set of objects has refs as members",
    setup: "class K: pass",
    python: "{K}",
    expect: matching("a Set of one ref", (v: Set<unknown>) => v.size === 1 && isRef([...v][0])),
    roundTrip: true,
  },
  {
    name: "a frozenset returns as a frozenset, nested ones too",
    python: "frozenset({frozenset({1}), 2})",
    expect: matching("a Set of a Set and 2", (v: Set<unknown>) => v.has(2) && [...v].some((m) => m instanceof Set && m.has(1))),
    roundTrip: true,
  },
  {
    name: "frozenset(Set) makes Python receive a frozenset",
    js: () => frozenset(new Set([1])),
    check: "type(x) is frozenset and x == {1}",
    roundTrip: true,
  },
  {
    name: "a Set of a Set is refused, unless the inner one is a frozenset",
    js: () => new Set([frozenset(new Set([1])), new Set([2])]),
    throws: { code: "ERR_NOT_CONVERTIBLE" },
  },
  {
    name: "a Map with scalars, tuples and frozensets as keys arrives as one dict",
    js: () =>
      new Map<unknown, unknown>([
        [1.5, 1],
        [tuple([1]), 2],
        [frozenset(new Set(["a"])), 3],
      ]),
    check: "x == {1.5: 1, (1,): 2, frozenset({'a'}): 3}",
    roundTrip: true,
  },

  { name: "extra properties of an array are not items", js: () => Object.assign([1, 2], { extra: 3 }), check: "x == [1, 2]" },
  {
    name: "an instance of an Array subclass is lent, not copied",
    js: () => new (class Stack extends Array<number> {})(1, 2, 3),
    check: "type(x) is not list and len(x) == 3",
    roundTrip: "identical",
  },
  {
    name: "an object without a prototype arrives as a dict",
    js: () => Object.assign(Object.create(null), { a: 1 }),
    check: "x == {'a': 1} and type(x) is dict",
  },
  {
    name: "symbol keys, hidden and inherited properties stay in JavaScript",
    js: () => Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3, enumerable: false }),
    check: "x == {'a': 1}",
  },
  {
    name: "a getter runs once",
    act: async (t) => {
      let runs = 0;
      const answer = await t.evaluate({
        source: "o['a']",
        values: {
          o: {
            get a() {
              return ++runs;
            },
          },
        },
      });
      return [answer, runs];
    },
    expect: [1, 1],
  },
  {
    name: "a getter that throws is what the caller gets, the very same error",
    act: async (t) => {
      const thrown = new RangeError("from the getter");
      try {
        await t.evaluate({
          source: "o",
          values: {
            o: {
              get a() {
                throw thrown;
              },
            },
          },
        });
        return "nothing was thrown";
      } catch (error) {
        return error === thrown;
      }
    },
    expect: true,
  },
  {
    name: "an arguments object arrives as a list",
    js: function () {
      return (function (..._: unknown[]) {
        return arguments;
      })(1, "b");
    },
    check: "x == [1, 'b'] and type(x) is list",
  },
  {
    name: "a Proxy of an array is a list by what it answers",
    js: () => new Proxy([1, 2], { get: (target, key) => (key === "0" ? 9 : Reflect.get(target, key)) }),
    check: "x == [9, 2]",
  },
  { name: "a Proxy of an object is a dict by what it answers", js: () => new Proxy({ a: 1 }, {}), check: "x == {'a': 1}" },
  {
    name: "Symbol.for('py.toPython') says what an object becomes",
    js: () => ({ [Symbol.for("py.toPython")]: () => [1, { a: 2 }] }),
    check: "x == [1, {'a': 2}]",
  },
  {
    name: "a class instance with the py.toPython hook is what the hook answers",
    js: () =>
      new (class Money {
        [Symbol.for("py.toPython")]() {
          return "5 EUR";
        }
      })(),
    check: "x == '5 EUR'",
  },
]);
