"""The Arrow C data interface by ctypes: schemas and arrays of any producer, each released exactly once.

Producers are other people's C code: pointers that should be there are checked before they are
followed, sizes before they are used, and whatever goes wrong half-way, what was received is given
back. `opened` is the only way in; nothing it gives may be used after its `with`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from typing import Any

from .errors import EngineError


class CSchema(Structure):
    """`struct ArrowSchema`."""


CSchema._fields_ = [
    ("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64),
    ("n_children", c_int64), ("children", POINTER(POINTER(CSchema))), ("dictionary", POINTER(CSchema)),
    ("release", c_void_p), ("private_data", c_void_p),
]  # fmt: skip


class CArray(Structure):
    """`struct ArrowArray`."""


CArray._fields_ = [
    ("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64),
    ("n_children", c_int64), ("buffers", POINTER(c_void_p)), ("children", POINTER(POINTER(CArray))),
    ("dictionary", POINTER(CArray)), ("release", c_void_p), ("private_data", c_void_p),
]  # fmt: skip


class CStream(Structure):
    """`struct ArrowArrayStream`."""

    _fields_ = [
        ("get_schema", c_void_p), ("get_next", c_void_p), ("get_last_error", c_void_p),
        ("release", c_void_p), ("private_data", c_void_p),
    ]  # fmt: skip


_Release = ctypes.CFUNCTYPE(None, c_void_p)
_Get = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_LastError = ctypes.CFUNCTYPE(c_char_p, c_void_p)


def broken(why: str) -> EngineError:
    return EngineError(
        "ERR_NOT_CONVERTIBLE",
        f"The object's Arrow data is malformed: {why}.",
        "Its library breaks the Arrow C data interface; convert it there (to_pandas(), to_pylist() …).",
    )


def has_arrow(value: Any) -> bool:
    """Whether the object offers Arrow data."""
    tp = type(value)
    return hasattr(tp, "__arrow_c_stream__") or hasattr(tp, "__arrow_c_array__")


@contextmanager
def opened(value: Any) -> Iterator[tuple[CSchema, Iterator[CArray]]]:
    """The schema and the chunks of an object that offers Arrow data.

    They live until the end, and there everything is released, however it comes.
    """
    if hasattr(type(value), "__arrow_c_stream__"):
        capsule = value.__arrow_c_stream__()
        stream = _pointer(capsule, b"arrow_array_stream", CStream)
        with _released(stream), _released(_get_schema(stream)) as schema:
            received: list[CArray] = []
            try:
                yield schema, _chunks(stream, received)
            finally:
                for array in received:
                    release(array)
    else:
        schema_capsule, array_capsule = value.__arrow_c_array__()
        schema = _pointer(schema_capsule, b"arrow_schema", CSchema)
        array = _pointer(array_capsule, b"arrow_array", CArray)
        with _released(schema), _released(array):
            yield schema, iter((array,))


def _pointer(capsule: Any, name: bytes, kind: Any) -> Any:
    """The struct in a capsule. The capsule's destructor releases it only while nobody else has."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype = c_void_p
    get.argtypes = [ctypes.py_object, c_char_p]
    try:
        address = get(capsule, name)
    except (ValueError, TypeError) as error:
        raise broken(f"it gave no capsule named {name.decode()} ({error})") from None
    struct = kind.from_address(address)
    if not struct.release:
        raise broken("it was consumed already")
    struct.capsule = capsule  # keeps the memory; release goes first
    return struct


@contextmanager
def _released(struct: Any) -> Iterator[Any]:
    try:
        yield struct
    finally:
        release(struct)


def release(struct: Any) -> None:
    """Calls the producer's release callback, once."""
    callback = struct.release
    if callback:
        _Release(callback)(ctypes.addressof(struct))
        struct.release = None  # also where the producer forgets to


def _call(stream: CStream, callback: Any, out: Any, what: str) -> None:
    if not callback:
        raise broken(f"its stream has no {what}")
    code = _Get(callback)(ctypes.addressof(stream), ctypes.addressof(out))
    if code == 0:
        return
    text = None
    if stream.get_last_error:
        text = _LastError(stream.get_last_error)(ctypes.addressof(stream))
    reason = text.decode("utf-8", "replace") if text else f"error {code}"
    raise EngineError("ERR_NOT_CONVERTIBLE", f"The producer of the Arrow data failed: {reason}.")


def _get_schema(stream: CStream) -> CSchema:
    schema = CSchema()
    _call(stream, stream.get_schema, schema, "get_schema")
    if not schema.release:
        raise broken("its schema is released")
    return schema


def _chunks(stream: CStream, received: list[CArray]) -> Iterator[CArray]:
    while True:
        array = CArray()
        _call(stream, stream.get_next, array, "get_next")
        if not array.release:
            return
        received.append(array)
        yield array


def child(struct: Any, index: int) -> Any:
    """A child of a schema or array."""
    if not struct.children or not struct.children[index]:
        raise broken("a child is missing")
    return struct.children[index].contents


def metadata(address: Any) -> dict[bytes, bytes]:
    """The metadata of a schema: counted keys and values in this machine's byte order."""
    if not address:
        return {}
    at = address

    def number() -> int:
        nonlocal at
        value = ctypes.c_int32.from_address(at).value
        at += 4
        if value < 0:
            raise broken("its metadata has a negative size")
        return value

    def text() -> bytes:
        nonlocal at
        size = number()
        value = ctypes.string_at(at, size)
        at += size
        return value

    return {text(): text() for _ in range(number())}


def memory(array: CArray, index: int, size: int) -> memoryview:
    """The first `size` bytes of a buffer, where they are."""
    if size == 0:
        return memoryview(b"")
    if index >= array.n_buffers or not array.buffers or not array.buffers[index]:
        raise broken("a buffer is missing")
    return memoryview((ctypes.c_char * size).from_address(array.buffers[index])).cast("B")


__all__ = ["CArray", "CSchema", "broken", "child", "has_arrow", "memory", "metadata", "opened"]
