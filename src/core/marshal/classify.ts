/**
 * What an object becomes in Python (`spec/marshalling.md`, section 13.2), by its exact kind.
 *
 * Kinds are found by prototype first, which is what makes a subclass different from its base, and
 * by brand for values of other realms. What is no data is lent. Refs and expressions are asked for
 * before anything is read from a value, because they answer every property.
 */
import { EngineError } from "../errors.ts";
import { LentMemory } from "../lent-memory.ts";
import { PyComplex } from "../values/complex.ts";
import { PyDecimal } from "../values/decimal.ts";
import { PyEnumMember } from "../values/enum.ts";
import { PyFloat } from "../values/float.ts";
import { PyFraction } from "../values/fraction.ts";
import { Kwargs } from "../values/kwargs.ts";
import { NDArray } from "../values/ndarray.ts";
import { PyRange } from "../values/range.ts";
import { Ellipsis, NotImplemented } from "../values/singletons.ts";
import { PySlice } from "../values/slice.ts";
import { isFrozenset, isOrdered, isTuple, namedTupleType } from "../values/tags.ts";
import { fromEpoch, fromTemporal, temporalKind } from "../values/temporal.ts";
import { writeArray, writeBuffer, writeView } from "./buffers.ts";
import type { Encoder } from "./encoder.ts";
import { type Frame, Kind } from "./frame.ts";
import { describeLent } from "./lend.ts";
import { Extension, RawValue, TupleOf } from "./literals.ts";
import { isBuiltinPrototype, isPlainArray, isPlainPrototype } from "./plain.ts";
import { thrownOf } from "./thrown.ts";

type Written = Frame | undefined;

/** `value[toPython]()` is sent instead of `value`. */
export const toPython: unique symbol = Symbol.for("py.toPython") as never;
const MAX_HOOKS = 100;

export function classify(to: Encoder, value: object | symbol, hooks = 0): Written {
  if (typeof value === "symbol") return lend(to, value);
  let array: boolean;
  try {
    array = Array.isArray(value);
  } catch (cause) {
    if (cause instanceof TypeError) return to.refuse("it is a revoked Proxy");
    throw cause;
  }
  if (typeof value === "function") return ofReference(to, value) ? undefined : ofHook(to, value, hooks);
  if (to.outbound.marked(value) !== undefined) return lend(to, value);
  if (array) return ofArray(to, value as readonly unknown[]);
  const proto = Object.getPrototypeOf(value) as object | null;
  if (proto === Object.prototype || isPlainPrototype(proto)) return ofPlain(to, value as Record<PropertyKey, unknown>, hooks);
  return ofInstance(to, value, proto as object, hooks);
}

function lend(to: Encoder, value: object | symbol): Written {
  const ruled = typeof value === "symbol" ? undefined : to.outbound.ruled(value);
  if (ruled !== undefined) return to.openFrozen(Kind.EXTENSION, undefined, ["rule", ...ruled]);
  const [own, name] = describeLent(value);
  const flags = own | (typeof value === "symbol" ? 0 : (to.outbound.marked(value) ?? 0));
  to.extension("js", [to.outbound.lend(value, flags, name), flags, name]);
  return undefined;
}

function ofReference(to: Encoder, value: object): boolean {
  const slot = to.outbound.slot(value);
  if (slot !== undefined) {
    to.extension("slot", [slot]);
    return true;
  }
  const handle = to.outbound.handle(value);
  if (handle === undefined) return false;
  to.extension(value instanceof PyEnumMember ? "enum" : "ref", [handle]);
  return true;
}

/** A function or an object that is no data: through its hook, or lent. */
function ofHook(to: Encoder, value: object, hooks: number): Written {
  if (!(toPython in value)) return lend(to, value);
  const hook: unknown = value[toPython];
  if (typeof hook !== "function") return lend(to, value);
  if (hooks >= MAX_HOOKS) to.refuse("its Symbol.for('py.toPython') answers with one hook after another");
  const sent: unknown = Reflect.apply(hook, value, []);
  if (sent === value) return lend(to, value);
  return to.instead(sent, hooks + 1);
}

function ofArray(to: Encoder, value: readonly unknown[]): Written {
  if (!Object.isExtensible(value) && isTuple(value)) {
    const named = namedTupleType(value);
    if (named === undefined) return to.openFrozen(Kind.TUPLE, value, value);
    const parts = ["namedtuple", named.cls, named.typeName, new TupleOf(named.fields), new TupleOf(value)];
    return to.openFrozen(Kind.EXTENSION, value, parts);
  }
  if (!isPlainArray(value)) {
    if (ofReference(to, value as object)) return undefined;
    return ofHook(to, value, 0);
  }
  return to.open(Kind.LIST, value, value);
}

function ofPlain(to: Encoder, value: Record<PropertyKey, unknown>, hooks: number): Written {
  if (toPython in value) return ofHook(to, value, hooks);
  if (Symbol.iterator in value || Symbol.asyncIterator in value || ("then" in value && isThenable(value))) {
    if (Object.prototype.toString.call(value) !== "[object Arguments]") return lend(to, value);
    return to.open(Kind.LIST, value, Array.from(value as unknown as ArrayLike<unknown>));
  }
  // Math, JSON, a module's namespace: objects of the language, whose tag is hidden.
  if (Symbol.toStringTag in value && Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.enumerable === false)
    return lend(to, value);
  return to.open(Kind.OBJECT, value, Object.keys(value));
}

/** Without running a getter: those run once, when their turn comes. */
function isThenable(value: object): boolean {
  return typeof Object.getOwnPropertyDescriptor(value, "then")?.value === "function";
}

type Writer = (to: Encoder, value: never) => Written;

const writeMap: Writer = (to, value: Map<unknown, unknown>) => {
  to.checkKeys(value, "Map");
  if (isOrdered(value)) {
    return to.openFrozen(Kind.EXTENSION, value, ["odict", new TupleOf([...value].map((pair) => new TupleOf(pair)))]);
  }
  const items: unknown[] = [];
  for (const [key, item] of value) items.push(key, item);
  return to.open(Kind.ENTRIES, value, items);
};

const writeSet: Writer = (to, value: Set<unknown>) => {
  to.checkKeys(value, "Set");
  return isFrozenset(value) ? to.openFrozen(Kind.FROZENSET, value, [...value]) : to.open(Kind.SET, value, [...value]);
};

const writeDate: Writer = (to, value: Date) => ext(to, ...fromEpoch(value.getTime()));

/** The prototypes of this realm, subclasses excluded. */
const WRITERS = new Map<object, Writer>([
  [Map.prototype, writeMap],
  [Set.prototype, writeSet],
  [Date.prototype, writeDate],
  [ArrayBuffer.prototype, ((to, value: ArrayBuffer) => writeBuffer(to, value, value)) as Writer],
  [TupleOf.prototype, ((to, { values }: TupleOf) => to.openFrozen(Kind.TUPLE, undefined, values)) as Writer],
  [Extension.prototype, ((to, { tag, operands }: Extension) => to.openFrozen(Kind.EXTENSION, undefined, [tag, ...operands])) as Writer],
  [RawValue.prototype, ((to, { bytes }: RawValue) => to.sink.raw(bytes)) as Writer],
  [PyFloat.prototype, ((to, { value }: PyFloat) => to.float(value)) as Writer],
  [PyComplex.prototype, ((to, { re, im }: PyComplex) => ext(to, "complex", new PyFloat(re), new PyFloat(im))) as Writer],
  [PyRange.prototype, ((to, { start, stop, step }: PyRange) => ext(to, "range", start, stop, step)) as Writer],
  [
    PySlice.prototype,
    ((to, slice: PySlice) => to.openFrozen(Kind.EXTENSION, slice, ["slice", slice.start, slice.stop, slice.step])) as Writer,
  ],
  [PyDecimal.prototype, ((to, value: PyDecimal) => ext(to, "decimal", value.toString())) as Writer],
  [PyFraction.prototype, ((to, { numerator, denominator }: PyFraction) => ext(to, "fraction", numerator, denominator)) as Writer],
  [PyEnumMember.prototype, ((to, value: PyEnumMember) => to.refuse(`${value.toString()} is a member of another engine's Enum`)) as Writer],
  [NDArray.prototype, writeArray as Writer],
  [LentMemory.prototype, ((to, value: LentMemory) => ext(to, "ref", to.outbound.loan(value))) as Writer],
  [
    Kwargs.prototype,
    ((to) => {
      throw new EngineError(
        "ERR_ARGUMENT",
        `${to.path()} is kw({…}), which is no value.`,
        "Give it to the call itself, last: f(a, kw({ name: value })).",
      );
    }) as Writer,
  ],
]);

/** Built-ins of another realm, by brand. */
const BRANDS: Readonly<Record<string, Writer>> = {
  Map: ((to, value: Map<unknown, unknown>) => writeMap(to, value as never)) as Writer,
  Set: writeSet,
  Date: writeDate,
  ArrayBuffer: WRITERS.get(ArrayBuffer.prototype) as Writer,
  SharedArrayBuffer: WRITERS.get(ArrayBuffer.prototype) as Writer,
};

function ext(to: Encoder, tag: string, ...operands: readonly unknown[]): undefined {
  to.extension(tag, operands);
}

function ofInstance(to: Encoder, value: object, proto: object, hooks: number): Written {
  const writer = WRITERS.get(proto);
  if (writer !== undefined && genuine(value, proto)) {
    if (value instanceof PyEnumMember && ofReference(to, value)) return undefined;
    return writer(to, value as never);
  }
  if (ArrayBuffer.isView(value)) return writeView(to, value);
  if (ofReference(to, value)) return undefined;
  if (toPython in value) return ofHook(to, value, hooks);
  if (value === Ellipsis) return ext(to, "ellipsis");
  if (value === NotImplemented) return ext(to, "notimplemented");
  if (value instanceof Error) {
    const exception = to.outbound.exception(value);
    if (exception !== undefined) return ext(to, "exception", exception);
    const { tag, operands } = thrownOf(to.outbound, value);
    return to.openFrozen(Kind.EXTENSION, value, [tag, ...operands]);
  }
  const kind = temporalKind(value);
  if (kind !== undefined) return ext(to, ...fromTemporal(value, kind, to.lossy));
  const brand = Object.prototype.toString.call(value).slice(8, -1);
  if (BOXED.has(brand)) {
    const inner = unboxed(value, brand);
    if (inner !== undefined) return to.instead(inner, hooks);
  }
  const branded = Object.hasOwn(BRANDS, brand) && isBuiltinPrototype(proto, brand) && genuine(value, proto) ? BRANDS[brand] : undefined;
  return branded !== undefined ? branded(to, value as never) : lend(to, value);
}

const BOXED: ReadonlySet<string> = new Set(["Number", "String", "Boolean", "BigInt", "Symbol"]);

/** The primitive in a boxed one; undefined when the brand is only claimed. */
function unboxed(value: object, brand: string): unknown {
  const box = { Number, String, Boolean, BigInt, Symbol }[brand] as NumberConstructor;
  try {
    return box.prototype.valueOf.call(value) as unknown;
  } catch {
    return undefined; // a class instance that calls itself Number; it is lent like any other
  }
}

/** Whether an object with a built-in's prototype has its insides too (`Object.create(Map.prototype)` has not). */
function genuine(value: object, proto: object): boolean {
  const probe = PROBES.get(Object.getOwnPropertyDescriptor(proto, "constructor")?.value?.name as string);
  if (probe === undefined) return true;
  try {
    probe.call(value);
    return true;
  } catch {
    return false; // no built-in object: it is lent like any other
  }
}

type Probe = (this: unknown) => unknown;
const getter = (proto: object, name: string): Probe => Object.getOwnPropertyDescriptor(proto, name)?.get as Probe;
const PROBES = new Map<string, Probe>([
  ["Map", getter(Map.prototype, "size")],
  ["Set", getter(Set.prototype, "size")],
  ["Date", Date.prototype.getTime as Probe],
  ["ArrayBuffer", getter(ArrayBuffer.prototype, "byteLength")],
]);
