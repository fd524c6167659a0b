/**
 * One awaited expression: its promise, and what is known about its program.
 */
import type { ProgramId } from "./backend.ts";
import type { ReadOptions } from "./conversion.ts";
import type { ExprNode } from "./expression.ts";
import type { RefNode } from "./ref.ts";

export class Wait {
  readonly node: ExprNode;
  readonly mode: number;
  readonly read: ReadOptions | undefined;
  readonly promise: Promise<unknown>;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  /** 0 until it was sent. */
  program: ProgramId = 0;
  settled = false;
  /** The ref it resolved to. */
  ref: RefNode | undefined;
  /** How many want it. When all of them have cancelled, the program is interrupted. */
  interest = 1;

  /** Called when the program is over, which may be long after a cancelled wait has settled. */
  over: (() => void) | undefined;

  constructor(node: ExprNode, mode: number, read: ReadOptions | undefined) {
    this.node = node;
    this.mode = mode;
    this.read = read;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
