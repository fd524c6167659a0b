"""The one global name that a stream may hold.

CPython's pickler writes an extension value as a call of `_isopy.v`. Nobody ever calls it: a
reader replaces it by its own constructor, so a stream cannot reach any other callable.
"""

from __future__ import annotations


def v(*operands: object) -> None:
    """Marks an extension value in a stream; only isopy's own readers understand it."""
    raise TypeError("an isopy stream can only be read by an isopy engine")


v.__module__ = "_isopy"


class Extension:
    """An extension value that is already spelled out: `(tag, …operands)`."""

    __slots__ = ("operands",)

    def __init__(self, *operands: object) -> None:
        self.operands = operands
