/** Entry of the `worker_threads` worker that runs Pyodide in Node. */
import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import { nodeRealm } from "../src/backends/wasm/engine/node-realm.ts";
import { serve } from "../src/backends/wasm/engine/serve.ts";
import { nodeEndpoint } from "../src/backends/wasm/node-endpoint.ts";

if (parentPort === null) throw new Error("wasm.node.worker.js runs in a worker thread; isopy starts it.");
expose(serve(nodeRealm({ wasm: ownFile("pyodide.asm.wasm").href, stdlib: ownFile("python_stdlib.zip").href })), nodeEndpoint(parentPort));
