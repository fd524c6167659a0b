/**
 * Which Python exception stands behind which JavaScript error.
 *
 * The engine remembers its last exceptions by id; a `PythonError` that goes back to the engine it
 * came from is that exception again, with its traceback.
 */
import { PythonError } from "./errors.ts";
import type { WireError } from "./marshal/boundary.ts";

/** How many exceptions an engine remembers (PROTOCOL.md, section 5). */
const REMEMBERED = 1024;

export class Exceptions {
  #ids = new WeakMap<object, number>();
  /** Ids by age: one beyond the engine's memory is a plain error again. */
  readonly #recent = new Set<number>();

  error(fields: WireError): PythonError {
    const error = new PythonError(fields);
    if (fields.id > 0) {
      this.#ids.set(error, fields.id);
      this.#recent.delete(fields.id);
      this.#recent.add(fields.id);
      if (this.#recent.size > REMEMBERED) {
        for (const oldest of this.#recent) {
          this.#recent.delete(oldest);
          break;
        }
      }
    }
    return error;
  }

  /** The engine is gone: another one's ids mean other exceptions. */
  clear(): void {
    this.#ids = new WeakMap();
    this.#recent.clear();
  }

  /** The exception's id, while the engine remembers it. */
  idOf(error: object): number | undefined {
    const id = this.#ids.get(error);
    return id !== undefined && this.#recent.has(id) ? id : undefined;
  }
}
