/**
 * `isopy/offline`: a page with Python that opens without a network, from its second visit on.
 */
import { EngineError } from "./core/errors.ts";

/**
 * Lets a service worker keep what this page is made of: itself, its scripts, and the engine's files as they are loaded.
 *
 * Call it before `createPython`. While there is a network everything still comes from there; what has come is kept for when
 * there is none. Resolves when what the page has loaded so far is kept.
 *
 * @param script the URL of `service-worker.js` of this package, which must lie on the page's origin, at or above the page: a
 *   service worker serves what lies below it. The Vite plugin puts it there (`isopy({ offline: true })`); else copy it.
 * @throws {EngineError} `ERR_UNSUPPORTED` where the page can have no service worker (it came over plain HTTP, or without a
 *   script there)
 *
 * @example
 * import { createPython } from "isopy";
 * import { keepOffline } from "isopy/offline";
 * await keepOffline("/service-worker.js").catch(console.warn);
 * const py = await createPython();
 */
export async function keepOffline(script: URL | string): Promise<void> {
  const container = (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker;
  if (container === undefined) {
    throw new EngineError("ERR_UNSUPPORTED", "This page can have no service worker.", "Serve it over HTTPS, or from localhost.");
  }
  const { scope } = await container.register(script).catch((cause: unknown) => {
    throw new EngineError(
      "ERR_UNSUPPORTED",
      `The service worker ${String(script)} could not be registered: ${String(cause)}`,
      "Copy dist/service-worker.js of this package to the root of the site, or use the Vite plugin: isopy({ offline: true }).",
      { cause },
    );
  });
  if (!location.href.startsWith(scope)) {
    throw new EngineError(
      "ERR_UNSUPPORTED",
      `The service worker serves what lies below ${scope}, and this page does not: ${location.href}.`,
      "Put service-worker.js beside the page or above it.",
    );
  }
  const { active } = await container.ready;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const { port1, port2 } = new MessageChannel();
  const kept = new Promise<void>((resolve) => {
    port1.onmessage = () => resolve();
  });
  active?.postMessage({ keep: [location.href, ...loaded] }, [port2]);
  await kept;
  port1.close();
}
