"""A producer of Arrow data in plain Python: any schema and arrays, with every release counted.

Needs no library. What a foreign producer may do wrong, it can be told to do.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from typing import Any, Optional

from _isopy.arrow_c import CArray, CSchema, CStream

_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_Error = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_REASON = ctypes.create_string_buffer(b"the disk is full")

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Spec:
    """A field and its array: format, name and children; buffers, length, nulls and offset."""

    def __init__(
        self,
        fmt: str,
        buffers: tuple[Optional[bytes], ...] = (),
        length: int = 0,
        *,
        name: str = "",
        nulls: int = 0,
        offset: int = 0,
        flags: int = 2,
        children: tuple[Spec, ...] = (),
        dictionary: Optional[Spec] = None,
        metadata: Optional[dict[str, str]] = None,
    ) -> None:
        self.fmt, self.name, self.flags = fmt, name, flags
        self.buffers, self.length, self.nulls, self.offset = buffers, length, nulls, offset
        self.children, self.dictionary, self.metadata = children, dictionary, metadata


class Producer:
    """An object with `__arrow_c_stream__`, once. `released` counts calls by kind of struct."""

    def __init__(self, *chunks: Spec, fail_at: int = -1, forgetful: bool = False) -> None:
        self.chunks = chunks
        self.fail_at = fail_at
        self.forgetful = forgetful  # leaves its release pointers as they are
        self.released: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self._keep: list[Any] = []
        self._next = 0
        self._structs: dict[int, Any] = {}

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = CStream()
        stream.get_schema = self._pointer(_Get(self._get_schema))
        stream.get_next = self._pointer(_Get(self._get_next))
        stream.get_last_error = self._pointer(_Error(lambda _: ctypes.addressof(_REASON)))
        stream.release = self._release("stream", stream)
        self._keep.append(stream)
        return new_capsule(ctypes.addressof(stream), b"arrow_array_stream", None)

    def _pointer(self, function: Any) -> int:
        self._keep.append(function)
        found = ctypes.cast(function, ctypes.c_void_p).value
        assert found is not None
        return found

    def _release(self, kind: str, struct: Any) -> int:
        self.made[kind] += 1

        def release(address: int) -> None:
            self.released[kind] += 1
            if not self.forgetful:
                type(struct).from_address(address).release = None

        return self._pointer(_Release(release))

    def _get_schema(self, _: int, out: int) -> int:
        self._fill_schema(CSchema.from_address(out), self.chunks[0])
        CSchema.from_address(out).release = self._release("schema", CSchema())
        return 0

    def _get_next(self, _: int, out: int) -> int:
        array = CArray.from_address(out)
        if self._next == self.fail_at:
            return 5
        if self._next >= len(self.chunks):
            array.release = None
            return 0
        self._fill_array(array, self.chunks[self._next])
        array.release = self._release("array", CArray())
        self._next += 1
        return 0

    def _fill_schema(self, schema: CSchema, spec: Spec) -> None:
        texts = (spec.fmt.encode(), spec.name.encode())
        self._keep += texts  # a struct in foreign memory keeps nothing
        schema.format, schema.name = texts
        schema.flags = spec.flags
        if spec.metadata is not None:
            schema.metadata = self._metadata(spec.metadata)
        schema.n_children = len(spec.children)
        parts = [self._new(CSchema, child, self._fill_schema) for child in spec.children]
        schema.children = self._list(ctypes.POINTER(CSchema), parts)
        if spec.dictionary is not None:
            schema.dictionary = ctypes.pointer(self._new(CSchema, spec.dictionary, self._fill_schema))

    def _fill_array(self, array: CArray, spec: Spec) -> None:
        array.length, array.null_count, array.offset = spec.length, spec.nulls, spec.offset
        array.n_buffers = len(spec.buffers)
        memory = [
            None if data is None else ctypes.create_string_buffer(data, len(data) or 1)
            for data in spec.buffers
        ]
        self._keep.append(memory)
        addresses = [None if one is None else ctypes.addressof(one) for one in memory]
        buffers = (ctypes.c_void_p * max(len(addresses), 1))(*addresses)
        self._keep.append(buffers)
        array.buffers = ctypes.cast(buffers, ctypes.POINTER(ctypes.c_void_p))
        array.n_children = len(spec.children)
        parts = [self._new(CArray, child, self._fill_array) for child in spec.children]
        array.children = self._list(ctypes.POINTER(CArray), parts)
        if spec.dictionary is not None:
            array.dictionary = ctypes.pointer(self._new(CArray, spec.dictionary, self._fill_array))

    def _new(self, kind: Any, spec: Spec, fill: Any) -> Any:
        struct = kind()
        fill(struct, spec)
        self._keep.append(struct)
        return struct

    def _list(self, kind: Any, structs: list[Any]) -> Any:
        if not structs:
            return None
        pointers = (kind * len(structs))(*map(ctypes.pointer, structs))
        self._keep.append(pointers)
        return ctypes.cast(pointers, ctypes.POINTER(kind))

    def _metadata(self, pairs: dict[str, str]) -> int:
        texts = [text.encode() for pair in pairs.items() for text in pair]
        number = ctypes.c_int32
        data = bytes(number(len(pairs))) + b"".join(bytes(number(len(text))) + text for text in texts)
        buffer = ctypes.create_string_buffer(data, len(data))
        self._keep.append(buffer)
        return ctypes.addressof(buffer)
