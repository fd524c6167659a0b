import assert from "node:assert/strict";
import test from "node:test";
import { onEngine, runnableBlocks } from "../checks/code-blocks.mjs";

const page = ["# T", "```ts run", "console.log(1); // → 1", "```", "```ts", "not run", "```", "```js run native", "f();", "```"].join("\n");

test("only marked blocks run, with their engines and expected lines", () => {
  const blocks = runnableBlocks("p.md", page);
  assert.deepEqual(
    blocks.map(({ line, language, engines, expected, code }) => ({ line, language, engines, expected, code })),
    [
      { line: 2, language: "ts", engines: undefined, expected: ["1"], code: "console.log(1); // → 1" },
      { line: 8, language: "js", engines: ["native"], expected: [], code: "f();" },
    ],
  );
});

test("a bare createPython() is where the engine is put in", () => {
  assert.equal(onEngine("await createPython();", "wasm"), 'await createPython({ backend: "wasm" });');
  assert.equal(onEngine('createPython({ backend: "native" })', "wasm"), 'createPython({ backend: "native" })');
});
