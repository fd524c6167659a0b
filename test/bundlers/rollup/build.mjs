import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";

const here = import.meta.dirname;
const bundle = await rollup({
  input: `${here}/main.js`,
  plugins: [nodeResolve({ browser: true })],
  onwarn: (warning) => {
    throw new Error(warning.message);
  },
});
await bundle.write({ dir: `${here}/dist`, format: "es" });
await bundle.close();
// Rollup leaves `new URL("./file", import.meta.url)` as it is: the engine's files are copied.
for (const name of ["wasm.web.worker.js", "worker.js", "pyodide.asm.wasm", "python_stdlib.zip"]) {
  await cp(fileURLToPath(new URL(name, import.meta.resolve("isopy"))), `${here}/dist/isopy/${name}`);
}
await cp(`${here}/index.html`, `${here}/dist/index.html`);
