/**
 * JavaScript values into streams: what each value becomes is decided in `classify.ts`.
 *
 * The encoder walks with an explicit stack, so depth costs memory and never the JS stack. Every
 * container is remembered by identity (`BINPUT` right after it is made), so shared references and
 * cycles stay what they are. A tuple or another value that Python cannot change afterwards is made
 * after its parts; when one of its parts has led back to it, the parts are dropped and the one made
 * inside is used, as CPython's own pickler does.
 *
 * Getters and hooks run once. Nothing is handed out when a value cannot cross; what was lent until
 * then is the caller's to take back (`Outbound.lend` saw it).
 */
import type { WireLimits } from "../backend.ts";
import { EngineError } from "../errors.ts";
import { ConversionProblem } from "../values/temporal.ts";
import * as op from "../wire/opcodes.ts";
import { ByteSink } from "../wire/sink.ts";
import type { Outbound } from "./boundary.ts";
import { classify } from "./classify.ts";
import { type Final, Frame, type Growing, Kind } from "./frame.ts";
import { keyProblem } from "./keys.ts";
import { Path } from "./path.ts";

/** Objects are looked up in a list while they are few: 8 of them take 80 ns instead of 220, 32 take 400 instead of 850 (Node 20). */
const FEW = 32;

/** Containers below this many levels are written in a stream of their own, so that a batch is never deep. */
const INNER_DEPTH = 200;

/** What was read of a container by somebody who gave up: its keys or its length, and the first values. */
export interface KnownParts {
  readonly head: readonly string[] | number;
  readonly values: readonly unknown[];
}

export class Encoder {
  /** Containers that were read in part, so that no getter runs twice; for one value. */
  known: ReadonlyMap<object, KnownParts> | undefined;
  readonly sink: ByteSink;
  outbound!: Outbound;
  lossy = false;
  /** Set when an extension value or a deep container was written; whoever needs it clears it. */
  extended = false;
  #limits!: WireLimits;
  #root = "value";
  #nodes = 0;
  #levels = 0;
  #stack: Frame[] = [];
  #few: object[] = [];
  #many: Map<object, number> | undefined;

  constructor(sink: ByteSink = new ByteSink()) {
    this.sink = sink;
  }

  /** Before a stream or program: nothing is remembered from the last one. */
  begin(outbound: Outbound, limits: WireLimits, lossy = false): void {
    this.outbound = outbound;
    this.lossy = lossy;
    this.#limits = limits;
    this.sink.limit = limits.maxBytes;
    this.sink.base = this.sink.at;
    this.#nodes = 0;
    if (this.#stack.length > 0) this.#stack.length = 0;
    this.forget();
  }

  /** Forgets what was written, so that nothing after this refers to anything before. */
  forget(): void {
    this.extended = false;
    this.known = undefined;
    // Setting a length is slow in V8 even when it changes nothing: 5% of a small program (bench/facade).
    if (this.#few.length > 0) this.#few.length = 0;
    this.#many = undefined;
  }

  /** Writes one value. */
  write(value: unknown, root = "value"): void {
    const stack = this.#stack;
    if (stack.length > 0) stack.length = 0; // an earlier value was refused
    this.#levels = 0;
    this.#root = root;
    let frame = this.#value(value);
    if (frame === undefined) return;
    for (;;) {
      stack.push(frame);
      if (frame.source !== undefined) this.#levels++;
      this.#nodes += frame.length;
      if (this.#nodes > this.#limits.maxNodes) this.#tooMany();
      this.sink.check();
      let inner: Frame | undefined;
      for (let top: Frame | undefined = frame; ; top = stack[stack.length - 1]) {
        if (top === undefined) return;
        inner = this.#parts(top);
        if (inner !== undefined) break;
        stack.pop();
        if (top.source !== undefined) this.#levels--;
        this.#close(top);
      }
      frame = inner;
    }
  }

  /** Writes the parts of a container until one is a container itself. */
  #parts(frame: Frame): Frame | undefined {
    const { items, length } = frame;
    if (frame.kind === Kind.OBJECT) {
      const source = frame.source as Record<string, unknown>;
      while (frame.next < length) {
        const at = frame.next++;
        const key = items[at] as string;
        this.sink.text(key);
        const { known } = frame;
        const inner = this.#value(known !== undefined && at < known.length ? known[at] : source[key]);
        if (inner !== undefined) return inner;
      }
      return undefined;
    }
    const { known } = frame;
    while (frame.next < length) {
      const at = frame.next++;
      const inner = this.#value(known !== undefined && at < known.length ? known[at] : items[at]);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }

  /** A value that stands for another one: what a hook gave, or what was boxed. */
  instead(value: unknown, hooks: number): Frame | undefined {
    return this.#value(value, hooks);
  }

  #value(value: unknown, hooks = 0): Frame | undefined {
    if (this.scalar(value)) return undefined;
    if (typeof value === "object") {
      const index = this.#indexOf(value as object);
      if (index >= 0) {
        this.#get(index);
        return undefined;
      }
    }
    try {
      return classify(this, value as object | symbol, hooks);
    } catch (error) {
      if (error instanceof ConversionProblem) this.refuse(error.message, error.hint);
      throw error;
    }
  }

  /** Writes a value that has nothing to remember, refuse or lend; false when it is another one. */
  scalar(value: unknown): boolean {
    const { sink } = this;
    switch (typeof value) {
      case "string":
        sink.text(value);
        return true;
      case "number":
        if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) sink.int(value);
        else this.float(value);
        return true;
      case "boolean":
        sink.op(value ? op.NEWTRUE : op.NEWFALSE);
        return true;
      case "undefined":
        sink.op(op.NONE);
        return true;
      case "bigint":
        sink.bigint(value);
        return true;
      default:
        if (value !== null) return false;
        sink.op(op.NONE);
        return true;
    }
  }

  float(value: number): void {
    const { sink } = this;
    sink.need(9);
    sink.bytes[sink.at] = op.BINFLOAT;
    sink.view.setFloat64(sink.at + 1, value);
    sink.at += 9;
  }

  /** Opens a container that Python can change: it exists before its parts. */
  open(kind: Growing, source: object, items: readonly unknown[]): Frame | undefined {
    this.#deeper();
    this.sink.op(kind === Kind.LIST ? op.EMPTY_LIST : kind === Kind.SET ? op.EMPTY_SET : op.EMPTY_DICT);
    this.remember(source);
    const known = this.known?.get(source);
    if (known !== undefined) return this.#openKnown(kind, source, items, known);
    if (items.length === 0) return undefined;
    this.sink.op(op.MARK);
    return new Frame(kind, source, items);
  }

  #openKnown(kind: Growing, source: object, items: readonly unknown[], { head, values }: KnownParts): Frame | undefined {
    const length = typeof head === "number" ? head : head.length;
    if (length === 0) return undefined;
    this.sink.op(op.MARK);
    return new Frame(kind, source, typeof head === "number" ? items : head, values, length);
  }

  /** Opens a container that Python cannot change: it is made after its parts. */
  openFrozen(kind: Final, source: object | undefined, items: readonly unknown[]): Frame | undefined {
    if (kind === Kind.TUPLE && items.length === 0) {
      this.sink.op(op.EMPTY_TUPLE);
      return undefined;
    }
    this.#deeper();
    this.sink.op(op.MARK);
    const frame = new Frame(kind, source, items);
    // Looked for now and then only: a value inside itself comes back here until it is found.
    if (source !== undefined && this.#stack.length % 128 === 127) this.#insideItself(source);
    return frame;
  }

  /** An extension value whose operands are scalars. */
  extension(tag: string, operands: readonly unknown[]): void {
    const { sink } = this;
    this.extended = true;
    if (operands.length > 2) sink.op(op.MARK);
    sink.text(tag);
    for (const operand of operands) {
      if (this.#value(operand) !== undefined) throw new TypeError(`isopy: an operand of ${tag} is no scalar`);
    }
    sink.op(operands.length > 2 ? op.TUPLE : (TUPLES[operands.length + 1] as number));
    sink.op(op.BINPERSID);
  }

  #close(frame: Frame): void {
    const { sink } = this;
    const { kind, source } = frame;
    switch (kind) {
      case Kind.LIST:
        sink.op(op.APPENDS);
        return;
      case Kind.OBJECT:
      case Kind.ENTRIES:
        sink.op(op.SETITEMS);
        return;
      case Kind.SET:
        sink.op(op.ADDITEMS);
        return;
    }
    if (source !== undefined) {
      const index = this.#indexOf(source);
      if (index >= 0) {
        sink.op(op.POP_MARK);
        this.#get(index);
        return;
      }
    }
    sink.op(kind === Kind.FROZENSET ? op.FROZENSET : op.TUPLE);
    if (kind === Kind.EXTENSION) {
      this.extended = true;
      sink.op(op.BINPERSID);
    }
    if (source !== undefined) this.remember(source);
  }

  /** Remembers the value that was just written, for every further reference to it. */
  remember(source: object): void {
    const { sink } = this;
    let index: number;
    if (this.#many === undefined && this.#few.length < FEW) {
      index = this.#few.push(source) - 1;
    } else {
      this.#many ??= new Map(this.#few.map((object, at) => [object, at]));
      index = this.#many.size;
      this.#many.set(source, index);
    }
    sink.need(5);
    if (index <= 0xff) {
      sink.bytes[sink.at++] = op.BINPUT;
      sink.bytes[sink.at++] = index;
    } else {
      sink.bytes[sink.at] = op.LONG_BINPUT;
      sink.view.setUint32(sink.at + 1, index, true);
      sink.at += 5;
    }
  }

  #indexOf(source: object): number {
    return this.#many === undefined ? this.#few.indexOf(source) : (this.#many.get(source) ?? -1);
  }

  #get(index: number): void {
    const { sink } = this;
    sink.need(5);
    if (index <= 0xff) {
      sink.bytes[sink.at++] = op.BINGET;
      sink.bytes[sink.at++] = index;
    } else {
      sink.bytes[sink.at] = op.LONG_BINGET;
      sink.view.setUint32(sink.at + 1, index, true);
      sink.at += 5;
    }
  }

  /** Keys that Python cannot hash, or would merge, are refused before they are written. */
  checkKeys(container: { keys(): Iterable<unknown> }, what: string): void {
    const problem = keyProblem(container);
    if (problem !== undefined)
      this.refuse(`the ${what} cannot become one of Python: ${problem}`, `Convert the keys first, or pass a list of pairs.`);
  }

  /** The value at hand cannot cross. */
  refuse(why: string, hint?: string): never {
    throw new EngineError("ERR_NOT_CONVERTIBLE", `${this.path()} cannot be sent to Python: ${why}.`, hint);
  }

  /** Where the walk is: `value.users[3].born`. */
  path(): string {
    const path = new Path(this.#root);
    for (const frame of this.#stack) {
      const at = frame.next - 1;
      if (frame.kind === Kind.OBJECT) path.key(frame.items[at]);
      else if (frame.kind === Kind.SET || frame.kind === Kind.FROZENSET) path.member(at);
      else if (frame.kind === Kind.ENTRIES) path.entry(frame.items[at & ~1], (at & 1) === 0);
      else path.index(at);
    }
    return path.text;
  }

  #insideItself(source: object): void {
    for (let i = this.#stack.length - 1; i >= 0; i--) {
      const frame = this.#stack[i] as Frame;
      if (frame.kind !== Kind.TUPLE && frame.kind !== Kind.FROZENSET && frame.kind !== Kind.EXTENSION) return;
      if (frame.source === source) this.refuse("it contains itself, which a tuple or frozenset of Python cannot");
    }
  }

  /** Tuples of the codec itself, such as the arguments around everything, are no level of anybody's data. */
  #deeper(): void {
    if (this.#levels >= INNER_DEPTH) this.extended = true;
    if (this.#levels < this.#limits.maxDepth) return;
    throw new EngineError(
      "ERR_LIMIT",
      `${new Path(this.#root).text} is nested deeper than maxDepth (${this.#limits.maxDepth}) levels.`,
      "Flatten it, or raise { limits: { maxDepth } } in createPython.",
    );
  }

  #tooMany(): never {
    throw new EngineError(
      "ERR_LIMIT",
      `${new Path(this.#root).text} has more than maxNodes (${this.#limits.maxNodes}) parts.`,
      "Send it in parts or as a TypedArray, or raise { limits: { maxNodes } } in createPython.",
    );
  }
}

const TUPLES: readonly number[] = [op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3];
