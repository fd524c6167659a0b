/**
 * The codec of one engine: streams, with this engine's tables behind them.
 *
 * What the codec meets on its way (refs that a program uses, objects that are lent) is noted here
 * and taken by whoever encodes next.
 */
import type { CallbackId, ExportedMemory, ExportId, HandleId, WireLimits } from "./backend.ts";
import type { AnswerCodec } from "./callbacks.ts";
import type { ReadOptions } from "./conversion.ts";
import type { EnumMembers } from "./enums.ts";
import { EngineError } from "./errors.ts";
import type { Exceptions } from "./exceptions.ts";
import { ExprNode, type Home } from "./expression.ts";
import type { HandleBook } from "./handles.ts";
import { proxied } from "./lending.ts";
import type { LentTable } from "./lent.ts";
import type { LentMemory } from "./lent-memory.ts";
import type { LoanBook } from "./loans.ts";
import type { Inbound, Outbound, WireError } from "./marshal/boundary.ts";
import { decodeStream } from "./marshal/decode.ts";
import { encodeStream } from "./marshal/encode.ts";
import { extension, tupleOf } from "./marshal/literals.ts";
import { claimed, copied } from "./memory.ts";
import { RefNode } from "./ref.ts";
import type { Rules } from "./rules.ts";
import { nodeOf } from "./surface.ts";

/** Thrown through the encoder: this expression must be written first. */
export class Missing {
  constructor(readonly node: ExprNode) {}
}

export class Codec implements Outbound, Inbound, AnswerCodec {
  readonly home: Home;
  readonly limits: WireLimits;
  readonly #handles: HandleBook;
  readonly #lent: LentTable;
  readonly #exceptions: Exceptions;
  readonly #enums: EnumMembers;
  readonly #rules: Rules;
  readonly #memory: ExportedMemory | undefined;
  /** Refs that the program being written uses. */
  used: RefNode | RefNode[] | undefined;
  /** The mark of the program being written: its expressions have slots. 0: none is. */
  mark = 0;
  /** Set while the arguments of a synchronous call are written. */
  loans: LoanBook | undefined;

  constructor(
    home: Home,
    limits: WireLimits,
    tables: { handles: HandleBook; lent: LentTable; exceptions: Exceptions; enums: EnumMembers; rules: Rules },
    memory?: ExportedMemory,
  ) {
    this.home = home;
    this.limits = limits;
    this.#handles = tables.handles;
    this.#lent = tables.lent;
    this.#exceptions = tables.exceptions;
    this.#enums = tables.enums;
    this.#rules = tables.rules;
    this.#memory = memory;
  }

  // Outbound

  handle(value: object): HandleId | undefined {
    const node = nodeOf(value);
    if (!(node instanceof RefNode)) return node === undefined ? this.#enums.idOf(value) : undefined;
    const id = node.usable(this.home);
    this.use(node);
    return id;
  }

  slot(value: object): number | undefined {
    if (this.mark === 0) return undefined;
    const node = nodeOf(value);
    if (!(node instanceof ExprNode)) return undefined;
    if (node.mark === this.mark) return node.slot;
    throw new Missing(node);
  }

  use(ref: RefNode): void {
    if (this.mark === 0) return;
    if (this.used === undefined) this.used = ref;
    else if (Array.isArray(this.used)) this.used.push(ref);
    else this.used = [this.used, ref];
  }

  lend(value: object | symbol, flags: number): CallbackId {
    return this.#lent.lend(value, flags);
  }

  marked(value: object): number | undefined {
    return proxied(value)?.flags;
  }

  loan(memory: LentMemory): HandleId {
    return this.loans === undefined ? noCall() : this.loans.lend(memory);
  }

  ruled(value: object): readonly [id: number, data: unknown] | undefined {
    return this.#rules.outgoing(value);
  }

  exception(error: object): number | undefined {
    return this.#exceptions.idOf(error);
  }

  // Inbound

  ref(id: HandleId, flags: number, typeName: string): object {
    return this.#handles.introduce(id, flags, typeName);
  }

  lent(id: CallbackId): unknown {
    return this.#lent.get(id).value;
  }

  enumMember(id: HandleId, name: string, value: unknown, typeName: string): object {
    return this.#enums.introduce(id, name, value, typeName);
  }

  memory(id: ExportId): ArrayBuffer {
    return claimed(this.#memory, id);
  }

  copied(id: ExportId): ArrayBuffer {
    return copied(this.#memory, id);
  }

  rule(id: number, data: unknown): unknown {
    return this.#rules.incoming(id, data);
  }

  pythonError(fields: WireError): Error {
    return this.#exceptions.error(fields);
  }

  // Streams

  encode(value: unknown, root?: string): Uint8Array {
    return encodeStream(value, this, root === undefined ? { limits: this.limits } : { limits: this.limits, root });
  }

  decode(bytes: Uint8Array, read?: ReadOptions): unknown {
    return decodeStream(bytes, this, read);
  }

  // AnswerCodec

  read(frame: Uint8Array): readonly unknown[] {
    const operands = this.decode(frame) as readonly unknown[];
    this.#handles.collect(); // arguments belong to the function that is called
    return operands;
  }

  answer(token: unknown, value: unknown): Uint8Array {
    return this.#whole(tupleOf([token, true, value]), "the result of a JavaScript function");
  }

  /** What was thrown: the very value where it can cross, else its facts alone. */
  thrown(token: unknown, error: unknown): Uint8Array {
    const { name, message, stack } = factsOf(error);
    try {
      // An Error is its own `thrown`, or the exception that Python knows it as.
      const value = error instanceof Error ? error : extension("thrown", name, message, stack, error);
      return this.#whole(tupleOf([token, false, value]), "what JavaScript threw");
    } catch (cause) {
      const why = `${message} (the thrown value cannot cross: ${factsOf(cause).message})`;
      return this.encode(tupleOf([token, false, extension("thrown", name, why, stack, null)]));
    }
  }

  /** Encodes, or takes back everything that was lent on the way. */
  #whole(value: unknown, root: string): Uint8Array {
    const mark = this.#lent.mark();
    const { mark: program, loans } = this;
    this.mark = 0;
    this.loans = undefined;
    try {
      const bytes = this.encode(value, root);
      this.#lent.commit(mark);
      return bytes;
    } catch (error) {
      this.#lent.undo(mark);
      throw error;
    } finally {
      this.mark = program;
      this.loans = loans;
    }
  }
}

/** Where there is no call whose length memory could be lent for. */
function noCall(): never {
  throw new EngineError(
    "ERR_UNSUPPORTED",
    "view() lends memory for the length of a synchronous call, as one of its arguments, and here is none.",
    'Use "isopy/sync" on the native engine, or pass the array itself: it is copied.',
  );
}

/** Facts about anything that can be thrown, even an object that throws when it is looked at. */
function factsOf(error: unknown): { name: string; message: string; stack: string } {
  try {
    if (error instanceof Error) return { name: String(error.name), message: String(error.message), stack: String(error.stack ?? "") };
    return { name: error === null ? "null" : typeof error, message: String(error), stack: "" };
  } catch {
    return { name: "object", message: "a value that cannot be described", stack: "" }; // its own getters threw
  }
}
