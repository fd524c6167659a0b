/**
 * One awaited expression: who waits for it, and what is known about its program.
 *
 * `await` gives an expression the two functions that settle a promise of its own. Those are called
 * directly: a promise of ours between them would cost six objects per call, and 10,000 calls in flight
 * are as fast as V8 can carry them from one generation to the next. Everybody else gets `promise`.
 */
import type { ProgramId } from "./backend.ts";
import type { ReadOptions } from "./conversion.ts";
import type { ExprNode } from "./expression.ts";
import type { RefNode } from "./ref.ts";

/** Most programs use one ref, or none. */
export type UsedRefs = RefNode | readonly RefNode[] | undefined;

type Settler = (value: unknown) => void;
type Reaction = ((value: unknown) => unknown) | null | undefined;

const nobody: Settler = () => {};
// One executor for all promises: a closure for each costs as much as the promise (bench/facade.ts).
let resolving = nobody;
let rejecting = nobody;
const executor = (resolve: Settler, reject: Settler): void => {
  resolving = resolve;
  rejecting = reject;
};

const State = { PENDING: 0, FULFILLED: 1, REJECTED: 2 } as const;

export class Wait {
  readonly node: ExprNode;
  readonly mode: number;
  readonly read: ReadOptions | undefined;
  /** 0 until it was sent. */
  program: ProgramId = 0;
  /** The next output of the same program. */
  next: Wait | undefined = undefined;
  /** Another start of the same node, with another mode. */
  other: Wait | undefined = undefined;
  /** Refs that must live until the program is over; with its first output. */
  refs: UsedRefs = undefined;
  /** The ref it resolved to. */
  ref: RefNode | undefined = undefined;
  /** How many want it. When all of them have cancelled, the program is interrupted. */
  interest = 1;
  /** Called when the program is over, which may be long after a cancelled wait has settled. */
  over: (() => void) | undefined = undefined;
  #state: number = State.PENDING;
  #outcome: unknown = undefined;
  #promise: Promise<unknown> | undefined = undefined;
  /** Of `#promise`, or the first who waited without it. */
  #resolve = nobody;
  #reject = nobody;

  constructor(node: ExprNode, mode: number, read: ReadOptions | undefined) {
    this.node = node;
    this.mode = mode;
    this.read = read;
  }

  get settled(): boolean {
    return this.#state !== State.PENDING;
  }

  /** Once. */
  settle(outcome: unknown, ok: boolean): void {
    this.#state = ok ? State.FULFILLED : State.REJECTED;
    this.#outcome = outcome;
    const settle = ok ? this.#resolve : this.#reject;
    this.#resolve = this.#reject = nobody;
    settle(outcome);
  }

  get promise(): Promise<unknown> {
    this.#promise ??= this.#promised();
    return this.#promise;
  }

  #promised(): Promise<unknown> {
    if (this.#state === State.FULFILLED) return Promise.resolve(this.#outcome);
    if (this.#state === State.REJECTED) return Promise.reject(this.#outcome);
    const promise = new Promise(executor);
    this.#resolve = both(this.#resolve, resolving);
    this.#reject = both(this.#reject, rejecting);
    // Else the last promise would live on here, and the ref that it resolves to.
    resolving = rejecting = nobody;
    return promise;
  }

  /** As a promise's; `await` is what calls it most. */
  then(fulfilled: Reaction, rejected: Reaction): PromiseLike<unknown> {
    if (this.#state === State.PENDING && this.#resolve === nobody && settlesPromise(fulfilled) && settlesPromise(rejected)) {
      this.#resolve = fulfilled;
      this.#reject = rejected;
      return new Settled(this);
    }
    return this.promise.then(fulfilled, rejected);
  }
}

function both(first: Settler, second: Settler): Settler {
  if (first === nobody) return second;
  return (value) => {
    first(value);
    second(value);
  };
}

const textOf = Function.prototype.toString;
/** What the platform says of the functions that settle a promise. */
const SETTLER = (() => {
  void new Promise(executor);
  const text = textOf.call(resolving);
  resolving = rejecting = nobody;
  return text;
})();

/**
 * Whether a function is one that settles a promise: it runs no code of a user's, so it may be called at once.
 * No function that somebody has written looks like this.
 */
function settlesPromise(reaction: Reaction): reaction is Settler {
  return typeof reaction === "function" && reaction.length === 1 && reaction.name === "" && textOf.call(reaction) === SETTLER;
}

/** What `then` returns where the reactions are a promise's own: nobody looks at it, so it becomes a promise only when somebody does. */
class Settled implements PromiseLike<unknown> {
  readonly #wait: Wait;

  constructor(wait: Wait) {
    this.#wait = wait;
  }

  /** Both reactions return nothing, so it is fulfilled with that. */
  #promise(): Promise<unknown> {
    const nothing = () => undefined;
    return this.#wait.promise.then(nothing, nothing);
  }

  then<A, B>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(fulfilled, rejected) as Promise<A | B>;
  }

  catch(rejected?: ((error: unknown) => unknown) | null): Promise<unknown> {
    return this.#promise().catch(rejected);
  }

  finally(finished?: (() => void) | null): Promise<unknown> {
    return this.#promise().finally(finished);
  }
}
