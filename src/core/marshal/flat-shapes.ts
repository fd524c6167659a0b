/**
 * Sequences of keys of objects on their way to an engine, so that an object needs a number instead of its keys.
 *
 * A sequence gets a number when it is met again; the engine holds what `made` says until its number is given to
 * another one. There are as many numbers as places, and each sequence has one place.
 */
import { objectWriter, type WriteObject } from "./flat-code.ts";
import { MAX_KEYS, SHAPES } from "./flat-tags.ts";

/** Objects of a shape are written without code of their own until there were so many. */
const COMMON = 8;

export class FlatShape {
  /** What came after it. */
  next: FlatShape | undefined = this;
  /** False when its number is another's, or the engine never got to know it. */
  alive = true;
  #count = 0;
  #write: WriteObject | undefined;
  constructor(
    readonly number: number,
    readonly keys: readonly string[],
  ) {}

  /** Made when it is worth it. */
  get write(): WriteObject | undefined {
    if (this.#write === undefined && ++this.#count === COMMON) this.#write = objectWriter(this.keys);
    return this.#write;
  }
}

export class FlatShapes {
  readonly #places = new Array<FlatShape | undefined>(SHAPES).fill(undefined);
  readonly #sighted = new Int32Array(SHAPES);
  #made: FlatShape[] = [];
  #last: FlatShape | undefined;
  #first: FlatShape | undefined;
  /** Whether the shape that `find` gave must be defined in this message. */
  isNew = false;

  begin(): void {
    this.#last = undefined;
    if (this.#made.length > 0) this.#made = [];
  }

  /** Undefined: these keys are met for the first time, or have no shape. */
  find(keys: readonly string[]): FlatShape | undefined {
    const expected = this.#last === undefined ? this.#first : this.#last.next;
    this.isNew = false;
    if (expected?.alive && same(expected.keys, keys)) {
      this.#last = expected;
      return expected;
    }
    const count = keys.length;
    if (count === 0 || count > MAX_KEYS) return undefined;
    const hash = hashOf(keys);
    const place = (hash ^ (hash >>> 15)) & (SHAPES - 1);
    let shape = this.#places[place];
    if (shape === undefined || !shape.alive || !same(shape.keys, keys)) {
      if (this.#sighted[place] !== hash) {
        this.#sighted[place] = hash;
        this.#last = undefined;
        return undefined;
      }
      if (shape !== undefined) shape.alive = false;
      this.#places[place] = shape = new FlatShape(place, keys);
      this.#made.push(shape);
      this.isNew = true;
    }
    if (this.#last === undefined) this.#first = shape;
    else this.#last.next = shape;
    this.#last = shape;
    return shape;
  }

  /** The engine did not read the message: what was made in it is forgotten. */
  undo(): void {
    for (const shape of this.#made) shape.alive = false;
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** From a few letters of each key: keys are compared anyway. */
function hashOf(keys: readonly string[]): number {
  let hash = keys.length;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const { length } = key;
    hash = Math.imul(hash, 31) + length;
    if (length > 0) hash = Math.imul(hash, 31) + key.charCodeAt(0) + Math.imul(key.charCodeAt(length - 1), 7) + key.charCodeAt(length >> 1);
    hash |= 0;
  }
  return hash === 0 ? 1 : hash;
}
