/**
 * The service worker of `isopy/offline`: the network first, and what came from there when there is none.
 *
 * Only answers of the page's own origin are kept, in one cache per build of isopy and place of the script; a newer
 * build's service worker forgets the older one's.
 */
import { sources } from "virtual:isopy-build";

/** The part of a service worker's global scope that is used here (TypeScript's library for pages has none of it). */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Extendable & Fetching) => void): void;
  addEventListener(
    type: "message",
    listener: (event: Extendable & MessageEvent<{ readonly keep?: readonly string[] } | null>) => void,
  ): void;
}
interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const scope = globalThis as unknown as Scope;

const place = `isopy ${scope.registration.scope} `;
const name = place + sources;

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(Promise.all([scope.clients.claim(), forgetOlder()])));

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !isOwn(request.url)) return;
  event.respondWith(answer(request, (work) => event.waitUntil(work)));
});

/** What a page had loaded before it was ours. */
scope.addEventListener("message", (event) => {
  const keep = event.data?.keep;
  if (keep !== undefined) event.waitUntil(keepAll(keep).then(() => event.ports[0]?.postMessage("kept")));
});

async function answer(request: Request, alongside: (work: Promise<unknown>) => void): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.status === 200) alongside(put(request, response.clone()));
    return response;
  } catch (error) {
    const kept = await (await caches.open(name)).match(request, { ignoreVary: true });
    if (kept === undefined) throw error;
    return kept;
  }
}

/** What does not come now is kept another time. */
async function keepAll(urls: readonly string[]): Promise<void> {
  await scope.clients.claim(); // a page that was loaded past the caches is nobody's until then
  const cache = await caches.open(name);
  const missing = async (url: string) => {
    if ((await cache.match(url, { ignoreVary: true })) !== undefined) return;
    const response = await fetch(url);
    if (response.status === 200) await put(url, response);
  };
  await Promise.allSettled(urls.filter(isOwn).map(missing));
}

async function put(key: Request | string, response: Response): Promise<void> {
  await (await caches.open(name)).put(key, response);
}

async function forgetOlder(): Promise<void> {
  const older = (await caches.keys()).filter((one) => one.startsWith(place) && one !== name);
  await Promise.all(older.map((one) => caches.delete(one)));
}

function isOwn(url: string): boolean {
  return new URL(url).origin === location.origin;
}
