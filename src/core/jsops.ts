/**
 * What Python may do with a JavaScript object (PROTOCOL.md, section 6).
 *
 * Pure functions over real JS values. What is missing is said with Python's own exception names,
 * so that `except KeyError` works on a `Map` and `hasattr` on any object.
 */
import { PySlice } from "./values/slice.ts";

/** Thrown here, raised in Python as the built-in exception of that name. */
export class PythonName extends Error {
  constructor(
    override readonly name: "AttributeError" | "KeyError" | "IndexError" | "TypeError",
    message: string,
  ) {
    super(message);
  }
}

type Bag = Record<PropertyKey, unknown>;
const bag = (target: unknown): Bag => Object(target) as Bag;

/** Python's spelling of a JS name that is a Python keyword has a trailing underscore: `from_`. */
function nameIn(target: Bag, name: string): string | undefined {
  if (name in target) return name;
  const plain = name.endsWith("_") ? name.slice(0, -1) : name;
  return plain !== name && plain in target ? plain : undefined;
}

export function getProperty(target: unknown, name: string): unknown {
  const object = bag(target);
  const key = nameIn(object, name);
  if (key === undefined) throw new PythonName("AttributeError", `JavaScript ${kind(target)} has no property '${name}'`);
  return object[key];
}

export function setProperty(target: unknown, name: string, value: unknown): void {
  const object = bag(target);
  object[nameIn(object, name) ?? name] = value;
}

export function deleteProperty(target: unknown, name: string): void {
  const object = bag(target);
  const key = nameIn(object, name);
  if (key === undefined) throw new PythonName("AttributeError", `JavaScript ${kind(target)} has no property '${name}'`);
  delete object[key];
}

/** An iterator of a target: its own, synchronous if it has one; an iterator is its own. */
export function iterate(target: unknown): unknown {
  const object = bag(target) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  if (typeof object[Symbol.iterator] === "function") return object[Symbol.iterator]?.();
  if (typeof object[Symbol.asyncIterator] === "function") return object[Symbol.asyncIterator]?.();
  if (typeof bag(target)["next"] === "function") return target;
  throw new PythonName("TypeError", `JavaScript ${kind(target)} is not iterable`);
}

export type Page = readonly [done: boolean, items: readonly unknown[], value: unknown];

/** Up to n items. An iterator that answers with promises gives one, as a promise of a page. */
export function nextItems(target: unknown, n: number): Page | Promise<Page> {
  const iterator = target as Iterator<unknown>;
  const items: unknown[] = [];
  while (items.length < n) {
    const step = iterator.next() as IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
    if ("then" in step && typeof step.then === "function") {
      return Promise.resolve(step).then((s): Page => (s.done === true ? [true, [], s.value] : [false, [s.value], null]));
    }
    const { done, value } = step as IteratorResult<unknown>;
    if (done === true) return [true, items, value];
    items.push(value);
  }
  return [false, items, null];
}

export function closeIterator(target: unknown): unknown {
  return (target as Iterator<unknown>).return?.();
}

export function lengthOf(target: unknown): number {
  const size = sizeOf(target);
  if (size === undefined) throw new PythonName("TypeError", `JavaScript ${kind(target)} has no length`);
  return size;
}

function sizeOf(target: unknown): number | undefined {
  const { length, size } = bag(target) as { length?: unknown; size?: unknown };
  const found = typeof target === "function" ? undefined : typeof length === "number" ? length : size;
  return typeof found === "number" ? found : undefined;
}

/** Python's truth: what is empty is false. */
export function truth(target: unknown): boolean {
  if (Array.isArray(target) || ArrayBuffer.isView(target) || target instanceof Map || target instanceof Set) return sizeOf(target) !== 0;
  return Boolean(target);
}

interface Sequence {
  length: number;
  [index: number]: unknown;
}
const isSequence = (target: unknown): target is Sequence =>
  Array.isArray(target) || (ArrayBuffer.isView(target) && !(target instanceof DataView)) || target instanceof String;

/** Python's index of a sequence: negative ones count from the end. */
function indexIn(target: Sequence, key: unknown): number {
  if (typeof key !== "number" || !Number.isInteger(key)) {
    throw new PythonName("TypeError", `JavaScript ${kind(target)} indices must be integers`);
  }
  const index = key < 0 ? key + target.length : key;
  if (index < 0 || index >= target.length) throw new PythonName("IndexError", `JavaScript ${kind(target)} index out of range`);
  return index;
}

export function getItem(target: unknown, key: unknown): unknown {
  if (target instanceof Map) {
    if (!target.has(key)) throw missingKey(key);
    return target.get(key);
  }
  if (isSequence(target)) {
    if (key instanceof PySlice) return sliceOf(target, key);
    return target[indexIn(target, key)];
  }
  const object = bag(target);
  const name = propertyKey(key);
  if (!(name in object)) throw missingKey(key);
  return object[name];
}

export function setItem(target: unknown, key: unknown, value: unknown): void {
  if (target instanceof Map) target.set(key, value);
  else if (isSequence(target)) target[indexIn(target, key)] = value;
  else bag(target)[propertyKey(key)] = value;
}

export function deleteItem(target: unknown, key: unknown): void {
  if (target instanceof Map || target instanceof Set) {
    if (!target.delete(key)) throw missingKey(key);
  } else if (Array.isArray(target)) {
    target.splice(indexIn(target, key), 1);
  } else {
    const object = bag(target);
    const name = propertyKey(key);
    if (!(name in object)) throw missingKey(key);
    delete object[name];
  }
}

export function contains(target: unknown, key: unknown): boolean {
  if (target instanceof Map || target instanceof Set) return target.has(key);
  if (Array.isArray(target)) return target.includes(key);
  if (isSequence(target)) return Array.prototype.includes.call(target, key);
  if (typeof bag(target)[Symbol.iterator] === "function") {
    for (const item of target as Iterable<unknown>) if (item === key) return true;
    return false;
  }
  return propertyKey(key) in bag(target);
}

/** Names for `dir()`: own and inherited, without `Object.prototype`'s. */
export function names(target: unknown): string[] {
  const found = new Set<string>();
  for (
    let at: object | null = Object(target) as object;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(at)) found.add(name);
  }
  return [...found];
}

function sliceOf(target: Sequence, { start, stop, step }: PySlice): unknown[] {
  const stride = step === null || step === undefined ? 1 : Number(step);
  if (stride === 0) throw new PythonName("TypeError", "slice step cannot be zero");
  const { length } = target;
  const clamp = (value: unknown, fallback: number): number => {
    if (value === null || value === undefined) return fallback;
    const n = Number(value) < 0 ? Number(value) + length : Number(value);
    return stride > 0 ? Math.min(Math.max(n, 0), length) : Math.min(Math.max(n, -1), length - 1);
  };
  const items: unknown[] = [];
  const to = clamp(stop, stride > 0 ? length : -1);
  for (let i = clamp(start, stride > 0 ? 0 : length - 1); stride > 0 ? i < to : i > to; i += stride) items.push(target[i]);
  return items;
}

function propertyKey(key: unknown): PropertyKey {
  if (typeof key === "string" || typeof key === "symbol" || typeof key === "number") return key;
  throw missingKey(key);
}

function missingKey(key: unknown): PythonName {
  return new PythonName("KeyError", typeof key === "string" ? key : kind(key));
}

function kind(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value;
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "object";
}
