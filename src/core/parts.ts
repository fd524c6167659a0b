/** Parts of this package that are loaded when they are needed. */
import { EngineError } from "./errors.ts";

/**
 * What `import()` gives, or a typed error: a script may be missing, the network gone, or no file can be opened.
 *
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE`
 */
export function part<T>(loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    throw new EngineError(
      "ERR_BACKEND_UNAVAILABLE",
      `A script of isopy could not be loaded: ${String(cause)}`,
      "It lies beside the one that asks for it. In a page the network may be gone, or the server have newer files than the page: load it again.",
      { cause },
    );
  });
}
