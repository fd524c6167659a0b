/**
 * Bytes, and memory with a format and a shape.
 *
 * Bytes are data. Any other exporter of a buffer is a handle, because its size is unknown; `toJs`
 * copies it into a TypedArray of its format, or an NDArray when it has more than one axis.
 */
import { bytearray, NDArray } from "isopy";
import { differenceOfBuffers } from "../buffer-cases.ts";
import { anNDArray, aRef, matching } from "../match.ts";
import { inGroup, type Written } from "../vector.ts";

const formats = {
  b: "signed bytes", B: "unsigned bytes", h: "shorts", H: "unsigned shorts", i: "ints", I: "unsigned ints",
  l: "longs", L: "unsigned longs", q: "long longs", Q: "unsigned long longs", f: "floats", d: "doubles",
  e: "half floats", "?": "bools", c: "characters", n: "ssize_t", N: "size_t", P: "pointers",
}; // biome-ignore format: a table

/** One vector per format: all of its byte orders, each in all nine shapes. */
const everyFormat: readonly Written[] = Object.entries(formats).map(([code, what]) => ({
  name: `${what} (format ${code}) are copied by toJs exactly, in every byte order and shape`,
  tags: [`format ${code}`],
  act: (t) => differenceOfBuffers(t, code),
  expect: [],
}));

const floats = (...items: number[]): Float64Array => new Float64Array(items);
const sixInts = "b''.join(n.to_bytes(4, 'little', signed=True) for n in (1, -2, 3, -4, 5, -6))";
const bytesOf = (...items: number[]): Uint8Array => Uint8Array.from(items);

/** How each TypedArray arrives in Python, and that `toJs` gives it back. */
const typedArrays: readonly Written[] = (
  [
    ["Int8Array", () => Int8Array.of(-128, 0, 127), "b", "[-128, 0, 127]"],
    ["Uint8ClampedArray", () => Uint8ClampedArray.of(0, 128, 255), "B", "[0, 128, 255]"],
    ["Int16Array", () => Int16Array.of(-32768, 0, 32767), "h", "[-32768, 0, 32767]"],
    ["Uint16Array", () => Uint16Array.of(0, 65535), "H", "[0, 65535]"],
    ["Int32Array", () => Int32Array.of(-(2 ** 31), 2 ** 31 - 1), "i", "[-2**31, 2**31 - 1]"],
    ["Uint32Array", () => Uint32Array.of(0, 2 ** 32 - 1), "I", "[0, 2**32 - 1]"],
    ["BigInt64Array", () => BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), "q", "[-2**63, 2**63 - 1]"],
    ["BigUint64Array", () => BigUint64Array.of(0n, 2n ** 64n - 1n), "Q", "[0, 2**64 - 1]"],
    ["Float32Array", () => Float32Array.of(0.5, -0, 1 / 3), "f", "__import__('array').array('f', [0.5, -0.0, 1 / 3]).tolist()"],
    ["Float64Array", () => floats(0.5, -0, Number.MIN_VALUE, Number.POSITIVE_INFINITY), "d", "[0.5, -0.0, 5e-324, float('inf')]"],
  ] as const
).map(([name, js, format, items]) => ({
  name: `${name} arrives as a memoryview of format ${format}`,
  tags: [`from ${name}`],
  js,
  check: `type(x) is memoryview and x.format == '${format}' and x.tolist() == ${items}`,
}));

export const buffers = inGroup("buffers", [
  { name: "bytes arrive as a Uint8Array and return as bytes", python: "b'a\\x00\\xff'", js: () => bytesOf(97, 0, 255) },
  { name: "empty bytes are empty both ways", python: "b''", js: () => bytesOf() },
  { name: "all 256 byte values survive both ways", python: "bytes(range(256))", js: () => Uint8Array.from({ length: 256 }, (_, i) => i) },
  {
    name: "bytes around 255 and 65,536 keep their length",
    python: "[bytes(255), bytes(256), bytes(65536)]",
    js: () => [new Uint8Array(255), new Uint8Array(256), new Uint8Array(65536)],
  },
  {
    name: "bytes arrive as a plain Uint8Array with memory of their own",
    python: "b'abc'",
    expect: matching(
      "a Uint8Array that fills its buffer",
      (v: Uint8Array) => Object.getPrototypeOf(v) === Uint8Array.prototype && v.buffer.byteLength === 3,
    ),
  },
  {
    name: "a bytearray arrives as a Uint8Array and returns as a bytearray",
    python: "bytearray(b'ab')",
    expect: bytesOf(97, 98),
    roundTrip: true,
  },
  {
    name: "bytearray(bytes) makes Python receive a bytearray",
    js: () => bytearray(bytesOf(1, 2)),
    check: "type(x) is bytearray and x == b'\\x01\\x02'",
    roundTrip: true,
  },
  { name: "a bytes subclass stays a Python object", setup: "class Blob(bytes): pass", python: "Blob(b'a')", expect: aRef, roundTrip: true },
  {
    name: "an ArrayBuffer arrives as bytes and comes back as a Uint8Array (E6)",
    js: () => bytesOf(1, 2, 3).buffer,
    check: "type(x) is bytes and x == b'\\x01\\x02\\x03'",
  },
  {
    name: "a Uint8Array over part of a buffer sends only that part",
    js: () => bytesOf(9, 1, 2, 9).subarray(1, 3),
    check: "x == b'\\x01\\x02'",
    roundTrip: true,
  },
  {
    name: "a subclass of Uint8Array, such as Node's Buffer, arrives as bytes",
    js: () => new (class extends Uint8Array {})([1, 2]),
    check: "type(x) is bytes and x == b'\\x01\\x02'",
  },
  {
    name: "a DataView arrives as a memoryview of bytes",
    js: () => new DataView(bytesOf(9, 1, 2).buffer, 1),
    check: "type(x) is memoryview and x.format == 'B' and x.tolist() == [1, 2]",
  },
  {
    name: "a TypedArray at an odd offset of a copied buffer keeps its values",
    js: () => new Int16Array(Int16Array.of(9, 1, 2, 9).buffer, 2, 2),
    check: "x.format == 'h' and x.tolist() == [1, 2]",
  },
  {
    name: "an empty TypedArray keeps its format",
    js: () => new Float64Array(0),
    check: "x.format == 'd' and x.tolist() == [] and x.nbytes == 0",
  },
  ...typedArrays,
  {
    name: "a TypedArray that went to Python comes back as a handle whose toJs is the array again (E7)",
    act: async (t) => {
      const back = await t.evaluate({ source: "v", values: { v: Int16Array.of(1, -2) } });
      return [back, await t.toJs(back, {})];
    },
    expect: [aRef, Int16Array.of(1, -2)],
  },
  {
    name: "half floats from JavaScript arrive as a memoryview of format e",
    tags: ["from Float16Array"],
    act: async (t) => {
      const Half = (globalThis as { Float16Array?: new (items: number[]) => ArrayBufferView }).Float16Array;
      if (Half === undefined) return "this JavaScript has no Float16Array";
      return (await t.evaluate({ source: "v.format + str(v.tolist())", values: { v: new Half([0.5, -2]) } })) as string;
    },
    expect: matching("format e, or no such class here", (v: string) => v === "e[0.5, -2.0]" || v.startsWith("this JavaScript")),
  },
  {
    name: "an NDArray without NumPy arrives with its shape",
    js: () => new NDArray(Int32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 3] }),
    check: "tuple(x.shape) == (2, 3) and x.tolist() == [[1, 2, 3], [4, 5, 6]]",
  },
  {
    name: "an NDArray with strides arrives compacted",
    js: () => new NDArray(Int32Array.of(1, 2, 3, 4, 5, 6), { shape: [3, 2], strides: [1, 3] }),
    check: "x.tolist() == [[1, 4], [2, 5], [3, 6]]",
  },

  ...everyFormat,
  {
    name: "a view without axes is one element",
    tags: ["0-d"],
    python: "view((7).to_bytes(4, 'little'), '<i', ())",
    toJs: {},
    expect: matching("one int32 of 7", (v: Int32Array & { data?: Int32Array }) => (v.data ?? v)[0] === 7 && (v.data ?? v).length === 1),
  },
  {
    name: "a view with one axis is a TypedArray",
    tags: ["1-d"],
    python: `memoryview(${sixInts}).cast('i')`,
    toJs: {},
    expect: Int32Array.of(1, -2, 3, -4, 5, -6),
  },
  {
    name: "a C-ordered matrix is an NDArray with its shape",
    tags: ["2-d C"],
    python: `memoryview(${sixInts}).cast('i', (2, 3))`,
    toJs: {},
    expect: anNDArray("int32", [2, 3], Int32Array.of(1, -2, 3, -4, 5, -6)),
  },
  {
    name: "a Fortran-ordered matrix arrives in C order",
    tags: ["2-d F"],
    python: `view(${sixInts}, '<i', (2, 3), (4, 8))`,
    toJs: {},
    expect: anNDArray("int32", [2, 3], Int32Array.of(1, 3, 5, -2, -4, -6)),
  },
  {
    name: "a view with gaps arrives compacted",
    tags: ["strided"],
    python: `memoryview(${sixInts}).cast('i')[::2]`,
    toJs: {},
    expect: Int32Array.of(1, 3, 5),
  },
  {
    name: "a view that runs backwards arrives in its own order",
    tags: ["negative stride"],
    python: `memoryview(${sixInts}).cast('i')[::-1]`,
    toJs: {},
    expect: Int32Array.of(-6, 5, -4, 3, -2, 1),
  },
  {
    name: "a broadcast view arrives with its rows repeated",
    tags: ["broadcast"],
    python: `view(${sixInts}, '<i', (2, 3), (0, 4))`,
    toJs: {},
    expect: anNDArray("int32", [2, 3], Int32Array.of(1, -2, 3, 1, -2, 3)),
  },
  { name: "an empty view keeps its format", tags: ["empty"], python: "memoryview(b'').cast('d')", toJs: {}, expect: floats() },
  {
    name: "a matrix without rows keeps its shape",
    tags: ["empty"],
    python: "view(b'', '<d', (0, 3))",
    toJs: {},
    expect: anNDArray("float64", [0, 3], floats()),
  },
  {
    name: "a readonly view is copied into an array that may change",
    tags: ["readonly"],
    python: "memoryview(b'\\x01\\x02')",
    toJs: {},
    expect: bytesOf(1, 2),
  },
  {
    name: "big-endian memory arrives in native order",
    tags: ["big-endian"],
    python: "view(b'\\x00\\x00\\x01\\x02\\xff\\xff\\xff\\xfe', '>i', (2,))",
    toJs: {},
    expect: Int32Array.of(258, -2),
  },
  {
    name: "big-endian doubles arrive in native order",
    tags: ["big-endian"],
    setup: "import struct",
    python: "view(struct.pack('>2d', 0.1, -0.0), '>d', (2,))",
    toJs: {},
    expect: floats(0.1, -0),
  },

  { name: "a memoryview is a handle, and comes back as itself", python: "memoryview(b'abc')", expect: aRef, roundTrip: true },
  {
    name: "an array.array is a handle; toJs copies it by its type code",
    python: "__import__('array').array('H', [1, 65535])",
    toJs: {},
    expect: Uint16Array.of(1, 65535),
  },
  {
    name: "array('u') is text and has no number format: it is not copied as one",
    python: "__import__('array').array('u', 'ab')",
    expect: aRef,
  },
  {
    name: "an mmap is a handle; toJs copies its bytes",
    setup: "import mmap\nm = mmap.mmap(-1, 4096)\nm[:3] = b'abc'",
    python: "m",
    toJs: {},
    expect: matching("4,096 bytes that begin with abc", (v: Uint8Array) => v.length === 4096 && v[0] === 97 && v[2] === 99 && v[3] === 0),
  },
  {
    name: "a ctypes array is copied by its element type",
    setup: "import ctypes",
    python: "(ctypes.c_int16 * 3)(1, -2, 3)",
    toJs: {},
    expect: Int16Array.of(1, -2, 3),
  },
  {
    name: "a ctypes matrix keeps its shape",
    setup: "import ctypes",
    python: "((ctypes.c_double * 2) * 2)((1, 2), (3, 4))",
    toJs: {},
    expect: anNDArray("float64", [2, 2], floats(1, 2, 3, 4)),
  },
  {
    name: "a memoryview of an unknown format stays a handle",
    setup: "import ctypes\nclass P(ctypes.Structure): _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double)]",
    python: "memoryview((P * 2)())",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "toJs refuses a buffer of an unknown format",
    setup: "import ctypes\nclass P(ctypes.Structure): _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double)]",
    python: "memoryview((P * 2)())",
    toJs: {},
    throws: { code: "ERR_NOT_CONVERTIBLE" },
  },
  {
    name: "toJs of a released memoryview is Python's own ValueError",
    setup: "m = memoryview(b'abc')\nm.release()",
    python: "m",
    toJs: {},
    throws: { type: "ValueError", message: /released/ },
  },
  {
    name: "a copy does not change with its source",
    setup: "b = bytearray(b'abc')",
    act: async (t) => {
      const source = (await t.evaluate({
        setup: "import array",
        source: "array.array('i', [1, 2])",
        options: { convert: "ref" },
      })) as never;
      const copy = await t.toJs(source, {});
      await t.api.setItem(source, 0, 99);
      t.release(source);
      return copy;
    },
    expect: Int32Array.of(1, 2),
  },
  {
    name: "bytes inside containers arrive in place",
    python: "{'a': [b'x', bytearray(b'y')]}",
    expect: { a: [bytesOf(120), bytesOf(121)] },
    roundTrip: true,
  },
  {
    name: "a shared Uint8Array arrives once and stays one object",
    js: () => {
      const b = bytesOf(1);
      return [b, b];
    },
    check: "x[0] is x[1]",
  },
  {
    name: "shared memory of JavaScript is copied or shared, never refused",
    act: async (t) => {
      if (typeof SharedArrayBuffer === "undefined") return 5;
      const shared = new SharedArrayBuffer(2);
      new Uint8Array(shared).set([2, 3]);
      return t.evaluate({ source: "sum(bytes(v))", values: { v: shared } });
    },
    expect: 5,
  },
]);
