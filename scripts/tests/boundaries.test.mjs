import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { nodeImports } from "../check-boundaries.mjs";
import { forbidden } from "../checks/boundaries.mjs";
import { bundleGraph } from "../checks/bundle.mjs";
import { importsOf } from "../checks/imports.mjs";

const refused = [
  ["src/core/ref.ts", "src/backends/wasm/backend.ts", /core imports only core/],
  ["src/core/ref.ts", "src/environment/choose.ts", /core imports only core/],
  ["src/core/ref.ts", "node:fs", /node:fs/],
  ["src/core/ref.ts", "comlink", /comlink/],
  ["src/core/ref.ts", "virtual:isopy-python", /pure ECMAScript/],
  ["src/backends/wasm/backend.ts", "src/backends/native/backend.ts", /no backend imports another/],
  ["src/backends/wasm/backend.ts", "src/backends/select.ts", /who selects it/],
  ["src/backends/wasm/backend.ts", "node:worker_threads", /node:worker_threads/],
  ["src/environment/choose.ts", "node:fs", /node:fs/],
  ["src/environment/choose.ts", "src/core/facade.ts", /environment/],
  ["src/session/cell.ts", "src/backends/native/backend.ts", /concrete backend/],
  ["src/browser.ts", "node:fs", /node:fs/],
  ["src/node.ts", "src/cli/main.ts", /nothing imports cli/],
  ["src/node.ts", "workers/wasm.node.worker.ts", /entry files only/],
  ["src/core/ref.ts", "left-pad", /left-pad/],
];
const allowed = [
  ["src/core/ref.ts", "src/core/errors.ts"],
  ["src/core/values/temporal.ts", "temporal-polyfill"],
  ["src/backends/select.ts", "src/backends/wasm/backend.ts"],
  ["src/backends/native/backend.ts", "node:fs"],
  ["src/backends/native/backend.ts", "src/environment/choose.ts"],
  ["src/backends/wasm/node.ts", "node:worker_threads"],
  ["src/backends/wasm/backend.ts", "comlink"],
  ["src/environment/probe.ts", "node:fs"],
  ["src/sandbox/policy.ts", "src/backends/process/backend.ts"],
  ["src/node.ts", "src/backends/select.ts"],
];

for (const [from, target, why] of refused) {
  test(`${from} may not import ${target}`, () => assert.match(forbidden(from, target) ?? "allowed", why));
}
for (const [from, target] of allowed) {
  test(`${from} may import ${target}`, () => assert.equal(forbidden(from, target), undefined));
}

test("every form of import is seen, comments and strings are not", () => {
  const source = `
    // import "node:a";
    const text = 'import "node:b"';
    import type { T } from "./types.ts";
    import x, { type U } from "./value.ts";
    export * from "./all.ts";
    export { y } from "./named.ts";
    const later = () => import("./later.ts");
    type V = import("./inline.ts").V;
  `;
  const found = importsOf("sample.ts", source).map(
    ({ target, types, dynamic }) => `${target}${types ? " type" : ""}${dynamic ? " dynamic" : ""}`,
  );
  assert.deepEqual(found, ["./types.ts type", "./value.ts", "./all.ts", "./named.ts", "./later.ts dynamic", "./inline.ts type"]);
});

test("a node: import in a bundle is found", () => {
  assert.deepEqual(nodeImports("a.js", 'import{x}from"node:fs";const y=import("node:path");const z="node:os";'), ["node:fs", "node:path"]);
});

test("the bundle's graph knows what is needed at once", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "isopy-graph-"));
  try {
    const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
    write("a.js", 'import "./b.js"; import("./c.js");');
    write("b.js", "export {};");
    write("c.js", 'import "./d.js"; import "./b.js";');
    write("d.js", "export {};");
    const graph = bundleGraph(path.join(folder, "a.js")).map(({ file, eager }) => [path.basename(file), eager]);
    assert.deepEqual(graph, [
      ["a.js", true],
      ["b.js", true],
      ["c.js", false],
      ["d.js", false],
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
