import { copyFile } from "node:fs/promises";
import { promisify } from "node:util";
import webpack from "webpack";

const here = import.meta.dirname;
const compiler = webpack({
  context: here,
  mode: "production",
  entry: "./main.js",
  output: { path: `${here}/dist`, filename: "main.js" },
  optimization: { minimize: false }, // Terser takes 20 s for the worker, which is minified already
  performance: { hints: false },
});
const stats = await promisify(compiler.run.bind(compiler))();
await promisify(compiler.close.bind(compiler))();
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ all: false, errors: true, warnings: true }));
await copyFile(`${here}/index.html`, `${here}/dist/index.html`);
