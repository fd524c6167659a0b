/**
 * One buffer format in all of its byte orders and shapes, compared element by element.
 *
 * `probe.py` makes the views and says what they hold; here is what TypedArray that must become.
 */
import { NDArray } from "isopy";
import type { Runner } from "./runner.ts";
import { difference } from "./same-value.ts";

type Fact = readonly [format: string, kind: string, size: number, shape: readonly number[], items: readonly (number | bigint)[]];

/** What differs, one line per case; empty when everything is exact. */
export async function differenceOfBuffers(t: Runner, code: string): Promise<readonly string[]> {
  const cases = await t.evaluate({ source: "buffer_cases(code)", values: { code }, options: { convert: "ref" } });
  const [arrays, facts] = (await t.toJs(cases, {})) as [readonly unknown[], readonly Fact[]];
  t.release(cases);
  const problems: string[] = [];
  for (const [i, [format, kind, size, shape, items]] of facts.entries()) {
    const found = compare(arrays[i], code, size, shape, items);
    if (found !== null) problems.push(`${format} ${kind}: ${found}`);
  }
  return problems;
}

function compare(
  actual: unknown,
  code: string,
  size: number,
  shape: readonly number[],
  items: readonly (number | bigint)[],
): string | null {
  const expected = typed(code, size, items);
  if (!(actual instanceof NDArray)) return shape.length <= 1 ? difference(actual, expected) : `not an NDArray of shape ${shape.join("×")}`;
  if (shape.length === 1) return "an NDArray instead of a TypedArray";
  return difference([...actual.shape], [...shape]) ?? difference(actual.compact().data, expected);
}

function typed(code: string, size: number, items: readonly (number | bigint)[]): ArrayBufferView {
  const numbers = items.map(Number);
  if (code === "e") return half(numbers);
  if (code === "f") return Float32Array.from(numbers);
  if (code === "d") return Float64Array.from(numbers);
  if (code === "?" || code === "c") return Uint8Array.from(numbers);
  if (size === 8) return (code === "P" || /[A-Z]/.test(code) ? BigUint64Array : BigInt64Array).from(items.map(BigInt));
  const unsigned = /[A-Z]/.test(code);
  if (size === 4) return (unsigned ? Uint32Array : Int32Array).from(numbers);
  if (size === 2) return (unsigned ? Uint16Array : Int16Array).from(numbers);
  return (unsigned ? Uint8Array : Int8Array).from(numbers);
}

/** Bits of the half floats among the samples, for platforms without Float16Array. */
const BITS = new Map<number, number>([
  [0, 0x0000],
  [1.5, 0x3e00],
  [-2.25, 0xc080],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NaN, 0x7e00],
]);

function half(numbers: readonly number[]): ArrayBufferView {
  const bits = Uint16Array.from(numbers, (n) => (Object.is(n, -0) ? 0x8000 : (BITS.get(n) ?? 0)));
  const Half = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => ArrayBufferView }).Float16Array;
  return Half === undefined ? bits : new Half(bits.buffer);
}
