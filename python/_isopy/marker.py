"""The one global name that a stream may hold.

CPython's pickler writes an extension value as a call of `_isopy.v`. Nobody ever calls it: a
reader replaces it by its own constructor, so a stream cannot reach any other callable.
"""

from __future__ import annotations

from typing import Any


def v(*operands: object) -> None:
    """Marks an extension value in a stream; only isopy's own readers understand it."""
    raise TypeError("an isopy stream can only be read by an isopy engine")


v.__module__ = "_isopy"


class Extension:
    """An extension value that is already spelled out: `(tag, …operands)`."""

    __slots__ = ("operands",)

    def __init__(self, *operands: object) -> None:
        self.operands = operands


class Memory:
    """The bytes of an extension value, still in a C-contiguous buffer exporter.

    Where JavaScript can read memory of Python's, it copies them from there and nothing is written into the
    stream. Elsewhere, and for little, the bytes themselves.
    """

    __slots__ = ("source",)
    WORTH_IT = 1 << 16

    def __init__(self, source: Any) -> None:
        self.source = source

    def copied(self, shared: bool) -> Any:
        with memoryview(self.source) as view:
            if not shared or view.readonly or view.nbytes < self.WORTH_IT:
                return view.tobytes()
        return self
