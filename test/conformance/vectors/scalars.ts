/**
 * None, bool, int and float; null, undefined, boolean, number, bigint and symbol.
 *
 * The boundary that matters is exactness: an int is a number while JavaScript can count with it and a
 * bigint from there on; a float never becomes an integer that claims more than it knows.
 */
import { as, float, kw } from "isopy";
import { aRef, matching } from "../match.ts";
import { inGroup, type Written } from "../vector.ts";

/** Powers that sit at the edges of machine words, with both signs. */
const edges: readonly Written[] = (
  [
    ["2**31", 2147483648],
    ["2**32", 4294967296],
    ["2**53 - 1", 9007199254740991],
    ["2**53", 9007199254740992n],
    ["2**53 + 1", 9007199254740993n],
    ["2**63", 9223372036854775808n],
    ["2**64", 18446744073709551616n],
    ["10**40", 10n ** 40n],
    ["10**5000", 10n ** 5000n],
  ] as const
).flatMap(([source, value]) => [
  { name: `${source} arrives exactly, and the same value returns as an int`, tags: [`+(${source})`], python: source, js: () => value },
  {
    name: `-(${source}) arrives exactly, and the same value returns as an int`,
    tags: [`-(${source})`],
    python: `-(${source})`,
    js: () => -value,
  },
]);

export const scalars = inGroup("scalars", [
  {
    name: "None as a result arrives as null, and null as an argument as None",
    tags: ["None as a result", "null as an argument"],
    python: "None",
    js: () => null,
  },
  {
    name: "None in a list arrives as null, and null in an array as None",
    tags: ["None in a list", "null in an array"],
    python: "[1, None]",
    js: () => [1, null],
  },
  {
    name: "None in a tuple arrives as null and the tuple returns",
    tags: ["None in a tuple"],
    python: "(None, 0)",
    expect: Object.freeze([null, 0]),
    roundTrip: true,
  },
  {
    name: "None as a dict value arrives as null, and a null property as None",
    tags: ["None as a dict value", "null as a property"],
    python: "{'a': None}",
    js: () => ({ a: null }),
  },
  {
    name: "None as a dict key arrives as the key null of a Map",
    tags: ["None as a dict key", "null as a Map key"],
    python: "{None: 1}",
    js: () => new Map([[null, 1]]),
  },
  { name: "None in a set arrives as null in a Set", tags: ["None in a set", "null in a Set"], python: "{None}", js: () => new Set([null]) },
  {
    name: "null as a Map value arrives as None",
    tags: ["null as a Map value"],
    js: () => new Map([[1, null]]),
    check: "x == {1: None} and x[1] is None",
    roundTrip: true,
  },
  { name: "undefined as an argument arrives as None", tags: ["undefined as an argument"], js: () => undefined, check: "x is None" },
  { name: "undefined in an array arrives as None", tags: ["undefined in an array"], js: () => [undefined, 1], check: "x == [None, 1]" },
  { name: "a hole of an array arrives as None", tags: ["undefined as an array hole"], js: () => [1, , 3], check: "x == [1, None, 3]" },
  {
    name: "an undefined property arrives as a key with None",
    tags: ["undefined as a property"],
    js: () => ({ a: undefined }),
    check: "x == {'a': None}",
  },
  {
    name: "undefined as a Map value arrives as None",
    tags: ["undefined as a Map value"],
    js: () => new Map([[1, undefined]]),
    check: "x == {1: None}",
  },
  { name: "undefined in a Set arrives as None", tags: ["undefined in a Set"], js: () => new Set([undefined]), check: "x == {None}" },
  {
    name: "a callback that answers undefined gives Python None",
    tags: ["undefined as a callback's answer"],
    needs: ["syncCallbacks"],
    python: "f() is None",
    values: () => ({ f: () => undefined }),
    expect: true,
  },
  {
    name: "an undefined keyword argument is an argument that was not passed",
    tags: ["undefined as a keyword argument"],
    act: async (t) => {
      const f = await t.evaluate({ source: "lambda a=1, b=2: (a, b)", options: { convert: "ref" } });
      return (f as (k: unknown) => unknown)(kw({ a: undefined, b: 5 }));
    },
    expect: Object.freeze([1, 5]),
  },
  {
    name: "none: 'undefined' gives undefined for None, inside containers too",
    python: "[None, {'a': None}]",
    options: { none: "undefined" },
    expect: [undefined, { a: undefined }],
  },

  ...edges,
  { name: "zero is the integer 0 both ways", tags: ["0"], python: "0", js: () => 0 },
  { name: "[N-57] negative zero keeps its sign both ways and stays a float", tags: ["-0"], python: "-0.0", js: () => -0 },
  { name: "0.5 is exact both ways", tags: ["+0.5"], python: "0.5", js: () => 0.5 },
  { name: "-0.5 is exact both ways", tags: ["-0.5"], python: "-0.5", js: () => -0.5 },
  { name: "the smallest denormal float survives both ways", tags: ["denormal"], python: "5e-324", js: () => Number.MIN_VALUE },
  { name: "the largest float survives both ways", tags: ["max"], python: "1.7976931348623157e308", js: () => Number.MAX_VALUE },
  { name: "[N-57] nan is NaN both ways", tags: ["NaN"], python: "float('nan')", js: () => Number.NaN },
  { name: "[N-57] positive infinity survives both ways", tags: ["+inf"], python: "float('inf')", js: () => Number.POSITIVE_INFINITY },
  { name: "negative infinity survives both ways", tags: ["-inf"], python: "float('-inf')", js: () => Number.NEGATIVE_INFINITY },
  { name: "0.1 is not decimal text on the way", python: "0.1", js: () => 0.1 },
  { name: "1e300 stays a float both ways", python: "1e300", js: () => 1e300 },
  { name: "the float 2.0**53 is a number, and the number 2**53 a float", python: "2.0**53", js: () => 2 ** 53 },
  {
    name: "a number above 2**53 arrives as a float, with no false integer exactness",
    js: () => 2 ** 63,
    check: "type(x) is float and x == 2.0**63",
    roundTrip: true,
  },
  {
    name: "[N-57] an integral float arrives as a number and returns as an int (E1)",
    python: "1.0",
    expect: 1,
    js: () => 1,
    check: "type(x) is int and x == 1",
    roundTrip: false,
  },
  { name: "float(n) sends an integral number as a float", js: () => float(3), check: "type(x) is float and x == 3.0" },
  {
    name: "a negative nan payload is still NaN",
    python: "__import__('struct').unpack('<d', b'\\x01\\0\\0\\0\\0\\0\\xf8\\xff')[0]",
    expect: Number.NaN,
  },
  {
    name: "the integers around one, two and four bytes are exact",
    python: "[255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, -2**31 - 1]",
    js: () => [255, 256, 65535, 65536, -1, -128, -129, 2147483647, -2147483649],
  },
  {
    name: "[N-56] integers at word boundaries keep every bit",
    python: "[2**63 - 1, -2**63, 2**64 - 1, 2**127, -2**127, 2**128 - 1]",
    js: () => [2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 127n, -(2n ** 127n), 2n ** 128n - 1n],
  },
  {
    name: "integers around 255 bytes keep every bit",
    python: "[2**2039 - 1, 2**2039, -2**2039, -2**2040 + 1]",
    js: () => [2n ** 2039n - 1n, 2n ** 2039n, -(2n ** 2039n), -(2n ** 2040n) + 1n],
  },
  { name: "[N-56] an int of 100,000 bits needs no decimal text", python: "(1 << 100000) + 1", js: () => (1n << 100000n) + 1n },
  {
    name: "a bigint in the safe range arrives as an int and returns as a number (E2)",
    js: () => 5n,
    check: "type(x) is int and x == 5",
    python: "5",
    expect: 5,
    roundTrip: false,
  },
  {
    name: "[N-56] 2n**70n arrives as an int, not as -1 and not as text",
    js: () => 2n ** 70n,
    check: "type(x) is int and x == 2**70",
    roundTrip: true,
  },
  {
    name: "int: 'bigint' makes every int a bigint and leaves floats and bools alone",
    python: "[1, 2.5, True, 2**70]",
    options: { int: "bigint" },
    expect: [1n, 2.5, true, 2n ** 70n],
  },
  { name: "int: 'number' keeps safe ints", python: "2**53 - 1", options: { int: "number" }, expect: Number.MAX_SAFE_INTEGER },
  {
    name: "int: 'number' refuses an int that a number cannot hold",
    python: "{'n': [2**53]}",
    options: { int: "number" },
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /n/ },
  },
  { name: "an int subclass stays a Python object", setup: "class Metres(int): pass", python: "Metres(3)", expect: aRef, roundTrip: true },
  { name: "int() of an int subclass is data", setup: "class Metres(int): pass", python: "int(Metres(3))", expect: 3 },
  {
    name: "a float subclass stays a Python object",
    setup: "class Ratio(float): pass",
    python: "Ratio(0.5)",
    expect: aRef,
    roundTrip: true,
  },

  { name: "[N-57] True is true both ways and is not 1", python: "True", js: () => true },
  { name: "False is false both ways and is not 0", python: "False", js: () => false },
  {
    name: "bools in a list stay apart from integers",
    tags: ["bool in a list"],
    python: "[True, 1, False, 0, 1.5]",
    js: () => [true, 1, false, 0, 1.5],
  },
  {
    name: "a bool in a tuple stays a bool",
    tags: ["bool in a tuple"],
    python: "(True, 1)",
    expect: Object.freeze([true, 1]),
    roundTrip: true,
  },
  {
    name: "a bool as a dict value stays a bool",
    tags: ["bool as a dict value"],
    python: "{'a': True, 'b': False}",
    js: () => ({ a: true, b: false }),
  },
  {
    name: "a bool as a dict key is the key true of a Map",
    tags: ["bool as a dict key"],
    python: "{True: 'yes', False: 'no'}",
    js: () =>
      new Map([
        [true, "yes"],
        [false, "no"],
      ]),
  },
  { name: "a bool in a set stays a bool", tags: ["bool in a set"], python: "{True}", js: () => new Set([true]) },
  {
    name: "a bool in a frozenset stays a bool",
    tags: ["bool in a frozenset"],
    python: "frozenset({False})",
    expect: new Set([false]),
    roundTrip: true,
  },
  {
    name: "a bool in an OrderedDict stays a bool",
    tags: ["bool in an OrderedDict"],
    setup: "from collections import OrderedDict",
    python: "OrderedDict(a=True)",
    expect: new Map([["a", true]]),
    roundTrip: true,
  },
  {
    name: "a bool in a named tuple stays a bool",
    tags: ["bool in a named tuple"],
    setup: "from collections import namedtuple\nFlag = namedtuple('Flag', 'on')",
    python: "Flag(True)",
    expect: matching("a frozen array of true", (v: boolean[]) => v[0] === true && Object.isFrozen(v)),
    roundTrip: true,
  },

  {
    name: "a boxed number, string or boolean is unboxed",
    js: () => [Object(5), Object("s"), Object(true), Object(0.5)],
    check: "x == [5, 's', True, 0.5] and x[2] is True and [type(i) for i in x] == [int, str, bool, float]",
  },
  { name: "a boxed bigint is unboxed", js: () => Object(2n ** 64n), check: "type(x) is int and x == 2**64" },
  {
    name: "a symbol comes back as the very same symbol",
    js: () => Symbol.for("isopy.conformance"),
    check: "x is not None",
    roundTrip: "identical",
  },
  {
    name: "two registered symbols with one key are equal in Python",
    python: "a == b and a != c",
    values: () => ({ a: Symbol.for("isopy.k"), b: Symbol.for("isopy.k"), c: Symbol("isopy.k") }),
    expect: true,
  },
  { name: "as int32 gives a number in range", python: "2**31 - 1", options: { as: as.int32() }, expect: 2147483647 },
  { name: "as int32 refuses 2**31 with OverflowError", python: "2**31", options: { as: as.int32() }, throws: { type: "OverflowError" } },
  { name: "as uint8 refuses -1 with OverflowError", python: "-1", options: { as: as.uint8() }, throws: { type: "OverflowError" } },
  {
    name: "as bigint takes an int of any size, and no float",
    python: "[7, 2**70]",
    options: { as: as.list(as.bigint()) },
    expect: [7, 2n ** 70n],
  },
  { name: "as bool refuses an int with TypeError", python: "1", options: { as: as.bool() }, throws: { type: "TypeError" } },
  { name: "as float64 takes an int that it can hold", python: "3", options: { as: as.float64() }, expect: 3 },
  { name: "as string refuses bytes with TypeError", python: "b'a'", options: { as: as.string() }, throws: { type: "TypeError" } },
]);
