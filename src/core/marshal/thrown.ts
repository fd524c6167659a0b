/**
 * A JavaScript error as the operands of `thrown`: its facts, and the very object, so that it comes
 * back as itself. Python makes an exception of it, whether it was thrown or is a value among others.
 *
 * Causes go as a flat list, so that a cycle of them ends; members of an AggregateError likewise.
 */
import type { Outbound } from "./boundary.ts";
import { describeLent } from "./lend.ts";
import { Extension, tupleOf } from "./literals.ts";

const MAX_CAUSES = 16;

export function thrownOf(to: Outbound, error: Error): Extension {
  const causes: unknown[] = [];
  const seen = new Set<unknown>([error]);
  for (let at: unknown = error.cause; at instanceof Error && !seen.has(at) && causes.length < MAX_CAUSES; at = at.cause) {
    seen.add(at);
    causes.push(tupleOf(factsOf(to, at)));
  }
  const members = error instanceof AggregateError ? error.errors.filter((one: unknown): one is Error => one instanceof Error) : [];
  return new Extension("thrown", [...factsOf(to, error), tupleOf(causes), tupleOf(members.map((one) => tupleOf(factsOf(to, one))))]);
}

function factsOf(to: Outbound, error: Error): readonly unknown[] {
  const known = to.exception(error);
  const value = known === undefined ? lent(to, error) : new Extension("exception", [known]);
  return [String(error.name), String(error.message), String(error.stack ?? ""), value];
}

function lent(to: Outbound, error: Error): Extension {
  const [flags, name] = describeLent(error);
  return new Extension("js", [to.lend(error, flags, name), flags, name]);
}
