/**
 * Arrow data of any producer: as columns, as buffers, as IPC bytes. The producer is plain Python
 * (`test/python/arrow_producer.py`), so the rows run on every engine and need no library.
 */
import { as, NDArray, tuple } from "isopy";
import producer from "../../python/arrow_producer.py?raw";
import { having, matching } from "../match.ts";
import { inGroup, type Written } from "../vector.ts";

const ints = "Spec('i', (None, struct.pack('=4i', 1, 2, 3, 4)), 4, name='n')";
const words = "Spec('u', (b'\\x0d', struct.pack('=5i', 0, 1, 1, 3, 6), 'aé漢'.encode()), 4, name='w', nulls=1)";
const times = "Spec('tsm:UTC', (None, struct.pack('=4q', 0, 1, 2, 3)), 4, name='t')";
const table = (columns: string, length: number, offset = 0) =>
  `Spec('+s', (None,), ${length}, offset=${offset}, children=(${columns},), flags=0)`;

/** The producer's module, compiled once, so that its classes are the same everywhere. */
const setup = `import struct, sys, types
if 'isopy_arrow_producer' not in sys.modules:
    module = types.ModuleType('isopy_arrow_producer')
    exec(compile(${JSON.stringify(producer)}, 'arrow_producer.py', 'exec'), module.__dict__)
    sys.modules['isopy_arrow_producer'] = module
from isopy_arrow_producer import Producer, Spec`;

const rows: readonly Written[] = [
  {
    name: "toJs of an object with __arrow_c_stream__ gives its columns, chunks joined",
    tags: ["fake __arrow_c_stream__"],
    python: `Producer(${table(`${ints}, ${words}`, 4)}, ${table(`${ints}, ${words}`, 1, 2)})`,
    toJs: {},
    expect: { n: Int32Array.of(1, 2, 3, 4, 3), w: ["a", null, "é", "漢", "é"] },
  },
  {
    name: "a column of moments keeps its unit and its zone",
    python: `Producer(${table(times, 4)})`,
    toJs: {},
    expect: having({
      t: matching("datetime64[ms] in UTC", (t: NDArray) => {
        return t instanceof NDArray && t.dtype === "datetime64[ms]" && t.extra["timeZone"] === "UTC" && t.at(3) === 3n;
      }),
    }),
  },
  {
    name: "as.arrow('buffers') gives the buffers of each column, from its first element on",
    python: `Producer(${table(words, 2, 2)})`,
    toJs: { as: as.arrow("buffers") },
    expect: having({
      fields: [having({ name: "w", format: "u", nullable: true })],
      batches: [
        having({
          length: 2,
          columns: [
            having({ nullCount: 0, buffers: [null, new Uint8Array(Int32Array.of(0, 2, 5).buffer), new TextEncoder().encode("é漢")] }),
          ],
        }),
      ],
    }),
  },
  {
    name: "as.arrow() gives an IPC stream: messages of 8 bytes each, and an end",
    python: `Producer(${table(ints, 4)})`,
    toJs: { as: as.arrow() },
    expect: matching("an IPC stream", (bytes: Uint8Array) => {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      return words[0] === -1 && words[1] === ((words[1] ?? 0) >> 3) << 3 && words.at(-2) === -1 && words.at(-1) === 0;
    }),
  },
  {
    name: "every struct of a producer is released once",
    setup,
    act: async (t) => {
      const source = await t.evaluate({ setup, source: `Producer(${table(ints, 4)}, ${table(ints, 4)})`, options: { convert: "ref" } });
      await t.toJs(source, { as: as.arrow() });
      const counts = await t.evaluate({ source: "sorted(p.released.items()) if p.released == p.made else p.made", values: { p: source } });
      t.release(source);
      return counts;
    },
    expect: [
      ["array", 2],
      ["schema", 1],
      ["stream", 1],
    ].map((pair) => tuple(pair)),
  },
  {
    name: "a type that does not cross is refused with its column",
    python: `Producer(${table("Spec('+us:0', (b'',), 0, name='u')", 0)})`,
    toJs: {},
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /'u'/ },
  },
  {
    name: "what offers no Arrow data is a TypeError that says so",
    python: "object()",
    toJs: { as: as.arrow() },
    throws: { type: "TypeError", message: /__arrow_c_stream__/ },
  },
];

const frames: readonly Written[] = [
  {
    name: "a frame as Arrow data needs no pyarrow",
    requires: "pandas",
    setup: "import pandas as pd",
    python: "pd.DataFrame({'a': [1, None], 's': ['x', None]})",
    toJs: { as: as.arrow("buffers") },
    expect: having({
      fields: [having({ name: "a", format: "g" }), having({ name: "s" })],
      batches: [having({ length: 2, columns: [having({ nullCount: 1 }), having({ nullCount: 1 })] })],
    }),
  },
  {
    name: "a frame whose columns have several levels becomes pairs, and each name is a tuple",
    requires: "pandas",
    setup: "import pandas as pd",
    python: "pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([('a', 'x'), ('a', 'y')]))",
    toJs: {},
    expect: [
      [tuple(["a", "x"]), Float64Array.of(1)],
      [tuple(["a", "y"]), Float64Array.of(2)],
    ],
  },
  {
    name: "missing text of a frame is null",
    requires: "pandas",
    setup: "import pandas as pd",
    python: "pd.DataFrame({'s': ['x', None], 't': pd.array(['x', None], dtype='string')})",
    toJs: {},
    expect: { s: ["x", null], t: ["x", null] },
  },
  {
    name: "moments of a frame with a zone keep it, and what is missing is NaT",
    requires: "pandas",
    setup: "import pandas as pd",
    python: "pd.DataFrame({'t': pd.to_datetime(['1970-01-01', None], utc=True).tz_convert('Europe/Berlin')})",
    toJs: {},
    expect: having({
      t: matching("0 and NaT", (t: NDArray) => {
        return t.extra["timeZone"] === "Europe/Berlin" && t.at(0) === 0n && t.at(1) === -(2n ** 63n);
      }),
    }),
  },
];

export const arrow = inGroup("numpy", [...rows.map((row) => ({ setup, ...row })), ...frames]);
