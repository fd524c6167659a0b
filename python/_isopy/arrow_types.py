"""Arrow types: format strings of the C data interface, and how their arrays lie in memory.

A `Field` is a column's name, type and metadata; a `Column` is the memory of one chunk of it, with
every offset taken away, so that element 0 is the first of each buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional, Union

from .arrow_c import CArray, CSchema, broken, child, memory, metadata
from .errors import EngineError

NULLABLE, ORDERED, KEYS_SORTED = 2, 1, 4
Buffer = Union[bytes, memoryview]

# How an array lies in memory.
FIXED, BITS, VARIABLE, VIEWS, LIST, FIXED_LIST, STRUCT, NONE = range(8)

# Format → bytes of one element.
_WIDTHS = {
    "c": 1, "C": 1, "s": 2, "S": 2, "i": 4, "I": 4, "l": 8, "L": 8, "e": 2, "f": 4, "g": 8,
    "tdD": 4, "tdm": 8, "tts": 4, "ttm": 4, "ttu": 8, "ttn": 8,
    "tDs": 8, "tDm": 8, "tDu": 8, "tDn": 8, "tiM": 4, "tiD": 8, "tin": 16,
}  # fmt: skip


class Field:
    """A column's description. `format` is that of the values; `index` that of the codes of a dictionary."""

    __slots__ = ("name", "format", "flags", "metadata", "children", "index", "dictionary", "layout", "width")

    def __init__(
        self,
        name: str,
        fmt: str,
        flags: int = NULLABLE,
        meta: Optional[dict[bytes, bytes]] = None,
        children: tuple[Field, ...] = (),
        dictionary: Optional[Field] = None,
    ) -> None:
        self.name = name
        self.format = fmt
        self.flags = flags
        self.metadata = meta or {}
        self.children = children
        self.dictionary = dictionary
        self.layout, self.width = _layout(fmt, name)
        if dictionary is not None and fmt not in ("c", "C", "s", "S", "i", "I", "l", "L"):
            raise broken(f"the codes of column {name!r} have the format {fmt!r}")

    @property
    def parameter(self) -> str:
        """What follows the colon: a time zone, a size, precision and scale."""
        return self.format.partition(":")[2]


class Column:
    """The memory of one chunk of a field. A buffer that is None says that nothing is null."""

    __slots__ = ("field", "length", "nulls", "buffers", "children", "dictionary")

    def __init__(
        self,
        field: Field,
        length: int,
        nulls: int,
        buffers: list[Optional[Buffer]],
        children: tuple[Column, ...] = (),
        dictionary: Optional[Column] = None,
    ) -> None:
        self.field = field
        self.length = length
        self.nulls = nulls
        self.buffers = buffers
        self.children = children
        self.dictionary = dictionary


def unsupported(name: str, fmt: str) -> EngineError:
    return EngineError(
        "ERR_NOT_CONVERTIBLE",
        f"Column {name!r} has the Arrow type {fmt!r}, which does not cross.",
        "Cast it in Python to a type that does: numbers, text, bytes, dates, decimals, lists, structs or a dictionary of them.",
    )


def _layout(fmt: str, name: str) -> tuple[int, int]:
    """How elements lie, and their width: in bytes, of their offsets, or in items of a fixed list."""
    kind, _, parameter = fmt.partition(":")
    try:
        if fmt in _WIDTHS:
            return FIXED, _WIDTHS[fmt]
        if kind in ("tss", "tsm", "tsu", "tsn"):
            return FIXED, 8
        if kind == "d":
            parts = parameter.split(",")
            return FIXED, (int(parts[2]) if len(parts) > 2 else 128) // 8
        if kind == "w":
            return FIXED, int(parameter)
        if kind == "+w":
            return FIXED_LIST, int(parameter)
    except ValueError:
        raise broken(f"column {name!r} has the format {fmt!r}") from None
    known = {
        "n": (NONE, 0), "b": (BITS, 0), "u": (VARIABLE, 4), "z": (VARIABLE, 4), "U": (VARIABLE, 8),
        "Z": (VARIABLE, 8), "vu": (VIEWS, 16), "vz": (VIEWS, 16), "+l": (LIST, 4), "+m": (LIST, 4),
        "+L": (LIST, 8), "+s": (STRUCT, 0),
    }  # fmt: skip
    if fmt not in known:
        raise unsupported(name, fmt)
    return known[fmt]


def read_field(schema: CSchema) -> Field:
    """A field and everything below it."""
    if not schema.format:
        raise broken("a schema has no format")
    name = (schema.name or b"").decode("utf-8", "replace")
    if not 0 <= schema.n_children < 1 << 20:
        raise broken("a schema has an impossible number of children")
    children = tuple(read_field(child(schema, i)) for i in range(schema.n_children))
    dictionary = read_field(schema.dictionary.contents) if schema.dictionary else None
    field = Field(
        name,
        schema.format.decode("ascii", "replace"),
        schema.flags,
        metadata(schema.metadata),
        children,
        dictionary,
    )
    if field.layout in (LIST, FIXED_LIST) and len(children) != 1:
        raise broken(f"the list {name!r} has {len(children)} children")
    return field


def read_column(field: Field, array: CArray, start: int = 0, length: Optional[int] = None) -> Column:
    """The elements `start` to `start + length` of an array."""
    if array.length < 0 or array.offset < 0 or array.n_children != len(field.children):
        raise broken(f"the array of {field.name!r} does not fit its type")
    if length is None:
        length = array.length - start
    if start < 0 or length < 0 or start + length > array.length:
        raise broken(f"the array of {field.name!r} is shorter than it should be")
    at = array.offset + start
    if field.layout == NONE:
        return Column(field, length, length, [])
    valid, nulls = _validity(array, at, length)
    buffers: list[Optional[Buffer]] = [valid]
    children: tuple[Column, ...] = ()
    if field.layout == FIXED:
        buffers.append(memory(array, 1, (at + length) * field.width)[at * field.width :])
    elif field.layout == BITS:
        buffers.append(_bits(memory(array, 1, (at + length + 7) // 8), at, length))
    elif field.layout == VARIABLE:
        offsets, first, last = _offsets(field, array, at, length)
        buffers += [offsets, memory(array, 2, last)[first:]]
    elif field.layout == VIEWS:
        buffers.append(memory(array, 1, (at + length) * 16)[at * 16 :])
        count = array.n_buffers - 3
        if count < 0:
            raise broken(f"the array of {field.name!r} has too few buffers")
        sizes = memory(array, count + 2, 8 * count).cast("q")
        buffers += [memory(array, 2 + i, sizes[i]) for i in range(count)]
    elif field.layout == LIST:
        offsets, first, last = _offsets(field, array, at, length)
        buffers.append(offsets)
        children = (read_column(field.children[0], child(array, 0), first, last - first),)
    elif field.layout == FIXED_LIST:
        children = (read_column(field.children[0], child(array, 0), at * field.width, length * field.width),)
    else:
        children = tuple(
            read_column(part, child(array, i), at, length) for i, part in enumerate(field.children)
        )
    dictionary = None
    if field.dictionary is not None:
        if not array.dictionary:
            raise broken(f"the array of {field.name!r} has no dictionary")
        dictionary = read_column(field.dictionary, array.dictionary.contents)
    return Column(field, length, nulls, buffers, children, dictionary)


def _validity(array: CArray, at: int, length: int) -> tuple[Optional[Buffer], int]:
    if array.null_count == 0 or array.n_buffers == 0 or not array.buffers or not array.buffers[0]:
        return None, 0
    bits = _bits(memory(array, 0, (at + length + 7) // 8), at, length)
    nulls = length - bin(int.from_bytes(bits, "little")).count("1")
    return (bits, nulls) if nulls else (None, 0)


def _bits(data: Buffer, at: int, length: int) -> bytes:
    """`length` bits from bit `at` on, from bit 0 on; what follows them is 0."""
    number = int.from_bytes(data[at // 8 :], "little") >> (at % 8)
    return (number & ((1 << length) - 1)).to_bytes((length + 7) // 8, "little")


def _offsets(field: Field, array: CArray, at: int, length: int) -> tuple[Buffer, int, int]:
    """Offsets that begin at 0, and the span of what they point into."""
    width = field.width
    if length == 0:
        return bytes(width), 0, 0
    data = memory(array, 1, (at + length + 1) * width)[at * width :]
    numbers = data.cast("i" if width == 4 else "q")
    first, last = numbers[0], numbers[length]
    if not 0 <= first <= last:
        raise broken(f"the offsets of {field.name!r} go backwards")
    if first == 0:
        return data, first, last
    # As one long number: no lane borrows from another, because no offset is smaller than the first.
    moved = int.from_bytes(data, "little") - int.from_bytes(
        first.to_bytes(width, "little") * (length + 1), "little"
    )
    if moved < 0:
        raise broken(f"the offsets of {field.name!r} go backwards")
    return moved.to_bytes(len(data), "little"), first, last


def read_chunks(schema: CSchema, arrays: Iterator[CArray]) -> tuple[Field, Iterator[Column]]:
    """A table as one struct field and its chunks; a bare array becomes its only column."""
    field = read_field(schema)
    if field.format == "+s" and field.dictionary is None:
        return field, (read_column(field, array) for array in arrays)
    table = Field("", "+s", 0, None, (field,))

    def wrapped() -> Iterator[Column]:
        for array in arrays:
            column = read_column(field, array)
            yield Column(table, column.length, 0, [None], (column,))

    return table, wrapped()


def text_metadata(found: dict[bytes, bytes]) -> dict[str, Any]:
    """Metadata for JavaScript: text, and bytes where it is none."""

    def text(value: bytes) -> Any:
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value

    return {key.decode("utf-8", "replace"): text(value) for key, value in found.items()}
