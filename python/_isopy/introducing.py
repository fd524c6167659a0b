"""What both writers of values offer to the rules of `values.py`: handles, counted so that a failure can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .describe import describe
from .errors import EngineError
from .marker import Extension

if TYPE_CHECKING:
    from .engine import Engine


class Introducing:
    """Writes for one engine; remembers what it introduced."""

    engine: Engine
    portable: bool
    introduced: list[int]
    exported: list[int]
    _entered: dict[int, int]

    def prepare(self, engine: Engine, portable: bool) -> None:
        self.engine = engine
        self.portable = portable
        self.introduced = []
        self.exported = []
        self._entered = {}

    def introduce(self, obj: object) -> int:
        handle = self.engine.handles.introduce(obj)
        self.introduced.append(handle)
        return handle

    def export(self, obj: object, alignment: int) -> tuple[int, int, int]:
        """Pins the memory of `obj`: (id, bytes in its span, bytes before its first element)."""
        export = getattr(self.engine.host, "export", None)
        if export is None:
            raise EngineError(
                "ERR_UNSUPPORTED",
                "This engine does not share memory with JavaScript.",
                "Ask py.info.capabilities.sharedMemory first; without { view: true } the value is copied.",
            )
        exported: tuple[int, int, int] = export(obj, alignment)
        self.exported.append(exported[0])
        return exported

    def undo(self) -> None:
        """The stream never reaches JS: what it introduced and pinned is given back."""
        self.engine.handles.release([(handle, 1) for handle in self.introduced])
        for export in self.exported:
            self.engine.host.unexport(export)

    def enter(self, obj: object) -> bool:
        """False when `obj` is met a third time inside itself: its operands can never end."""
        met = self._entered.get(id(obj), 0)
        self._entered[id(obj)] = met + 1
        return met < 2

    def describe(self, error: BaseException) -> Extension:
        return describe(error, self.engine.codec.portable, raised=False)
