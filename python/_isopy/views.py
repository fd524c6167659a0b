"""Memory that JavaScript views: what of an array crosses when it is shared instead of copied (mode 5).

The bytes stay where they are. `host.export` pins them, and the stream carries the export's id with
the element type, shape and strides. Only a writable buffer in native byte order can be shared: a
read-only one is copied, because JavaScript has no read-only ArrayBuffer; anything else is refused,
because a silent copy would lose what JavaScript writes.
"""

from __future__ import annotations

import sys
from struct import calcsize
from typing import TYPE_CHECKING, Any, Optional

from .arrays import DTYPES, SIMPLE, buffer_copy, is_buffer, native_format, ndarray_copy, time_unit
from .errors import EngineError
from .marker import Extension
from .values import EXACT

if TYPE_CHECKING:
    from .introducing import Introducing


class View:
    """An array to be shared; written as a `view`, pinned when it is written."""

    __slots__ = ("source", "dtype", "itemsize", "shape", "strides", "extra")

    def __init__(
        self, source: Any, dtype: str, itemsize: int, shape: Any, strides: Any, extra: dict[str, Any]
    ) -> None:
        self.source = source
        self.dtype = dtype
        self.itemsize = itemsize
        self.shape = tuple(shape)
        self.strides = tuple(strides)
        self.extra = extra


def array_view(value: Any) -> Any:
    """A `View` of an array or buffer exporter; a copy where it is read-only; None when it is neither.

    Raises ERR_NOT_CONVERTIBLE when it is writable and cannot be shared as it is.
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, getattr(numpy, "ndarray", ())):
        return _of_ndarray(numpy, value)
    return _of_buffer(value) if is_buffer(value) else None


def _of_ndarray(numpy: Any, array: Any) -> Any:
    if not array.flags.writeable or isinstance(array, numpy.ma.MaskedArray):
        return _as_read_only(ndarray_copy(array))
    dtype = array.dtype
    kind = dtype.kind
    if kind not in "biufcmM" or dtype.itemsize > (16 if kind == "c" else 8):
        raise refused(f"its element type is {dtype}, which no TypedArray has")
    if not dtype.isnative:
        raise refused("its byte order is not that of this machine")
    if type(array) is numpy.ndarray:
        SIMPLE.add(numpy.ndarray)
    extra: dict[str, Any] = {}
    name = dtype.name
    if kind in "mM":
        extra = {"unit": time_unit(numpy, dtype), "kind": "datetime64" if kind == "M" else "timedelta64"}
        array = array.view("int64")
        name = "int64"
    return _shared(array, name, dtype.itemsize, array.shape, array.strides, extra)


def _of_buffer(value: Any) -> Any:
    with memoryview(value) as view:
        if view.readonly:
            return _as_read_only(buffer_copy(value))
        size, shape, strides = view.itemsize, view.shape, view.strides
        if type(value) is bytearray:
            return _shared(value, "bytearray", 1, shape, strides, {})
        fmt = native_format(view.format, size)
        if type(value) is memoryview or type(value).__module__ == "array":
            SIMPLE.add(type(value))
        if fmt is None:
            raise refused(f"its format is {view.format!r}, which no TypedArray has")
        # The same kinds of arrays as copies: only NumPy's booleans keep their name.
        return _shared(
            value, "uint8" if fmt == "?" and view.ndim == 1 else DTYPES[fmt], size, shape, strides, {}
        )


def _shared(source: Any, dtype: str, size: int, shape: Any, strides: Any, extra: dict[str, Any]) -> View:
    if any(step % size for step in strides):
        raise refused("its elements lie at odd distances")
    return View(source, dtype, size, shape, strides, extra)


def _as_read_only(copied: Any) -> Any:
    """A copy that says, as an NDArray, that it is one."""
    if type(copied) is not Extension:
        return copied
    tag, *operands = copied.operands
    if tag == "buffer":
        fmt, data = operands
        operands = [DTYPES[fmt], (len(data) // calcsize(fmt),), data, {}]
    if tag in ("buffer", "ndarray"):
        operands[3]["readonly"] = True
        return Extension("ndarray", *operands)
    return copied


def refused(why: str) -> EngineError:
    return EngineError(
        "ERR_NOT_CONVERTIBLE",
        f"This memory cannot be shared with JavaScript: {why}.",
        "Leave out { view: true } to get a copy, or make an array that fits in Python first.",
    )


def _view(writer: Introducing, view: View) -> tuple[Any, ...]:
    size = view.itemsize
    try:
        number, span, offset = writer.export(
            view.source, size // 2 if view.dtype.startswith("complex") else size
        )
    except (BufferError, ValueError) as error:
        raise refused(str(error)) from None
    steps = tuple(step // size for step in view.strides)
    return ("view", number, span, view.dtype, view.shape, steps, offset // size, view.extra)


EXACT[View] = _view  # type: ignore[assignment]


def view_or_copy(value: Any) -> Optional[Any]:
    """For what lies inside something else: shared where that is possible, else copied."""
    try:
        return array_view(value)
    except EngineError:
        return ndarray_copy(value)
