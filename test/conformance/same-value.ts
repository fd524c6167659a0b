/**
 * Type-exact deep comparison, without recursion and without a test framework.
 *
 * Numbers by `Object.is`; arrays with their frozenness (a tuple is not a list); Maps and Sets with
 * their order; Temporal values and the library's value classes by class and text; everything else by
 * prototype and own properties. Shared references and cycles must have the same shape on both sides:
 * once an object is paired with another, it may not meet a third.
 */
import { Having, Match, refLike } from "./match.ts";

interface Pair {
  readonly actual: unknown;
  readonly expected: unknown;
  readonly path: string;
}

/** Where and how `actual` is not `expected`; null when it is. */
export function difference(actual: unknown, expected: unknown): string | null {
  const todo: Pair[] = [{ actual, expected, path: "value" }];
  const partner = new Map<object, object>();
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const found = compare(pair, partner, todo);
    if (found !== null) return `${pair.path}: ${found}`;
  }
  return null;
}

function compare({ actual, expected, path }: Pair, partner: Map<object, object>, todo: Pair[]): string | null {
  if (expected instanceof Match) return expected.holds(actual) ? null : `${show(actual)} is not ${expected.says}`;
  if (expected instanceof Having) {
    if (!isObject(actual)) return `${show(actual)} is not an object`;
    for (const key of Object.keys(expected.fields).reverse()) {
      todo.push({ actual: Reflect.get(actual, key), expected: expected.fields[key], path: `${path}.${key}` });
    }
    return null;
  }
  if (Object.is(actual, expected)) return null;
  if (!isObject(actual) || !isObject(expected)) return `${show(actual)} is not ${show(expected)}`;
  if (refLike(actual) || refLike(expected)) return `${show(actual)} is not ${show(expected)}`;

  const known = partner.get(expected);
  if (known !== undefined) return known === actual ? null : "the same object arrived as two";
  partner.set(expected, actual);

  const kind = Object.prototype.toString.call(expected);
  if (Object.prototype.toString.call(actual) !== kind) return `${show(actual)} is not ${show(expected)}`;
  if (typeof expected === "function") return "not the same function";
  // The platform's Temporal or any copy of the polyfill.
  if (kind.startsWith("[object Temporal.")) {
    return String(actual) === String(expected) ? null : `${String(actual)} is not ${String(expected)}`;
  }
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) {
    return `its prototype is ${prototypeName(actual)}, not ${prototypeName(expected)}`;
  }
  if (ArrayBuffer.isView(expected) || expected instanceof ArrayBuffer)
    return compareBytes(actual as ArrayBufferView, expected as ArrayBufferView);
  if (expected instanceof Map) return pushEntries([...(actual as Map<unknown, unknown>)], [...expected], path, todo);
  if (expected instanceof Set) return pushEntries([...(actual as Set<unknown>)], [...expected], path, todo);
  if (expected instanceof Date)
    return (actual as Date).getTime() === expected.getTime() ? null : `${show(actual)} is not ${show(expected)}`;
  if (Array.isArray(expected) && Object.isFrozen(actual) !== Object.isFrozen(expected)) {
    return Object.isFrozen(expected) ? "a list arrived instead of a tuple" : "a tuple arrived instead of a list";
  }
  return pushProperties(actual, expected, path, todo);
}

function pushProperties(actual: object, expected: object, path: string, todo: Pair[]): string | null {
  const mine = ownKeys(actual);
  const wanted = ownKeys(expected);
  if (mine.length !== wanted.length) return `it has the properties ${show(mine)}, not ${show(wanted)}`;
  for (let i = wanted.length - 1; i >= 0; i--) {
    const key = wanted[i] as PropertyKey;
    if (mine[i] !== key) return `property ${i} is ${String(mine[i])}, not ${String(key)}`;
    todo.push({
      actual: read(actual, key),
      expected: read(expected, key),
      path: `${path}[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`,
    });
  }
  if (wanted.length === 0 && !isContainer(expected)) {
    const texts = [String(actual), String(expected)] as const;
    if (texts[0] !== texts[1]) return `${texts[0]} is not ${texts[1]}`;
  }
  return null;
}

function pushEntries(mine: readonly unknown[], wanted: readonly unknown[], path: string, todo: Pair[]): string | null {
  if (mine.length !== wanted.length) return `it has ${mine.length} entries, not ${wanted.length}`;
  for (let i = wanted.length - 1; i >= 0; i--) {
    const a = mine[i];
    const b = wanted[i];
    if (Array.isArray(a) && Array.isArray(b) && a.length === 2 && b.length === 2) {
      todo.push({ actual: a[1], expected: b[1], path: `${path}<value ${i}>` }, { actual: a[0], expected: b[0], path: `${path}<key ${i}>` });
    } else {
      todo.push({ actual: a, expected: b, path: `${path}<${i}>` });
    }
  }
  return null;
}

function compareBytes(actual: ArrayBufferView | ArrayBuffer, expected: ArrayBufferView | ArrayBuffer): string | null {
  const [a, b] = [bytesOf(actual), bytesOf(expected)];
  if (a.length !== b.length) return `it has ${a.length} bytes, not ${b.length}`;
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? null : `byte ${at} is ${a[at]}, not ${b[at]}`;
}

function bytesOf(view: ArrayBufferView | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view);
}

const isObject = (value: unknown): value is object => (typeof value === "object" && value !== null) || typeof value === "function";
const isContainer = (value: object): boolean => Array.isArray(value) || [null, Object.prototype].includes(Object.getPrototypeOf(value));
const ownKeys = (value: object): PropertyKey[] => Reflect.ownKeys(value).filter((key) => !(Array.isArray(value) && key === "length"));
const read = (value: object, key: PropertyKey): unknown => Object.getOwnPropertyDescriptor(value, key)?.value ?? Reflect.get(value, key);
const prototypeName = (value: object): string => Object.getPrototypeOf(value)?.constructor?.name ?? "null";

/** A value for people, short. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  if (typeof value === "bigint") return value > -(10n ** 40n) && value < 10n ** 40n ? `${value}n` : "a bigint of many digits";
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `a function (${refLike(value) ? "ref" : value.name})`;
  if (typeof value !== "object" || value === null) return String(value);
  if (refLike(value)) return "a ref";
  if (value instanceof Error) return `${value.name}: ${value.message.slice(0, 300)}`;
  if (Array.isArray(value))
    return `${Object.isFrozen(value) ? "tuple" : "array"} of ${value.length} [${value.slice(0, 5).map(brief).join(", ")}]`;
  if (value instanceof Map || value instanceof Set) return `${prototypeName(value)} of ${value.size}`;
  const text = brief(value);
  return text.startsWith("[object")
    ? `${text} with ${Reflect.ownKeys(value).slice(0, 10).map(String).join(", ")}`
    : `${prototypeName(value)} ${text}`;
}

function brief(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return typeof value.toString === "function" && !Array.isArray(value) && !refLike(value) ? String(value).slice(0, 120) : "…";
  }
  return typeof value === "bigint" ? show(value) : String(value).slice(0, 60);
}
