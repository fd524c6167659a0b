/**
 * `for … of` over Python, synchronously: pages of items, as in `iteration.ts`.
 */
import type { RefTarget } from "./expression.ts";
import type { RefNode } from "./ref.ts";
import { refOf } from "./ref.ts";
import { nodeOf } from "./surface.ts";
import type { SyncHome } from "./sync-ref.ts";
import { Op } from "./wire/frames.ts";

type Page = readonly [done: boolean, items: readonly unknown[], value: unknown];
const LARGEST = 1024;
const PATIENCE = 8;

/** Shared by all refs: `ref[Symbol.iterator]()`. */
export function asSyncIterator(this: unknown): Generator<unknown> {
  return syncIterator(nodeOf(this) as RefTarget);
}

/** @param window items of a page at most; 1 pins the generator to its consumer */
export function* syncIterator(source: RefTarget, window = LARGEST): Generator<unknown> {
  const home = source.home as unknown as SyncHome & { dispose(ref: RefNode): void };
  const iterator = refOf(home.perform(source, true, Op.ITER)) as RefNode;
  let credit = 1;
  let open = true;
  try {
    for (;;) {
      const [done, items, value] = source.keep
        ? keptPage(home, iterator)
        : (home.perform(iterator, false, Op.NEXT, credit, PATIENCE) as Page);
      open = !done;
      credit = Math.min(items.length < credit ? Math.max(1, items.length) : credit * 2, window);
      yield* items;
      if (done) return value;
    }
  } catch (error) {
    open = false; // Python's generator has ended with it
    throw error;
  } finally {
    if (open) home.perform(iterator, false, Op.CLOSE);
    home.dispose(iterator);
  }
}

/** One item, as a ref: a page that stays in Python is taken apart there. */
function keptPage(home: SyncHome & { dispose(ref: RefNode): void }, iterator: RefNode): Page {
  const part = (of: RefNode, at: number, keep: boolean): unknown => home.perform(of, keep, Op.ITEM, at);
  const page = refOf(home.perform(iterator, true, Op.NEXT, 1, PATIENCE)) as RefNode;
  const items = refOf(part(page, 1, true)) as RefNode;
  try {
    return part(page, 0, false) === true ? [true, [], part(page, 2, true)] : [false, [part(items, 0, true)], null];
  } finally {
    home.dispose(items);
    home.dispose(page);
  }
}
