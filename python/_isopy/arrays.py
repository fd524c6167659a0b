"""Arrays as bytes: buffer exporters and NumPy arrays, for `toJs`.

What leaves is always C-contiguous and in native byte order, with the dtype and shape beside it:
they are the data as much as the bytes are.
"""

from __future__ import annotations

import sys
from typing import Any, Optional

from .marker import Extension, Memory

_NATIVE = "<" if sys.byteorder == "little" else ">"
# Formats of struct and memoryview that JavaScript has a typed array for: format → (kind, item size is the exporter's).
_KINDS = {
    "?": "bool", "c": "bytes", "b": "int", "B": "uint", "h": "int", "H": "uint", "i": "int", "I": "uint",
    "l": "int", "L": "uint", "q": "int", "Q": "uint", "n": "int", "N": "uint", "P": "uint",
    "e": "float", "f": "float", "d": "float", "Zf": "complex", "Zd": "complex",
}  # fmt: skip
# (kind, item size) → the format that is written, whose size is the same on every platform.
_PORTABLE = {
    ("bool", 1): "?", ("bytes", 1): "B", ("int", 1): "b", ("uint", 1): "B", ("int", 2): "h", ("uint", 2): "H",
    ("int", 4): "i", ("uint", 4): "I", ("int", 8): "q", ("uint", 8): "Q",
    ("float", 2): "e", ("float", 4): "f", ("float", 8): "d",
}  # fmt: skip
DTYPES = {
    "?": "bool", "b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32",
    "q": "int64", "Q": "uint64", "e": "float16", "f": "float32", "d": "float64",
}  # fmt: skip

# Types whose instances need no more questions than their buffer answers: the addon copies and views them itself.
SIMPLE: set[type] = {bytearray}


def is_buffer(value: Any) -> bool:
    """Whether the object exports a buffer."""
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError):
        return type(value) is memoryview  # a released view is still one, and says so when it is read
    view.release() if view is not value else None
    return True


def array_copy(value: Any) -> Any:
    """The copy of an array or of any other buffer exporter; None when it has none."""
    copied = ndarray_copy(value)
    return buffer_copy(value) if copied is None and is_buffer(value) else copied


def buffer_copy(value: Any) -> Optional[Extension]:
    """A copy of a buffer exporter; None when JavaScript has no array of its format. A released view raises ValueError."""
    if type(value) is memoryview or type(value).__module__ == "array":
        SIMPLE.add(type(value))
    with memoryview(value) as view:
        order, letter = _split(view.format)
        kind = _KINDS.get(letter)
        if kind is None:
            return None
        data = view.tobytes()  # C order, whatever the strides
        size = view.itemsize
        if order not in ("@", "=", _NATIVE) and size > 1:
            data = _swapped(data, size // 2 if kind == "complex" else size)
        if kind == "complex":
            return Extension(
                "ndarray", "complex64" if size == 8 else "complex128", tuple(view.shape), data, {}
            )
        fmt = _PORTABLE.get((kind, size))
        if fmt is None:
            return None
        if view.ndim == 1:
            return Extension("buffer", fmt, data)
        return Extension("ndarray", DTYPES[fmt], tuple(view.shape), data, {})


def native_format(fmt: str, size: int) -> Optional[str]:
    """The format whose size is the same on every platform; None when it is foreign, or no plain number."""
    order, letter = _split(fmt)
    kind = _KINDS.get(letter)
    if kind is None or order not in ("@", "=", _NATIVE) and size > 1:
        return None
    return _PORTABLE.get((kind, size))


def _split(fmt: str) -> tuple[str, str]:
    if fmt[:1] in ("@", "=", "<", ">", "!"):
        return (">" if fmt[0] == "!" else fmt[0]), fmt[1:]
    return "@", fmt


def _swapped(data: bytes, size: int) -> bytes:
    swapped = bytearray(len(data))
    for offset in range(size):
        swapped[offset::size] = data[size - 1 - offset :: size]
    return bytes(swapped)


def ndarray_copy(value: Any) -> Any:
    """The copy of a NumPy array, masked array or datetime scalar; None when it is none or has no copy."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    try:
        if isinstance(value, (numpy.datetime64, numpy.timedelta64)):
            nat = bool(numpy.isnat(value))
            return {
                "value": None if nat else int(value.astype("int64")),
                "unit": time_unit(numpy, value.dtype),
            }
        if isinstance(value, numpy.ma.MaskedArray):
            return {"data": value.data, "mask": numpy.ma.getmaskarray(value)}
    except AttributeError:
        return None  # a module that only calls itself numpy
    if not isinstance(value, numpy.ndarray):
        return None
    return _ndarray(numpy, value)


def time_unit(numpy: Any, dtype: Any) -> str:
    """The unit of a datetime64 or timedelta64: `ns`, `25s`."""
    unit, step = numpy.datetime_data(dtype)
    return unit if step == 1 else f"{step}{unit}"


def _ndarray(numpy: Any, array: Any) -> Any:
    if type(array) is numpy.ndarray:
        SIMPLE.add(numpy.ndarray)
    kind = array.dtype.kind
    shape = tuple(array.shape)
    extra: dict[str, Any] = {}
    if kind == "O":
        return array.tolist()
    if kind in "US":
        return Extension("strings", shape, array.ravel(order="C").tolist()) if kind == "U" else array.tolist()
    if (
        kind == "V"
        or kind not in "biufcmM"
        or (kind == "f" and array.dtype.itemsize > 8)
        or array.dtype.itemsize > 16
    ):
        return None
    if kind in "mM":
        extra["unit"] = time_unit(numpy, array.dtype)
        extra["kind"] = "datetime64" if kind == "M" else "timedelta64"
        native = array.astype(array.dtype.newbyteorder("="), copy=False).view("int64")
        return Extension("ndarray", "int64", shape, _bytes(numpy, native), extra)
    dtype = array.dtype.newbyteorder("=")
    return Extension("ndarray", dtype.name, shape, _bytes(numpy, array.astype(dtype, copy=False)), extra)


def _bytes(numpy: Any, array: Any) -> Any:
    if type(array) is not numpy.ndarray or array.nbytes < Memory.WORTH_IT:
        return array.tobytes()
    return Memory(numpy.ascontiguousarray(array))
