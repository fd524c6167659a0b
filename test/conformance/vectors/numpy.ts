/**
 * NumPy, pandas and Arrow: scalars are data, arrays and frames are handles that `toJs` copies.
 *
 * What needs a wheel is skipped, and counted, where that is absent. The rows about objects that only
 * look like arrays or tables need nothing and run everywhere.
 */
import { NDArray, PyComplex } from "isopy";
import { anNDArray, aRef, having, matching } from "../match.ts";
import type { Loose } from "../runner.ts";
import { inGroup, type Written } from "../vector.ts";

const np = "import numpy as np";
const withNumpy = (rows: readonly Written[]): Written[] => rows.map((row) => ({ setup: np, requires: "numpy", ...row }));

const doubles = (...items: number[]): Float64Array => new Float64Array(items);
/** Elements, whether they came as a TypedArray or, with their type, as an NDArray. */
const elements = (says: string, ...items: unknown[]) =>
  matching(says, (v: Loose) => {
    const data = [...(v instanceof NDArray ? v : v)].map((item: unknown) => (typeof item === "boolean" ? Number(item) : item));
    return data.length === items.length && items.every((item, i) => Object.is(item, data[i]));
  });
const whole = (says: string, value: bigint, unit: string) =>
  having({ value: matching(says, (v: number | bigint) => BigInt(v) === value), unit });

/** One vector per dtype that JavaScript has an array for. */
const dtypes: readonly Written[] = (
  [
    ["int8", "[-128, 127]", Int8Array.of(-128, 127)],
    ["uint8", "[0, 255]", Uint8Array.of(0, 255)],
    ["int16", "[-32768, 32767]", Int16Array.of(-32768, 32767)],
    ["uint16", "[0, 65535]", Uint16Array.of(0, 65535)],
    ["int32", "[-2**31, 2**31 - 1]", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ["uint32", "[0, 2**32 - 1]", Uint32Array.of(0, 2 ** 32 - 1)],
    ["int64", "[-2**63, 2**63 - 1]", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ["uint64", "[0, 2**64 - 1]", BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ["float32", "[0.5, -0.0, float('inf')]", Float32Array.of(0.5, -0, Number.POSITIVE_INFINITY)],
    ["float64", "[0.1, -0.0, float('nan')]", doubles(0.1, -0, Number.NaN)],
  ] as const
).map(([dtype, source, expected]) => ({
  name: `an array of ${dtype} is copied by toJs into a ${expected[Symbol.toStringTag]}`,
  tags: [`dtype ${dtype}`],
  python: `np.array(${source}, dtype='${dtype}')`,
  toJs: {},
  expect: expected,
}));

export const numpy = inGroup("numpy", [
  ...withNumpy([
    { name: "np.bool_ is a boolean", tags: ["scalar bool_"], python: "[np.bool_(True), np.True_ & np.False_]", expect: [true, false] },
    {
      name: "np.int8 to np.uint32 are numbers",
      tags: ["scalar integers"],
      python: "[np.int8(-128), np.uint8(255), np.int16(-2), np.uint16(65535), np.int32(-2**31), np.uint32(2**32 - 1)]",
      expect: [-128, 255, -2, 65535, -(2 ** 31), 2 ** 32 - 1],
    },
    {
      name: "np.int64 is a number while that is exact, and a bigint beyond",
      tags: ["scalar int64"],
      python: "[np.int64(2**53 - 1), np.int64(2**53), np.int64(-2**63)]",
      expect: [Number.MAX_SAFE_INTEGER, 2n ** 53n, -(2n ** 63n)],
    },
    { name: "np.uint64 keeps all of its bits", tags: ["scalar uint64"], python: "np.uint64(2**64 - 1)", expect: 2n ** 64n - 1n },
    {
      name: "np.float32 is widened exactly, np.float16 too",
      tags: ["scalar floats"],
      python: "[np.float32(0.1), np.float16(0.1), np.float64(0.1)]",
      expect: [Math.fround(0.1), 0.0999755859375, 0.1],
    },
    {
      name: "NumPy's nan, -0.0 and infinity are exact",
      tags: ["scalar floats"],
      python: "[np.float64('nan'), np.float32(-0.0), np.float16('inf')]",
      expect: [Number.NaN, -0, Number.POSITIVE_INFINITY],
    },
    {
      name: "np.complex64 and np.complex128 are PyComplex",
      tags: ["scalar complex"],
      python: "[np.complex128(1-2j), np.complex64(0.5j)]",
      expect: [new PyComplex(1, -2), new PyComplex(0, 0.5)],
    },
    {
      name: "np.longdouble and np.clongdouble would be rounded, so they stay handles",
      tags: ["scalar longdouble"],
      python: "[np.longdouble(1), np.clongdouble(1)]",
      expect: [aRef, aRef],
      roundTrip: true,
    },
    {
      name: "np.datetime64 is a handle whose toJs has value and unit",
      tags: ["scalar datetime64"],
      python: "np.datetime64('2020-01-02T03:04:05.000000006', 'ns')",
      toJs: {},
      expect: whole("the nanoseconds since 1970", 1577934245000000006n, "ns"),
    },
    {
      name: "np.timedelta64 is a handle whose toJs has value and unit",
      tags: ["scalar timedelta64"],
      python: "np.timedelta64(-5, 'D')",
      toJs: {},
      expect: whole("-5", -5n, "D"),
    },
    {
      name: "NaT stays NaT: toJs has no number for it",
      tags: ["NaT"],
      python: "np.datetime64('NaT', 'us')",
      toJs: {},
      expect: matching(
        "no plausible date",
        (v: { value: unknown; unit: string }) => (v.value === null || v.value === -(2n ** 63n)) && v.unit === "us",
      ),
    },
    {
      name: "np.str_ and np.bytes_ are text and bytes",
      tags: ["scalar text"],
      python: "[np.str_('aé'), np.bytes_(b'x')]",
      expect: ["aé", Uint8Array.of(120)],
    },
    { name: "np.void is a handle", tags: ["scalar void"], python: "np.void(b'ab')", expect: aRef, roundTrip: true },
    {
      name: "NumPy scalars in containers are data",
      python: "{'n': [np.int32(1)], 't': (np.float64(0.5), np.bool_(False))}",
      expect: { n: [1], t: Object.freeze([0.5, false]) },
    },
    ...dtypes,
    {
      name: "an array of bool is copied as bytes of 0 and 1",
      tags: ["dtype bool"],
      python: "np.array([True, False, True])",
      toJs: {},
      expect: elements("1, 0, 1", 1, 0, 1),
    },
    {
      name: "an array of float16 keeps its bits",
      tags: ["dtype float16"],
      python: "np.array([0.5, -2], dtype='float16')",
      toJs: {},
      expect: matching("two half floats", (v: Loose) => {
        const data = v instanceof NDArray ? (v.data as Uint16Array) : (v as Uint16Array);
        const bits = new Uint16Array(data.buffer, data.byteOffset, 2);
        return bits[0] === 0x3800 && bits[1] === 0xc000;
      }),
    },
    {
      name: "an array of complex128 is an NDArray of pairs",
      tags: ["dtype complex128"],
      python: "np.array([1-2j, 0.5j])",
      toJs: {},
      expect: anNDArray("complex128", [2], doubles(1, -2, 0, 0.5)),
    },
    {
      name: "an array of complex64 is an NDArray of pairs",
      tags: ["dtype complex64"],
      python: "np.array([1+2j], dtype='complex64')",
      toJs: {},
      expect: anNDArray("complex64", [1], Float32Array.of(1, 2)),
    },
    {
      name: "an array of longdouble is refused, because it would be rounded",
      tags: ["dtype longdouble"],
      python: "np.array([1], dtype=np.longdouble)",
      toJs: {},
      throws: { code: "ERR_NOT_CONVERTIBLE" },
    },
    {
      name: "an array of unicode text is an array of strings",
      tags: ["dtype U"],
      python: "np.array(['a', 'bé'])",
      toJs: {},
      expect: elements("a and bé", "a", "bé"),
    },
    {
      name: "an array of byte strings is an array of bytes",
      tags: ["dtype S"],
      python: "np.array([b'a', b'bc'])",
      toJs: {},
      expect: [Uint8Array.of(97), Uint8Array.of(98, 99)],
    },
    {
      name: "an array of datetime64 keeps integers, unit and kind",
      tags: ["dtype datetime64"],
      python: "np.array(['2020-01-01', 'NaT'], dtype='datetime64[D]')",
      toJs: {},
      expect: matching(
        "18262 and NaT in days",
        (v: NDArray) =>
          (v.data as BigInt64Array)[0] === 18262n &&
          (v.data as BigInt64Array)[1] === -(2n ** 63n) &&
          JSON.stringify([v.dtype, v.extra]).includes("D"),
      ),
    },
    {
      name: "an array of timedelta64 keeps integers and unit",
      tags: ["dtype timedelta64"],
      python: "np.array([1, -1], dtype='timedelta64[ms]')",
      toJs: {},
      expect: matching(
        "1 and -1 in ms",
        (v: NDArray) => (v.data as BigInt64Array)[1] === -1n && JSON.stringify([v.dtype, v.extra]).includes("ms"),
      ),
    },
    {
      name: "an array of objects is converted element by element",
      tags: ["dtype object"],
      python: "np.array([1, 'a', None], dtype=object)",
      toJs: {},
      expect: elements("1, a and null", 1, "a", null),
    },
    {
      name: "a structured array is refused",
      tags: ["dtype structured"],
      python: "np.zeros(2, dtype=[('x', 'i4'), ('y', 'f8')])",
      toJs: {},
      throws: { code: "ERR_NOT_CONVERTIBLE" },
    },
    { name: "an array is a handle, and returns as itself", python: "np.arange(3)", expect: aRef, roundTrip: true },
    {
      name: "an array without axes is one element",
      tags: ["shape 0-d"],
      python: "np.array(7, dtype='int16')",
      toJs: {},
      expect: anNDArray("int16", [], Int16Array.of(7)),
    },
    {
      name: "a matrix keeps its dtype and shape",
      tags: ["shape 2-d C"],
      python: "np.arange(6, dtype='int32').reshape(2, 3)",
      toJs: {},
      expect: anNDArray("int32", [2, 3], Int32Array.of(0, 1, 2, 3, 4, 5)),
    },
    {
      name: "a Fortran-ordered array arrives in C order",
      tags: ["shape 2-d F"],
      python: "np.asfortranarray(np.arange(6, dtype='int32').reshape(2, 3))",
      toJs: {},
      expect: matching("0 to 5 in C order", (v: NDArray) => v.shape.join() === "2,3" && [...v].join() === "0,1,2,3,4,5"),
    },
    {
      name: "a strided array arrives compacted",
      tags: ["shape strided"],
      python: "np.arange(6, dtype='int32')[::2]",
      toJs: {},
      expect: elements("0, 2, 4", 0, 2, 4),
    },
    {
      name: "an array that runs backwards arrives in its own order",
      tags: ["shape negative stride"],
      python: "np.arange(3, dtype='int32')[::-1]",
      toJs: {},
      expect: elements("2, 1, 0", 2, 1, 0),
    },
    {
      name: "a broadcast array arrives with its rows repeated",
      tags: ["shape broadcast"],
      python: "np.broadcast_to(np.array([1, 2], dtype='int8'), (2, 2))",
      toJs: {},
      expect: anNDArray("int8", [2, 2], Int8Array.of(1, 2, 1, 2)),
    },
    {
      name: "an empty array keeps dtype and shape",
      tags: ["shape empty"],
      python: "np.zeros((0, 3), dtype='float32')",
      toJs: {},
      expect: anNDArray("float32", [0, 3], new Float32Array(0)),
    },
    {
      name: "a readonly array is copied into memory that may change",
      tags: ["shape readonly"],
      setup: `${np}\na = np.array([1, 2], dtype='int8')\na.flags.writeable = False`,
      python: "a",
      toJs: {},
      expect: Int8Array.of(1, 2),
    },
    {
      name: "a big-endian array arrives in native order",
      tags: ["shape big-endian"],
      python: "np.array([1, -2], dtype='>i4')",
      toJs: {},
      expect: Int32Array.of(1, -2),
    },
    { name: "a chain ends in data: the mean of a matrix is a number", python: "np.arange(12.0).reshape(3, 4).mean()", expect: 5.5 },
    {
      name: "an NDArray arrives as an ndarray of its dtype and shape",
      js: () => new NDArray(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] }),
      check: "isinstance(x, np.ndarray) and x.dtype == np.float32 and x.shape == (2, 2) and x[1, 0].item() == 3",
    },
    {
      name: "an NDArray of bool and of complex arrive with their dtypes",
      js: () => [new NDArray(Uint8Array.of(1, 0), { dtype: "bool" }), new NDArray(doubles(1, 2), { dtype: "complex128", shape: [1] })],
      check: "x[0].dtype == bool and x[0].tolist() == [True, False] and x[1].dtype == complex and x[1][0].item() == 1+2j",
    },
    {
      name: "an array goes to JavaScript and back with dtype and shape",
      act: async (t) => {
        const make = "np.arange(6, dtype='int16').reshape(3, 2)";
        const ref = await t.evaluate({ setup: np, source: make });
        const copy = await t.toJs(ref, {});
        t.release(ref);
        return t.evaluate({ setup: np, source: `x.dtype == np.int16 and bool((x == ${make}).all())`, values: { x: copy } });
      },
      expect: true,
    },
    {
      name: "a TypedArray is an array for NumPy without a copy of its own",
      js: () => doubles(1, 2, 3),
      check: "float(np.asarray(x).sum()) == 6.0 and np.asarray(x).dtype == np.float64",
    },
    {
      name: "a masked array is copied as data and mask",
      tags: ["masked"],
      python: "np.ma.array([1, 2], mask=[False, True], dtype='int32')",
      toJs: {},
      expect: having({ data: Int32Array.of(1, 2), mask: elements("0, 1", 0, 1) }),
    },
    {
      name: "an array inside data is a ref, and toJs copies it in place",
      setup: np,
      python: "{'a': np.array([1], dtype='int8')}",
      toJs: {},
      expect: { a: Int8Array.of(1) },
    },
  ]),
]);
