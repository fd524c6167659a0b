/** What the build puts in place of imports and calls that no JavaScript engine knows (`scripts/build`). */

declare module "virtual:isopy-build" {
  /** What `_isopy/BUILD` holds in the archive of the same build. */
  export const archive: string;
  /** Of the package's own sources: the page's code and the worker's have the same one, or are of two builds. */
  export const sources: string;
  /** The files that the worker loads, as the build made them; `sha256` in hexadecimal digits. */
  export const files: Readonly<Record<"wasm" | "stdlib", { readonly bytes: number; readonly sha256: string }>>;
}
declare module "pyodide/asm" {
  const createPyodideModule: NonNullable<NonNullable<Parameters<typeof import("pyodide").loadPyodide>[0]>["createPyodideModule"]>;
  export default createPyodideModule;
}

/** The URL of a file of the package, beside the built file that asks: `new URL("./name", import.meta.url)`. */
declare function ownFile(name: string): URL;
