/**
 * Dates and times as Temporal values: exact to the microsecond, with zone and fold, never guessed.
 */
import { Temporal } from "temporal-polyfill";
import { aRef, matching } from "../match.ts";
import { inGroup } from "../vector.ts";

const all = "from datetime import *";
const plain = (text: string) => Temporal.PlainDateTime.from(text);
const zoned = (text: string) => Temporal.ZonedDateTime.from(text);

/** A zone with summer time that needs no time zone data: the rule is in the file's last line. */
const berlin =
  "from datetime import *\nimport io, struct, zoneinfo\nblock = b'TZif2' + bytes(15) + struct.pack('>6L', 0, 0, 0, 0, 1, 4) + struct.pack('>lBB', 3600, 0, 0) + b'CET\\0'\nBerlin = zoneinfo.ZoneInfo.from_file(io.BytesIO(block + block + b'\\nCET-1CEST,M3.5.0,M10.5.0/3\\n'), key='Europe/Berlin')";

export const temporal = inGroup("temporal", [
  {
    name: "a naive datetime is a PlainDateTime, never an instant",
    tags: ["naive"],
    setup: all,
    python: "datetime(2020, 1, 2, 3, 4, 5, 6)",
    js: () => plain("2020-01-02T03:04:05.000006"),
  },
  {
    name: "a naive datetime at midnight keeps its time",
    tags: ["naive"],
    setup: all,
    python: "datetime(2020, 1, 2)",
    js: () => plain("2020-01-02T00:00"),
  },
  {
    name: "a UTC datetime is a ZonedDateTime and returns as UTC",
    tags: ["UTC"],
    setup: all,
    python: "datetime(2020, 1, 2, 3, 4, 5, 6, timezone.utc)",
    expect: zoned("2020-01-02T03:04:05.000006+00:00[+00:00]"),
    roundTrip: true,
  },
  {
    name: "a ZonedDateTime in the zone UTC arrives with offset zero, without time zone data",
    tags: ["UTC"],
    setup: all,
    js: () => zoned("2020-01-02T03:04:05[UTC]"),
    check: "x == datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc) and x.utcoffset() == timedelta(0)",
  },
  {
    name: "a positive fixed offset is an offset zone",
    tags: ["fixed offset"],
    setup: all,
    python: "datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=5, minutes=30)))",
    js: () => zoned("2020-01-02T03:00+05:30[+05:30]"),
  },
  {
    name: "a negative fixed offset is an offset zone",
    tags: ["fixed offset"],
    setup: all,
    python: "datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))",
    js: () => zoned("2020-01-02T03:00-03:30[-03:30]"),
  },
  {
    name: "an offset with seconds fits no Temporal zone and stays a handle",
    tags: ["fixed offset"],
    setup: all,
    python: "datetime(2020, 1, 2, tzinfo=timezone(timedelta(seconds=30)))",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "the first time of a repeated hour has the offset of summer",
    tags: ["zone with fold=0"],
    setup: berlin,
    python: "datetime(2020, 10, 25, 2, 30, tzinfo=Berlin, fold=0)",
    expect: zoned("2020-10-25T02:30+02:00[Europe/Berlin]"),
  },
  {
    name: "the second time of a repeated hour has the offset of winter",
    tags: ["zone with fold=1"],
    setup: berlin,
    python: "datetime(2020, 10, 25, 2, 30, tzinfo=Berlin, fold=1)",
    expect: zoned("2020-10-25T02:30+01:00[Europe/Berlin]"),
  },
  {
    name: "a named zone and fold=0 survive both ways",
    tags: ["zone with fold=0"],
    requires: "zones",
    setup: "from datetime import *\nfrom zoneinfo import ZoneInfo",
    python: "datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'))",
    js: () => zoned("2020-10-25T02:30+02:00[Europe/Berlin]"),
  },
  {
    name: "a named zone and fold=1 survive both ways",
    tags: ["zone with fold=1"],
    requires: "zones",
    setup: "from datetime import *\nfrom zoneinfo import ZoneInfo",
    python: "datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'), fold=1)",
    js: () => zoned("2020-10-25T02:30+01:00[Europe/Berlin]"),
    check: "x.fold == 1 and x.tzinfo.key == 'Europe/Berlin' and x.utcoffset() == timedelta(hours=1)",
  },
  {
    name: "a tzinfo without key or fixed offset keeps the datetime in Python",
    setup: `${all}\nclass Local(tzinfo):\n    def utcoffset(self, when): return timedelta(hours=when.hour)\n    def dst(self, when): return None`,
    python: "datetime(2020, 1, 2, 3, tzinfo=Local())",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "one microsecond is kept",
    tags: ["µs 1"],
    setup: all,
    python: "[datetime(2020, 1, 1, microsecond=1), datetime(2020, 1, 1, microsecond=1, tzinfo=timezone.utc)]",
    expect: [plain("2020-01-01T00:00:00.000001"), zoned("2020-01-01T00:00:00.000001+00:00[+00:00]")],
    roundTrip: true,
  },
  {
    name: "999,999 microseconds are kept",
    tags: ["µs 999999"],
    setup: all,
    python: "[datetime(2020, 1, 1, microsecond=999999), datetime(1960, 1, 1, microsecond=999999, tzinfo=timezone.utc)]",
    expect: [plain("2020-01-01T00:00:00.999999"), zoned("1960-01-01T00:00:00.999999+00:00[+00:00]")],
    roundTrip: true,
  },
  {
    name: "the first moment of year 1 survives both ways",
    tags: ["year 1"],
    setup: all,
    python: "datetime.min",
    js: () => plain("0001-01-01T00:00"),
  },
  {
    name: "the last moment of year 9999 survives both ways",
    tags: ["year 9999"],
    setup: all,
    python: "datetime.max",
    js: () => plain("9999-12-31T23:59:59.999999"),
  },
  {
    name: "aware datetimes at both ends of the calendar survive",
    tags: ["year 1", "year 9999"],
    setup: all,
    python: "[datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12)))]",
    expect: [zoned("0001-01-01T00:00+14:00[+14:00]"), zoned("9999-12-31T23:00-12:00[-12:00]")],
    roundTrip: true,
  },
  {
    name: "a date is a PlainDate, and no datetime",
    setup: all,
    python: "[date(2020, 2, 29), date.min, date.max]",
    js: () => ["2020-02-29", "0001-01-01", "9999-12-31"].map((text) => Temporal.PlainDate.from(text)),
  },
  {
    name: "a naive time is a PlainTime",
    setup: all,
    python: "[time(23, 59, 59, 999999), time(0, 0, 0, 1), time()]",
    js: () => ["23:59:59.999999", "00:00:00.000001", "00:00"].map((text) => Temporal.PlainTime.from(text)),
  },
  {
    name: "an aware time has no Temporal type and stays a handle",
    setup: all,
    python: "time(1, 2, tzinfo=timezone.utc)",
    expect: aRef,
    roundTrip: true,
  },
  {
    name: "a timedelta is a Duration",
    setup: all,
    python: "timedelta(days=3, hours=2, microseconds=5)",
    js: () => Temporal.Duration.from("P3DT2H0.000005S"),
  },
  {
    name: "a negative timedelta has one sign in JavaScript and Python's normal form on return",
    tags: ["negative delta"],
    setup: all,
    python: "timedelta(days=-1, seconds=1)",
    js: () => Temporal.Duration.from("-PT23H59M59S"),
  },
  {
    name: "minus one microsecond is exact",
    tags: ["negative delta"],
    setup: all,
    python: "timedelta(microseconds=-1)",
    js: () => Temporal.Duration.from("-PT0.000001S"),
  },
  {
    name: "the longest timedeltas survive both ways",
    tags: ["negative delta"],
    setup: all,
    python: "[timedelta.max, timedelta.min]",
    roundTrip: true,
    expect: matching(
      "two Durations of opposite sign",
      (v: Temporal.Duration[]) => v[0]?.sign === 1 && v[1]?.sign === -1 && v[0].days === 999_999_999,
    ),
  },
  {
    name: "a Duration in large units is the same timedelta",
    setup: all,
    js: () => Temporal.Duration.from({ weeks: 1, hours: 25, minutes: 90 }),
    check: "x == timedelta(days=8, hours=2, minutes=30)",
  },
  { name: "a zero timedelta is a zero Duration", setup: all, python: "timedelta(0)", js: () => new Temporal.Duration() },
  {
    name: "a Date is an aware datetime in UTC",
    setup: all,
    js: () => new Date(Date.UTC(2020, 0, 2, 3, 4, 5, 678)),
    check: "x == datetime(2020, 1, 2, 3, 4, 5, 678000, timezone.utc) and x.utcoffset() == timedelta(0)",
  },
  {
    name: "a Date before 1970 keeps its milliseconds",
    setup: all,
    js: () => new Date(-1),
    check: "x == datetime(1969, 12, 31, 23, 59, 59, 999000, timezone.utc)",
  },
  {
    name: "an Instant is an aware datetime in UTC",
    setup: all,
    js: () => Temporal.Instant.from("2020-01-02T03:04:05.000006Z"),
    check: "x == datetime(2020, 1, 2, 3, 4, 5, 6, timezone.utc) and x.utcoffset() == timedelta(0)",
  },
  {
    name: "an invalid Date is refused, saying where it is",
    js: () => ({ when: [new Date(Number.NaN)] }),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /when\[0\]/ },
  },
  { name: "a Date beyond year 9999 is refused", js: () => new Date(8.64e15), throws: { code: "ERR_NOT_CONVERTIBLE", message: /year/ } },
  {
    name: "nanoseconds are refused instead of rounded",
    js: () => plain("2020-01-01T00:00:00.000000001"),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /nanosecond/ },
  },
  {
    name: "an Instant with nanoseconds is refused, saying where it is",
    js: () => [0, Temporal.Instant.from("2020-01-01T00:00:00.000000001Z")],
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /\[1\]/ },
  },
  {
    name: "a Duration with months is refused, because it has no length",
    js: () => Temporal.Duration.from({ months: 1 }),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /month/ },
  },
  {
    name: "a Duration with years is refused",
    js: () => Temporal.Duration.from({ years: 1, days: 2 }),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /year/ },
  },
  {
    name: "a PlainYearMonth is refused, because Python has no such type",
    js: () => Temporal.PlainYearMonth.from("2020-01"),
    throws: { code: "ERR_NOT_CONVERTIBLE" },
  },
  {
    name: "a date of another calendar is refused",
    js: () => Temporal.PlainDate.from("2020-01-01").withCalendar("gregory"),
    throws: { code: "ERR_NOT_CONVERTIBLE", message: /calendar/ },
  },
  {
    name: "zones and offsets by themselves are handles",
    setup: all,
    python: "[timezone.utc, timezone(timedelta(hours=1))]",
    expect: [aRef, aRef],
    roundTrip: true,
  },
  {
    name: "subclasses of the date types stay Python objects",
    setup: `${all}\nclass Stamp(datetime): pass\nclass Day(date): pass`,
    python: "[Stamp(2020, 1, 1), Day(2020, 1, 1)]",
    expect: [aRef, aRef],
    roundTrip: true,
  },
  {
    name: "dates inside containers and as keys arrive in place",
    setup: all,
    python: "{date(2020, 1, 2): [time(1)]}",
    expect: new Map([[Temporal.PlainDate.from("2020-01-02"), [Temporal.PlainTime.from("01:00")]]]),
    roundTrip: true,
  },
  {
    name: "numpy's NaT is kept as a handle, and is no date",
    tags: ["NaT"],
    requires: "numpy",
    setup: "import numpy as np",
    python: "np.datetime64('NaT', 'ns')",
    expect: aRef,
    roundTrip: false,
  },
]);
