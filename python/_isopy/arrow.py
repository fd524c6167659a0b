"""Arrow data for JavaScript, from any object that offers it: IPC bytes, or the buffers of each column.

No Arrow library is needed. The typed target `("arrow", "ipc" | "buffers")` ends here.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from . import arrow_ipc
from .arrow_c import has_arrow, opened
from .arrow_types import NULLABLE, ORDERED, Column, Field, read_chunks, text_metadata
from .errors import protocol_error
from .frames_arrow import arrow_frame, is_pandas
from .traits import type_name


def arrow_data(value: Any, form: str, path: str = "value") -> Any:
    """The Arrow data of `value` as the bytes of an IPC stream, or as a dict of schema and batches."""
    if form not in ("ipc", "buffers"):
        raise protocol_error(f"Unknown form of Arrow data {form!r:.40}.")
    if not has_arrow(value) and not is_pandas(value):
        raise TypeError(f"{path}: expected an object with __arrow_c_stream__, got {type_name(type(value))}")
    if is_pandas(value) and find_spec("pyarrow") is None:
        table, chunk = arrow_frame(value)
        return _written(table, iter((chunk,)), form)
    with opened(value) as (schema, arrays):
        return _written(*read_chunks(schema, arrays), form)


def _written(table: Field, chunks: Iterator[Column], form: str) -> Any:
    if form == "ipc":
        return arrow_ipc.stream(table, chunks)
    return {
        "fields": [_field(field) for field in table.children],
        "metadata": text_metadata(table.metadata),
        "batches": [
            {"length": chunk.length, "columns": [_column(column) for column in chunk.children]}
            for chunk in chunks
        ],
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "format": field.format,
        "nullable": bool(field.flags & NULLABLE),
        "ordered": bool(field.flags & ORDERED),
        "metadata": text_metadata(field.metadata),
        "children": [_field(part) for part in field.children],
        "dictionary": None if field.dictionary is None else _field(field.dictionary),
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "length": column.length,
        "nullCount": column.nulls,
        "buffers": [None if buffer is None else bytes(buffer) for buffer in column.buffers],
        "children": [_column(part) for part in column.children],
        "dictionary": None if column.dictionary is None else _column(column.dictionary),
    }
