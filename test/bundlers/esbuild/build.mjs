import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = import.meta.dirname;
await build({
  entryPoints: [`${here}/main.js`],
  outdir: `${here}/dist`,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  logLevel: "warning",
});
// esbuild leaves `new URL("./file", import.meta.url)` as it is: the engine's files are copied.
for (const name of ["wasm.web.worker.js", "worker.js", "pyodide.asm.wasm", "python_stdlib.zip"]) {
  await cp(fileURLToPath(new URL(name, import.meta.resolve("isopy"))), `${here}/dist/isopy/${name}`);
}
await cp(`${here}/index.html`, `${here}/dist/index.html`);
