/** A Web Worker: files by `fetch`, from where the worker's own file came from. */
import { files as made } from "virtual:isopy-build";
import { hold } from "../alive.ts";
import type { EngineFiles } from "../contract.ts";
import { download } from "./download.ts";
import type { OpenedFiles, Realm } from "./realm.ts";
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
      const count = together(made.wasm.bytes + made.stdlib.bytes, progress);
      const [module, stdlib] = await Promise.all([
        download(files.wasm, made.wasm, count(), (response) => WebAssembly.compileStreaming(response)),
        download(files.stdlib, made.stdlib, count(), (response) => response.arrayBuffer()),
      ]);
      const stdLibURL = new URL(pretended.stdlib, base).href;
      const answered = answerFetch(
        new Map([
          [new URL(pretended.wasm, base).href, new Response()],
          [stdLibURL, new Response(stdlib)],
        ]),
      );
      const instantiated = instantiateThis(module);
      return {
        indexURL: base,
        stdLibURL,
        failed: instantiated.failed,
        done() {
          answered.done();
          instantiated.done();
        },
      };
    },
    hold,
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

/** Bytes of several files as one sum, told in steps of a hundredth. */
function together(total: number, progress: (loaded: number, total: number) => void): () => (bytes: number) => void {
  const each: number[] = [];
  let told = 0;
  progress(0, total);
  return () => {
    const index = each.push(0) - 1;
    return (bytes) => {
      each[index] = bytes;
      const loaded = Math.min(
        total,
        each.reduce((sum, one) => sum + one, 0),
      );
      if (loaded < told + total / 100 && loaded !== total) return;
      told = loaded;
      progress(loaded, total);
    };
  };
}

/** Pyodide fetches its files itself; while it starts, these are the ones it gets. */
function answerFetch(ready: ReadonlyMap<string, Response>): { done(): void } {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : new URL(input, base()).href;
    const response = ready.get(url);
    return response === undefined ? original(input, init) : Promise.resolve(response);
  };
  return {
    done() {
      globalThis.fetch = original;
    },
  };
}

/**
 * The module that is compiled already, in place of what Pyodide would compile.
 * Pyodide waits for ever when this fails (no memory is left, for one): `failed` rejects then.
 */
function instantiateThis(module: WebAssembly.Module): { readonly failed: Promise<never>; done(): void } {
  const original = WebAssembly.instantiateStreaming;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // heard where the start waits for it
  WebAssembly.instantiateStreaming = async (_source, imports) => {
    try {
      return { module, instance: await WebAssembly.instantiate(module, imports) };
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  return {
    failed,
    done() {
      WebAssembly.instantiateStreaming = original;
    },
  };
}

function base(): string {
  return globalThis.location.href;
}
