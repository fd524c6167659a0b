"""Handles: integers that stand for Python objects that JavaScript holds.

An id is generation and slot in one safe integer (`generation << 24 | slot`, below 2**53). 0 is
never used, and a slot is retired before its generation wraps, so a late release can never hit a
newer object. The same live object always has the same id, because JS compares refs by identity.

Bound methods of one function and one object share a handle: Python makes a new one for each
look-up, and in JS `object.method === object.method` should hold.

A host may keep the table itself (native/handle_table.h), with the same ids and rules.

Invariant: for a live id the count is how often it was introduced to JS minus what JS gave back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from sys import getrefcount
from types import BuiltinMethodType, CoroutineType, MethodType
from typing import TYPE_CHECKING, NoReturn, Union

from .errors import EngineError

if TYPE_CHECKING:
    from .host import HandleHost

SLOT_BITS = 24
SLOT_MASK = (1 << SLOT_BITS) - 1
LAST_GENERATION = (1 << 29) - 1

Identity = Union[int, tuple[int, int], tuple[int, str]]


class HandleTable:
    """Objects by handle, counted; every method may be called from any thread."""

    def __init__(self) -> None:
        self.ids: list[int] = [0]
        self.objects: list[object] = [None]
        self._counts: list[int] = [0]
        self._generations: list[int] = [0]
        self._free: list[int] = []
        self._identities: list[Identity] = [0]
        self._slots: dict[Identity, int] = {}
        self.most = SLOT_MASK
        # Reentrant: a collection may run a __del__ that introduces or releases handles while we hold it.
        self._lock = threading.RLock()

    def introduce(self, obj: object) -> int:
        """The object's id, counted once more."""
        identity = _identity(obj)
        with self._lock:
            slot = self._slots.get(identity)
            if slot is None:
                if len(self._slots) >= self.most:
                    exhausted(self.most)
                if self._free:
                    slot = self._free.pop()
                else:
                    slot = len(self.ids)
                    if slot > SLOT_MASK:  # retired slots count too
                        exhausted(SLOT_MASK)
                    self.objects.append(None)
                    self._identities.append(0)
                    self._counts.append(0)
                    self._generations.append(0)
                    self.ids.append(0)
                handle = self._generations[slot] << SLOT_BITS | slot
                self.objects[slot] = obj
                self._counts[slot] = 1
                self.ids[slot] = handle
                self._identities[slot] = identity
                self._slots[identity] = slot
                return handle
            self._counts[slot] += 1
            return self.ids[slot]

    def get(self, handle: int) -> object:
        """The object of a live handle; `ERR_HANDLE_DISPOSED` otherwise."""
        slot = handle & SLOT_MASK
        try:
            obj = self.objects[slot]
            if self.ids[slot] == handle and handle > 0:
                return obj
        except IndexError:
            pass
        gone(handle)

    def release(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Gives introductions back. Unknown ids are ignored; nothing of the user runs under the lock."""
        dropped: list[object] = []
        with self._lock:
            for handle, count in pairs:
                slot = handle & SLOT_MASK
                if handle <= 0 or slot >= len(self.ids) or self.ids[slot] != handle:
                    continue
                left = self._counts[slot] - count
                self._counts[slot] = left
                if left <= 0:
                    dropped.append(self._clear(slot))
        while dropped:
            discard(dropped.pop())

    def _clear(self, slot: int) -> object:
        obj = self.objects[slot]
        self.ids[slot] = 0
        self.objects[slot] = None
        del self._slots[self._identities[slot]]
        generation = self._generations[slot] + 1
        self._generations[slot] = generation
        if generation <= LAST_GENERATION:
            self._free.append(slot)
        return obj

    def limit(self, most: int) -> None:
        """How many objects JavaScript may hold at a time; one more is ERR_LIMIT."""
        self.most = min(most, SLOT_MASK)

    def clear(self) -> None:
        """Drops everything: the engine closes."""
        with self._lock:
            live = [(handle, count) for handle, count in zip(self.ids, self._counts) if handle]
        self.release(live)

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[tuple[int, int, object]]:
        """(id, count, object) of everything that JS holds."""
        with self._lock:
            live = [entry for entry in zip(self.ids, self._counts, self.objects) if entry[0]]
        return iter(live)


class HostHandles:
    """The table of a host that keeps it, so that its own code can use it without calling Python."""

    def __init__(self, host: HandleHost) -> None:
        self.introduce = host.introduce
        self.get = host.object_of
        self._release = host.release
        self._entries = host.handles
        self.limit = host.limit_handles

    def release(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Gives introductions back. Unknown ids are ignored."""
        release = self._release
        for handle, count in pairs:
            release(handle, count)

    def clear(self) -> None:
        """Drops everything: the engine closes."""
        self.release([(handle, count) for handle, count, _ in self._entries()])

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[tuple[int, int, object]]:
        """(id, count, object) of everything that JS holds."""
        return iter(self._entries())


def _identity(obj: object) -> Identity:
    """What makes two objects the same for JS."""
    tp = type(obj)
    if tp is MethodType:
        return id(obj.__func__), id(obj.__self__)  # type: ignore[attr-defined]
    if tp is BuiltinMethodType and obj.__self__ is not None:  # type: ignore[attr-defined]
        return id(obj.__self__), obj.__name__  # type: ignore[attr-defined]
    return id(obj)


def gone(handle: object) -> NoReturn:
    raise EngineError(
        "ERR_HANDLE_DISPOSED",
        f"Handle {handle} does not name a live Python object.",
        "The ref was disposed (or its scope ended) before this use; keep it open for longer.",
    )


def exhausted(most: int) -> NoReturn:
    own = "" if most == SLOT_MASK else ", or raise limits.maxHandles in createPython()"
    raise EngineError(
        "ERR_LIMIT",
        f"JavaScript holds {most:,} Python objects, and may hold no more.",
        f"Release refs with `using`, scope() or Symbol.dispose{own}. Those it has dropped come back when it collects garbage.",
    )


def discard(obj: object) -> None:
    """Lets go of one object; a coroutine that nobody else holds and nobody awaited ends quietly."""
    if type(obj) is CoroutineType and getrefcount(obj) <= 3 and _is_fresh(obj):
        obj.close()


def _is_fresh(coroutine: CoroutineType) -> bool:
    from inspect import CORO_CREATED, getcoroutinestate

    return getcoroutinestate(coroutine) == CORO_CREATED
