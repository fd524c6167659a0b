"""pandas frames as Arrow data, where pandas itself cannot: its own export needs pyarrow.

The same columns that pandas makes with it: NaN, NaT and NA are nulls, and an index that says
something (anything but 0, 1, 2, …) follows the columns.
"""

from __future__ import annotations

import re
import sys
from datetime import date
from itertools import accumulate
from typing import Any, Callable, Optional

from .arrays import time_unit
from .arrow_types import NULLABLE, ORDERED, Buffer, Column, Field, unsupported

_NUMBERS = {
    "i1": "c", "u1": "C", "i2": "s", "u2": "S", "i4": "i", "u4": "I", "i8": "l", "u8": "L",
    "f2": "e", "f4": "f", "f8": "g",
}  # fmt: skip
_UNITS = {"s": "s", "ms": "m", "us": "u", "ns": "n"}
_EPOCH = date(1970, 1, 1)


def is_pandas(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(
        value, (getattr(pandas, "DataFrame", ()), getattr(pandas, "Series", ()))
    )


def arrow_frame(value: Any) -> tuple[Field, Column]:
    """A frame or series as a table of one chunk, in memory of its own."""
    pandas = sys.modules["pandas"]
    if isinstance(value, pandas.Series):
        columns = [_column("" if value.name is None else str(value.name), value)]
    else:
        columns = [_column(str(name), value.iloc[:, i]) for i, name in enumerate(value.columns)]
        if not isinstance(value.index, pandas.RangeIndex):
            index = value.index
            columns += [
                _column(
                    f"__index_level_{i}__" if name is None else str(name),
                    index.get_level_values(i).to_series(),
                )
                for i, name in enumerate(index.names)
            ]
    table = Field("", "+s", 0, None, tuple(column.field for column in columns))
    return table, Column(table, len(value), 0, [None], tuple(columns))


def _column(name: str, column: Any) -> Column:
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    dtype = column.dtype
    gaps = column.isna().to_numpy()
    if isinstance(dtype, pandas.CategoricalDtype):
        return _categories(name, column, gaps)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        zone = re.sub(r"^UTC(?=[+-])", "", str(dtype.tz))
        return _plain(name, column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), gaps, zone)
    if isinstance(dtype, numpy.dtype) and dtype.kind != "O":
        return _plain(name, column.to_numpy(), gaps)
    inner = getattr(dtype, "numpy_dtype", None)  # of the nullable numbers
    if isinstance(inner, numpy.dtype) and inner.kind in "biuf":
        return _plain(name, column.to_numpy(dtype=inner, na_value=0), gaps)
    return _objects(name, str(dtype), column.tolist(), gaps)


def _made(field: Field, gaps: Any, buffers: list[Buffer], dictionary: Optional[Column] = None) -> Column:
    numpy: Any = sys.modules["numpy"]
    nulls = int(gaps.sum())
    valid = numpy.packbits(~gaps, bitorder="little").tobytes() if nulls else None
    return Column(field, len(gaps), nulls, [valid, *buffers], (), dictionary)


def _plain(name: str, values: Any, gaps: Any, zone: str = "") -> Column:
    numpy: Any = sys.modules["numpy"]
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "b":
        return _made(Field(name, "b"), gaps, [numpy.packbits(values, bitorder="little").tobytes()])
    fmt = _NUMBERS.get(f"{dtype.kind}{dtype.itemsize}")
    if dtype.kind in "mM":
        unit = _UNITS.get(time_unit(numpy, dtype))
        if unit is not None:
            fmt = f"ts{unit}:{zone}" if dtype.kind == "M" else f"tD{unit}"
    if fmt is None:
        raise unsupported(name, str(dtype))
    return _made(Field(name, fmt), gaps, [values.astype(dtype, copy=False).tobytes()])


def _categories(name: str, column: Any, gaps: Any) -> Column:
    codes = column.cat.codes.to_numpy()
    words = _column("", column.dtype.categories.to_series())
    flags = NULLABLE | (ORDERED if column.dtype.ordered else 0)
    field = Field(name, _NUMBERS[f"i{codes.dtype.itemsize}"], flags, None, (), words.field)
    return _made(field, gaps, [codes.tobytes()], words)


def _objects(name: str, dtype: str, cells: list[Any], gaps: Any) -> Column:
    """Cells of one Python type."""
    numpy: Any = sys.modules["numpy"]
    kinds = {type(cell) for cell, gap in zip(cells, gaps) if not gap}
    if not kinds:
        return Column(Field(name, "n"), len(cells), len(cells), [])
    kind = kinds.pop()
    if kinds or kind not in _CELLS:
        raise unsupported(name, dtype)
    fmt, encode = _CELLS[kind]
    field = Field(name, fmt)
    made = [None if gap else encode(cell) for cell, gap in zip(cells, gaps)]
    if fmt in ("u", "z"):
        parts = [part or b"" for part in made]
        ends = numpy.fromiter(accumulate(map(len, parts), initial=0), "int64", len(parts) + 1)
        if ends[-1] < 1 << 31:
            return _made(field, gaps, [ends.astype("int32").tobytes(), b"".join(parts)])
        return _made(Field(name, fmt.upper()), gaps, [ends.tobytes(), b"".join(parts)])
    try:
        values = numpy.array(
            [part or 0 for part in made], dtype={"b": "?", "l": "i8", "g": "f8", "tdD": "i4"}[fmt]
        )
    except OverflowError:
        raise unsupported(name, dtype) from None
    data = numpy.packbits(values, bitorder="little") if fmt == "b" else values
    return _made(field, gaps, [data.tobytes()])


_CELLS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    str: ("u", lambda cell: cell.encode("utf-8", "surrogatepass")),
    bytes: ("z", lambda cell: cell),
    bool: ("b", lambda cell: cell),
    int: ("l", lambda cell: cell),
    float: ("g", lambda cell: cell),
    date: ("tdD", lambda cell: (cell - _EPOCH).days),
}
