/**
 * Runs one vector on one engine, without a test framework, so that a browser page can do it too.
 */
import { EngineError, PythonError } from "isopy";
import { refLike } from "./match.ts";
import type { Loose, Runner } from "./runner.ts";
import { difference, show } from "./same-value.ts";
import type { Failure, Need, Vector } from "./vector.ts";

export interface Skip {
  readonly reason: string;
  /** Set when the engine or facade cannot do it; such skips are declared in the support matrix. */
  readonly capability?: Need;
}

/** Why a vector cannot run on this engine; null when it can. */
export function whySkipped(t: Runner, vector: Vector): Skip | null {
  const lacking = vector.needs?.find((need) => !t.capabilities[need]);
  if (lacking !== undefined)
    return { reason: `needs the capability ${lacking} (declared in docs/guide/support-matrix.md)`, capability: lacking };
  const { requires, since } = vector;
  if (requires !== undefined && !t.modules.has(requires)) {
    return { reason: requires === "zones" ? "this Python has no time zone data" : `this Python has no ${requires}` };
  }
  if (since !== undefined && (t.python[0] < since[0] || (t.python[0] === since[0] && t.python[1] < since[1]))) {
    return { reason: `needs Python ${since.join(".")}` };
  }
  return null;
}

/** What is wrong, in one line; null when the vector holds. Refs are given back in any case. */
export async function runVector(t: Runner, vector: Vector): Promise<string | null> {
  try {
    const found = await check(t, vector);
    if (vector.throws === undefined || found !== null) return found;
    return "nothing was thrown";
  } catch (error) {
    return vector.throws === undefined ? `it failed with ${describe(error)}` : wrongFailure(error, vector.throws);
  }
}

async function check(t: Runner, vector: Vector): Promise<string | null> {
  if (vector.act !== undefined) {
    const value = await vector.act(t);
    const found = "expect" in vector ? difference(value, vector.expect) : null;
    t.release(value);
    return found;
  }
  if (vector.python !== undefined) {
    const found = await towardsJavaScript(t, vector, vector.python);
    if (found !== null) return `towards JavaScript: ${found}`;
  }
  const found = vector.js === undefined ? null : await towardsPython(t, vector, vector.js());
  return found === null ? null : `towards Python: ${found}`;
}

const bothWays = ({ python, js, options, toJs, roundTrip }: Vector): boolean =>
  roundTrip === undefined ? python !== undefined && js !== undefined && options === undefined && toJs === undefined : roundTrip !== false;

async function towardsJavaScript(t: Runner, vector: Vector, source: string): Promise<string | null> {
  const { setup = "", options, toJs } = vector;
  const values = vector.values?.() ?? {};
  const back = bothWays(vector) && options === undefined && toJs === undefined;
  const value = await (back ? t.probe.give(setup, source, values) : arrive(t, { ...vector, values: () => values }, source));
  try {
    const expected = "expect" in vector ? vector.expect : vector.js?.();
    const found = "expect" in vector || vector.js !== undefined ? difference(value, expected) : null;
    if (found !== null || !back) return found;
    const differs = (await t.probe.returned(value)) as string;
    return differs === "" ? null : `on return, ${differs}`;
  } finally {
    t.release(value);
  }
}

async function arrive(t: Runner, { setup = "", values, options, toJs }: Vector, source: string): Promise<unknown> {
  const bound = values?.() ?? {};
  if (toJs === undefined) return t.evaluate({ setup, source, values: bound, ...(options && { options }) });
  const ref = await t.evaluate({ setup, source, values: bound, options: { convert: "ref" } });
  try {
    return await t.toJs(ref, toJs);
  } finally {
    t.release(ref);
  }
}

async function towardsPython(t: Runner, vector: Vector, x: unknown): Promise<string | null> {
  const { setup = "", check, python = "None" } = vector;
  const values = vector.values?.() ?? {};
  const wrong = (await (check === undefined
    ? t.probe.arrived(setup, python, values, x)
    : t.probe.holds(setup, check, values, x))) as string;
  if (wrong !== "") return wrong;
  if (!bothWays(vector)) return null;
  const back: unknown = await t.probe.echo(x);
  try {
    if (vector.roundTrip === "identical") return Object.is(back, x) ? null : `on return, ${show(back)} is another object`;
    const found = difference(back, x);
    return found === null ? null : `on return, ${found}`;
  } finally {
    t.release(back);
  }
}

function wrongFailure(error: unknown, wanted: Failure): string | null {
  const { code, type, message, fields } = wanted;
  if (code !== undefined && !(error instanceof EngineError && error.code === code))
    return `it failed with ${describe(error)} instead of ${code}`;
  if (type !== undefined && !(error instanceof PythonError && error.type === type))
    return `it failed with ${describe(error)} instead of ${type}`;
  const text = error instanceof Error ? error.message : String(error);
  if (typeof message === "string" ? text !== message : message !== undefined && !message.test(text))
    return `the message is ${show(text)}, not ${String(message)}`;
  for (const [name, value] of Object.entries(fields ?? {})) {
    const found = difference((error as Loose)[name], value);
    if (found !== null) return `${name} of ${describe(error)}: ${found}`;
  }
  return null;
}

function describe(error: unknown): string {
  if (error instanceof EngineError) return `${error.code} (${error.message.slice(0, 300)})`;
  if (error instanceof PythonError) return `${error.type} (${error.message.slice(0, 300)}; ${error.traceback.slice(-600)})`;
  return error instanceof Error
    ? `${error.name}: ${error.message.slice(0, 300)} ${error.stack?.split("\n").slice(1, 4).join(" ") ?? ""}`
    : show(error);
}

/** Every ref inside a value, however deep. */
export function refsInside(value: unknown): readonly unknown[] {
  const found: unknown[] = [];
  const seen = new Set<unknown>();
  const todo = [value];
  while (todo.length > 0) {
    const at = todo.pop();
    if (refLike(at)) found.push(at);
    else if (typeof at === "object" && at !== null && !seen.has(at)) {
      seen.add(at);
      if (at instanceof Map) todo.push(...at.keys(), ...at.values());
      else if (at instanceof Set || Array.isArray(at)) for (const item of at) todo.push(item);
      else if ([null, Object.prototype].includes(Object.getPrototypeOf(at) as null)) for (const item of Object.values(at)) todo.push(item);
    }
  }
  return found;
}
