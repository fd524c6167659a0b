/** Arrow bytes against Arrow's own libraries: what pandas, polars and pyarrow give, as apache-arrow and pyarrow read it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { output, root } from "./support.ts";

const python = join(root, ".cache", "arrow", "venv", "bin", "python");
const library = join(root, ".cache", "arrow", "node_modules", "apache-arrow", "Arrow.node.mjs");
/** `scripts/setup/arrow.mjs` installs them. */
const absent = !existsSync(join(root, ".cache", "arrow", "complete"));

const program = (body: string) => `
  import { createPython, as, run, toJs, NDArray } from "isopy";
  import { tableFromIPC } from ${JSON.stringify(library)};
  const py = await createPython({ backend: "native", python: ${JSON.stringify(python)} });
  ${body}
  await py.close();
`;

const everyType = `
import datetime as D, decimal, io
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
days = [D.date(2020, 1, n + 1) for n in range(10)]
table = pa.table({
    'i8': pa.array([1, None, 3, 4, 5, 6, 7, 8, 9, 10], pa.int8()), 'u64': pa.array(range(10), pa.uint64()),
    'f16': pa.array(np.arange(10).astype('f2')), 'f': pa.array([1.5, None] * 5), 'f32': pa.array([.5] * 10, pa.float32()),
    'b': pa.array([True, False, None, True, True, False, True, False, True, None]),
    's': pa.array(['a', None, 'h\u00e9\u00e9', '', 'x' * 40] * 2), 'ls': pa.array(['a', None] * 5, pa.large_string()),
    'bin': pa.array([b'a', None] * 5), 'fsb': pa.array([b'abc'] * 10, pa.binary(3)),
    'd32': pa.array(days), 'd64': pa.array(days, pa.date64()), 't': pa.array([D.time(1, 2, 3, 4)] * 10),
    'ts': pa.array([D.datetime(2020, 1, 1)] * 10, pa.timestamp('ns', 'Europe/Berlin')),
    'ts0': pa.array([None] * 10, pa.timestamp('s')), 'dur': pa.array([D.timedelta(1)] * 10),
    'dec': pa.array([decimal.Decimal('1.23')] * 10), 'l': pa.array([[1, 2], None, [], [3]] + [[9]] * 6),
    'fl': pa.array([[1, 2]] * 10, pa.list_(pa.int32(), 2)), 'st': pa.array([{'x': 1, 'y': 'q'}, None] * 5),
    'dict': pa.array(['a', 'b', None, 'a', 'a'] * 2).dictionary_encode(), 'null': pa.nulls(10),
    'm': pa.array([[('k', 1)]] * 10, pa.map_(pa.string(), pa.int32())),
}).replace_schema_metadata({'k': 'v'})
named = table.schema.field('i8').with_metadata({'ARROW:extension:name': 'my.ext', 'ARROW:extension:metadata': '{}'})
table = table.set_column(0, named, table['i8'])
more = table.append_column('sv', pa.array(['a', 'x' * 40] * 5, pa.string_view())).append_column(
    'll', pa.array([[['a'], None]] * 10, pa.large_list(pa.list_(pa.string()))))

def same(data, expected):
    read = pa.ipc.open_stream(io.BytesIO(data)).read_all()
    read.validate(full=True)
    return read.equals(expected) and read.schema.equals(expected.schema, check_metadata=True)
`;

it.skipIf(absent)(
  "pyarrow reads back every type, sliced, in chunks, without rows",
  async () => {
    const printed = await output(
      program(`
    await py.exec(${JSON.stringify(everyType)});
    const sources = ["more", "more.slice(3, 5)", "more.slice(9)", "more.slice(0, 0)", "pa.table({})",
      "pa.concat_tables([more.slice(0, 3), more.slice(5, 4), more.slice(0, 0), more])"];
    for (const source of sources) {
      const data = await run(py.eval(source), { as: as.arrow() });
      console.log(await py.eval("same(data, " + source + ")", { locals: { data } }));
    }
    `),
    );
    expect(printed.split("\n")).toEqual(new Array(6).fill("true"));
  },
  60_000,
);

it.skipIf(absent)(
  "apache-arrow reads what pyarrow, polars and pandas give",
  async () => {
    const printed = await output(
      program(`
    await py.exec(${JSON.stringify(everyType)});
    const read = async (source) => tableFromIPC(await run(py.eval(source), { as: as.arrow() }));
    const table = await read("pa.concat_tables([table.slice(1, 5), table])");
    console.log(table.numRows, table.batches.length, table.schema.metadata.get("k"));
    console.log(table.schema.fields[0].metadata.get("ARROW:extension:name"));
    const at = (name, row) => table.getChild(name).get(row);
    console.log(at("i8", 0), at("i8", 1), at("u64", 2), at("f", 1), at("b", 0), at("s", 1), at("ls", 1), at("d32", 0), at("dict", 1), at("dict", 0), at("l", 1)?.length, at("st", 1)?.y, at("ts", 0));
    const polars = await read("pl.DataFrame({'i': [1, None], 'c': pl.Series(['x', 'y'], dtype=pl.Categorical), 'd': [D.date(2020, 1, 1)] * 2}).slice(1, 1)");
    console.log(polars.numRows, polars.getChild("i").get(0), polars.getChild("c").get(0));
    const pandas = await read("pd.DataFrame({'a': [1, 2], 's': ['x', None]})");
    console.log(pandas.getChild("a").get(1), pandas.getChild("s").get(0), pandas.getChild("s").get(1));
    `),
    );
    expect(printed.split("\n")).toEqual([
      "15 2 v",
      "my.ext",
      "null 3 3n 1.5 false héé a 1577923200000 null b 0 q 1577836800000",
      "1 null y",
      "2n x null",
    ]);
  },
  60_000,
);

it.skipIf(absent)(
  "polars frames and pyarrow tables are columns, and nothing of theirs stays allocated",
  async () => {
    const printed = await output(
      program(`
    await py.exec(${JSON.stringify(everyType)});
    const frame = await toJs(await py.eval("pl.DataFrame({'i': [1, 2], 's': ['x', None], 't': [D.datetime(2020, 1, 1)] * 2, 'c': pl.Series(['x', 'x'], dtype=pl.Categorical)})"));
    console.log(frame.i, frame.s, frame.t.dtype, frame.c.codes, frame.c.categories);
    const table = await toJs(await py.eval("table.slice(2, 2)"));
    console.log(table.i8, table.s, table.dec.map(String), table.st, table.m[0]);
    const before = await py.eval("pa.total_allocated_bytes()");
    for (let i = 0; i < 50; i++) await run(py.eval("pa.chunked_array([pa.array(range(1000))])"), { convert: "copy" });
    await py.exec("import gc; gc.collect()");
    console.log(await py.eval("pa.total_allocated_bytes() - before < 100_000", { locals: { before } }));
    `),
    );
    expect(printed).toContain("BigInt64Array(2) [ 1n, 2n ]");
    expect(printed).toContain("[ 'x', null ] datetime64[us] Int32Array(2) [ 0, 0 ] [ 'x' ]");
    expect(printed).toContain("Int8Array(2) [ 3, 4 ] [ 'héé', '' ] [ '1.23', '1.23' ] [ { x: 1, y: 'q' }, null ]");
    expect(printed.endsWith("true")).toBe(true);
  },
  60_000,
);
