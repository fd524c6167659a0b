/** Dates and times as Temporal values, exact or refused. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, it } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import {
  fromEpoch,
  fromTemporal,
  hasTemporal,
  loadTemporal,
  setTemporal,
  type TemporalLike,
  temporalKind,
  toTemporal,
} from "../../src/core/values/temporal.ts";
import { decode, encode, there } from "./marshal-support.ts";

describe("before an implementation is there", () => {
  it.skipIf(hasTemporal())("a date that arrives says what to do", () => {
    const bytes = encode(Temporal.PlainDate.from("2020-01-02"));
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
  });
});

describe("with an implementation", () => {
  beforeAll(async () => {
    setTemporal(Temporal as unknown as TemporalLike);
    await loadTemporal();
  });

  it.each([
    Temporal.PlainDate.from("0001-01-01"),
    Temporal.PlainDate.from("9999-12-31"),
    Temporal.PlainTime.from("23:59:59.999999"),
    Temporal.PlainTime.from("00:00"),
    Temporal.PlainDateTime.from("2020-02-29T12:34:56.000001"),
    Temporal.PlainDateTime.from("0001-01-01T00:00:00.999999"),
    Temporal.ZonedDateTime.from("2020-01-02T03:04:05.123456+05:30[+05:30]"),
    Temporal.ZonedDateTime.from("2020-01-02T03:04:05-00:30[-00:30]"),
    Temporal.ZonedDateTime.from("2020-01-02T03:04:05+00:00[UTC]"),
    Temporal.ZonedDateTime.from("2024-10-27T02:30:00+02:00[Europe/Berlin]"),
    Temporal.ZonedDateTime.from("2024-10-27T02:30:00+01:00[Europe/Berlin]"),
    Temporal.ZonedDateTime.from("0001-01-01T00:00:00+00:00[+00:00]"),
    Temporal.ZonedDateTime.from("9999-12-31T23:59:59.999999+14:00[+14:00]"),
    Temporal.Duration.from("P1DT2H3M4.005006S"),
    Temporal.Duration.from("-P1DT2H3M4.005006S"),
    Temporal.Duration.from("PT0S"),
    Temporal.Duration.from("-PT0.000001S"),
    Temporal.Duration.from({ days: 999_999_999 }),
  ])("%s goes there and back", (value) => {
    const back = there(value) as typeof value;
    expect(Object.prototype.toString.call(back)).toBe(Object.prototype.toString.call(value));
    expect(String(back)).toBe(String(value));
  });

  it("an Instant and a Date become UTC datetimes", () => {
    expect(String(there(Temporal.Instant.from("2020-01-02T03:04:05.000007Z")))).toBe("2020-01-02T03:04:05.000007+00:00[+00:00]");
    expect(String(there(new Date("1969-12-31T23:59:59.999Z")))).toBe("1969-12-31T23:59:59.999+00:00[+00:00]");
    expect(fromEpoch(Date.UTC(2020, 0, 1))).toEqual(["zoned", 2020, 1, 1, 0, 0, 0, 0, 0, null]);
  });

  it("durations arrive balanced, whatever they were written as", () => {
    expect(fromTemporal(Temporal.Duration.from({ seconds: -1 }), "Duration", false)).toEqual(["timedelta", -1, 86_399, 0]);
    expect(fromTemporal(Temporal.Duration.from({ weeks: 1, hours: 25, nanoseconds: 2000 }), "Duration", false)).toEqual([
      "timedelta",
      8,
      3600,
      2,
    ]);
    expect(String(toTemporal("timedelta", [-1, 86_399, 999_999], null))).toBe("-PT0.000001S");
    expect(String(toTemporal("timedelta", [1, 5400, 0], null))).toBe("P1DT1H30M");
  });

  it("knows values of any implementation by their tag", () => {
    expect(temporalKind(Temporal.PlainDate.from("2020-01-01"))).toBe("PlainDate");
    expect(temporalKind({})).toBeUndefined();
    expect(temporalKind({ [Symbol.toStringTag]: "Temporal.constructor" })).toBeUndefined();
    class Other {
      year = 2020;
      month = 1;
      day = 2;
      calendarId = "iso8601";
      get [Symbol.toStringTag]() {
        return "Temporal.PlainDate";
      }
    }
    expect(String(there(new Other()))).toBe("2020-01-02");
  });

  it.each([
    [Temporal.PlainTime.from("00:00:00.000000001"), /nanoseconds/],
    [Temporal.PlainDateTime.from("2020-01-01T00:00:00.1234567"), /nanoseconds/],
    [Temporal.Instant.from("2020-01-01T00:00:00.000000001Z"), /nanoseconds/],
    [Temporal.Duration.from({ nanoseconds: 1 }), /nanoseconds/],
    [Temporal.Duration.from({ months: 1 }), /years or months/],
    [Temporal.Duration.from({ years: 1 }), /years or months/],
    [Temporal.Duration.from({ days: 1_000_000_000 }), /999999999 days/],
    [Temporal.PlainDate.from("+010000-01-01"), /year is 10000/],
    [Temporal.PlainDate.from("0000-12-31"), /year is 0/],
    [Temporal.PlainYearMonth.from("2020-01"), /no type for a Temporal.PlainYearMonth/],
    [Temporal.PlainDate.from("2020-01-01").withCalendar("gregory"), /calendar gregory/],
  ])("%s is refused with its path", (value, why) => {
    let error: unknown;
    try {
      encode({ users: [{ born: value }] });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    expect((error as Error).message).toMatch(/^value\.users\[0\]\.born cannot be sent to Python: (it|Python has no)/);
    expect((error as Error).message).toMatch(why);
  });

  it("cuts nanoseconds off only when it may", () => {
    expect(String(decode(encode(Temporal.PlainTime.from("00:00:00.000001999"), undefined, { lossy: true })))).toBe("00:00:00.000001");
    expect(String(decode(encode(Temporal.Duration.from({ nanoseconds: 1999 }), undefined, { lossy: true })))).toBe("PT0.000001S");
  });

  it("refuses an offset or a zone that Temporal does not have, with the path", () => {
    const zone = zoned;
    expect(() => decode(zone(1_000_000, null))).toThrow(/^value\[0\] cannot come from Python: its offset has seconds/);
    expect(() => decode(zone(0, "Mars/Olympus"))).toThrow(expect.objectContaining({ code: "ERR_NOT_CONVERTIBLE" }));
  });
});

function zoned(offset: number, key: string | null): Uint8Array {
  const fake = {
    year: 2020,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    millisecond: 0,
    microsecond: 0,
    nanosecond: 0,
    offsetNanoseconds: offset * 1000,
    timeZoneId: key ?? "+00:00",
    calendarId: "iso8601",
  };
  return encode([
    Object.create(
      {
        get [Symbol.toStringTag]() {
          return "Temporal.ZonedDateTime";
        },
      },
      Object.getOwnPropertyDescriptors(fake),
    ) as object,
  ]);
}
