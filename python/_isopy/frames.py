"""Tables as columns, for `toJs`: pandas frames, series and indexes, and whatever offers Arrow data (polars, pyarrow).

A frame becomes a dict of columns in their order; an index that says something (anything but
0, 1, 2, …) comes first, under its name. Repeated column names become a list of [name, column]
pairs, because a dict would drop one; so do names of several levels, which are tuples. Missing values of nullable columns are None, never NaN.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from .arrays import ndarray_copy

Arrays = Callable[[Any], Any]


def frame_copy(value: Any, array: Arrays) -> Optional[Any]:
    """The copy of a frame, series or index, with `array` for its columns; None when it is none.

    Cells of object columns are left to the caller.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        try:
            if isinstance(value, pandas.DataFrame):
                return _frame(pandas, value, array)
            if isinstance(value, pandas.MultiIndex):
                return {name: _column(pandas, level, array) for name, level in _levels(value)}
            if isinstance(value, (pandas.Series, pandas.Index)):
                return _column(pandas, value, array)
            if value is pandas.NaT or value is pandas.NA:
                return None
        except AttributeError:
            return None  # a module that only calls itself pandas
    if hasattr(type(value), "__arrow_c_stream__") or hasattr(type(value), "__arrow_c_array__"):
        from .arrow_columns import table_copy

        return table_copy(value)
    return None


def _frame(pandas: Any, frame: Any, array: Arrays) -> Any:
    columns: list[tuple[Any, Any]] = []
    index = frame.index
    if isinstance(index, pandas.MultiIndex):
        columns += [(name, _column(pandas, level, array)) for name, level in _levels(index)]
    elif not (
        isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None
    ):
        columns.append(("index" if index.name is None else index.name, _column(pandas, index, array)))
    for position, name in enumerate(frame.columns):
        columns.append((name, _column(pandas, frame.iloc[:, position], array)))
    names = [name for name, _ in columns]
    if len(set(names)) < len(names) or isinstance(frame.columns, pandas.MultiIndex):
        return [list(column) for column in columns]
    return dict(columns)


def _levels(index: Any) -> list[tuple[Any, Any]]:
    return [
        (f"level_{number}" if name is None else name, index.get_level_values(number))
        for number, name in enumerate(index.names)
    ]


def _column(pandas: Any, column: Any, array: Arrays) -> Any:
    dtype = column.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        codes = column.cat.codes if hasattr(column, "cat") else column.codes
        return {
            "codes": array(_numpy(codes)),
            "categories": _column(pandas, dtype.categories, array),
            "ordered": bool(dtype.ordered),
        }
    if isinstance(dtype, pandas.DatetimeTZDtype):
        values = ndarray_copy(
            _numpy(
                column.dt.tz_convert("UTC").dt.tz_localize(None)
                if hasattr(column, "dt")
                else column.tz_convert("UTC").tz_localize(None)
            )
        )
        values.operands[4]["timeZone"] = str(dtype.tz)
        return values
    if isinstance(dtype, pandas.api.extensions.ExtensionDtype):
        # What is missing may be NA, NaT or (in a column of text) NaN: never one of its values.
        return [None if gap else item for item, gap in zip(column.tolist(), column.isna())]
    values = array(_numpy(column))
    return column.tolist() if values is None else values


def _numpy(column: Any) -> Any:
    return column.to_numpy() if hasattr(column, "to_numpy") else column
