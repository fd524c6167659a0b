"""Typed targets: `cast` checks a value against what the caller asked for and converts it exactly.

A spec is a tuple `(name, …operands)`. A wrong type is a TypeError and a value that does not fit an
OverflowError, both naming the path, what was expected and what was there. Nothing is rounded or
turned into text on the way.
"""

from __future__ import annotations

import operator
from typing import Any, Callable

from .errors import protocol_error
from .marker import Extension
from .traits import type_name
from .values import EXACT, plain, ref

Spec = tuple[Any, ...]

_MISSING = object()


def cast(value: Any, spec: Any, path: str = "value") -> Any:
    """`value` as the target that `spec` names."""
    if type(spec) in (list, str):
        spec = (spec,) if type(spec) is str else tuple(spec)
    if type(spec) is not tuple or not spec:
        raise protocol_error("A typed target is not a tuple.")
    make = _TARGETS.get(spec[0])
    if make is None:
        raise protocol_error(f"Unknown typed target {spec[0]!r:.40}.")
    return make(value, spec, path)


def _wrong(path: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"{path}: expected {expected}, got {type_name(type(value))}")


def _exact(value: Any) -> Any:
    """NumPy scalars as their Python value; everything else as it is."""
    convert = plain(type(value))
    return value if convert is None else convert(value)


def _bool(value: Any, spec: Spec, path: str) -> bool:
    value = _exact(value)
    if type(value) is not bool:
        raise _wrong(path, "bool", value)
    return value


def _integer(value: Any, expected: str, path: str) -> int:
    value = _exact(value)
    if isinstance(value, bool) or not isinstance(value, int):
        try:
            return operator.index(value) if not isinstance(value, bool) else _refuse(path, expected, value)
        except TypeError:
            raise _wrong(path, expected, value) from None
    return int(value)


def _refuse(path: str, expected: str, value: Any) -> int:
    raise _wrong(path, expected, value)


def _sized(name: str) -> Callable[[Any, Spec, str], int]:
    bits = int(name.lstrip("uint"))
    low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def target(value: Any, spec: Spec, path: str) -> int:
        number = _integer(value, name, path)
        if not low <= number <= high:
            raise OverflowError(f"{path}: {number} is outside the valid range of {name} ({low} to {high})")
        return number

    return target


def _float(name: str) -> Callable[[Any, Spec, str], float]:
    import struct

    def target(value: Any, spec: Spec, path: str) -> float:
        value = _exact(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(path, name, value)
        try:
            number = float(value)
            return struct.unpack("f", struct.pack("f", number))[0] if name == "float32" else number
        except OverflowError:
            raise OverflowError(f"{path}: {value} is outside the valid range of {name}") from None

    return target


def _instance(name: str, base: Any) -> Callable[[Any, Spec, str], Any]:
    def target(value: Any, spec: Spec, path: str) -> Any:
        value = _exact(value)
        if type(value) is not base:
            if not isinstance(value, base):
                raise _wrong(path, name, value)
            return "".join(str.__iter__(value)) if base is str else base(memoryview(value))
        return value

    return target


def _bytes(value: Any, spec: Spec, path: str) -> bytes:
    try:
        with memoryview(value) as view:
            return view.tobytes()
    except TypeError:
        raise _wrong(path, "bytes", value) from None


def _list(value: Any, spec: Spec, path: str) -> list[Any]:
    if isinstance(value, (str, bytes, dict)) or not hasattr(type(value), "__iter__"):
        raise _wrong(path, "list", value)
    return [cast(item, spec[1], f"{path}[{index}]") for index, item in enumerate(value)]


def _tuple(value: Any, spec: Spec, path: str) -> tuple[Any, ...]:
    wanted = spec[1:]
    if not isinstance(value, (tuple, list)):
        raise _wrong(path, "tuple", value)
    if len(value) != len(wanted):
        raise TypeError(f"{path}: expected a tuple of {len(wanted)}, got {len(value)}")
    return tuple(
        cast(item, target, f"{path}[{index}]") for index, (item, target) in enumerate(zip(value, wanted))
    )


def _dict(value: Any, spec: Spec, path: str) -> dict[Any, Any]:
    if not hasattr(type(value), "keys") or not hasattr(type(value), "__getitem__"):
        raise _wrong(path, "dict", value)
    return {
        cast(key, spec[1], f"{path} key {key!r}"): cast(value[key], spec[2], f"{path}[{key!r}]")
        for key in value
    }


def _set(value: Any, spec: Spec, path: str) -> set[Any]:
    if not isinstance(value, (set, frozenset)):
        raise _wrong(path, "set", value)
    return {cast(item, spec[1], f"{path} member {item!r}") for item in value}


def _optional(value: Any, spec: Spec, path: str) -> Any:
    return None if value is None else cast(value, spec[1], path)


def _union(value: Any, spec: Spec, path: str) -> Any:
    refused = []
    for target in spec[1:]:
        try:
            return cast(value, target, path)
        except (TypeError, OverflowError) as error:
            refused.append(str(error))
    raise TypeError(f"{path}: fits no member of the union: " + "; ".join(refused))


def _object(value: Any, spec: Spec, path: str) -> dict[str, Any]:
    found = {}
    for name, target in dict(spec[1]).items():
        item = value.get(name, _MISSING) if isinstance(value, dict) else getattr(value, name, _MISSING)
        if item is _MISSING:
            if (target[0] if type(target) in (tuple, list) else target) == "optional":
                item = None
            else:
                raise TypeError(f"{path}: {type_name(type(value))} has no {name!r}")
        found[name] = cast(item, target, f"{path}.{name}")
    return found


def _ndarray(value: Any, spec: Spec, path: str) -> Any:
    from .arrays import array_copy

    copied = array_copy(value)
    if type(copied) is not Extension:
        raise _wrong(path, "an array", value)
    dtype = spec[1] if len(spec) > 1 else None
    ndim = spec[2] if len(spec) > 2 else None
    with memoryview(value) as view:
        dims = view.ndim
    if copied.operands[0] == "ndarray":
        found = copied.operands[1]
    else:
        from .arrays import DTYPES

        found = DTYPES[copied.operands[1]]
    if dtype is not None and found != dtype:
        raise TypeError(f"{path}: expected an array of {dtype}, got {found}")
    if ndim is not None and dims != ndim:
        raise TypeError(f"{path}: expected {ndim} dimensions, got {dims}")
    return copied


def _arrow(value: Any, spec: Spec, path: str) -> Any:
    from .arrow import arrow_data

    return arrow_data(value, spec[1] if len(spec) > 1 else "ipc", path)


def _temporal(name: str) -> Callable[[Any, Spec, str], Any]:
    def target(value: Any, spec: Spec, path: str) -> Any:
        import datetime

        kind = getattr(datetime, name)
        if type(value) is not kind:
            raise _wrong(path, name, value)
        return value

    return target


class Kept:
    """A value whose output must be a handle whatever it is (`as.handle()`)."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


EXACT[Kept] = lambda writer, kept: ref(writer, kept.value)

_SIZED = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_TARGETS: dict[str, Callable[[Any, Spec, str], Any]] = {
    "bool": _bool,
    **{name: _sized(name) for name in _SIZED},
    "bigint": lambda value, spec, path: _integer(value, "int", path),
    "int": lambda value, spec, path: _integer(value, "int", path),
    "float64": _float("float64"),
    "float32": _float("float32"),
    "string": _instance("str", str),
    "bytes": _bytes,
    "list": _list,
    "tuple": _tuple,
    "dict": _dict,
    "set": _set,
    "optional": _optional,
    "union": _union,
    "object": _object,
    "ndarray": _ndarray,
    "typed": _ndarray,
    "arrow": _arrow,
    "date": _temporal("date"),
    "datetime": _temporal("datetime"),
    "handle": lambda value, spec, path: Kept(value),
}
