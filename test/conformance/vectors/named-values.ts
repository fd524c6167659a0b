/**
 * Value classes that belong to a Python class: enum members, named tuples, arrays with a type.
 */
import { NDArray, PyComplex, PyEnumMember, PyFraction, PyRange, tuple } from "isopy";
import { aRef, having, matching } from "../match.ts";
import type { Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

const numbers = "from decimal import *\nfrom fractions import *";
const point = "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')";
/** One class for all evaluations, because a member's identity needs it. */
const colours =
  "import enum, sys\nif 'vector_colours' not in sys.modules:\n    import types\n    m = types.ModuleType('vector_colours')\n    exec('import enum\\nclass Colour(enum.Enum):\\n    RED = 1\\n    GREEN = \"g\"\\nclass Level(enum.IntEnum):\\n    LOW = 1\\n    HIGH = 2\\nclass Perm(enum.Flag):\\n    R = 4\\n    W = 2\\n    X = 1\\n', m.__dict__)\n    sys.modules['vector_colours'] = m\nfrom vector_colours import *";

/** What `use` makes of the value of an expression. */
const seenAs =
  (use: (value: unknown) => unknown) =>
  (source: string, setup = "") =>
  async (t: Runner) => {
    const value = await t.evaluate({ source, setup });
    t.release(value);
    return use(value);
  };
const json = seenAs((value) => JSON.stringify(value));
const clone = seenAs((value) => structuredClone(value));
const frozen = matching("frozen", (v: object) => Object.isFrozen(v));

export const namedValues = inGroup("valueclasses", [
  {
    name: "an enum member returns as the very same member",
    tags: ["enum round trip"],
    setup: colours,
    python: "[Colour.RED, Colour.GREEN]",
    expect: [having({ name: "RED", value: 1, type: "Colour" }), having({ name: "GREEN", value: "g" })],
    roundTrip: true,
  },
  {
    name: "an enum member is one object however often it arrives",
    tags: ["enum equality"],
    act: async (t) => {
      const ask = () => t.evaluate({ setup: colours, source: "[Colour.RED, Colour.GREEN]" }) as Promise<PyEnumMember[]>;
      const [a, b] = [await ask(), await ask()];
      return [a[0] === b[0], a[0] === a[1], a[0] instanceof PyEnumMember];
    },
    expect: [true, false, true],
  },
  { name: "an enum member as JSON is its value", tags: ["enum JSON"], act: json("[Colour.RED, Colour.GREEN]", colours), expect: '[1,"g"]' },
  {
    name: "a structured clone of an enum member keeps name, value and type",
    tags: ["enum structured clone"],
    act: clone("Colour.RED", colours),
    expect: { name: "RED", value: 1, type: "Colour" },
  },
  {
    name: "an IntEnum member is no plain number but computes like one",
    tags: ["enum round trip"],
    setup: colours,
    python: "Level.HIGH",
    expect: matching("a member worth 2", (v: PyEnumMember) => typeof v === "object" && Number(v) === 2 && v.name === "HIGH"),
    roundTrip: true,
  },
  {
    name: "a StrEnum member is no plain string but reads like one",
    since: [3, 11],
    setup: "import enum\nclass Fruit(enum.StrEnum):\n    APPLE = 'apple'",
    python: "Fruit.APPLE",
    expect: matching("a member worth apple", (v: PyEnumMember) => typeof v === "object" && v.valueOf() === "apple"),
    roundTrip: true,
  },
  {
    name: "a str-mixin Enum of older Pythons is a member too",
    setup: "import enum\nclass Fruit(str, enum.Enum):\n    APPLE = 'apple'",
    python: "Fruit.APPLE",
    expect: having({ name: "APPLE", value: "apple" }),
    roundTrip: true,
  },
  {
    name: "a composite Flag is named by its parts",
    setup: colours,
    python: "Perm.R | Perm.W",
    expect: having({ name: matching("R|W or W|R", (n: string) => n === "R|W" || n === "W|R"), value: 6 }),
    roundTrip: true,
  },
  {
    name: "an enum member whose value is an object keeps a ref as value",
    setup: "import enum\nclass Op(enum.Enum):\n    LEN = (len,)",
    python: "Op.LEN",
    expect: matching("a member", (v: PyEnumMember) => v.name === "LEN"),
    roundTrip: true,
  },
  {
    name: "enum members as dict keys are Map keys",
    setup: colours,
    python: "{Colour.RED: 1}",
    expect: matching("a Map by member", (v: Map<PyEnumMember, number>) => [...v][0]?.[0].name === "RED" && [...v][0]?.[1] === 1),
    roundTrip: true,
  },

  {
    name: "a named tuple has both access styles and returns with its class",
    tags: ["named tuple round trip"],
    setup: point,
    python: "Point(1, [2])",
    expect: matching(
      "[1, [2]] with x and y",
      (v: readonly unknown[] & { x: unknown; y: unknown }) =>
        v.length === 2 && v[0] === 1 && v.x === 1 && v.y === v[1] && Object.isFrozen(v),
    ),
    roundTrip: true,
  },
  {
    name: "named tuples are compared item by item",
    tags: ["named tuple equality"],
    act: async (t) => {
      const pair = (await t.evaluate({ setup: point, source: "[Point(1, 2), Point(1, 2)]" })) as (readonly number[])[];
      t.release(pair);
      const [a, b] = pair;
      return [a === b, a?.every((item, i) => item === b?.[i])];
    },
    expect: [false, true],
  },
  { name: "a named tuple as JSON is an array", tags: ["named tuple JSON"], act: json("Point(1, 2)", point), expect: "[1,2]" },
  {
    name: "a structured clone of a named tuple is a plain array",
    tags: ["named tuple structured clone"],
    act: clone("Point(1, 2)", point),
    expect: [1, 2],
  },
  {
    name: "a field called length does not disturb the array",
    setup: "from collections import namedtuple\nL = namedtuple('L', 'length count')",
    python: "L(7, 8)",
    expect: matching(
      "two items, count by name",
      (v: readonly unknown[] & { count: unknown }) => v.length === 2 && v[0] === 7 && v.count === 8,
    ),
    roundTrip: true,
  },
  {
    name: "a typing.NamedTuple with methods is a named tuple too",
    setup: "import typing\nclass P(typing.NamedTuple):\n    x: int\n    def double(self): return 2 * self.x",
    python: "P(3)",
    expect: matching("x of 3", (v: { x: number }) => v.x === 3),
    roundTrip: true,
  },
  {
    name: "a tuple subclass without fields stays a Python object",
    setup: "class T(tuple): pass",
    python: "T((1, 2))",
    expect: aRef,
    roundTrip: true,
  },

  {
    name: "a matrix becomes an NDArray by toJs, and an equal buffer again in Python",
    tags: ["NDArray round trip"],
    act: async (t) => {
      const view = await t.evaluate({ source: "memoryview(bytes(range(6))).cast('B', (2, 3))" });
      const matrix = (await t.toJs(view, {})) as NDArray;
      t.release(view);
      return [
        matrix instanceof NDArray,
        await t.evaluate({ source: "(lambda m: [list(row) for row in m.tolist()])(m)", values: { m: matrix } }),
      ];
    },
    expect: [
      true,
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  },
  {
    name: "NDArrays are equal by type, shape and elements",
    tags: ["NDArray equality"],
    act: () => {
      const a = new NDArray(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] });
      return [
        a.equals(new NDArray(Int32Array.of(1, 3, 2, 4), { shape: [2, 2], strides: [1, 2] })),
        a.equals(new NDArray(Int32Array.of(1, 2, 3, 4))),
        a.equals(new NDArray(Float64Array.of(1, 2, 3, 4), { shape: [2, 2] })),
      ];
    },
    expect: [true, false, false],
  },
  {
    name: "an NDArray as JSON has its type, shape and nested elements",
    tags: ["NDArray JSON"],
    act: () => JSON.stringify(new NDArray(BigInt64Array.of(1n, 2n), { shape: [1, 2] })),
    expect: '{"dtype":"int64","shape":[1,2],"data":[["1","2"]]}',
  },
  {
    name: "a structured clone of an NDArray keeps data, type and shape",
    tags: ["NDArray structured clone"],
    act: () => structuredClone(new NDArray(Int16Array.of(1, 2), { shape: [2, 1] })),
    expect: having({ dtype: "int16", shape: [2, 1], data: Int16Array.of(1, 2) }),
  },

  {
    name: "every value class arrives frozen",
    setup: `${numbers}\n${colours}`,
    python: "[1j, range(3), slice(1), Decimal(1), Fraction(1), Colour.RED, ...]",
    expect: Array.from({ length: 7 }, () => frozen),
  },
  {
    name: "value classes inside containers arrive in place",
    setup: numbers,
    python: "{'z': [1j], 'r': (range(2),)}",
    expect: { z: [new PyComplex(0, 1)], r: tuple([new PyRange(2)]) },
    roundTrip: true,
  },
  {
    name: "value classes as dict keys are Map keys",
    setup: numbers,
    python: "{Fraction(1, 2): 'half'}",
    expect: new Map([[new PyFraction(1, 2), "half"]]),
    roundTrip: true,
  },
]);
