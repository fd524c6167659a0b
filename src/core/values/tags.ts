/**
 * What a JS container was, or shall become, in Python.
 *
 * JavaScript has one Array, one Set, one Map and one Uint8Array where Python has several types.
 * The difference is remembered beside the object, never in it, so a tagged value looks and behaves
 * like any other. A copy made by JavaScript (`[...t]`, `structuredClone(t)`) has no tag.
 *
 * Invariant: a tuple is frozen when it is tagged, because Python relies on it.
 */
import { EngineError } from "../errors.ts";

const frozenSets = new WeakSet<object>();
const byteArrays = new WeakSet<object>();
const orderedMaps = new WeakSet<object>();

/** What a named tuple remembers of its class. */
export interface NamedTupleType {
  /** The ref of the class. */
  readonly cls: object;
  readonly typeName: string;
  readonly fields: readonly string[];
}

class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the class below puts its private field on what is returned
    return object;
  }
}

/**
 * A private field on arrays that are not ours: nobody else can see it, and it costs 15 ns where a
 * WeakSet costs 100 and slows the garbage collector (Node 20: 84 against 638 ns, freezing included).
 */
class TupleTag extends Given {
  readonly #type: NamedTupleType | undefined;
  constructor(values: object, type: NamedTupleType | undefined) {
    super(values);
    this.#type = type;
  }
  static has(value: object): boolean {
    return #type in value;
  }
  static type(value: object): NamedTupleType | undefined {
    return #type in value ? value.#type : undefined;
  }
}

/**
 * A Python tuple: a frozen copy of `values`.
 *
 * @example
 * await f(tuple([1, 2]));          // Python receives (1, 2), not [1, 2]
 */
export function tuple<const T extends readonly unknown[]>(values: T): Readonly<T> {
  if (!isIterable(values)) throw new EngineError("ERR_ARGUMENT", "tuple() takes an array.", "Write: tuple([1, 2]).");
  return markTuple(Array.from(values)) as unknown as Readonly<T>;
}

/** A string is no collection, although JavaScript iterates over its letters. */
function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

/** Freezes and tags this very array. */
export function markTuple(values: unknown[], type?: NamedTupleType): readonly unknown[] {
  if (!TupleTag.has(values)) new TupleTag(values, type);
  return Object.freeze(values);
}

/** Whether an array came from Python as a tuple, or was made by {@link tuple}. Named tuples are tuples too. */
export function isTuple(value: unknown): value is readonly unknown[] {
  return typeof value === "object" && value !== null && TupleTag.has(value);
}

/**
 * A Python frozenset: tags this very Set.
 *
 * @example
 * await f(frozenset(new Set([1, 2])));
 */
export function frozenset<T>(values: Set<T> | Iterable<T>): Set<T> {
  if (!isIterable(values)) {
    throw new EngineError("ERR_ARGUMENT", "frozenset() takes a Set or an iterable.", "Write: frozenset([1, 2]).");
  }
  const set = values instanceof Set ? (values as Set<T>) : new Set(values);
  frozenSets.add(set);
  return set;
}

export function isFrozenset(value: object): boolean {
  return frozenSets.has(value);
}

/**
 * A Python bytearray: tags this very array, which is copied when it is sent.
 *
 * @example
 * await f(bytearray(new Uint8Array([1, 2])));
 */
export function bytearray(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new EngineError("ERR_ARGUMENT", "bytearray() takes a Uint8Array.", "Write bytearray(new Uint8Array(buffer)).");
  }
  byteArrays.add(bytes);
  return bytes;
}

export function isBytearray(value: object): boolean {
  return byteArrays.has(value);
}

/** A Python OrderedDict: tags this very Map. */
export function markOrdered<K, V>(map: Map<K, V>): Map<K, V> {
  orderedMaps.add(map);
  return map;
}

export function isOrdered(value: object): boolean {
  return orderedMaps.has(value);
}

/**
 * A named tuple: a frozen array with its fields as own properties too.
 * A field that an array already has (`length`, an index) is reached through {@link namedTupleType} only.
 */
export function markNamedTuple(values: unknown[], type: NamedTupleType): readonly unknown[] {
  type.fields.forEach((field, index) => {
    if (Object.hasOwn(values, field)) return;
    Object.defineProperty(values, field, { value: values[index], enumerable: false });
  });
  return markTuple(values, type);
}

/** The class and fields of a named tuple; undefined for anything else. */
export function namedTupleType(value: object): NamedTupleType | undefined {
  return TupleTag.type(value);
}
