/** The baseline's worker in a page; the bench's server has Pyodide's files and Comlink at these places. */
import { expose } from "/comlink.mjs";
import { serveRaw, service } from "/plain.mjs";
import { loadPyodide } from "/pyodide/pyodide.mjs";

const loading = service(loadPyodide, { indexURL: "/pyodide/" });
self.onmessage = async ({ data: { raw, comlink } }) => {
  const own = await loading;
  serveRaw(own, raw);
  expose(own, comlink);
  self.postMessage("ready");
};
