/** The baseline's worker in Node. */
import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { loadPyodide } from "pyodide";
import { serveRaw, service } from "./plain.mjs";

const own = await service(loadPyodide);
parentPort.once("message", ({ raw, comlink }) => {
  serveRaw(own, raw);
  expose(own, nodeEndpoint(comlink));
  parentPort.postMessage("ready");
});
