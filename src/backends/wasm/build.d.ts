/** What the build puts in place of imports and calls that no JavaScript engine knows (`scripts/build`). */

declare module "virtual:isopy-build" {
  /** What `_isopy/BUILD` holds in the archive of the same build. */
  const id: string;
  export default id;
}
declare module "pyodide/asm" {
  const createPyodideModule: NonNullable<NonNullable<Parameters<typeof import("pyodide").loadPyodide>[0]>["createPyodideModule"]>;
  export default createPyodideModule;
}

/** The URL of a file of the package, beside the built file that asks: `new URL("./name", import.meta.url)`. */
declare function ownFile(name: string): URL;
