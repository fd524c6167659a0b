/**
 * Expressions into programs.
 *
 * What was started in one turn is compiled together. Expressions that share a node with an effect
 * must be one program, so that it runs once; all others stay programs of their own, so that a fast
 * one never waits for a slow one. Nodes without effects (import, get, item) repeat per program.
 *
 * Walks are iterative: a chain of 100,000 links costs memory and no JS stack. Expressions inside
 * containers are found by the encoder when it meets them: it gives up (`Missing`), they are noted
 * in `node.nested`, and the instruction is written again after them.
 */
import type { ContextId, ProgramId } from "./backend.ts";
import { type Codec, Missing } from "./codec.ts";
import { EngineError } from "./errors.ts";
import { ExprNode } from "./expression.ts";
import type { LentTable } from "./lent.ts";
import type { RefNode } from "./ref.ts";
import { nodeOf } from "./surface.ts";
import { givenWith } from "./transfer.ts";
import type { Wait } from "./wait.ts";
import { Op } from "./wire/frames.ts";
import { ProgramWriter } from "./wire/program.ts";

/** One program, ready to be sent. */
export interface Compiled {
  readonly id: ProgramId;
  readonly context: ContextId;
  readonly bytes: Uint8Array;
  readonly waits: readonly Wait[];
  /** Refs that must live until the program is over. */
  readonly refs: readonly RefNode[];
}

/** Expressions that cannot be sent, and why. */
export interface Refused {
  readonly waits: readonly Wait[];
  readonly error: unknown;
}

/** Two programs of this turn turned out to share an effect. */
const CONFLICT = Symbol("conflict");
/** After so many restarts everything becomes one program, which is always right. */
const MAX_RESTARTS = 3;
const NO_REFS: RefNode[] = [];

export class Compiler {
  readonly #codec: Codec;
  readonly #lent: LentTable;
  #writer: ProgramWriter | undefined;
  /** Marks of nodes; never reused, so nothing has to be cleared. */
  #mark = 0;
  #turn = 0;
  #nextId: ProgramId = 1;
  /** Buffers that were given away in this turn; whoever sends the programs detaches them. */
  given: ArrayBuffer[] = [];

  constructor(codec: Codec, lent: LentTable) {
    this.#codec = codec;
    this.#lent = lent;
    this.#writer = new ProgramWriter(codec, codec.limits);
  }

  /** Compiles all waits of a turn; every wait is in exactly one result. */
  turn(waits: readonly Wait[]): (Compiled | Refused)[] {
    const lentBefore = this.#lent.mark();
    for (let restarts = 0; ; restarts++) {
      const results: (Compiled | Refused)[] = [];
      const effects: ExprNode[] = [];
      if (this.#all(restarts < MAX_RESTARTS ? this.#groups(waits) : [waits], results, effects)) {
        this.#lent.commit(lentBefore);
        for (const node of effects) node.spent = true;
        return results;
      }
      this.#lent.undo(lentBefore);
    }
  }

  #all(groups: readonly (readonly Wait[])[], results: (Compiled | Refused)[], effects: ExprNode[]): boolean {
    const turnStart = this.#mark;
    for (const group of groups) {
      const result = this.#program(group, turnStart, effects);
      if (result === CONFLICT) return false;
      results.push(result);
    }
    return true;
  }

  /** Waits that share an effect, together; in the order in which they were started. */
  #groups(waits: readonly Wait[]): readonly (readonly Wait[])[] {
    if (waits.length === 1) return [waits];
    const turn = ++this.#turn;
    const parent: number[] = [];
    const find = (at: number): number => {
      while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
      return at;
    };
    let joined = false;
    const stack: ExprNode[] = [];
    for (let index = 0; index < waits.length; index++) {
      parent.push(index);
      let node: ExprNode | undefined = (waits[index] as Wait).node;
      if (node.pure) continue;
      for (; node !== undefined; node = stack.pop()) {
        if (node.groupTurn !== turn) {
          node.groupTurn = turn;
          node.group = index;
          pushImpure(node, stack);
          continue;
        }
        // Met from another wait: that one's effects are below here too.
        const [a, b] = [find(node.group), find(index)];
        if (a === b) continue;
        parent[Math.max(a, b)] = Math.min(a, b);
        joined = true;
      }
    }
    if (!joined) return waits.map((wait) => [wait]);
    const groups = new Map<number, Wait[]>();
    waits.forEach((wait, index) => {
      const root = find(index);
      const group = groups.get(root);
      if (group === undefined) groups.set(root, [wait]);
      else group.push(wait);
    });
    return [...groups.values()];
  }

  #program(waits: readonly Wait[], turnStart: number, effects: ExprNode[]): Compiled | Refused | typeof CONFLICT {
    const codec = this.#codec;
    // A getter among the operands may call Python and compile meanwhile: it gets a writer of its own.
    const writer = this.#writer ?? new ProgramWriter(codec, codec.limits);
    this.#writer = undefined;
    const outer = codec.enter(++this.#mark);
    const mark = this.#mark;
    const effectsBefore = effects.length;
    const lentBefore = this.#lent.mark();
    const context = (waits[0] as Wait).node.context;
    try {
      const id = this.#nextId++;
      const outputs: number[] = [];
      writer.begin(id, context);
      for (const wait of waits) {
        if (!this.#emit(writer, wait.node, context, mark, turnStart, effects)) return CONFLICT;
        outputs.push(wait.node.slot, wait.mode);
      }
      const bytes = writer.end(outputs);
      return { id, context, bytes, waits, refs: codec.used ?? NO_REFS };
    } catch (error) {
      effects.length = effectsBefore;
      this.#lent.undo(lentBefore);
      return { waits, error };
    } finally {
      codec.leave(outer);
      this.#writer = writer;
    }
  }

  /** Writes a node after everything it needs; false when that is in another program of this turn. */
  #emit(writer: ProgramWriter, root: ExprNode, context: ContextId, mark: number, turnStart: number, effects: ExprNode[]): boolean {
    const stack: ExprNode[] = [];
    for (let node: ExprNode | undefined = root; node !== undefined; node = stack[stack.length - 1]) {
      if (node.mark === mark) {
        stack.pop();
        continue;
      }
      if (node.visit !== mark) {
        this.#check(node, root, context);
        if (!node.looks && node.mark > turnStart) return false;
        node.visit = mark;
        if (node === root && stack.length === 0) stack.push(root);
      }
      const before = stack.length;
      pushMissing(node, stack, mark);
      // First the target, then the operands from left to right, as Python does.
      if (stack.length > before) {
        reverse(stack, before);
        continue;
      }
      try {
        this.#write(writer, node);
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        if (error.node.visit === mark) throw new EngineError("ERR_ARGUMENT", `${root.describe()} contains itself.`);
        (node.nested ??= []).push(error.node);
        continue;
      }
      node.mark = mark;
      if (!node.looks) effects.push(node);
      stack.pop();
    }
    return true;
  }

  #check(node: ExprNode, root: ExprNode, context: ContextId): void {
    if (node.spent) throw spentError(node, root);
    if (node.home !== this.#codec.home) {
      throw new EngineError("ERR_CROSS_CONTEXT", `${node.describe()} belongs to another engine.`, "Await it there, and pass its value.");
    }
    if (node.context !== context && NAMESPACED[node.op]) {
      throw new EngineError(
        "ERR_CROSS_CONTEXT",
        `${node.describe()} belongs to another context than the expression it is used in.`,
        "Await it first, and pass its result.",
      );
    }
  }

  #write(writer: ProgramWriter, node: ExprNode): void {
    let target: number | null = null;
    if (node.target instanceof ExprNode) target = node.target.slot;
    else if (node.target !== null) {
      const ref = node.target as RefNode;
      target = -ref.usable(this.#codec.home);
      this.#codec.use(ref);
    }
    node.slot = writer.instruction(node.op, target, node.a, node.b, node.c);
    if (node.op === Op.CALL) {
      const given = givenWith(node.a as readonly unknown[]);
      if (given.length > 0) this.given.push(...given);
    }
  }
}

/** Ops that mean something else in another namespace. */
const NAMESPACED: readonly boolean[] = Object.assign([] as boolean[], {
  [Op.EVAL]: true,
  [Op.EXEC]: true,
  [Op.GLOBAL]: true,
  [Op.SETGLOBAL]: true,
  [Op.DELGLOBAL]: true,
});

/** The operands of a node that may be expressions themselves. */
function operandsOf(node: ExprNode): readonly unknown[] {
  if (node.op === Op.CALL) return node.a as readonly unknown[];
  if (node.op === Op.EVAL || node.op === Op.EXEC) return (node.c ?? NONE) as readonly unknown[];
  return typeof node.a === "function" || typeof node.b === "function" ? [node.a, node.b] : NONE;
}
const NONE: readonly unknown[] = [];

/** What must be written before a node and is not yet: its target, and the expressions among its operands. */
function pushMissing(node: ExprNode, stack: ExprNode[], mark: number): void {
  const { target, nested } = node;
  if (target instanceof ExprNode && target.mark !== mark) stack.push(target);
  for (const operand of operandsOf(node)) {
    if (typeof operand !== "function") continue;
    const found = nodeOf(operand);
    if (found instanceof ExprNode && found.mark !== mark) stack.push(found);
  }
  if (nested !== undefined) for (const found of nested) if (found.mark !== mark) stack.push(found);
}

/** The nodes below that have effects, or may have. */
function pushImpure(node: ExprNode, stack: ExprNode[]): void {
  const { target, nested } = node;
  if (target instanceof ExprNode && !target.pure) stack.push(target);
  for (const operand of operandsOf(node)) {
    if (typeof operand !== "function") continue;
    const found = nodeOf(operand);
    if (found instanceof ExprNode && !found.pure) stack.push(found);
  }
  if (nested !== undefined) for (const found of nested) if (!found.pure) stack.push(found);
}

function reverse(stack: ExprNode[], from: number): void {
  for (let i = from, j = stack.length - 1; i < j; i++, j--) {
    [stack[i], stack[j]] = [stack[j] as ExprNode, stack[i] as ExprNode];
  }
}

function spentError(node: ExprNode, root: ExprNode): EngineError {
  const error = new EngineError(
    "ERR_EXPRESSION_SPENT",
    node === root
      ? `${node.describe()} has already run as a part of another expression, which kept its result in Python.`
      : `${root.describe()} is built on ${node.describe()}, which has already run. A call runs once.`,
    "Keep its result, and build on that: const x = await ref(…); await x.method().",
  );
  const stack = (root.site ?? node.site)?.stack;
  if (stack !== undefined) {
    Object.defineProperty(error, "stack", {
      value: `${error.name}: ${error.message}\n${stack.slice(stack.indexOf("\n") + 1)}`,
      configurable: true,
      writable: true,
    });
  }
  return error;
}
