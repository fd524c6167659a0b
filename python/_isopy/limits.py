"""What one value may cost, and whether a value that came in is within it.

A limit that is exceeded is ERR_LIMIT, before anything is evaluated or sent: nothing is half applied.
"""

from __future__ import annotations

import marshal
import sys
from itertools import chain
from typing import Any

from .errors import EngineError
from .values import CONTAINERS

MARSHAL_DEPTH = 2_000
_WIDE = 256


class Limits:
    """What one value may cost; over it is ERR_LIMIT and nothing is half applied."""

    __slots__ = ("depth", "nodes", "bytes")

    def __init__(self, depth: int = 10_000, nodes: int = 100_000_000, size: int = (1 << 31) - 1) -> None:
        self.depth = depth
        self.nodes = nodes
        self.bytes = size

    def exceeded(self, name: str) -> EngineError:
        limit = {"maxDepth": self.depth, "maxNodes": self.nodes, "maxBytes": self.bytes}[name]
        return EngineError(
            "ERR_LIMIT",
            f"The value is larger than limits.{name} allows ({limit:,}).",
            f"Pass a smaller value, keep it in Python with ref(), or raise limits.{name} in createPython().",
        )


def distinct(level: Any) -> Any:
    """A level without repetitions where it is wide: shared containers would double at each level."""
    return level if len(level) <= _WIDE else list({id(item): item for item in level}.values())


_CLOSERS = (b"a", b"e", b"s", b"u", b"t", b"\x85", b"\x86", b"\x87", b"\x90", b"\x91")


def deep(data: bytes, depth: int) -> bool:
    """Whether the bytes could hold `depth` levels at all: every level needs one closing opcode."""
    return sum(map(data.count, _CLOSERS)) > depth


def check_depth(value: Any, limits: Limits) -> None:
    """Raises ERR_LIMIT for a value that is deeper than limits.depth."""
    # In a browser's worker 2,000 levels of marshal's own recursion are too many.
    if limits.depth >= MARSHAL_DEPTH and sys.platform != "emscripten":
        try:
            marshal.dumps(value)  # a walk at C speed that ends at MARSHAL_DEPTH levels
            return
        except ValueError:
            pass  # too deep for it, or no plain data: count
    _count_depth(value, limits)


def _count_depth(value: Any, limits: Limits) -> None:
    level = [value]
    for _ in range(limits.depth + 1):
        inner = distinct([item for item in level if type(item) in CONTAINERS])
        if not inner:
            return
        parts: list[Any] = []
        for item in inner:
            parts.append(item.values() if type(item) is dict else item)
            if type(item) is dict:
                parts.append(item)
        level = list(chain.from_iterable(parts))
    if _cyclic_only(value, limits.depth):
        return
    raise limits.exceeded("maxDepth")


def _cyclic_only(value: Any, depth: int) -> bool:
    """Whether the levels never ended because of a cycle, and no acyclic path is too long."""
    seen: set[int] = set()
    level = [value]
    for _ in range(depth + 1):
        following: list[Any] = []
        for item in level:
            if type(item) in CONTAINERS and id(item) not in seen:
                seen.add(id(item))
                following.extend(chain(item, item.values()) if type(item) is dict else item)
        if not following:
            return True
        level = following
    return False
