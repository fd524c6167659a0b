/**
 * The dict of an `error` (PROTOCOL.md, section 5), checked field by field.
 *
 * Options about dicts and None do not reach into it: an error always has the same shape.
 */
import type { Inbound, WireError, WireFrame } from "./boundary.ts";
import { number, text } from "./extensions.ts";

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : []);
const numberOrNull = (value: unknown): number | null => (value == null ? null : number(value));
const errorOrNull = (value: unknown): Error | null => (value instanceof Error ? value : null);

export function readError(inbound: Inbound, fields: Record<string, unknown>): Error {
  const error: { -readonly [K in keyof WireError]: WireError[K] } = {
    id: number(fields["id"]),
    name: text(fields["name"]),
    type: text(fields["type"]),
    mro: texts(fields["mro"]),
    message: text(fields["message"]),
    args: Array.isArray(fields["args"]) ? (fields["args"] as unknown[]) : null,
    frames: Array.isArray(fields["frames"]) ? fields["frames"].map(frame) : [],
    traceback: text(fields["traceback"]),
    notes: texts(fields["notes"]),
    cause: errorOrNull(fields["cause"]),
    context: errorOrNull(fields["context"]),
    suppress: fields["suppress"] === true,
    errors: Array.isArray(fields["errors"]) ? fields["errors"].filter((member): member is Error => member instanceof Error) : null,
    extra: extra(fields["extra"]),
  };
  if (Object.hasOwn(fields, "js")) error.js = fields["js"];
  if (fields["cancelled"] === true) error.cancelled = true;
  return inbound.pythonError(error);
}

function frame(value: unknown): WireFrame {
  const [file, line, endLine, column, fn, source] = Array.isArray(value) ? (value as unknown[]) : [];
  return [text(file), numberOrNull(line), numberOrNull(endLine), numberOrNull(column), text(fn), source == null ? null : text(source)];
}

/** Any dict; its names are Python's, so it has no prototype to fall back on. */
function extra(value: unknown): Readonly<Record<string, unknown>> {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (Array.isArray(value)) return Object.fromEntries(value as [string, unknown][]) as Record<string, unknown>;
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
