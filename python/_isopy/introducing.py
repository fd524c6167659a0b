"""What both writers of values offer to the rules of `values.py`: handles, counted so that a failure can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .describe import describe
from .marker import Extension

if TYPE_CHECKING:
    from .engine import Engine


class Introducing:
    """Writes for one engine; remembers what it introduced."""

    engine: Engine
    portable: bool
    introduced: list[int]
    _entered: dict[int, int]

    def prepare(self, engine: Engine, portable: bool) -> None:
        self.engine = engine
        self.portable = portable
        self.introduced = []
        self._entered = {}

    def introduce(self, obj: object) -> int:
        handle = self.engine.handles.introduce(obj)
        self.introduced.append(handle)
        return handle

    def enter(self, obj: object) -> bool:
        """False when `obj` is met a third time inside itself: its operands can never end."""
        met = self._entered.get(id(obj), 0)
        self._entered[id(obj)] = met + 1
        return met < 2

    def describe(self, error: BaseException) -> Extension:
        return describe(error, self.engine.codec.portable, raised=False)
