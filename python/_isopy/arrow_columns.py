"""Arrow tables as columns, for `toJs`: the same kinds of columns that a pandas frame gives.

Numbers without gaps are arrays, everything else is a list, in which a missing value is None.
Moments and spans of time are 64-bit integers with their unit, where a missing one is the smallest
integer (NumPy's NaT). A dictionary is its codes and its categories, where a missing code is -1.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import chain
from struct import Struct, unpack_from
from typing import Any, Callable, Optional

from .arrow_c import broken, opened
from .arrow_types import (
    BITS,
    FIXED,
    FIXED_LIST,
    LIST,
    NONE,
    ORDERED,
    STRUCT,
    VARIABLE,
    VIEWS,
    Column,
    Field,
    unsupported,
)
from .arrow_types import read_chunks as read_table
from .errors import EngineError
from .marker import Extension

# Arrow's letters for numbers → those of `struct`.
_NUMBERS = {
    "c": "b",
    "C": "B",
    "s": "h",
    "S": "H",
    "i": "i",
    "I": "I",
    "l": "q",
    "L": "Q",
    "e": "e",
    "f": "f",
    "g": "d",
}
_UNITS = {"s": "s", "m": "ms", "u": "us", "n": "ns"}
_NAT = -(2**63)


def table_copy(value: Any) -> Any:
    """An object that offers Arrow data as a dict of columns, or as pairs where names repeat; a bare column as its values."""
    with opened(value) as (schema, arrays):
        bare = schema.format != b"+s"
        table, chunks = read_table(schema, arrays)
        parts = list(chunks)
        columns = []
        for i, field in enumerate(table.children):
            try:
                columns.append((field.name, _whole(field, [part.children[i] for part in parts])))
            except (IndexError, UnicodeDecodeError) as error:
                raise broken(f"column {field.name!r} refers to what is not there ({error})") from None
    if bare:
        return columns[0][1]
    if len({name for name, _ in columns}) < len(columns):
        return [list(column) for column in columns]
    return dict(columns)


def _whole(field: Field, parts: list[Column]) -> Any:
    """All chunks of a column as one value."""
    kind = field.format.partition(":")[0]
    if field.dictionary is not None:
        return _categories(field, parts)
    gaps = any(part.nulls for part in parts)
    if kind in _NUMBERS and not gaps:
        return Extension("buffer", _NUMBERS[kind], b"".join(bytes(part.buffers[1] or b"") for part in parts))
    if kind == "b" and not gaps:
        flags = bytes(chain.from_iterable(_flags(part.buffers[1], part.length) for part in parts))
        return Extension("ndarray", "bool", (len(flags),), flags, {})
    if kind in ("tdD", "tdm") or kind[:2] in ("ts", "tD"):
        return _times(field, kind, parts)
    return list(chain.from_iterable(_values(part) for part in parts))


def _times(field: Field, kind: str, parts: list[Column]) -> Extension:
    """Integers of a unit, as NumPy's datetime64 and timedelta64."""
    unit = "D" if kind == "tdD" else "ms" if kind == "tdm" else _UNITS[kind[2]]
    extra: dict[str, Any] = {"unit": unit, "kind": "timedelta64" if kind.startswith("tD") else "datetime64"}
    if kind.startswith("ts") and field.parameter:
        extra["timeZone"] = field.parameter
    numbers = array("q")
    for part in parts:
        data = memoryview(part.buffers[1] or b"").cast("i" if kind == "tdD" else "q")
        if part.nulls:
            numbers.extend(
                number if here else _NAT for number, here in zip(data, _flags(part.buffers[0], part.length))
            )
        else:
            numbers.extend(data)
    return Extension("ndarray", "int64", (len(numbers),), numbers.tobytes(), extra)


def _categories(field: Field, parts: list[Column]) -> Any:
    """Codes and categories; chunks may have different dictionaries."""
    found: dict[Any, int] = {}
    codes = array("i")
    first: Optional[Column] = None
    for part in parts:
        dictionary = part.dictionary
        assert dictionary is not None and field.dictionary is not None
        first = first or dictionary
        values = _values(dictionary)
        if field.dictionary.children:  # lists and structs cannot be told apart by a look-up
            return list(chain.from_iterable(map(_values, parts)))
        numbers = [found.setdefault(value, len(found)) for value in values]
        letter = _NUMBERS[field.format]
        here = memoryview(part.buffers[1] or b"").cast(letter)
        valid = _flags(part.buffers[0], part.length)
        codes.extend(numbers[code] if known else -1 for code, known in zip(here, valid))
    return {
        "codes": Extension("buffer", "i", codes.tobytes()),
        "categories": list(found),
        "ordered": bool(field.flags & ORDERED),
    }


def _flags(bits: Any, length: int) -> bytes:
    """One byte for each bit; all 1 where there are no bits."""
    if bits is None:
        return b"\1" * length
    spread = b"".join(_SPREAD[byte] for byte in bytes(bits))
    return spread[:length]


_SPREAD = [bytes(byte >> bit & 1 for bit in range(8)) for byte in range(256)]


def _values(column: Column) -> list[Any]:
    """The elements as Python values, None where one is missing."""
    field = column.field
    if column.field.dictionary is not None:
        dictionary = column.dictionary
        assert dictionary is not None
        words = _values(dictionary)
        codes = memoryview(column.buffers[1] or b"").cast(_NUMBERS[field.format])
        valid = _flags(column.buffers[0], column.length)
        return [words[code] if known else None for code, known in zip(codes, valid)]
    if field.layout == NONE:
        return [None] * column.length
    values = list(_READERS[field.layout](column))
    if not column.nulls:
        return values
    return [value if here else None for value, here in zip(values, _flags(column.buffers[0], column.length))]


def _fixed(column: Column) -> Iterator[Any]:
    field = column.field
    kind = field.format.partition(":")[0]
    data = memoryview(column.buffers[1] or b"")
    if kind == "e":
        return (unpack_from("e", data, at)[0] for at in range(0, len(data), 2))
    if kind in _NUMBERS:
        return iter(data.cast(_NUMBERS[kind]))
    width = field.width
    cells = (bytes(data[at : at + width]) for at in range(0, column.length * width, width or 1))
    if kind == "w":
        return cells if width else iter([b""] * column.length)
    if kind == "d":
        return map(_decimal(int(field.parameter.split(",")[1])), cells)
    return map(_moment(field, kind), data.cast("i" if width == 4 else "q"))


def _decimal(scale: int) -> Callable[[bytes], Any]:
    from decimal import Decimal
    from sys import byteorder

    def make(cell: bytes) -> Any:
        number = int.from_bytes(cell, byteorder, signed=True)
        digits = tuple(map(int, str(abs(number))))
        return Decimal((int(number < 0), digits, -scale))

    return make


def _moment(field: Field, kind: str) -> Callable[[int], Any]:
    """A date, a time of day, a moment or a span, inside a list or struct; microseconds are the finest that Python has."""
    import datetime

    epoch = datetime.datetime(1970, 1, 1)
    micro = {"s": 1_000_000, "m": 1_000, "u": 1}

    def exact(number: int, unit: str) -> int:
        if unit != "n":
            return number * micro[unit]
        if number % 1000:
            raise EngineError(
                "ERR_NOT_CONVERTIBLE",
                f"Column {field.name!r} has nanoseconds, which Python's datetime has not.",
                "Cast it to microseconds, or ask for as.arrow().",
            )
        return number // 1000

    def make(number: int) -> Any:
        try:
            if kind in ("tdD", "tdm"):
                return (
                    epoch + datetime.timedelta(milliseconds=number * (86_400_000 if kind == "tdD" else 1))
                ).date()
            span = datetime.timedelta(microseconds=exact(number, kind[2]))
            if kind.startswith("tD"):
                return span
            moment = epoch + span
        except OverflowError:
            raise EngineError(
                "ERR_NOT_CONVERTIBLE", f"Column {field.name!r} has a date that Python's datetime has not."
            ) from None
        if kind.startswith("tt"):
            return moment.time()
        if not field.parameter:
            return moment
        return moment.replace(tzinfo=datetime.timezone.utc).astimezone(_zone(field.parameter))

    if kind in ("tiM", "tiD", "tin"):
        raise unsupported(field.name, field.format)
    return make


def _zone(name: str) -> Any:
    import datetime
    import re

    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return datetime.timezone(datetime.timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if name.upper() == "UTC":
            return datetime.timezone.utc
        raise EngineError(
            "ERR_NOT_CONVERTIBLE",
            f"Python has no data for the time zone {name!r}.",
            "Install the `tzdata` package.",
        ) from None


def _booleans(column: Column) -> Iterator[bool]:
    return map(bool, _flags(column.buffers[1], column.length))


def _sliced(column: Column, values: Any) -> Iterator[Any]:
    offsets = memoryview(column.buffers[1] or b"").cast("i" if column.field.width == 4 else "q")
    return (values[offsets[i] : offsets[i + 1]] for i in range(column.length))


def _variable(column: Column) -> Iterator[Any]:
    cells = _sliced(column, bytes(column.buffers[2] or b""))
    return (_text(cell) for cell in cells) if column.field.format in ("u", "U") else cells


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "surrogatepass")


_VIEW = Struct("<i4sii")


def _viewed(column: Column) -> Iterator[Any]:
    """Short values lie in their view, longer ones where it says."""
    views = memoryview(column.buffers[1] or b"")
    text = column.field.format == "vu"
    for at in range(0, column.length * 16, 16):
        size, _, number, offset = _VIEW.unpack_from(views, at)
        buffer: Any = views if size <= 12 else column.buffers[2 + number]
        begin = at + 4 if size <= 12 else offset
        cell = bytes(buffer[begin : begin + size])
        yield _text(cell) if text else cell


def _lists(column: Column) -> Iterator[Any]:
    return _sliced(column, _values(column.children[0]))


def _fixed_lists(column: Column) -> Iterator[Any]:
    size = column.field.width
    values = _values(column.children[0])
    return (values[i * size : (i + 1) * size] for i in range(column.length))


def _structs(column: Column) -> Iterator[Any]:
    names = [part.field.name for part in column.children]
    if not names:
        return ({} for _ in range(column.length))
    return (dict(zip(names, row)) for row in zip(*map(_values, column.children)))


_READERS: dict[int, Callable[[Column], Iterator[Any]]] = {
    FIXED: _fixed, BITS: _booleans, VARIABLE: _variable, VIEWS: _viewed,
    LIST: _lists, FIXED_LIST: _fixed_lists, STRUCT: _structs,
}  # fmt: skip
