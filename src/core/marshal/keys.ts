/**
 * Which Map keys and Set members Python can hash, and which of them it would merge.
 *
 * Python's dict holds `True`, `1` and `1.0` as one key where a JS Map holds `true`, `1` and `1n` as
 * three, and compares tuples and bytes by content. Merging would drop data silently, so it is found
 * here. `canonical` gives equal results exactly for keys that Python compares as equal, as far as
 * that can be known without Python.
 */
import { PyComplex } from "../values/complex.ts";
import { PyDecimal } from "../values/decimal.ts";
import { PyFloat } from "../values/float.ts";
import { PyFraction } from "../values/fraction.ts";
import { PyRange } from "../values/range.ts";
import { PySlice } from "../values/slice.ts";
import { isBytearray, isFrozenset, isTuple } from "../values/tags.ts";
import { temporalKind } from "../values/temporal.ts";
import { isPlainArray, isPlainObject } from "./plain.ts";

/** Of what Python refuses as a key. */
const UNHASHABLE = Symbol("unhashable");

/** What is wrong with these keys, for people; undefined when nothing is. */
export function keyProblem(container: { keys(): Iterable<unknown> }): string | undefined {
  let kinds = 0;
  for (const key of container.keys()) kinds |= key === null || key === undefined ? 8 : (EASY[typeof key] ?? 16);
  // Only strings, or only numbers: JS and Python agree on what is equal (SameValueZero; one NaN).
  if (kinds <= 2) return undefined;
  const seen = new Map<unknown, unknown>();
  for (const key of container.keys()) {
    const same = canonical(key, 0);
    if (same === UNHASHABLE) return `${describe(key)} cannot be a key in Python, because it can change`;
    if (seen.has(same)) return `${describe(seen.get(same))} and ${describe(key)} are one and the same key in Python`;
    seen.set(same, key);
  }
  return undefined;
}

const EASY: Readonly<Record<string, number>> = { string: 1, number: 2 };

function canonical(key: unknown, depth: number): unknown {
  switch (typeof key) {
    case "string":
      return `s${key}`;
    case "number":
      return key;
    case "boolean":
      return Number(key);
    case "bigint":
      return integer(key);
    case "undefined":
      return null;
    case "object":
      return key === null ? null : ofObject(key, depth);
    default:
      return key;
  }
}

/** A BigInt that a double holds exactly equals that double in Python. */
function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isFinite(number) && BigInt(number) === value ? number : value;
}

function ofObject(key: object, depth: number): unknown {
  if (depth > 1000) return UNHASHABLE;
  if (Array.isArray(key)) return isTuple(key) ? ofParts("t", key, depth) : isPlainArray(key) ? UNHASHABLE : key;
  if (key instanceof Set) return isFrozenset(key) ? ofMembers(key, depth) : UNHASHABLE;
  if (key instanceof Map || key instanceof PySlice || isPlainObject(key)) return UNHASHABLE;
  if (key instanceof PyFloat || key instanceof Number || key instanceof Boolean) return Number(key.valueOf());
  if (key instanceof String) return `s${key.valueOf()}`;
  if (key instanceof PyComplex) return key.im === 0 ? key.re : `c${key.re + 0},${key.im}`;
  if (key instanceof PyFraction) return ratio(key.numerator, key.denominator);
  if (key instanceof PyDecimal) return ofDecimal(key);
  if (key instanceof PyRange) {
    const length = key.length;
    return length === 0 || length === 0n ? "r" : `r${key.start},${length}${length === 1 ? "" : `,${key.step}`}`;
  }
  if (key instanceof Date) return Number.isNaN(key.getTime()) ? key : `z${BigInt(key.getTime()) * 1_000_000n}`;
  if (key instanceof Uint8Array || key instanceof ArrayBuffer) {
    return isBytearray(key) ? UNHASHABLE : ofBytes(key instanceof ArrayBuffer ? new Uint8Array(key) : key);
  }
  if (ArrayBuffer.isView(key)) return UNHASHABLE;
  const kind = temporalKind(key);
  if (kind === undefined) return key;
  if (kind === "ZonedDateTime" || kind === "Instant") return `z${(key as { epochNanoseconds: bigint }).epochNanoseconds}`;
  return `${kind}${String(key)}`;
}

function ofBytes(bytes: Uint8Array): string {
  let text = "b";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
}

function ofParts(kind: string, parts: Iterable<unknown>, depth: number): unknown {
  let text = kind;
  for (const part of parts) {
    const same = canonical(part, depth + 1);
    if (same === UNHASHABLE) return UNHASHABLE;
    const piece =
      typeof same === "object" || typeof same === "function" || typeof same === "symbol"
        ? identity(same)
        : `${typeof same === "string" ? "" : "n"}${Object.is(same, -0) ? 0 : String(same)}`;
    text += `${piece.length}:${piece}`;
  }
  return text;
}

function ofMembers(members: Iterable<unknown>, depth: number): unknown {
  const pieces: string[] = [];
  for (const member of members) {
    const piece = ofParts("", [member], depth);
    if (typeof piece !== "string") return UNHASHABLE;
    pieces.push(piece);
  }
  return `f${pieces.sort().join("")}`;
}

const identities = new WeakMap<WeakKey, number>();
let lastIdentity = 0;
/** Text for an object, or symbol, that equals only itself. */
function identity(value: object | symbol | null): string {
  if (value === null) return "none";
  if (typeof value === "symbol") return `y${String(value)}`;
  let id = identities.get(value);
  if (id === undefined) identities.set(value, (id = ++lastIdentity));
  return `o${id}`;
}

/** Python compares numbers by exact value, whatever their types. */
function ratio(numerator: bigint, denominator: bigint): unknown {
  if (denominator === 1n) return integer(numerator);
  const number = Number(numerator) / Number(denominator);
  // A double is a ratio whose denominator is a power of two; below 2^53 the quotient is then exact.
  const exact = (denominator & (denominator - 1n)) === 0n && Number.isSafeInteger(Number(numerator)) && Number.isFinite(number);
  return exact ? number : `q${numerator}/${denominator}`;
}

function ofDecimal(value: PyDecimal): unknown {
  const { exponent } = value;
  if (exponent === "F") return value.toNumber();
  if (typeof exponent === "string") return exponent === "N" ? UNHASHABLE : value;
  const digits = BigInt(value.digits) * (value.sign === 1 ? -1n : 1n);
  if (digits === 0n) return 0;
  // Far exponents would need a power of ten with that many digits; such numbers equal no double.
  if (Math.abs(exponent) > 400)
    return `d${value.digits.replace(/0+$/, "")}e${exponent + (value.digits.length - value.digits.replace(/0+$/, "").length)}${value.sign}`;
  const power = 10n ** BigInt(Math.abs(exponent));
  if (exponent >= 0) return integer(digits * power);
  const reduced = new PyFraction(digits, power);
  return ratio(reduced.numerator, reduced.denominator);
}

/** A key for people, short. */
export function describe(key: unknown): string {
  if (typeof key === "string") return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
  if (typeof key === "bigint") return `${key}n`;
  if (typeof key === "function") return "a function";
  if (typeof key === "object" && key !== null)
    return isTuple(key) ? "a tuple" : `an object (${Object.prototype.toString.call(key).slice(8, -1)})`;
  return String(key);
}
