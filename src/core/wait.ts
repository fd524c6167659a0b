/**
 * One awaited expression: its promise, and what is known about its program.
 */
import type { ProgramId } from "./backend.ts";
import type { ReadOptions } from "./conversion.ts";
import type { ExprNode } from "./expression.ts";
import type { RefNode } from "./ref.ts";

/** Most programs use one ref, or none. */
export type UsedRefs = RefNode | readonly RefNode[] | undefined;

type Resolve = (value: unknown) => void;

const nobody: Resolve = () => {};
// One executor for all promises: a closure for each costs as much as the promise (bench/facade.ts).
let resolving = nobody;
let rejecting = nobody;
const executor = (resolve: Resolve, reject: Resolve): void => {
  resolving = resolve;
  rejecting = reject;
};

export class Wait {
  readonly node: ExprNode;
  readonly mode: number;
  readonly read: ReadOptions | undefined;
  readonly promise: Promise<unknown>;
  readonly resolve: Resolve;
  readonly reject: Resolve;
  /** 0 until it was sent. */
  program: ProgramId = 0;
  /** The next output of the same program. */
  next: Wait | undefined = undefined;
  /** Another start of the same node, with another mode. */
  other: Wait | undefined = undefined;
  /** Refs that must live until the program is over; with its first output. */
  refs: UsedRefs = undefined;
  settled = false;
  /** The ref it resolved to. */
  ref: RefNode | undefined = undefined;
  /** How many want it. When all of them have cancelled, the program is interrupted. */
  interest = 1;
  /** Called when the program is over, which may be long after a cancelled wait has settled. */
  over: (() => void) | undefined = undefined;

  constructor(node: ExprNode, mode: number, read: ReadOptions | undefined) {
    this.node = node;
    this.mode = mode;
    this.read = read;
    this.promise = new Promise(executor);
    this.resolve = resolving;
    this.reject = rejecting;
    // Else the last promise would live on here, and the ref that it resolves to.
    resolving = rejecting = nobody;
  }
}
