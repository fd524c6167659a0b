/**
 * How a page hears of the end of a worker that says nothing any more: the worker holds a lock while it lives.
 *
 * Browsers tell nobody when a worker calls `close()` or is taken away. There are locks in secure contexts that have an
 * origin; elsewhere such an end shows in the watchdog of the start, and later not at all.
 */

/** A name for the lock of one worker; undefined where there are none. */
export function lockName(): string | undefined {
  return locks() === undefined ? undefined : `isopy worker ${crypto.randomUUID()}`;
}

/** In the worker: takes the lock for good. Resolves when it is held, or cannot be had. */
export function hold(name: string): Promise<void> {
  return new Promise((resolve) => {
    const forever = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    locks()
      ?.request(name, forever)
      .catch(() => resolve()) ?? resolve();
  });
}

/** In the page: whether the worker holds its lock. A page without an origin has locks and may not use them. */
export async function isHeld(name: string): Promise<boolean> {
  const { held = [] } =
    (await locks()
      ?.query()
      .catch(() => undefined)) ?? {};
  return held.some((lock) => lock.name === name);
}

/** In the page: resolves when the worker, which holds the lock, is gone. */
export async function gone(name: string): Promise<void> {
  await locks()?.request(name, () => {});
}

function locks(): LockManager | undefined {
  return (globalThis.navigator as { readonly locks?: LockManager } | undefined)?.locks;
}
