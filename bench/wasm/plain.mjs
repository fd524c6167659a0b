/** The baseline: Pyodide as its documentation shows it, in a worker, reached by plain messages and by Comlink. */

/** What the worker offers, to both. */
export async function service(loadPyodide, options) {
  const pyodide = await loadPyodide(options);
  const objects = [undefined];
  const keep = (value) => objects.push(value) - 1;
  let f;
  return {
    noop: () => undefined,
    run(source) {
      pyodide.runPython(source);
      f ??= pyodide.globals.get("f");
    },
    f: (a, b) => f(a, b),
    importModule: (name) => keep(pyodide.pyimport(name)),
    attribute: (id, name) => keep(objects[id][name]),
    call: (id, ...args) => keep(objects[id](...args)),
    item(id, key) {
      const value = objects[id].get(key);
      for (const one of objects.splice(1)) one?.destroy?.();
      return value;
    },
    value(name) {
      const proxy = pyodide.globals.get(name);
      try {
        return proxy.toJs({ dict_converter: Object.fromEntries });
      } finally {
        proxy.destroy();
      }
    },
  };
}

/** Messages `[id, method, args]` answered by `[id, value]`, with nothing around them. */
export function serveRaw(own, port) {
  port.onmessage = ({ data: [id, method, args] }) => port.postMessage([id, own[method](...args)]);
}

/** The other side of `serveRaw`. */
export function rawClient(port) {
  let next = 0;
  const waiting = new Map();
  port.onmessage = ({ data: [id, value] }) => {
    waiting.get(id)(value);
    waiting.delete(id);
  };
  return (method, ...args) =>
    new Promise((resolve) => {
      waiting.set(++next, resolve);
      port.postMessage([next, method, args]);
    });
}
