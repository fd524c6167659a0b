/**
 * Python's dates and times as Temporal values.
 *
 * `globalThis.Temporal` is used where it exists; elsewhere the engine's start loads the polyfill
 * (`loadTemporal`), and only there. `setTemporal` gives another implementation. Values of either are accepted, because they are known by
 * `Symbol.toStringTag` and read by their public fields.
 *
 * Python has microseconds and the ISO calendar of the years 1 to 9999: what does not fit is a
 * `ConversionProblem`, never rounded. Python's aware datetime travels as its wall clock and its
 * offset in microseconds, so both sides of a repeated hour stay apart.
 */
import { EngineError } from "../errors.ts";
import { part } from "../parts.ts";

type Constructor = new (...parts: never[]) => object;

/** The part of Temporal that is used here; both implementations have it. */
export interface TemporalLike {
  readonly PlainDate: Constructor;
  readonly PlainTime: Constructor;
  readonly PlainDateTime: Constructor;
  readonly ZonedDateTime: Constructor;
  readonly Duration: Constructor;
}

let given: TemporalLike | undefined;

/** Uses this implementation from now on, unless the platform has its own. */
export function setTemporal(implementation: TemporalLike): void {
  given = implementation;
}

/** Whether dates can be made. */
export function hasTemporal(): boolean {
  return given !== undefined || (globalThis as { Temporal?: unknown }).Temporal !== undefined;
}

/** Loads `temporal-polyfill` where the platform has no Temporal; part of every engine's start. */
export async function loadTemporal(): Promise<void> {
  if (!hasTemporal()) setTemporal((await part(import("temporal-polyfill"))).Temporal as unknown as TemporalLike);
}

function temporal(): TemporalLike {
  const found = (globalThis as { Temporal?: TemporalLike }).Temporal ?? given;
  if (found !== undefined) return found;
  throw new EngineError(
    "ERR_UNSUPPORTED",
    "A Python date arrived, and this platform has no Temporal.",
    "createPython loads one; with isopy/sync, set globalThis.Temporal first.",
  );
}

/** Why a value cannot cross, without saying where it is: the codec adds the path. */
export class ConversionProblem extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

const KINDS: Readonly<Record<string, true>> = {
  PlainDate: true,
  PlainTime: true,
  PlainDateTime: true,
  ZonedDateTime: true,
  Instant: true,
  Duration: true,
  PlainYearMonth: true,
  PlainMonthDay: true,
};

/** `PlainDate` for a Temporal.PlainDate of any implementation; undefined for anything else. */
export function temporalKind(value: object): string | undefined {
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (typeof tag !== "string" || !tag.startsWith("Temporal.")) return undefined;
  const kind = tag.slice(9);
  return Object.hasOwn(KINDS, kind) ? kind : undefined;
}

interface Fields extends Record<string, number> {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  microsecond: number;
  nanosecond: number;
}
interface Zoned extends Fields {
  offsetNanoseconds: number;
}

/** A Temporal value as the tag and operands of its Python type. `lossy` cuts nanoseconds off. */
export function fromTemporal(value: object, kind: string, lossy: boolean): readonly [tag: string, ...operands: unknown[]] {
  const fields = value as unknown as Zoned & { calendarId?: string; timeZoneId: string; epochNanoseconds: bigint };
  if (fields.calendarId !== undefined && fields.calendarId !== "iso8601") {
    throw new ConversionProblem(
      `it has the calendar ${fields.calendarId}, and Python has only the ISO one`,
      'Write value.withCalendar("iso8601").',
    );
  }
  switch (kind) {
    case "PlainDate":
      return ["date", ...dateOf(fields)];
    case "PlainTime":
      return ["time", ...timeOf(fields, lossy)];
    case "PlainDateTime":
      return ["datetime", ...dateOf(fields), ...timeOf(fields, lossy)];
    case "ZonedDateTime": {
      const key = /^[-+]/.test(fields.timeZoneId) ? null : fields.timeZoneId;
      return ["zoned", ...dateOf(fields), ...timeOf(fields, lossy), fields.offsetNanoseconds / 1000, key];
    }
    case "Instant": {
      const [milliseconds, rest] = floorDivide(fields.epochNanoseconds, 1_000_000n);
      return fromEpoch(Number(milliseconds), microseconds(Number(rest), lossy));
    }
    case "Duration":
      return durationOf(fields as unknown as Record<string, number>, lossy);
    default:
      throw new ConversionProblem(`Python has no type for a Temporal.${kind}`, "Make a Temporal.PlainDate of it.");
  }
}

/** An instant as an aware datetime in UTC. */
export function fromEpoch(milliseconds: number, extra = 0): readonly [tag: string, ...operands: unknown[]] {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) throw new ConversionProblem("it is an invalid Date");
  const parts = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  return ["zoned", yearOf(year), ...parts, date.getUTCMilliseconds() * 1000 + extra, 0, null];
}

function yearOf(year: number): number {
  if (year >= 1 && year <= 9999) return year;
  throw new ConversionProblem(`its year is ${year}, and Python has the years 1 to 9999`);
}

function dateOf({ year, month, day }: Fields): number[] {
  return [yearOf(year), month, day];
}

function timeOf({ hour, minute, second, millisecond, microsecond, nanosecond }: Fields, lossy: boolean): number[] {
  return [hour, minute, second, microseconds(millisecond * 1_000_000 + microsecond * 1000 + nanosecond, lossy)];
}

function microseconds(nanoseconds: number, lossy: boolean): number {
  if (nanoseconds % 1000 !== 0 && !lossy) {
    throw new ConversionProblem(
      "it has nanoseconds, and Python has microseconds",
      'Write value.round("microsecond"), or pass { lossy: true }.',
    );
  }
  return Math.floor(nanoseconds / 1000);
}

const DAY = 86_400_000_000n;

function durationOf(value: Record<string, number>, lossy: boolean): readonly [tag: string, ...operands: unknown[]] {
  if (value.years || value.months) {
    throw new ConversionProblem(
      "it has years or months, which have no fixed length",
      'Write value.round({ largestUnit: "day", relativeTo }).',
    );
  }
  const part = (name: string, unit: bigint): bigint => BigInt(value[name] ?? 0) * unit;
  const whole =
    part("weeks", 7n * DAY) +
    part("days", DAY) +
    part("hours", 3_600_000_000n) +
    part("minutes", 60_000_000n) +
    part("seconds", 1_000_000n) +
    part("milliseconds", 1000n) +
    part("microseconds", 1n);
  const [extra, rest] = floorDivide(part("nanoseconds", 1n), 1000n);
  if (rest !== 0n && !lossy) microseconds(Number(rest), lossy);
  const [days, inDay] = floorDivide(whole + extra, DAY);
  if (days > 999_999_999n || days < -999_999_999n) throw new ConversionProblem("it is longer than Python's 999999999 days");
  return ["timedelta", Number(days), Number(inDay / 1_000_000n), Number(inDay % 1_000_000n)];
}

/** Quotient and remainder as Python has them: the remainder is not negative. */
function floorDivide(value: bigint, by: bigint): [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

type Make = new (...parts: readonly unknown[]) => object;
const make = (kind: keyof TemporalLike, ...parts: readonly unknown[]): object => new (temporal()[kind] as unknown as Make)(...parts);

/** A millisecond, microsecond and nanosecond of a count of microseconds. */
const fine = (count: number): [number, number, number] => [Math.floor(count / 1000), count % 1000, 0];

/** The inverse of `fromTemporal`; the operands are checked to be numbers by the caller. */
export function toTemporal(tag: string, parts: readonly number[], zone: string | null): object {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, offset = 0] = parts;
  switch (tag) {
    case "date":
      return make("PlainDate", a, b, c);
    case "time":
      return make("PlainTime", a, b, c, ...fine(d));
    case "datetime":
      return make("PlainDateTime", a, b, c, d, e, f, ...fine(g));
    case "timedelta":
      return toDuration(a, b, c);
    default: {
      if (offset % 60_000_000 !== 0 && zone === null) {
        throw new ConversionProblem("its offset has seconds, which a Temporal offset zone cannot have");
      }
      const wall = new Date(0);
      wall.setUTCFullYear(a, b - 1, c);
      wall.setUTCHours(d, e, f, 0);
      const nanoseconds = BigInt(wall.getTime()) * 1_000_000n + (BigInt(g) - BigInt(offset)) * 1000n;
      return make("ZonedDateTime", nanoseconds, zone ?? offsetZone(offset / 60_000_000));
    }
  }
}

function offsetZone(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Python's days may be negative beside positive seconds; a Duration has one sign. */
function toDuration(days: number, seconds: number, micros: number): object {
  const total = (BigInt(days) * 86_400n + BigInt(seconds)) * 1_000_000n + BigInt(micros);
  const sign = total < 0n ? -1 : 1;
  let rest = total < 0n ? -total : total;
  const take = (unit: bigint): number => {
    const count = Number(rest / unit);
    rest %= unit;
    return count === 0 ? 0 : sign * count;
  };
  return make("Duration", 0, 0, 0, take(DAY), take(3_600_000_000n), take(60_000_000n), take(1_000_000n), take(1000n), take(1n));
}
