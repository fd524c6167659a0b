/**
 * Extension values into JavaScript: one function per tag (PROTOCOL.md, section 1).
 *
 * Operands come from a stream, so each is checked for its type before it is used. A shape that no
 * honest engine sends is `ERR_PROTOCOL`; a value that JavaScript cannot hold is refused with its path.
 */
import { EngineError, type EngineErrorCode } from "../errors.ts";
import { PyComplex } from "../values/complex.ts";
import { PyDecimal } from "../values/decimal.ts";
import { PyFraction } from "../values/fraction.ts";
import { PyRange } from "../values/range.ts";
import { Ellipsis, NotImplemented } from "../values/singletons.ts";
import { PySlice } from "../values/slice.ts";
import { markOrdered } from "../values/tags.ts";
import { ConversionProblem, toTemporal } from "../values/temporal.ts";
import { readArray, readBuffer, readStrings, readView } from "./buffers.ts";
import type { Decoder } from "./decode.ts";
import { readError } from "./error.ts";
import { fail } from "./settle.ts";

type Operands = readonly unknown[];
type Reader = (from: Decoder, operands: Operands) => unknown;

export function extensionValue(from: Decoder, operands: readonly [string, ...unknown[]]): unknown {
  const tag = operands[0];
  const read = Object.hasOwn(READERS, tag) ? READERS[tag] : undefined;
  if (read === undefined) fail(`it has the extension value ${JSON.stringify(tag.slice(0, 40))}, which is unknown here`);
  try {
    return read(from, operands);
  } catch (error) {
    if (error instanceof ConversionProblem) return from.refuse(error.message, error.hint);
    // A number out of range or a zone without data: Temporal and the value classes say what is wrong.
    if (error instanceof RangeError) return from.refuse(error.message);
    if (error instanceof EngineError && error.code === "ERR_ARGUMENT") return from.refuse(error.message);
    throw error;
  }
}

export function number(value: unknown): number {
  return typeof value === "number"
    ? value
    : typeof value === "bigint"
      ? Number(value)
      : fail("an extension value holds no number where it needs one");
}

export function id(value: unknown): number {
  const found = number(value);
  return Number.isSafeInteger(found) && found > 0 ? found : fail("an id is no positive integer");
}

function whole(value: unknown): number {
  const found = number(value);
  return Number.isSafeInteger(found) ? found : fail("an array has a size that is no integer");
}

function index(value: unknown): number {
  const found = whole(value);
  return found >= 0 ? found : fail("an array has a negative size");
}

function integer(value: unknown): number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value)
    ? (value as number | bigint)
    : fail("an extension value holds no int where it needs one");
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : fail("an extension value holds no text where it needs one");
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : fail("an extension value holds no list where it needs one");
}

/** A dict of the codec itself, whatever the options made of it. */
export function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) fail("an extension value holds no dict where it needs one");
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  return Array.isArray(value)
    ? (Object.fromEntries(value as [string, unknown][]) as Record<string, unknown>)
    : (value as Record<string, unknown>);
}

const temporal =
  (count: number): Reader =>
  (_from, operands) =>
    toTemporal(operands[0] as string, operands.slice(1, count + 1).map(number), operands[9] == null ? null : text(operands[9]));

/** A dict as a Map, or as the options want it. */
function mapOf(from: Decoder, entries: readonly (readonly [unknown, unknown])[], ordered: boolean): unknown {
  const { dict } = from.options;
  if (dict === "entries") return entries.map(([key, value]) => [key, value]);
  if (dict === "object") {
    if (!entries.every(([key]) => typeof key === "string")) {
      return from.refuse('it has keys that are no text, and { dict: "object" } was asked for', 'Use { dict: "auto" } or { dict: "map" }.');
    }
    return Object.fromEntries(entries);
  }
  const map = new Map(entries);
  return ordered ? markOrdered(map) : map;
}

function pairs(value: unknown): (readonly [unknown, unknown])[] {
  return items(value).map((pair) => {
    const both = items(pair);
    return both.length === 2 ? (both as unknown as readonly [unknown, unknown]) : fail("a pair has not two parts");
  });
}

const READERS: Readonly<Record<string, Reader>> = {
  ref: (from, [, handle, flags, name]) => from.inbound.ref(id(handle), number(flags ?? 0), text(name ?? "")),
  rule: (from, [, rule, data]) => from.inbound.rule(id(rule), data),
  js: (from, [, callback]) => from.inbound.lent(id(callback)),
  complex: (_from, [, re, im]) => new PyComplex(number(re), number(im)),
  range: (_from, [, start, stop, step]) => new PyRange(integer(start), integer(stop), integer(step)),
  slice: (_from, [, start, stop, step]) => new PySlice(start, stop, step),
  ellipsis: () => Ellipsis,
  notimplemented: () => NotImplemented,
  decimal: (from, [, digits]) => {
    const exact = new PyDecimal(text(digits));
    const { decimal } = from.options;
    return decimal === "string" ? exact.toString() : decimal === "number" ? exact.toNumber() : exact;
  },
  fraction: (_from, [, numerator, denominator]) => new PyFraction(BigInt(integer(numerator)), BigInt(integer(denominator))),
  date: temporal(3),
  time: temporal(4),
  datetime: temporal(7),
  zoned: temporal(8),
  timedelta: temporal(3),
  enum: (from, [, handle, name, value, typeName]) => from.inbound.enumMember(id(handle), text(name), value, text(typeName)),
  namedtuple: (from, [, cls, typeName, fields, values]) => {
    const named = [...items(values)];
    const type = { cls: cls as object, typeName: text(typeName), fields: items(fields).map(text) };
    from.named.push([named, type]);
    return named;
  },
  odict: (from, [, entries]) => mapOf(from, pairs(entries), true),
  map: (from, [, dict]) => {
    if (dict instanceof Map || Array.isArray(dict)) return dict;
    return mapOf(from, Object.entries(record(dict)), false);
  },
  buffer: (from, [, format, bytes]) => readBuffer(from, text(format), bytes),
  ndarray: (from, [, dtype, shape, bytes, extra]) => readArray(from, text(dtype), items(shape).map(number), bytes, record(extra ?? {})),
  memory: (from, [, number]) => new Uint8Array(from.inbound.copied(id(number))),
  view: (from, [, number, size, dtype, shape, strides, offset, extra]) =>
    readView(from, {
      buffer: from.inbound.memory(id(number)),
      size: index(size),
      dtype: text(dtype),
      shape: items(shape).map(index),
      strides: items(strides).map(whole),
      offset: index(offset),
      extra: record(extra ?? {}),
    }),
  strings: (_from, [, shape, texts]) => readStrings(items(shape).map(number), items(texts).map(text)),
  error: (from, [, fields]) => readError(from.inbound, record(fields)),
  engine_error: (_from, [, code, message, hint, cause]) =>
    new EngineError(
      text(code) as EngineErrorCode,
      text(message),
      hint == null ? undefined : text(hint),
      cause == null ? undefined : { cause },
    ),
};
