/**
 * What every page of this folder does: start the engine, make some calls, write what came of them into the page.
 * It gets the package from its caller, so that a page without a bundler can use it too.
 */
export async function report({ createPython, proxy, PythonError, EngineError }, options = {}) {
  const output = document.getElementById("report");
  const blocked = [];
  document.addEventListener("securitypolicyviolation", (event) => blocked.push(`${event.effectiveDirective} ${event.blockedURI}`));
  const say = (result) => {
    output.textContent = JSON.stringify({ ...result, isolated: crossOriginIsolated, blocked });
    output.dataset.done = "true";
  };
  try {
    let bytes = 0;
    const onProgress = ({ stage, loaded, total }) => {
      if (stage === "load" && loaded === total) bytes = total;
    };
    const py = await createPython({ ...options, onProgress });
    const { syncCallbacks } = py.info.capabilities;
    const double = (n) => n * 2;
    const result = {
      number: await py.import("math").sqrt(2),
      whole: String(await py.eval("2 ** 80")),
      bytes: Array.from(await py.eval`bytes(reversed(${new Uint8Array([1, 2, 3])}))`),
      // Made of one sequence of keys again and again: where code is generated for it, this is what would meet the policy.
      rows: (await py.eval("[{'a': n, 'b': str(n)} for n in range(300)]")).length,
      error: await py.eval("{}['x']").then(
        () => "none",
        (error) => error instanceof PythonError && error.type,
      ),
      callback: await py.eval`${syncCallbacks ? double : proxy(async (n) => double(n), { async: true })}(21)`,
      sync: syncCallbacks,
      loaded: bytes > 10_000_000,
    };
    await py.close();
    say(result);
  } catch (error) {
    say({ failed: error instanceof EngineError ? error.code : "untyped", message: String(error?.message) });
  }
}
