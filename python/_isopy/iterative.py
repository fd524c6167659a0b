"""The iterative writer: the same streams as the C pickler, without recursion.

The C pickler recurses, which ends in RecursionError (and in the end of Pyodide) for deep values.
This writer keeps its own stack, so only limits.maxDepth bounds it. It also enters the operands of
extension values, which the C-speed scan cannot see.

A frame of the stack is a generator that yields the children it wants written next.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from .introducing import Introducing
from .values import EXACT, plain, rule

if TYPE_CHECKING:
    from .engine import Engine
    from .limits import Limits

Steps = Generator[Any, None, None]
_BATCH = 1000


class IterativeWriter(Introducing):
    """Writes one value."""

    def __init__(self, engine: Engine, portable: bool, limits: Limits) -> None:
        self.prepare(engine, portable)
        self.limits = limits
        self._out = bytearray(b"\x80\x05")
        self._memo: dict[int, int] = {}
        self._keep: list[Any] = []

    def dump(self, value: Any) -> bytes:
        limits = self.limits
        out = self._out
        nodes = 0
        stack: list[Steps] = []
        steps = self._write(value)
        if steps is not None:
            stack.append(steps)
        while stack:
            try:
                child = next(stack[-1])
            except StopIteration:
                stack.pop()
                continue
            nodes += 1
            if nodes > limits.nodes:
                raise limits.exceeded("maxNodes")
            if len(out) > limits.bytes:
                raise limits.exceeded("maxBytes")
            steps = self._write(child)
            if steps is not None:
                stack.append(steps)
                if len(stack) > limits.depth:
                    raise limits.exceeded("maxDepth")
        out += b"."
        return bytes(out)

    # ---- one value ------------------------------------------------------------------------

    def _write(self, value: Any) -> Any:
        """Writes a leaf, or returns the steps that write what has children."""
        tp = type(value)
        convert = None if tp in _LEAVES or tp in _NESTED or tp in _RAW else plain(tp)
        if convert is not None:
            value = convert(value)
            tp = type(value)
        leaf = _LEAVES.get(tp)
        if leaf is not None:
            leaf(self._out, value)
            return None
        known = self._memo.get(id(value))
        if known is not None:
            self._out += b"h%c" % known if known < 256 else b"j" + struct.pack("<I", known)
            return None
        nested = _NESTED.get(tp)
        if nested is not None:
            return nested(self, value)
        raw = _RAW.get(tp)
        if raw is not None:  # it has an identity in JavaScript
            raw(self._out, value)
            self._memoize(value)
            return None
        return self._extension(value, (EXACT.get(tp) or rule(tp))(self, value))

    def _memoize(self, value: Any) -> None:
        self._memo[id(value)] = len(self._memo)
        self._keep.append(value)  # an id must not be reused while the memo holds it
        self._out += b"\x94"

    def _extension(self, value: Any, operands: tuple[Any, ...]) -> Steps:
        out = self._out
        out += b"("
        yield from operands
        known = self._memo.get(id(value))
        if known is not None:  # written meanwhile, inside itself
            out += b"1" + (b"h%c" % known if known < 256 else b"j" + struct.pack("<I", known))
            return
        out += b"tQ"
        self._memoize(value)

    def _list(self, value: list[Any]) -> Steps:
        out = self._out
        out += b"]"
        self._memoize(value)
        for start in range(0, len(value), _BATCH):
            out += b"("
            yield from value[start : start + _BATCH]
            out += b"e"

    def _dict(self, value: dict[Any, Any]) -> Steps:
        out = self._out
        out += b"}"
        self._memoize(value)
        items = list(value.items())
        for start in range(0, len(items), _BATCH):
            out += b"("
            for key, item in items[start : start + _BATCH]:
                yield key
                yield item
            out += b"u"

    def _set(self, value: set[Any]) -> Steps:
        out = self._out
        out += b"\x8f"
        self._memoize(value)
        out += b"("
        yield from list(value)
        out += b"\x90"

    def _closed(self, value: Any, opcode: bytes) -> Steps:
        """Tuples and frozen sets: members first, so one inside itself is found in the memo at the end."""
        out = self._out
        out += b"("
        yield from value
        known = self._memo.get(id(value))
        if known is not None:
            out += b"1" + (b"h%c" % known if known < 256 else b"j" + struct.pack("<I", known))
            return
        out += opcode
        self._memoize(value)

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        if not value:
            self._out += b")"
            return None
        return self._closed(value, b"t")

    def _frozenset(self, value: frozenset[Any]) -> Steps:
        return self._closed(value, b"\x91")


def _none(out: bytearray, value: None) -> None:
    out += b"N"


def _bool(out: bytearray, value: bool) -> None:
    out += b"\x88" if value else b"\x89"


def _int(out: bytearray, value: int) -> None:
    if 0 <= value < 256:
        out += b"K%c" % value
    elif -(2**31) <= value < 2**31:
        out += b"J" + struct.pack("<i", value)
    else:
        data = value.to_bytes((value.bit_length() >> 3) + 1, "little", signed=True)
        out += (b"\x8a%c" % len(data) if len(data) < 256 else b"\x8b" + struct.pack("<I", len(data))) + data


def _float(out: bytearray, value: float) -> None:
    out += b"G" + struct.pack(">d", value)


def _str(out: bytearray, value: str) -> None:
    data = value.encode("utf-8", "surrogatepass")
    out += (b"\x8c%c" % len(data) if len(data) < 256 else b"\x8d" + struct.pack("<Q", len(data))) + data


def _bytes(out: bytearray, value: bytes) -> None:
    out += (b"C%c" % len(value) if len(value) < 256 else b"\x8e" + struct.pack("<Q", len(value))) + value


def _bytearray(out: bytearray, value: bytearray) -> None:
    out += b"\x96" + struct.pack("<Q", len(value)) + value


_LEAVES: dict[type, Any] = {
    type(None): _none,
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
}
_RAW: dict[type, Any] = {bytes: _bytes, bytearray: _bytearray}
_NESTED: dict[type, Any] = {
    list: IterativeWriter._list,
    tuple: IterativeWriter._tuple,
    dict: IterativeWriter._dict,
    set: IterativeWriter._set,
    frozenset: IterativeWriter._frozenset,
}
