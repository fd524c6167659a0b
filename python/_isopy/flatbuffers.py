"""The few shapes of FlatBuffers that Arrow's metadata needs: tables, strings and vectors.

Written forwards: a table leaves room for the offsets of what it refers to, which follows it.
"""

from __future__ import annotations

from struct import Struct, pack_into
from typing import Any, Union

_OFFSET = Struct("<I")
Text = Union[str, bytes]


class Vector:
    """Tables or strings, each by an offset."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items


class Structs:
    """Plain numbers, `format` for each item, aligned to 8 bytes."""

    __slots__ = ("format", "items")

    def __init__(self, fmt: str, items: list[tuple[int, ...]]) -> None:
        self.format = fmt
        self.items = items


class Table:
    """A table: fields in their order, each None, `(struct format, number)`, or what an offset refers to."""

    __slots__ = ("fields",)

    def __init__(self, *fields: Any) -> None:
        self.fields = fields


def finished(root: Table) -> bytes:
    """The buffer of a root table."""
    out = bytearray(8)
    todo: list[tuple[int, Any]] = [(0, root)]
    while todo:
        place, value = todo.pop()
        at = _write(out, value, todo)
        _OFFSET.pack_into(out, place, at - place)
    return bytes(out)


def _align(out: bytearray, size: int, ahead: int = 0) -> None:
    out.extend(bytes(-(len(out) + ahead) % size))


def _write(out: bytearray, value: Any, todo: list[tuple[int, Any]]) -> int:
    """Appends one object; what it refers to is left in `todo`. Returns where it begins."""
    if isinstance(value, Table):
        return _table(out, value, todo)
    if isinstance(value, Vector):
        _align(out, 4)
        at = len(out)
        out += _OFFSET.pack(len(value.items))
        for item in value.items:
            todo.append((len(out), item))
            out += bytes(4)
        return at
    if isinstance(value, Structs):
        _align(out, 8, 4)
        at = len(out)
        item = Struct(value.format)
        out += _OFFSET.pack(len(value.items))
        for numbers in value.items:
            out += item.pack(*numbers)
        return at
    _align(out, 4)
    at = len(out)
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    out += _OFFSET.pack(len(data)) + data + b"\0"
    return at


def _table(out: bytearray, table: Table, todo: list[tuple[int, Any]]) -> int:
    places = []
    size = 4
    for field in table.fields:
        if field is None:
            places.append(0)
            continue
        width = Struct("<" + field[0]).size if isinstance(field, tuple) else 4
        size += -size % width
        places.append(size)
        size += width
    head = 4 + 2 * len(places)
    _align(out, 8, head)  # the table, after its list of places, begins at a multiple of 8
    start = len(out)
    out += Struct(f"<{2 + len(places)}H").pack(head, size, *places)
    at = len(out)
    out += bytes(size)
    pack_into("<i", out, at, at - start)
    for place, field in zip(places, table.fields):
        if field is None:
            continue
        if isinstance(field, tuple):
            pack_into("<" + field[0], out, at + place, field[1])
        else:
            todo.append((at + place, field))
    return at
