/**
 * What a value that stays in JavaScript can do, told to Python once when it is lent.
 */
import { LentFlag } from "../wire/frames.ts";

/** Flags and a name for a function, symbol or object. */
export function describeLent(value: object | symbol): readonly [flags: number, name: string] {
  if (typeof value === "symbol") return [LentFlag.SYMBOL, value.description ?? ""];
  if (typeof value === "function") {
    const isClass = Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false;
    return [LentFlag.FUNCTION | (isClass ? LentFlag.CLASS : 0) | abilities(value), String((value as { name: unknown }).name)];
  }
  const isError = value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  const flags = abilities(value) | (isError ? LentFlag.ERROR : 0) | (Array.isArray(value) ? LentFlag.ARRAY : 0);
  return [flags, isError ? String((value as Error).name) : className(value)];
}

function abilities(value: object): number {
  const has = (key: PropertyKey): boolean => key in value;
  const method = (key: PropertyKey): boolean => has(key) && typeof Reflect.get(value, key) === "function";
  let flags = 0;
  if (method(Symbol.iterator)) flags |= LentFlag.ITERABLE;
  if (method(Symbol.asyncIterator)) flags |= LentFlag.ASYNC_ITERABLE;
  if (method("then")) flags |= LentFlag.THENABLE;
  if (typeof value === "function") return flags;
  if (flags & LentFlag.ITERABLE && method("next")) flags |= LentFlag.ITERATOR;
  if (ArrayBuffer.isView(value) || Array.isArray(value) || has("size") || has("length")) flags |= LentFlag.HAS_LENGTH;
  return flags;
}

function className(value: object): string {
  const proto = Object.getPrototypeOf(value) as object | null;
  const constructor: unknown = proto === null ? undefined : Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
  if (typeof constructor === "function" && constructor.name !== "") return constructor.name;
  return Object.prototype.toString.call(value).slice(8, -1);
}
