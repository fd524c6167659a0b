"""The Arrow IPC stream format: a schema message, dictionary and record batches, an end mark.

Every message is a FlatBuffer of metadata and a body of buffers, each padded to 8 bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from struct import pack
from typing import Any, Optional

from .arrow_types import KEYS_SORTED, NULLABLE, ORDERED, VIEWS, Buffer, Column, Field
from .flatbuffers import Structs, Table, Vector, finished

_VERSION_5 = 4
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_END = pack("<Ii", 0xFFFFFFFF, 0)
_UNITS = {"s": 0, "m": 1, "u": 2, "n": 3}

_INTEGERS = {"c": (8, True), "C": (8, False), "s": (16, True), "S": (16, False), "i": (32, True), "I": (32, False),
             "l": (64, True), "L": (64, False)}  # fmt: skip
_PLAIN = {"n": 1, "z": 4, "u": 5, "b": 6, "+l": 12, "+s": 13, "Z": 19, "U": 20, "+L": 21, "vz": 23, "vu": 24}
_FLOATS = {"e": 0, "f": 1, "g": 2}
_INTERVALS = {"tiM": 0, "tiD": 1, "tin": 2}


def stream(table: Field, chunks: Iterator[Column]) -> bytes:
    """A table as the bytes of one IPC stream."""
    writer = _Stream(table)
    for chunk in chunks:
        writer.batch(chunk)
    return writer.end()


def _type(field: Field) -> tuple[int, Table]:
    """(member of the union Type, its table)."""
    fmt = field.format
    if fmt in _INTEGERS:
        bits, signed = _INTEGERS[fmt]
        return 2, Table(("i", bits), ("?", signed))
    if fmt in _FLOATS:
        return 3, Table(("h", _FLOATS[fmt]))
    if fmt in _PLAIN:
        return _PLAIN[fmt], Table()
    if fmt in _INTERVALS:
        return 11, Table(("h", _INTERVALS[fmt]))
    kind, parameter = fmt.partition(":")[0], field.parameter
    if kind == "d":
        precision, scale = parameter.split(",")[:2]
        return 7, Table(("i", int(precision)), ("i", int(scale)), ("i", field.width * 8))
    if kind in ("tdD", "tdm"):
        return 8, Table(("h", 0 if kind == "tdD" else 1))
    if kind.startswith("tt"):
        return 9, Table(("h", _UNITS[kind[2]]), ("i", field.width * 8))
    if kind.startswith("ts"):
        return 10, Table(("h", _UNITS[kind[2]]), parameter or None)
    if kind.startswith("tD"):
        return 18, Table(("h", _UNITS[kind[2]]))
    if kind == "w":
        return 15, Table(("i", field.width))
    if kind == "+w":
        return 16, Table(("i", field.width))
    return 17, Table(("?", bool(field.flags & KEYS_SORTED)))  # +m: a list of another type was refused


def _pairs(found: dict[bytes, bytes]) -> Optional[Vector]:
    return Vector([Table(key, value) for key, value in found.items()]) if found else None


class _Stream:
    def __init__(self, table: Field) -> None:
        self._parts: list[Buffer] = []  # the producer's own memory, copied once, at the end
        self._ids: dict[int, int] = {}  # by the identity of a field that has a dictionary
        self._sent: dict[int, bytes] = {}
        fields = Vector([self._field(field) for field in table.children])
        order = 0 if sys.byteorder == "little" else 1
        self._message(_SCHEMA, Table(("h", order), fields, _pairs(table.metadata)), [])

    def _field(self, field: Field) -> Table:
        nullable = ("?", bool(field.flags & NULLABLE))
        encoding = None
        values = field
        if field.dictionary is not None:
            values = field.dictionary
            number = self._ids[id(field)] = len(self._ids)
            index = _type(field)[1]
            encoding = Table(("q", number), index, ("?", bool(field.flags & ORDERED)), ("h", 0))
        kind, details = _type(values)
        children = Vector([self._field(part) for part in values.children])
        return Table(field.name, nullable, ("B", kind), details, encoding, children, _pairs(field.metadata))

    def batch(self, chunk: Column) -> None:
        for column in chunk.children:
            self._dictionaries(column)
        header, body = _record_batch(chunk.length, chunk.children)
        self._message(_BATCH, header, body)

    def _dictionaries(self, column: Column) -> None:
        """The dictionaries below a column, innermost first, where they are new or others than before."""
        for part in column.children:
            self._dictionaries(part)
        if column.dictionary is None:
            return
        self._dictionaries(column.dictionary)
        header, body = _record_batch(column.dictionary.length, (column.dictionary,))
        number = self._ids[id(column.field)]
        content = b"".join((repr(column.dictionary.length).encode(), *body))
        if self._sent.get(number) == content:
            return
        self._sent[number] = content
        self._message(_DICTIONARY, Table(("q", number), header, ("?", False)), body)

    def _message(self, kind: int, header: Table, body: list[Buffer]) -> None:
        size = sum(map(len, body))
        metadata = finished(Table(("h", _VERSION_5), ("B", kind), header, ("q", size)))
        metadata += bytes(-len(metadata) % 8)
        self._parts += (pack("<Ii", 0xFFFFFFFF, len(metadata)), metadata, *body)

    def end(self) -> bytes:
        return b"".join((*self._parts, _END))


def _record_batch(length: int, columns: tuple[Column, ...]) -> tuple[Table, list[Buffer]]:
    """(the table RecordBatch, its body)."""
    nodes: list[tuple[int, ...]] = []
    places: list[tuple[int, ...]] = []
    counts: list[tuple[int, ...]] = []
    body: list[Buffer] = []
    at = 0

    def add(buffer: Optional[Buffer]) -> None:
        nonlocal at
        size = 0 if buffer is None else len(buffer)
        places.append((at, size))
        if buffer is not None and size:
            body.append(buffer)
            padding = -size % 8
            if padding:
                body.append(bytes(padding))
            at += size + padding

    def walk(column: Column) -> None:
        nodes.append((column.length, column.nulls))
        for buffer in column.buffers:
            add(buffer)
        if column.field.layout == VIEWS:
            counts.append((len(column.buffers) - 2,))
        for part in column.children:
            walk(part)

    for column in columns:
        walk(column)
    variadic: Any = Structs("<q", counts) if counts else None
    header = Table(("q", length), Structs("<qq", nodes), Structs("<qq", places), None, variadic)
    return header, body
