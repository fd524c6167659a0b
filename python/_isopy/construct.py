"""Extension value → Python value: one function per tag of PROTOCOL.md, section 1.

Operands come from a peer, so each function checks what it uses; a wrong shape is ERR_PROTOCOL, a
right shape with an impossible value (a zone without data) is ERR_NOT_CONVERTIBLE.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable

from .errors import ERRORS, EngineError, JsException, js_exception, protocol_error

if TYPE_CHECKING:
    from .reading import Reader

Operands = tuple[Any, ...]
Make = Callable[["Reader", Operands], Any]


class Poisoned(Exception):
    """An operand is the value of an instruction that failed."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot


def _int(value: object) -> int:
    if type(value) is not int:
        raise protocol_error("An extension value holds something else where an int belongs.")
    return value


def _ref(reader: Reader, operands: Operands) -> Any:
    return reader.engine.handles.get(_int(operands[1]))


def _slot(reader: Reader, operands: Operands) -> Any:
    index = _int(operands[1])
    slots = reader.slots
    if slots is None or not 0 <= index < len(slots):
        raise protocol_error(f"Slot {index} does not exist here.")
    value = slots[index]
    if type(value) is Poison:
        raise Poisoned(index)
    return value


class Poison:
    """Fills the slot of a failed instruction; `error` is what its dependents report too."""

    __slots__ = ("error", "cancelled")

    def __init__(self, error: BaseException, cancelled: bool = False) -> None:
        self.error = error
        self.cancelled = cancelled


def _js(reader: Reader, operands: Operands) -> Any:
    flags = operands[2] if len(operands) > 2 else 0
    name = operands[3] if len(operands) > 3 else ""
    return reader.engine.callbacks.introduce(
        _int(operands[1]), _int(flags), name if type(name) is str else ""
    )


def _exception(reader: Reader, operands: Operands) -> Any:
    error = ERRORS.get(_int(operands[1]))
    if error is None:
        raise EngineError(
            "ERR_NOT_CONVERTIBLE",
            "This PythonError is too old: the exception behind it is no longer remembered.",
            f"The engine remembers the last {ERRORS.SIZE:,} exceptions.",
        )
    return error


def _complex(reader: Reader, operands: Operands) -> complex:
    return complex(operands[1], operands[2])


def _range(reader: Reader, operands: Operands) -> range:
    return range(_int(operands[1]), _int(operands[2]), _int(operands[3]))


def _decimal(reader: Reader, operands: Operands) -> Any:
    from decimal import Decimal, InvalidOperation

    if type(operands[1]) is not str:
        raise protocol_error("A decimal is not text.")
    try:
        return Decimal(operands[1])
    except InvalidOperation:
        if re.fullmatch(r"-?\d+(?:\.\d+)?[eE][+-]?\d+", operands[1]) is None:
            raise protocol_error("A decimal is not a number.") from None
        # A wasm engine has 32 bits: exponents that fit on the other side need not fit here.
        raise EngineError(
            "ERR_NOT_CONVERTIBLE", "Python has no such Decimal: its exponent is too large."
        ) from None


def _fraction(reader: Reader, operands: Operands) -> Any:
    from fractions import Fraction

    return Fraction(_int(operands[1]), _int(operands[2]))


def _date(reader: Reader, operands: Operands) -> Any:
    from datetime import date

    return _calendar(date, operands[1:])


def _time(reader: Reader, operands: Operands) -> Any:
    from datetime import time

    return _calendar(time, operands[1:])


def _datetime(reader: Reader, operands: Operands) -> Any:
    from datetime import datetime

    return _calendar(datetime, operands[1:])


def _calendar(make: Any, parts: Operands) -> Any:
    try:
        return make(*map(_int, parts))
    except (ValueError, OverflowError) as error:
        raise EngineError("ERR_NOT_CONVERTIBLE", f"Python has no such {make.__name__}: {error}.") from None


def _zoned(reader: Reader, operands: Operands) -> Any:
    from datetime import datetime, timedelta, timezone

    offset = timedelta(microseconds=_int(operands[8]))
    key = operands[9]
    if key is None or key == "UTC" and not offset:
        zone = timezone.utc if not offset else _calendar_zone(timezone, offset)
        if key is None:
            return _calendar(datetime, operands[1:8]).replace(tzinfo=zone)
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if key == "UTC":
            zone = timezone.utc
        else:
            raise EngineError(
                "ERR_NOT_CONVERTIBLE",
                f"Python has no data for the time zone {key!r}.",
                "Install the `tzdata` package in this engine, or convert to UTC first.",
            ) from None
    moment = _calendar(datetime, operands[1:8]).replace(tzinfo=zone)
    if moment.utcoffset() != offset:
        other = moment.replace(fold=1)
        if other.utcoffset() == offset:
            return other
        # The two sides know different rules for this zone: the instant is what must stay.
        instant = moment.replace(tzinfo=timezone.utc) - offset
        return instant.astimezone(zone)
    return moment


def _calendar_zone(timezone: Any, offset: Any) -> Any:
    try:
        return timezone(offset)
    except ValueError as error:
        raise EngineError("ERR_NOT_CONVERTIBLE", f"Python has no such offset: {error}.") from None


def _timedelta(reader: Reader, operands: Operands) -> Any:
    from datetime import timedelta

    return _calendar(timedelta, operands[1:4])


def _enum(reader: Reader, operands: Operands) -> Any:
    return reader.engine.handles.get(_int(operands[1]))


def _namedtuple(reader: Reader, operands: Operands) -> Any:
    tp, values = operands[1], operands[4] if len(operands) > 4 else operands[2]
    if not (isinstance(tp, type) and issubclass(tp, tuple)) or type(values) not in (tuple, list):
        raise protocol_error("A named tuple has no class or no values.")
    return tuple.__new__(tp, values)


def _odict(reader: Reader, operands: Operands) -> Any:
    from collections import OrderedDict

    return OrderedDict(operands[1])


def _map(reader: Reader, operands: Operands) -> Any:
    if type(operands[1]) is not dict:
        raise protocol_error("A map holds no dict.")
    return operands[1]


def _buffer(reader: Reader, operands: Operands) -> memoryview:
    return shaped(operands[1], operands[2], None)


def shaped(fmt: str, data: Any, shape: Any) -> memoryview:
    """Bytes as a writable memoryview of a format (and shape)."""
    if type(fmt) is not str or not isinstance(data, (bytes, bytearray)):
        raise protocol_error("A buffer has no format or no bytes.")
    view = memoryview(data if type(data) is bytearray else bytearray(data))
    try:
        return view.cast(fmt) if shape is None else view.cast(fmt, list(shape))
    except (ValueError, TypeError) as error:
        raise protocol_error(f"A buffer of format {fmt!r} and {len(data)} bytes: {error}") from None


# numpy's names → the format of a memoryview with the same items.
FORMATS = {
    "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
    "int64": "q", "uint64": "Q", "float16": "e", "float32": "f", "float64": "d",
}  # fmt: skip


def _ndarray(reader: Reader, operands: Operands) -> Any:
    dtype, shape, data = operands[1], operands[2], operands[3]
    if type(dtype) is not str or type(data) not in (bytes, bytearray) or type(shape) not in (tuple, list):
        raise protocol_error("An array has no dtype, shape or bytes.")
    try:
        numpy = __import__("numpy")
    except ImportError:
        fmt = FORMATS.get(dtype)
        if fmt is None:
            raise EngineError(
                "ERR_NOT_CONVERTIBLE", f"An array of {dtype} needs NumPy, which this engine does not have."
            ) from None
        return shaped(fmt, data, shape)
    try:
        flat = numpy.frombuffer(
            data if type(data) is bytearray else bytearray(data), dtype=numpy.dtype(dtype)
        )
        return flat.reshape(tuple(shape))
    except (TypeError, ValueError) as error:
        raise EngineError(
            "ERR_NOT_CONVERTIBLE", f"NumPy cannot make an array of {dtype} {list(shape)}: {error}."
        ) from None


def _error(reader: Reader, operands: Operands) -> Any:
    described = operands[1]
    if type(described) is not dict:
        raise protocol_error("An error holds no dict.")
    known = ERRORS.get(described.get("id", 0))
    return (
        known
        if known is not None
        else js_exception(str(described.get("name", "Error")), str(described.get("message", "")), None, None)
    )


def _thrown(reader: Reader, operands: Operands) -> BaseException:
    members = tuple(_js_error(one) for one in operands[6]) if len(operands) > 6 else ()
    error = _js_error(operands[1:5], members)
    at = error
    for facts in operands[5] if len(operands) > 5 else ():
        if isinstance(at, JsException):
            at.__cause__ = _js_error(facts)
            at = at.__cause__
    return error


def _js_error(facts: Operands, members: Operands = ()) -> BaseException:
    name, message, stack = facts[0], facts[1], facts[2]
    return js_exception(
        name if type(name) is str else "Error", message if type(message) is str else "",
        stack if type(stack) is str else None, facts[3] if len(facts) > 3 else None, members,
    )  # fmt: skip


def _rule(reader: Reader, operands: Operands) -> Any:
    rules = reader.engine.rules
    if rules is None or len(operands) != 3:
        raise protocol_error("There is no such conversion rule.")
    return rules.decode(_int(operands[1]), operands[2])


def _strings(reader: Reader, operands: Operands) -> Any:
    return operands[2]


TAGS: dict[str, Make] = {
    "ref": _ref,
    "slot": _slot,
    "js": _js,
    "exception": _exception,
    "complex": _complex,
    "range": _range,
    "slice": lambda reader, operands: slice(operands[1], operands[2], operands[3]),
    "ellipsis": lambda reader, operands: Ellipsis,
    "notimplemented": lambda reader, operands: NotImplemented,
    "decimal": _decimal,
    "fraction": _fraction,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "zoned": _zoned,
    "timedelta": _timedelta,
    "enum": _enum,
    "namedtuple": _namedtuple,
    "odict": _odict,
    "map": _map,
    "buffer": _buffer,
    "ndarray": _ndarray,
    "rule": _rule,
    "strings": _strings,
    "error": _error,
    "engine_error": lambda reader, operands: EngineError(*operands[1:4]),
    "thrown": _thrown,
}

__all__ = ["TAGS", "Poison", "Poisoned", "shaped", "FORMATS"]
