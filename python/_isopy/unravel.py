"""Letting go of deep values without recursion, on engines that have one thread.

CPython frees a list in a list in a list by recursion, and its guard counts the C stack only. In a
browser's worker WebAssembly calls lie on JavaScript's stack of about 1 MB, which it cannot see: a
list 5,000 levels deep takes the engine with it when it is dropped (Chromium, Pyodide 314).

So a deep value that crosses is held container by container, outermost first, until its program is
over, and let go in that order: what is freed then is never the last owner of what lies below it.
What user code builds and drops by itself is not covered.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from .limits import deep, distinct
from .values import CONTAINERS

# Below this many levels CPython's recursion is harmless everywhere.
SHALLOW = 500


class Held:
    """Containers of deep values, outermost first."""

    def __init__(self) -> None:
        self._order: list[Any] = []

    def hold(self, value: Any) -> None:
        """Holds a value that is known to be deep, or may be."""
        order = self._order
        seen: set[int] = set()
        level = [value]
        while level:
            following: list[Any] = []
            for item in level:
                if type(item) in CONTAINERS and id(item) not in seen:
                    seen.add(id(item))
                    order.append(item)
                    following.extend(item.values() if type(item) is dict else item)
            level = following

    def hold_read(self, data: bytes, value: Any) -> None:
        """Holds what was read from `data`, if that is deep."""
        if len(data) > SHALLOW and deep(data, SHALLOW) and _reaches(value, SHALLOW):
            self.hold(value)

    def let_go(self) -> None:
        order, self._order = self._order, []
        for index in range(len(order)):
            order[index] = None


def _reaches(value: Any, depth: int) -> bool:
    """Whether there are that many levels, found level by level at C speed."""
    level: Any = (value,)
    for _ in range(depth):
        kinds = CONTAINERS.intersection(map(type, level))
        if not kinds:
            return False
        parts: list[Any] = []
        for kind in kinds:
            group = distinct([item for item in level if type(item) is kind])
            parts.append(chain.from_iterable(map(dict.values, group) if kind is dict else group))
        level = list(chain.from_iterable(parts))
    return True
