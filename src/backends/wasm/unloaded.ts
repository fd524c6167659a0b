/**
 * Why a Web Worker did not start. The browser only says that it did not: no URL, no status, no policy.
 */

/** A worker, and the URL that it was made from; undefined when `make` took it out of a drawer. */
export interface Made {
  readonly worker: Worker;
  readonly url: string | undefined;
}

/**
 * Makes a worker and sees from where. The URL is seen on its way into the constructor: bundlers find and rename the
 * file only when `new Worker(new URL(…))` is one literal expression, so it cannot be asked for beside it.
 */
export function seen(make: () => Worker): Made {
  const Original = globalThis.Worker;
  let url: string | undefined;
  globalThis.Worker = new Proxy(Original, {
    construct(target, [script, ...rest], newTarget) {
      url = String(script);
      return Reflect.construct(target, [script, ...rest], newTarget);
    },
  });
  try {
    return { worker: make(), url };
  } finally {
    globalThis.Worker = Original;
  }
}

/** Listens for what the page's policy blocks; `blocked` is the directive, once there was something. */
export function watchPolicy(): { readonly blocked: () => string | undefined; stop(): void } {
  let blocked: string | undefined;
  const listener = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
    if (/^(worker|child|script|default)-src/.test(effectiveDirective)) blocked ??= effectiveDirective;
  };
  const page = globalThis.document as Document | undefined; // none where the page is a worker itself
  page?.addEventListener("securitypolicyviolation", listener);
  return { blocked: () => blocked, stop: () => page?.removeEventListener("securitypolicyviolation", listener) };
}

/** Milliseconds that the question about a file may take. */
const patience = 2_000;

/**
 * Asks for the worker's file as the browser did, and says what is wrong with the answer.
 *
 * @param since `performance.now()` when the worker was made
 */
export async function whyUnloaded(url: string | undefined, blocked: string | undefined, since: number): Promise<string> {
  const file = url ?? "its file";
  if (blocked !== undefined) return `The Content-Security-Policy's ${blocked} does not allow ${file}.`;
  if (url === undefined) return "Its file could not be loaded.";
  try {
    const { ok, status, headers } = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(patience) });
    const type = headers.get("content-type") ?? "no type";
    if (!ok || !/javascript|ecmascript/.test(type)) return `${url} answered ${status} ${type}, which is no script.`;
    const imported = missingSince(since);
    if (imported !== undefined) return `${url} imports ${imported}.`;
    if (globalThis.crossOriginIsolated && headers.get("cross-origin-embedder-policy") === null)
      return `${url} came without the header Cross-Origin-Embedder-Policy, which this page has and its workers need too.`;
    return `${url} is there, but is no script that runs, or imports one that could not be loaded.`;
  } catch (cause) {
    return `${url} could not be loaded (${String(cause)}).`;
  }
}

/** A script that the worker imported and that was not there. */
function missingSince(since: number): string | undefined {
  for (const entry of performance.getEntriesByType("resource") as PerformanceResourceTiming[]) {
    if (entry.startTime >= since && entry.responseStatus >= 400) return `${entry.name}, which answered ${entry.responseStatus}`;
  }
  return undefined;
}
