/**
 * The containers that a stream is making: what may still be filled, what was remembered, and what
 * another object had to take the place of.
 *
 * A dict begins as an object. Its first items decide: known keys give a copy of a shape, a key that
 * is no text gives a Map, and then the new object takes the place of the old one, on the stack and in
 * the memo. What referred to the old one through the memo is replaced at the very end.
 *
 * Invariant: only what this stream made, and what is still where it was made, can be filled. A lent
 * object or a value of the boundary never is.
 */
import { fail } from "./settle.ts";
import { fromShape, learnShape } from "./shapes.ts";

/** Stands for `_isopy.v` on the stack; never in a value. */
export const MARKER = Object.freeze({});

export type DictKind = "auto" | "map" | "object" | "entries";

/** Who says that something cannot be made. */
export interface Refusing {
  refuse(why: string, hint?: string): unknown;
}

export class Making {
  /** Objects to be replaced wherever they are. */
  replaced: Map<object, object> | undefined;
  /** Markers in the value that mark nothing yet. */
  markers = 0;

  readonly #size: number;
  readonly #dicts: DictKind;
  readonly #refusing: Refusing;
  readonly #memo: unknown[] = [];
  #remembered = 0;
  /** By place on the stack: the container made there, its index in the memo, and whether it is a dict without items. */
  readonly #made: unknown[] = [];
  readonly #madeMemo: number[] = [];
  readonly #fresh: boolean[] = [];
  /** Objects that were referred to once more. */
  #referred: Set<unknown> | undefined;

  constructor(size: number, dicts: DictKind, refusing: Refusing) {
    this.#size = size;
    this.#dicts = dicts;
    this.#refusing = refusing;
  }

  list(stack: unknown[]): void {
    this.#made[stack.length] = stack[stack.length] = [];
  }

  set(stack: unknown[]): void {
    this.#made[stack.length] = stack[stack.length] = new Set();
  }

  dict(stack: unknown[]): void {
    this.#fresh[stack.length] = true;
    this.#made[stack.length] = stack[stack.length] = this.#dicts === "map" ? new Map() : this.#dicts === "entries" ? [] : {};
  }

  /** The list at a place, when it was made there. */
  listAt(stack: readonly unknown[], slot: number): unknown[] | undefined {
    const list = stack[slot];
    return slot >= 0 && list === this.#made[slot] && Array.isArray(list) ? list : undefined;
  }

  /** An empty list with room for `size` items in the place of an empty one. */
  sized(stack: unknown[], slot: number, list: unknown[], size: number): unknown[] {
    if (list.length > 0 || this.#referred?.has(list)) return list;
    const long = new Array<unknown>(size);
    this.#instead(stack, slot, list, long);
    return long;
  }

  /** Under the next index, as CPython counts them. Most of it is text; only containers can be replaced later. */
  memoize(stack: readonly unknown[], fence: number): void {
    const top = stack.length - 1;
    if (top < fence) fail("it remembers what is not there");
    const value = stack[top];
    if (typeof value === "object") this.#madeMemo[top] = this.#remembered;
    // Grown one by one: reading or writing beyond the end of an array is slow.
    if (this.#remembered === this.#memo.length) this.#memo.push(value);
    else this.#memo[this.#remembered] = value;
    this.#remembered++;
  }

  remember(index: number, stack: readonly unknown[], fence: number): void {
    if (index === this.#remembered) {
      this.memoize(stack, fence);
      return;
    }
    const top = stack.length - 1;
    if (top < fence) fail("it remembers what is not there");
    // An honest index is smaller than the stream: each needs bytes of its own.
    if (index > this.#size) fail("an index is larger than the stream");
    if (this.#memo[index] === undefined) this.#remembered++;
    this.#memo[index] = stack[top];
    this.#madeMemo[top] = index;
  }

  recall(index: number): unknown {
    const value = index < this.#memo.length ? this.#memo[index] : undefined;
    if (value === undefined) fail("it refers to what was not remembered");
    if (typeof value === "object" && value !== null) {
      if (value === MARKER) this.markers++;
      else (this.#referred ??= new Set()).add(value);
    }
    return value;
  }

  append(stack: unknown[], from: number): void {
    const list = this.listAt(stack, from - 1) ?? fail("it fills what is no list");
    for (let i = from; i < stack.length; i++) list.push(stack[i]);
    stack.length = from;
  }

  setItems(stack: unknown[], from: number): void {
    const slot = from - 1;
    const target = stack[slot];
    if (target !== this.#made[slot] || target === undefined) fail("it fills what is no dict");
    const end = stack.length;
    if (target instanceof Map) {
      for (let i = from; i < end; i += 2) target.set(stack[i], stack[i + 1]);
    } else if (Array.isArray(target)) {
      if (this.#dicts !== "entries") fail("it fills what is no dict");
      for (let i = from; i < end; i += 2) target.push([stack[i], stack[i + 1]]);
    } else if (target instanceof Set) {
      fail("it fills what is no dict");
    } else {
      this.#setProperties(stack, slot, target as Record<string, unknown>);
    }
    stack.length = from;
  }

  addMembers(stack: unknown[], from: number): void {
    const set = stack[from - 1];
    if (set !== this.#made[from - 1] || !(set instanceof Set)) fail("it fills what is no set");
    for (let i = from; i < stack.length; i++) set.add(stack[i]);
    stack.length = from;
  }

  #setProperties(stack: unknown[], slot: number, object: Record<string, unknown>): void {
    const from = slot + 1;
    const end = stack.length;
    const fresh = this.#fresh[slot] === true;
    this.#fresh[slot] = false;
    const shaped = fresh && !this.#referred?.has(object) ? fromShape(stack, from) : undefined;
    if (shaped !== undefined) {
      this.#instead(stack, slot, object, shaped);
      return;
    }
    for (let i = from; i < end; i += 2) {
      const key = stack[i];
      const value = stack[i + 1];
      if (typeof key !== "string" || (key === "then" && typeof value === "function")) {
        this.#becomeMap(stack, slot, object, from, i, fresh);
        return;
      }
      // Defined, not assigned, where assigning could reach a setter: `__proto__`, or a polluted prototype.
      if (key in object) Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      else object[key] = value;
    }
    if (fresh) learnShape(stack, from, object);
  }

  /** Another object takes the place of one that this stream made; what refers to it further up is replaced at the end. */
  #instead(stack: unknown[], slot: number, old: object, now: object): void {
    const index = this.#madeMemo[slot] ?? -1;
    if (this.#memo[index] === old) this.#memo[index] = now;
    if (this.#referred?.has(old)) (this.replaced ??= new Map()).set(old, now);
    stack[slot] = this.#made[slot] = now;
  }

  /** A key, at `found`, says that a dict cannot be an object. Its items of now begin at `from`. */
  #becomeMap(stack: unknown[], slot: number, object: Record<string, unknown>, from: number, found: number, fresh: boolean): void {
    // From the stack where possible: an object forgets the order of keys like "1".
    const map = new Map<unknown, unknown>(fresh ? [] : Object.entries(object));
    for (let i = fresh ? from : found; i < stack.length; i += 2) map.set(stack[i], stack[i + 1]);
    if (this.#dicts === "object") {
      const why = 'its dict has a key that cannot be a property, and { dict: "object" } was asked for';
      map.set(stack[found], this.#refusing.refuse(why, 'Use { dict: "auto" } or { dict: "map" }.'));
    }
    this.#instead(stack, slot, object, map);
  }
}
