/**
 * `toJs(x, { view: true })`: memory of Python as arrays of JavaScript, on every engine that can; a
 * typed refusal, never a copy in disguise, on every engine that cannot.
 */
import { NDArray, release } from "isopy";
import { matching } from "../match.ts";
import type { Loose, Runner } from "../runner.ts";
import { inGroup, type Vector, type Written } from "../vector.ts";

/** Views `source`, lets `look` use it together with Python's object, and ends the view. */
async function viewed(t: Runner, setup: string, source: string, look: (view: Loose, python: Loose) => unknown): Promise<unknown> {
  const python: Loose = await t.evaluate({ setup, source, options: { convert: "ref" } });
  try {
    const view: Loose = await t.toJs(python, { view: true });
    try {
      return await look(view, python);
    } finally {
      release(view);
    }
  } catch (error) {
    // Where memory is not shared this is the only right answer; elsewhere it is a failure.
    if (!t.capabilities.sharedMemory && (error as { code?: string }).code === "ERR_UNSUPPORTED") return "ERR_UNSUPPORTED";
    throw error;
  } finally {
    t.release(python);
  }
}

/** A row whose view must be `true` to `look`, or refused for the right reason. */
const row = (
  name: string,
  setup: string,
  source: string,
  look: (view: Loose, python: Loose, t: Runner) => unknown,
  tags: string[] = [],
) => ({
  name,
  tags,
  parts: [setup, source, String(look)],
  act: async (t: Runner) => {
    const outcome = await viewed(t, setup, source, (view, python) => look(view, python, t));
    return outcome === true || (outcome === "ERR_UNSUPPORTED" && !t.capabilities.sharedMemory) ? true : outcome;
  },
  expect: true,
});

const refused = (name: string, setup: string, source: string): Written => ({
  name,
  parts: [setup, source],
  act: async (t) => viewed(t, setup, source, () => "a view").then(String, (error: { code: string }) => error.code),
  expect: matching("a typed refusal", (code) => code === "ERR_NOT_CONVERTIBLE" || code === "ERR_UNSUPPORTED"),
});

const np = "import numpy as np";
const dtypes = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] as const;

const rows: readonly Written[] = [
  row("a view of an array.array sees writes of both sides", "import array", "array.array('d', [1, 2])", async (view, python, t) => {
    view[0] = 10;
    const seen = await t.evaluate({ source: "a[0]", values: { a: python } });
    await t.api.setItem(python, 1, 20);
    return view instanceof Float64Array && seen === 10 && view[1] === 20;
  }),
  row("a view of a matrix keeps its shape", "", "memoryview(bytearray(range(6))).cast('B', [2, 3])", (view) => {
    return view instanceof NDArray && view.shape.join() === "2,3" && view.at(1, 2) === 5;
  }),
  row(
    "a view of read-only memory is a copy that says so",
    "",
    "memoryview(b'ab')",
    (view) => view.readonly === true && view.data[0] === 97,
  ),
];

const numpyRows: readonly Written[] = [
  ...dtypes.map((dtype) =>
    row(`a view of ${dtype} elements shares them`, np, `np.array([1, 2, 3], dtype='${dtype}')`, async (view, python, t) => {
      view[2] = dtype.endsWith("64") && !dtype.startsWith("f") ? 7n : 7;
      return view.length === 3 && (await t.evaluate({ source: "int(a[2])", values: { a: python } })) === 7;
    }),
  ),
  row("a view of float16 elements shares their bits", np, "np.array([1, -2], dtype='float16')", (view) => view.buffer.byteLength === 4),
  row("a view of booleans is an NDArray", np, "np.array([True, False])", (view) => view.dtype === "bool" && view.data[0] === 1),
  row("a view of complex elements has two numbers for each", np, "np.array([[1+2j, 3-4j]])[:, ::-1]", (view) => {
    return String(view.at(0, 0)) === "3,-4" && view.dtype === "complex128";
  }),
  row("a view of dates is an NDArray with their unit", np, "np.array(['1970-01-02'], dtype='datetime64[D]')", (view) => {
    return view.dtype === "datetime64[D]" && view.at(0) === 1n;
  }),
  row("a view of every other element, backwards, keeps its strides", np, "np.arange(10.0)[::-2]", async (view, python, t) => {
    view.data[view.offset] = 99;
    const first = await t.evaluate({ source: "float(a[0])", values: { a: python } });
    return first === 99 && view.strides[0] === -2 && [...view].join() === "99,7,5,3,1";
  }),
  row("a view in Fortran's order says so", np, "np.asfortranarray(np.arange(6.0).reshape(2, 3))", (view) => {
    return view.order === "F" && view.at(1, 2) === 5;
  }),
  row("a view of a scalar array has no axes", np, "np.array(5.0)", (view) => view.shape.length === 0 && view.at() === 5),
  row("a view of no elements is empty", np, "np.zeros((0, 3))", (view) => view.length === 0 && view.shape.join() === "0,3"),
  row("a view of a read-only array is a copy that says so", np, "np.broadcast_to(np.arange(2.0), (3, 2))", (view) => {
    return view.readonly === true && view.at(2, 1) === 1;
  }),
  refused("a view of foreign byte order is refused", np, "np.arange(3, dtype='>i4' if __import__('sys').byteorder == 'little' else '<i4')"),
  refused("a view of a structured array is refused", np, "np.zeros(2, dtype=[('a', 'i4'), ('b', 'f8')])"),
  refused("a view of objects is refused", np, "np.array([1, 'a'], dtype=object)"),
  refused("a view of elements at odd distances is refused", np, "np.zeros(4, dtype=[('a', 'i1'), ('b', 'i4')])['b']"),
].map((one) => ({ requires: "numpy" as const, ...one }));

export const views: readonly Vector[] = [...inGroup("buffers", rows), ...inGroup("numpy", numpyRows)];
