/**
 * Which objects are data: object literals of any realm, and objects without a prototype.
 */

/** Whether `proto` is some realm's `Object.prototype`. */
function isObjectPrototype(proto: object): boolean {
  return proto === Object.prototype || (Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, "isPrototypeOf"));
}

export function isPlainPrototype(proto: object | null): boolean {
  return proto === null || isObjectPrototype(proto);
}

export function isPlainObject(value: object): boolean {
  return isPlainPrototype(Object.getPrototypeOf(value) as object | null);
}

/** Whether an array is an Array and not of a subclass: `Array.prototype` is an array itself, in every realm. */
export function isPlainArray(value: readonly unknown[]): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Array.prototype || (Array.isArray(proto) && isObjectPrototype(Object.getPrototypeOf(proto) as object));
}

/** Whether `proto` is the prototype that some realm's built-in `name` gives to its instances, and not a subclass's. */
export function isBuiltinPrototype(proto: object, name: string): boolean {
  const parent: unknown = Object.getPrototypeOf(proto);
  if (parent === null || !isObjectPrototype(parent as object)) return false;
  return (Object.getOwnPropertyDescriptor(proto, "constructor")?.value as { name?: unknown } | undefined)?.name === name;
}
