/**
 * pandas, Arrow, and objects that only look like arrays or tables.
 *
 * The look-alikes need no wheel and run everywhere.
 */
import { NDArray } from "isopy";
import { anNDArray, aRef, having, matching } from "../match.ts";
import type { Loose } from "../runner.ts";
import { inGroup, type Written } from "../vector.ts";

const pd = "import numpy as np\nimport pandas as pd";
const withPandas = (rows: readonly Written[]): Written[] => rows.map((row) => ({ setup: pd, requires: "pandas", ...row }));

const doubles = (...items: number[]): Float64Array => new Float64Array(items);
/** Elements, whether they came as a TypedArray or, with their type, as an NDArray. */
const elements = (says: string, ...items: unknown[]) =>
  matching(says, (v: Loose) => {
    const data = [...(v instanceof NDArray ? v : v)].map((item: unknown) => (typeof item === "boolean" ? Number(item) : item));
    return data.length === items.length && items.every((item, i) => Object.is(item, data[i]));
  });

const fakeArrow =
  "class Table:\n    asked = 0\n    def __arrow_c_stream__(self, requested_schema=None):\n        Table.asked += 1\n        raise RuntimeError('the capsule is consumed once')";

export const tables = inGroup("numpy", [
  ...withPandas([
    {
      name: "a DataFrame is a handle, and returns as itself",
      tags: ["pandas DataFrame"],
      python: "pd.DataFrame({'a': [1]})",
      expect: aRef,
      roundTrip: true,
    },
    {
      name: "toJs of a DataFrame gives its columns in order",
      tags: ["pandas DataFrame"],
      python: "pd.DataFrame({'b': np.array([1.5, 2.5]), 'a': np.array([1, 2], dtype='int32')})",
      toJs: {},
      expect: { b: doubles(1.5, 2.5), a: Int32Array.of(1, 2) },
    },
    {
      name: "toJs of a Series gives its values",
      tags: ["pandas Series"],
      python: "pd.Series(np.array([1, 2], dtype='int16'))",
      toJs: {},
      expect: elements("1, 2", 1, 2),
    },
    {
      name: "a DataFrame with two columns of one name keeps both",
      tags: ["pandas DataFrame"],
      python: "pd.DataFrame(np.array([[1.0, 2.0]]), columns=['a', 'a'])",
      toJs: {},
      expect: [
        ["a", doubles(1)],
        ["a", doubles(2)],
      ],
    },
    {
      name: "NA of a nullable column is null and not NaN",
      tags: ["pandas NA"],
      python: "pd.Series([1, None, 3], dtype='Int64')",
      toJs: {},
      expect: elements("1, null, 3", 1, null, 3),
    },
    {
      name: "a categorical column keeps codes and categories",
      tags: ["pandas categories"],
      python: "pd.Series(['x', 'y', 'x'], dtype='category')",
      toJs: {},
      expect: having({ codes: elements("0, 1, 0", 0, 1, 0), categories: elements("x and y", "x", "y") }),
    },
    {
      name: "a named index is the first column",
      tags: ["pandas Index"],
      python: "pd.DataFrame({'a': np.array([1.0])}, index=pd.Index(np.array([7], dtype='int32'), name='id'))",
      toJs: {},
      expect: matching("id, then a", (v: object) => Object.keys(v).join() === "id,a"),
    },
    {
      name: "a MultiIndex becomes columns by level name",
      tags: ["pandas Index"],
      python: "pd.DataFrame({'v': np.array([1.0])}, index=pd.MultiIndex.from_tuples([(1, 'x')], names=['n', 's']))",
      toJs: {},
      expect: matching("n, s and v", (v: object) => Object.keys(v).join() === "n,s,v"),
    },
    {
      name: "a Timestamp is a datetime subclass and stays a Python object",
      tags: ["pandas Timestamp"],
      python: "pd.Timestamp('2020-01-02')",
      expect: aRef,
      roundTrip: true,
    },
  ]),

  {
    name: "an object with __arrow_c_stream__ is a handle, and crossing does not consume its stream",
    tags: ["fake __arrow_c_stream__"],
    setup: fakeArrow,
    python: "[Table(), Table.asked]",
    expect: [aRef, 0],
  },
  {
    name: "an object with __arrow_c_stream__ returns as itself",
    tags: ["fake __arrow_c_stream__"],
    setup: fakeArrow,
    python: "Table()",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "a failing __arrow_c_stream__ is Python's own error, once",
    tags: ["fake __arrow_c_stream__"],
    act: async (t) => {
      const table = (await t.evaluate({ setup: fakeArrow, source: "Table()" })) as Loose;
      const ask = async () => table.__arrow_c_stream__();
      const type = await ask().then(
        () => "none",
        (e: { type: string }) => e.type,
      );
      t.release(table);
      return type;
    },
    expect: "RuntimeError",
  },
  {
    name: "an object with __buffer__ is a handle, and toJs copies what it exports",
    tags: ["fake buffer"],
    since: [3, 12],
    setup: "class Memory:\n    def __buffer__(self, flags): return memoryview(b'\\x01\\x02\\x03\\x04').cast('h')",
    python: "Memory()",
    toJs: {},
    expect: Int16Array.of(513, 1027),
  },
  {
    name: "a matrix by __buffer__ keeps its shape",
    tags: ["fake buffer"],
    since: [3, 12],
    setup: "class Memory:\n    def __buffer__(self, flags): return memoryview(bytes(range(6))).cast('B', (2, 3))",
    python: "Memory()",
    toJs: {},
    expect: anNDArray("uint8", [2, 3], Uint8Array.of(0, 1, 2, 3, 4, 5)),
  },
  {
    name: "a class that only calls itself numpy.ndarray is no array",
    tags: ["fake buffer"],
    setup: "ndarray = type('ndarray', (), {'__module__': 'numpy', 'dtype': 'int8', 'shape': (1,)})",
    python: "ndarray()",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "a class that only calls itself numpy.float64 is no number",
    tags: ["fake buffer"],
    setup: "float64 = type('float64', (float,), {'__module__': 'numpy'})",
    python: "float64(0.5)",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "an object with __dlpack__ is a handle, and crossing does not ask it",
    tags: ["fake buffer"],
    setup: "class Tensor:\n    asked = 0\n    def __dlpack__(self, **k): Tensor.asked += 1\n    def __dlpack_device__(self): return (2, 0)",
    python: "[Tensor(), Tensor.asked]",
    expect: [aRef, 0],
  },
  {
    name: "an object with __array_interface__ is a handle that returns as itself",
    tags: ["fake buffer"],
    setup: "class A:\n    __array_interface__ = {'shape': (1,), 'typestr': '|u1', 'data': b'x', 'version': 3}",
    python: "A()",
    expect: aRef,
    roundTrip: true,
  },
]);
