/** The baseline on wasm: plain Pyodide in a `worker_threads` worker, every operation a Comlink call. */
import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { loadPyodide } from "pyodide";

const pyodide = await loadPyodide();
const objects = [undefined];
const keep = (value) => objects.push(value) - 1;

expose(
  {
    run: (source) => void pyodide.runPython(source),
    importModule: (name) => keep(pyodide.pyimport(name)),
    attribute: (id, name) => keep(objects[id][name]),
    call: (id, ...args) => keep(objects[id](...args)),
    item: (id, key) => {
      const value = objects[id].get(key);
      for (const one of objects.splice(1)) one?.destroy?.();
      return value;
    },
    value: (name) => {
      const proxy = pyodide.globals.get(name);
      try {
        return proxy.toJs();
      } finally {
        proxy.destroy();
      }
    },
    add: (a, b) => a + b,
  },
  nodeEndpoint(parentPort),
);
