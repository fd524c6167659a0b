/**
 * `for await` over Python: pages of items with back-pressure.
 *
 * Python is asked for a page when the last one is used up, never ahead. A page starts at one item
 * and doubles while pages come back full; the engine sends less when its time is over, so a slow
 * generator still delivers each item as it comes. Leaving early closes the generator (its `finally`
 * runs) and gives the iterator's handle back.
 */
import { withDeadline } from "./cancellation.ts";
import { EngineError } from "./errors.ts";
import { ExprNode, type Home, type RefTarget } from "./expression.ts";
import { type RefNode, refOf } from "./ref.ts";
import { Mode, Op } from "./wire/frames.ts";

/** Items of a page at most. */
const LARGEST = 1024;
/** Milliseconds after which the engine sends what it has. */
const PATIENCE = 8;

type Page = readonly [done: boolean, items: readonly unknown[], value: unknown];

export interface IterateRequest {
  /** Items of a page at most; 1 pins the generator to its consumer. */
  readonly window?: number;
  /** Ends the iteration, and interrupts the program that computes the next item. */
  readonly signal?: AbortSignal | undefined;
}

/** What an iterator asks of its engine. */
export interface IterationHome extends Home {
  dispose(ref: RefNode): void;
}

export function iteratorOf(
  home: IterationHome,
  source: ExprNode | RefTarget,
  request: IterateRequest = {},
): AsyncIterableIterator<unknown> {
  return new PythonIterator(home, source, request);
}

class PythonIterator implements AsyncIterableIterator<unknown> {
  readonly #home: IterationHome;
  readonly #source: ExprNode | RefTarget;
  readonly #window: number;
  readonly #signal: AbortSignal | undefined;
  #iterator: RefNode | undefined;
  #items: readonly unknown[] = [];
  #at = 0;
  #credit = 1;
  #finished: { readonly value: unknown } | undefined;
  /** Requests are answered one after the other, in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(home: IterationHome, source: ExprNode | RefTarget, { window = LARGEST, signal }: IterateRequest) {
    this.#home = home;
    this.#source = source;
    this.#window = window;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(...sent: [] | [unknown]): Promise<IteratorResult<unknown>> {
    return this.#inTurn(() => this.#advance(sent[0]));
  }

  return(value?: unknown): Promise<IteratorResult<unknown>> {
    return this.#inTurn(async () => {
      await this.#close();
      return { done: true, value: await value };
    });
  }

  throw(error?: unknown): Promise<IteratorResult<unknown>> {
    return this.#inTurn(async () => {
      if (this.#finished !== undefined) throw error;
      await this.#open();
      this.#items = [];
      this.#at = 0;
      return this.#take(await this.#ask(Op.THROW, error));
    });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step, step);
    this.#last = result;
    result.catch(() => {}); // the caller has the same promise; `#last` must not be a second report
    return result;
  }

  #start(node: ExprNode, mode: number): Promise<unknown> {
    const wait = this.#home.start(node, mode, undefined);
    return this.#signal === undefined ? wait.promise : withDeadline(this.#home, wait, this.#signal, 0);
  }

  async #advance(sent: unknown): Promise<IteratorResult<unknown>> {
    if (this.#signal?.aborted === true && this.#finished === undefined) {
      await this.#close();
      throw this.#signal.reason;
    }
    if (this.#at < this.#items.length) {
      if (sent !== undefined) {
        throw new EngineError(
          "ERR_ARGUMENT",
          "A value was sent to a generator that is ahead of its consumer.",
          "Write iterate(generator, { window: 1 }).",
        );
      }
      return { done: false, value: this.#items[this.#at++] };
    }
    if (this.#finished !== undefined) return { done: true, value: this.#finished.value };
    if (this.#iterator === undefined) return this.#take(await this.#first());
    if (sent !== undefined) return this.#take(await this.#ask(Op.SEND, sent));
    return this.#take(await this.#ask(Op.NEXT, this.#credit, PATIENCE));
  }

  /** The iterator and its first item in one program. */
  async #first(): Promise<Page> {
    const { context } = this.#source;
    const iterator = this.#iter();
    const page = new ExprNode(this.#home, context, Op.NEXT, iterator, 1, PATIENCE, undefined, this.#source.keep);
    const made = this.#start(iterator, Mode.REF + Mode.NO_AWAIT);
    const first = this.#start(page, Mode.AUTO + Mode.NO_AWAIT);
    const [ref, items] = await Promise.allSettled([made, first]);
    if (ref.status === "rejected") return this.#failed(ref.reason);
    this.#iterator = refOf(ref.value);
    return items.status === "rejected" ? this.#failed(items.reason) : (items.value as Page);
  }

  /** Its handle is a ref of its own (`keep`), even where the source is its own iterator and the user holds that. */
  #iter(): ExprNode {
    return new ExprNode(this.#home, this.#source.context, Op.ITER, this.#source, undefined, undefined, undefined, true);
  }

  async #open(): Promise<void> {
    if (this.#iterator !== undefined) return;
    this.#iterator = refOf(await this.#home.start(this.#iter(), Mode.REF + Mode.NO_AWAIT, undefined).promise);
  }

  async #ask(op: typeof Op.NEXT | typeof Op.SEND | typeof Op.THROW, a: unknown, b?: unknown): Promise<Page> {
    const node = new ExprNode(this.#home, this.#source.context, op, this.#iterator as RefNode, a, b, undefined, this.#source.keep);
    try {
      return (await this.#start(node, Mode.AUTO + Mode.NO_AWAIT)) as Page;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): never {
    this.#finished = { value: undefined };
    this.#release();
    throw error;
  }

  #take([done, items, value]: Page): IteratorResult<unknown> {
    this.#items = items;
    this.#at = 0;
    this.#credit = Math.min(items.length < this.#credit ? Math.max(1, items.length) : this.#credit * 2, this.#window);
    if (done) {
      this.#finished = { value };
      this.#release();
    }
    if (items.length > 0) return { done: false, value: items[this.#at++] };
    return { done: true, value };
  }

  async #close(): Promise<void> {
    const iterator = this.#iterator;
    this.#items = [];
    this.#at = 0;
    if (this.#finished !== undefined) return;
    this.#finished = { value: undefined };
    if (iterator === undefined) return; // nothing has begun
    const node = new ExprNode(this.#home, this.#source.context, Op.CLOSE, iterator);
    const closed = this.#home.start(node, Mode.NONE, undefined).promise;
    try {
      await closed;
    } finally {
      this.#release();
    }
  }

  #release(): void {
    if (this.#iterator !== undefined) this.#home.dispose(this.#iterator);
    this.#iterator = undefined;
  }
}
