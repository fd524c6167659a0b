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
import type { ContextId, Program, ProgramId } from "./backend.ts";
import { type Codec, Missing } from "./codec.ts";
import { numberOf } from "./context-id.ts";
import { EngineError } from "./errors.ts";
import { ExprNode } from "./expression.ts";
import type { LentTable } from "./lent.ts";
import type { RefNode } from "./ref.ts";
import { nodeOf } from "./surface.ts";
import { givenWith } from "./transfer.ts";
import type { UsedRefs, Wait } from "./wait.ts";
import { Op } from "./wire/frames.ts";
import { BatchWriter } from "./wire/program.ts";

/** What was started in one turn, compiled. */
export interface Turn {
  /** The batch; valid until something is compiled again. */
  readonly frame: Uint8Array;
  /** The first output of each program in it. */
  readonly programs: readonly Wait[];
  /** What cannot be sent, and why; undefined when everything can. */
  readonly refused: readonly Refused[] | undefined;
}

/** The first output of a program that cannot be sent. */
interface Refused {
  readonly first: Wait;
  readonly error: unknown;
}

/** Two programs of this turn turned out to share an effect. */
const CONFLICT = Symbol("conflict");
/** After so many restarts everything becomes one program, which is always right. */
const MAX_RESTARTS = 3;

export class Compiler {
  readonly #codec: Codec;
  readonly #lent: LentTable;
  #writer: BatchWriter | undefined;
  /** The mark of the program being written; of its nodes: this when they are written, one less while they wait for others. Never reused, so nothing has to be cleared. */
  #mark = 0;
  /** Numbers the waits of all turns; `group` of a node is the one that met it first. */
  #met = 1;
  #nextId: ProgramId = 1;
  /** Buffers that were given away in this turn; whoever sends the programs detaches them. */
  given: ArrayBuffer[] = [];

  constructor(codec: Codec, lent: LentTable) {
    this.#codec = codec;
    this.#lent = lent;
    this.#writer = new BatchWriter(codec, codec.limits);
  }

  /** Compiles all waits of a turn. */
  turn(waits: readonly Wait[]): Turn {
    const writer = this.#take();
    const lentBefore = this.#lent.mark();
    try {
      for (let restarts = 0; ; restarts++) {
        writer.begin();
        const refused: Refused[] = [];
        const effects: ExprNode[] = [];
        const firsts = restarts < MAX_RESTARTS ? this.#groups(waits) : chained(waits);
        const programs = this.#all(writer, firsts, refused, effects);
        if (programs !== undefined) {
          this.#lent.commit(lentBefore);
          for (const node of effects) node.spend();
          return { frame: writer.end(), programs, refused: refused.length === 0 ? undefined : refused };
        }
        this.#lent.undo(lentBefore);
      }
    } finally {
      this.#writer = writer;
    }
  }

  /** Compiles one expression; the bytes are valid until something is compiled again. Throws why it cannot be sent. */
  single(node: ExprNode, mode: number): Program & { readonly refs: UsedRefs } {
    const writer = this.#take();
    const lentBefore = this.#lent.mark();
    const wait = { node, mode, next: undefined } as Wait;
    const effects: ExprNode[] = [];
    try {
      writer.begin();
      this.#program(writer, wait, this.#mark, effects);
      this.#lent.commit(lentBefore);
      for (const effect of effects) effect.spend();
      return { id: wait.program, context: node.context, bytes: writer.fragment(), refs: wait.refs };
    } catch (error) {
      this.#lent.undo(lentBefore);
      throw error;
    } finally {
      this.#writer = writer;
    }
  }

  /** A getter among the operands may call Python and compile meanwhile: it gets a writer of its own. */
  #take(): BatchWriter {
    const writer = this.#writer ?? new BatchWriter(this.#codec, this.#codec.limits);
    this.#writer = undefined;
    return writer;
  }

  /** The programs; undefined when two of them share an effect. */
  #all(writer: BatchWriter, firsts: readonly Wait[], refused: Refused[], effects: ExprNode[]): readonly Wait[] | undefined {
    const turnStart = this.#mark;
    for (const first of firsts) {
      const effectsBefore = effects.length;
      const lentBefore = this.#lent.mark();
      try {
        if (this.#program(writer, first, turnStart, effects) === CONFLICT) return undefined;
      } catch (error) {
        writer.abandon();
        effects.length = effectsBefore;
        this.#lent.undo(lentBefore);
        refused.push({ first, error });
      }
    }
    if (refused.length === 0) return firsts;
    const failed = new Set(refused.map(({ first }) => first));
    return firsts.filter((first) => !failed.has(first));
  }

  /** Waits that share an effect, chained by `next`; the first of each chain, in the order in which they were started. */
  #groups(waits: readonly Wait[]): readonly Wait[] {
    if (waits.length === 1) return waits;
    const met = this.#met;
    this.#met += waits.length;
    /** The group of each wait; made when the first two are joined. */
    let parent: number[] | undefined;
    const stack: ExprNode[] = [];
    for (let index = 0; index < waits.length; index++) {
      let node: ExprNode | undefined = (waits[index] as Wait).node;
      if (node.pure) continue;
      for (; node !== undefined; node = stack.pop()) {
        if (node.group < met) {
          node.group = met + index;
          pushImpure(node, stack);
          continue;
        }
        // Met from another wait: that one's effects are below here too.
        if (node.group === met + index) continue;
        parent ??= waits.map((_, at) => at);
        const [a, b] = [rootOf(parent, node.group - met), rootOf(parent, index)];
        parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
    if (parent === undefined) return waits;
    const last = new Map<number, Wait>();
    const firsts: Wait[] = [];
    for (let index = 0; index < waits.length; index++) {
      const wait = waits[index] as Wait;
      const root = rootOf(parent, index);
      const before = last.get(root);
      wait.next = undefined; // an attempt before this one may have chained it
      if (before === undefined) firsts.push(wait);
      else before.next = wait;
      last.set(root, wait);
    }
    return firsts;
  }

  #program(writer: BatchWriter, first: Wait, turnStart: number, effects: ExprNode[]): typeof CONFLICT | undefined {
    const codec = this.#codec;
    this.#mark += 2;
    const mark = this.#mark;
    // Of the program that a getter among its operands has interrupted.
    const outerMark = codec.mark;
    const outerUsed = codec.used;
    codec.mark = mark;
    codec.used = undefined;
    try {
      const { context } = first.node;
      first.program = this.#nextId++;
      writer.program(first.program, context === 0 ? 0 : numberOf(context));
      for (let wait: Wait | undefined = first; wait !== undefined; wait = wait.next) {
        wait.program = first.program;
        if (!this.#emit(writer, wait.node, context, mark, turnStart, effects)) return CONFLICT;
      }
      if (first.next === undefined) writer.output(first.node.slot, first.mode);
      else writer.outputs(outputsOf(first));
      first.refs = codec.used;
      return undefined;
    } finally {
      codec.mark = outerMark;
      codec.used = outerUsed;
    }
  }

  /** Writes a node after everything it needs; false when that is in another program of this turn. */
  #emit(writer: BatchWriter, root: ExprNode, context: ContextId, mark: number, turnStart: number, effects: ExprNode[]): boolean {
    const stack: ExprNode[] = [];
    for (let node: ExprNode | undefined = root; node !== undefined; node = stack[stack.length - 1]) {
      if (node.mark === mark) {
        stack.pop();
        continue;
      }
      if (node.mark !== mark - 1) {
        this.#check(node, root, context);
        if (!node.looks && node.mark > turnStart && (node.mark & 1) === 0) return false;
        node.mark = mark - 1;
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
        if (error.node.mark === mark - 1) throw new EngineError("ERR_ARGUMENT", `${root.describe()} contains itself.`);
        node.nest(error.node);
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

  #write(writer: BatchWriter, node: ExprNode): void {
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

/** All waits as one program. */
function chained(waits: readonly Wait[]): readonly Wait[] {
  waits.forEach((wait, index) => {
    wait.next = waits[index + 1];
  });
  return waits.slice(0, 1);
}

/** The root of a wait's group; shortens the way to it. */
function rootOf(parent: number[], index: number): number {
  let at = index;
  while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
  return at;
}

function outputsOf(first: Wait): number[] {
  const outputs: number[] = [];
  for (let wait: Wait | undefined = first; wait !== undefined; wait = wait.next) outputs.push(wait.node.slot, wait.mode);
  return outputs;
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
  for (const found of nested) if (found.mark !== mark) stack.push(found);
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
  for (const found of nested) if (!found.pure) stack.push(found);
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
