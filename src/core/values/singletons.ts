/**
 * `Ellipsis` and `NotImplemented`: one object each, as in Python.
 *
 * A structured clone is an ordinary empty object: the singletons cross between threads only
 * through isopy.
 */
class PySingleton {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
    Object.freeze(this);
  }
  toString(): string {
    return this.#text;
  }
  toJSON(): string {
    return this.#text;
  }
}

export type { PySingleton };

/** Python's `...`. */
export const Ellipsis: PySingleton = new PySingleton("Ellipsis");
/** Python's `NotImplemented`. */
export const NotImplemented: PySingleton = new PySingleton("NotImplemented");
