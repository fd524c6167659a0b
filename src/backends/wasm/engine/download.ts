/**
 * A file of the engine over HTTP: counted while it comes, used while it comes, and compared with what the build made.
 *
 * `fetch(url, { integrity })` would compare too, but gives nothing out before the last byte: no progress, and no
 * compilation beside the download. Measured in Chromium 156 on the 9.6 MB of WebAssembly, from the HTTP cache: 80 ms to
 * compile it as it comes, 125 ms with `integrity`, 90 ms as here. Hashing takes 12 ms, on a thread of the browser's.
 */
import { StartError } from "./realm.ts";

/** A file as the build made it. */
export interface Made {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** The bytes are not the build's. */
class Damaged extends Error {}

const beside = "It is part of the isopy package and must be served beside the worker's file, from the page's own origin.";

const allowed = "A Content-Security-Policy must allow it (connect-src).";

/**
 * Fetches a file and hands it on as a response that may be compiled as it comes.
 *
 * What arrives damaged is asked for once more past every cache, where a broken copy may lie.
 *
 * @param loaded told how many bytes there are by now
 * @throws {StartError} naming the URL and what is wrong with it
 */
export async function download<T>(
  url: string,
  made: Made,
  loaded: (bytes: number) => void,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(url, made, loaded, use, "default");
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
  }
  try {
    return await attempt(url, made, loaded, use, "reload");
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new StartError(
      `A file of the engine is damaged, or of another build than the worker: ${url}: ${error.message}`,
      "Serve all files of one isopy version, unchanged; a proxy or a service worker may hold an old or a broken copy.",
      { cause: error },
    );
  }
}

async function attempt<T>(
  url: string,
  made: Made,
  loaded: (bytes: number) => void,
  use: (response: Response) => Promise<T>,
  cache: RequestCache,
): Promise<T> {
  const body = await present(url, cache);
  const copy = new Copy(made, loaded);
  // With the right type, whatever the server calls it: else it could not be compiled as it comes.
  const response = new Response(body.pipeThrough(copy.stream), { headers: { "content-type": "application/wasm" } });
  let used: T;
  try {
    used = await use(response);
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) throw new Damaged(String(cause), { cause });
    throw new StartError(
      `A file of the engine stopped coming: ${url} (${String(cause)})`,
      "Try again; the server or the network broke off.",
      {
        cause,
      },
    );
  }
  await copy.check();
  return used;
}

async function present(url: string, cache: RequestCache): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(url, { credentials: "same-origin", cache }).catch((cause: unknown) => {
    throw new StartError(`A file of the engine could not be loaded: ${url} (${String(cause)})`, `${beside} ${allowed}`, { cause });
  });
  // A server that answers every path with its start page would otherwise give us HTML.
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || response.body === null || type.startsWith("text/html")) {
    throw new StartError(`A file of the engine is missing: ${url} answered ${response.status} ${type}`.trimEnd(), beside);
  }
  return response.body;
}

/** What has come, kept to be hashed. */
class Copy {
  readonly stream: TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
  readonly #made: Made;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(made: Made, loaded: (bytes: number) => void) {
    this.#made = made;
    this.#bytes = new Uint8Array(made.bytes);
    this.stream = new TransformStream({
      transform: (chunk, controller) => {
        if (this.#length + chunk.length <= made.bytes) this.#bytes.set(chunk, this.#length);
        this.#length += chunk.length;
        loaded(this.#length);
        controller.enqueue(chunk);
      },
    });
  }

  /** @throws {Damaged} */
  async check(): Promise<void> {
    const { bytes, sha256 } = this.#made;
    if (this.#length !== bytes) throw new Damaged(`it has ${this.#length} bytes instead of ${bytes}`);
    // Absent in a page that came over plain HTTP from another machine; its length and the build's id must do there.
    if (globalThis.crypto?.subtle === undefined) return;
    const found = hexadecimal(await crypto.subtle.digest("SHA-256", this.#bytes));
    if (found !== sha256) throw new Damaged(`its SHA-256 is ${found} instead of ${sha256}`);
  }
}

function hexadecimal(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
