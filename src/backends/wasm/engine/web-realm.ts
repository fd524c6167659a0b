/** A Web Worker: files by `fetch`, from where the worker's own file came from. */
import type { EngineFiles } from "../contract.ts";
import { type OpenedFiles, type Realm, StartError } from "./realm.ts";
import { WEB_WORKER_STACK } from "./stack.ts";

/** Names that Pyodide is told; the files behind them may have any (bundlers put a hash into them). */
const pretended = { wasm: "pyodide.asm.wasm", stdlib: "python_stdlib.zip" } as const;

export function webRealm(files: EngineFiles): Realm {
  const base = new URL("./", files.wasm).href;
  return {
    files,
    base,
    stack: WEB_WORKER_STACK,
    async open(files, progress): Promise<OpenedFiles> {
      let loaded = 0;
      const total = 2;
      progress(loaded, total);
      const fetched = async (url: string) => {
        const response = await fetched200(url);
        progress(++loaded, total);
        return response;
      };
      const [wasm, stdlib] = await Promise.all([fetched(files.wasm), fetched(files.stdlib)]);
      const ready = new Map([
        [new URL(pretended.wasm, base).href, new Response(wasm.body, { headers: { "content-type": "application/wasm" } })],
        [new URL(pretended.stdlib, base).href, stdlib],
      ]);
      return { indexURL: base, stdLibURL: new URL(pretended.stdlib, base).href, done: answerFetch(ready) };
    },
    tail: () => "",
    onUncaught(listener) {
      addEventListener("error", (event) => {
        event.preventDefault(); // or it becomes the worker's own failure
        listener(event.error);
      });
      addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        listener(event.reason);
      });
    },
  };
}

async function fetched200(url: string): Promise<Response> {
  const hint = "It is part of the isopy package and must be served beside the worker's file, from the page's own origin.";
  const response = await fetch(url, { credentials: "same-origin" }).catch((cause: unknown) => {
    throw new StartError(`A file of the engine could not be loaded: ${url} (${String(cause)})`, hint, { cause });
  });
  // A server that answers every path with its start page would otherwise give us HTML.
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || type.startsWith("text/html")) {
    throw new StartError(`A file of the engine is missing: ${url} answered ${response.status} ${type}`.trimEnd(), hint);
  }
  return response;
}

/** Pyodide fetches its files itself; while it starts, these are the ones it gets. */
function answerFetch(ready: ReadonlyMap<string, Response>): () => void {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : new URL(input, base()).href;
    const response = ready.get(url);
    return response === undefined ? original(input, init) : Promise.resolve(response);
  };
  return () => {
    globalThis.fetch = original;
  };
}

function base(): string {
  return globalThis.location.href;
}
