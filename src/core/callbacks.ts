/**
 * Calls from Python into JavaScript: a CALL stream in, an ANSWER stream out.
 *
 * Nothing that user code throws leaves here: it is inside the answer, as the very value, so that
 * it comes back as `error.cause`. Answers are synchronous, except for what Python awaits (`await`,
 * async iterators, functions lent with `{ async: true }`): those that never answer hold up nobody.
 */
import type { CallbackId } from "./backend.ts";
import { EngineError } from "./errors.ts";
import { exprOf } from "./expression.ts";
import {
  closeIterator,
  contains,
  deleteItem,
  deleteProperty,
  getItem,
  getProperty,
  iterate,
  lengthOf,
  names,
  nextItems,
  type Page,
  setItem,
  setProperty,
  truth,
} from "./jsops.ts";
import { lendAlways, proxied, proxy } from "./lending.ts";
import type { Lent, LentTable } from "./lent.ts";
import { tupleOf } from "./marshal/literals.ts";
import { JsOp, LentFlag } from "./wire/frames.ts";

/** How frames become values and back; the engine's codec with its own tables behind it. */
export interface AnswerCodec {
  /** The operands of a CALL. */
  read(frame: Uint8Array): readonly unknown[];
  /** A stream of `(token, true, value)`; throws when the value cannot cross. */
  answer(token: unknown, value: unknown): Uint8Array;
  /** A stream of `(token, false, thrown)`; never throws. */
  thrown(token: unknown, error: unknown): Uint8Array;
}

type AnyFunction = (...args: unknown[]) => unknown;
type AnyClass = new (...args: unknown[]) => unknown;

export class Callbacks {
  readonly #lent: LentTable;
  readonly #codec: AnswerCodec;

  constructor(lent: LentTable, codec: AnswerCodec) {
    this.#lent = lent;
    this.#codec = codec;
  }

  call(frame: Uint8Array): Uint8Array | Promise<Uint8Array> {
    let token: unknown = null;
    try {
      const [ticket, , target, op, ...operands] = this.#codec.read(frame);
      token = ticket;
      const lent = this.#lent.get(target as CallbackId);
      const value = this.#perform(lent, op as JsOp, operands);
      if (LATER[op as JsOp]?.(value, lent)) return this.#later(token, value);
      return this.#answer(token, value);
    } catch (error) {
      return this.#codec.thrown(token, error);
    }
  }

  async #later(token: unknown, value: unknown): Promise<Uint8Array> {
    try {
      return this.#answer(token, await value);
    } catch (error) {
      return this.#codec.thrown(token, error);
    }
  }

  callee(id: CallbackId): AnyFunction | undefined {
    const lent = this.#lent.get(id);
    const { value, flags } = lent;
    if (typeof value !== "function" || (flags & (LentFlag.CLASS | LentFlag.ASYNC)) !== 0 || proxied(value)?.once) return undefined;
    lent.direct = true;
    return value as AnyFunction;
  }

  answer(ok: boolean, value: unknown): Uint8Array {
    return ok ? this.#answer(null, value) : this.#codec.thrown(null, value);
  }

  /** A result that cannot cross is an error of this call, not of the engine. */
  #answer(token: unknown, value: unknown): Uint8Array {
    try {
      // An expression is an intention; what Python gets is its promise.
      return this.#codec.answer(token, exprOf(value) === undefined ? value : Promise.resolve(value));
    } catch (error) {
      return this.#codec.thrown(token, error);
    }
  }

  #perform(lent: Lent, op: JsOp, operands: readonly unknown[]): unknown {
    const target = lent.value;
    const [a, b, c] = operands;
    switch (op) {
      case JsOp.CALL:
        if (lent.spent) throw new EngineError("ERR_CLOSED", "A once-callback was called a second time.", "Lend it without { once: true }.");
        if (proxied(target)?.once) lent.spent = true;
        return Reflect.apply(target as AnyFunction, undefined, argumentsOf(a, b));
      case JsOp.NEW:
        return constructed(Reflect.construct(target as AnyClass, argumentsOf(a, b)) as object);
      case JsOp.METHOD:
        return Reflect.apply(getProperty(target, a as string) as AnyFunction, target, argumentsOf(b, c));
      case JsOp.GET:
        return getProperty(target, a as string);
      case JsOp.SET:
        return void setProperty(target, a as string, b);
      case JsOp.DELETE:
        return void deleteProperty(target, a as string);
      case JsOp.ITERATE:
        return lendAlways(iterate(target));
      case JsOp.NEXT:
        return page(nextItems(target, a as number));
      case JsOp.RETURN:
        return closed(closeIterator(target));
      case JsOp.LENGTH:
        return lengthOf(target);
      case JsOp.GETITEM:
        return getItem(target, a);
      case JsOp.SETITEM:
        return void setItem(target, a, b);
      case JsOp.DELITEM:
        return void deleteItem(target, a);
      case JsOp.CONTAINS:
        return contains(target, a);
      case JsOp.KEYS:
        return names(target);
      case JsOp.TEXT:
        return String(target);
      case JsOp.AWAIT:
        return target;
      case JsOp.TRUTH:
        return truth(target);
      case JsOp.EQUALS:
        return target === a;
      default:
        throw new EngineError("ERR_PROTOCOL", `The engine asked for an unknown operation (${String(op)}) of a JavaScript object.`);
    }
  }
}

/** Which answers come later: the ones that are asked for by sending, never by waiting. */
const LATER: Readonly<Partial<Record<JsOp, (value: unknown, lent: Lent) => boolean>>> = {
  [JsOp.AWAIT]: () => true,
  [JsOp.CALL]: (_value, { flags }) => (flags & LentFlag.ASYNC) !== 0,
  [JsOp.NEXT]: (page) => page instanceof Promise,
  [JsOp.RETURN]: (closed) => closed instanceof Promise,
};

/** What Python makes with `new` it means to use: a Map stays a Map of JavaScript instead of arriving as a copy. */
function constructed(instance: object): object {
  return instance instanceof Error ? instance : proxy(instance);
}

function argumentsOf(args: unknown, kwargs: unknown): unknown[] {
  const list = [...((args ?? []) as readonly unknown[])];
  if (kwargs === null || kwargs === undefined) return list;
  const entries = kwargs instanceof Map ? [...(kwargs as Map<string, unknown>)] : Object.entries(kwargs);
  if (entries.length > 0) list.push(Object.fromEntries(entries));
  return list;
}

/** What `return()` answered says nothing, but an async iterator's must be waited for. */
function closed(result: unknown): null | Promise<null> {
  return result instanceof Promise ? result.then(() => null) : null;
}

/** A page as Python reads it: a tuple. */
function page(result: Page | Promise<Page>): unknown {
  return result instanceof Promise ? result.then((p) => tupleOf(p)) : tupleOf(result);
}
