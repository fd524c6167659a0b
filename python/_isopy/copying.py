"""`toJs`: what a handle becomes when a copy is asked for (mode 2 of PROTOCOL.md, section 3).

Arrays, frames, dataclasses and subclasses of the built-in containers have behaviour and may be
large, so they cross as handles; this module makes the copy that somebody asked for. The result is
exact containers, scalars and extension values, which the writers know how to write. What is no
data at all is refused at the top and stays a handle below it.

Conversion is a trampoline of generators, so depth is bounded by the limits and not by a stack.
Libraries are never imported here: an object of one can only exist when it is loaded already.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Callable, Optional

from .arrays import array_copy, ndarray_copy
from .errors import EngineError
from .frames import frame_copy
from .traits import type_name
from .values import CONTAINERS, PLAIN, plain, ref, rule

if TYPE_CHECKING:
    from .engine import Engine
    from .rules import Rules

Steps = Generator[Any, Any, Any]
_REFUSED = object()


def to_js(engine: Engine, value: Any, share: bool = False) -> Any:
    """The copy of `value`, where asked for with arrays that share memory.

    Raises ERR_NOT_CONVERTIBLE when there is nothing that could be copied, or an array cannot be shared.
    """
    if share:
        from .views import array_view

        shared = array_view(value)
        if shared is not None:
            return shared
    copied = _Copy(engine.rules, share).run(value)
    if copied is _REFUSED:
        name = type_name(type(value))
        raise EngineError(
            "ERR_NOT_CONVERTIBLE",
            f"An object of type {name} has no copy: it is behaviour, not data.",
            "Keep the ref, read the attributes you need, or convert it in Python (list(x), x.to_dict(), …).",
        )
    return copied


class _Copy:
    """One conversion: shared objects stay shared, cycles stay cycles."""

    def __init__(self, rules: Optional[Rules], share: bool) -> None:
        self.rules = rules
        if share:
            from .views import view_or_copy

            self.array = view_or_copy
        else:
            self.array = array_copy
        self.memo: dict[int, Any] = {}
        self.keep: list[Any] = []  # ids in the memo must not be reused while it lives
        self.running: set[int] = set()

    def run(self, value: Any) -> Any:
        first = self.step(value)
        if not isinstance(first, _Running):
            return first
        stack = [first]
        result: Any = None
        while stack:
            running = stack[-1]
            try:
                child = running.steps.send(result)
            except StopIteration as done:
                stack.pop()
                self.running.discard(id(running.source))
                self.memo[id(running.source)] = result = done.value
                self.keep.append(running.source)
                continue
            following = self.step(child)
            if isinstance(following, _Running):
                stack.append(following)
                result = None
            else:
                result = child if following is _REFUSED else following
        return result

    def step(self, value: Any) -> Any:
        """The copy of a leaf, or the steps that make the copy of something that holds other things."""
        tp = type(value)
        if tp in PLAIN:
            return value
        known = self.memo.get(id(value), _REFUSED)
        if known is not _REFUSED:
            return known
        if id(value) in self.running:
            return value  # a tuple or an object inside itself: the original says it best
        steps = self.steps(value, tp)
        if steps is None:
            return self.leaf(value, tp)
        self.running.add(id(value))
        return _Running(value, steps)

    def ruled(self, tp: type) -> bool:
        """Whether the writers know what to make of this type: a rule of ours, or of the user."""
        return (
            plain(tp) is not None or rule(tp) is not ref or self.rules is not None and self.rules.covers(tp)
        )

    def leaf(self, value: Any, tp: type) -> Any:
        if self.ruled(tp):
            return value
        copied = self.array(value)
        return _REFUSED if copied is None else copied

    def steps(self, value: Any, tp: type) -> Optional[Steps]:
        if tp in CONTAINERS:
            if tp is not dict and set(map(type, value)) <= PLAIN:
                return _whole(value)
            return self.mapping(value) if tp is dict else self.sequence(value, tp)
        if self.ruled(tp):
            return None
        if isinstance(value, dict):
            return self.mapping(dict(dict.items(value)), value)
        if isinstance(value, tuple):
            return self.sequence(value, tuple)
        if isinstance(value, (list, deque)):
            return self.sequence(value, list)
        if isinstance(value, (set, frozenset)):
            return self.sequence(value, frozenset if isinstance(value, frozenset) else set)
        for base, exact in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
            if isinstance(value, base):
                return _whole(_exact_scalar(base, value, exact))
        if isinstance(value, (bytes, bytearray)):
            return _whole((bytes if isinstance(value, bytes) else bytearray)(memoryview(value)))
        fields = _fields(value)
        if fields is not None:
            return self.mapping(fields, value)
        frame = frame_copy(value, self.array)
        if frame is not None:
            return self.follow(frame)
        array = ndarray_copy(value)  # masked arrays and arrays of objects hold further things
        return self.follow(array) if type(array) in (dict, list) else None

    def follow(self, value: Any) -> Steps:
        return (yield value)

    def mapping(self, items: dict[Any, Any], source: Any = None) -> Steps:
        copied: dict[Any, Any] = {}
        # In the memo before its values are: a dict may hold itself.
        self.memo[id(items if source is None else source)] = copied
        for key, item in list(items.items()):
            copied[key] = yield item
        return copied

    def sequence(self, items: Any, tp: type) -> Steps:
        if tp is list:
            copied: list[Any] = []
            self.memo[id(items)] = copied
            for item in list(items):
                copied.append((yield item))
            return copied
        if tp is not tuple:
            return tp(items)  # members of sets are hashable: nothing below them wants a copy
        parts = []
        for item in items:
            parts.append((yield item))
        return tuple(parts)


class _Running:
    __slots__ = ("source", "steps")

    def __init__(self, source: Any, steps: Steps) -> None:
        self.source = source
        self.steps = steps


def _whole(value: Any) -> Steps:
    return value
    yield  # a generator with one answer and no step


def _exact_scalar(base: type, value: Any, exact: Callable[[Any], Any]) -> Any:
    """The exact built-in inside an instance of a subclass, without calling what the subclass overrides."""
    if base is str:
        return "".join(str.__iter__(value))
    return exact(value)


def _fields(value: Any) -> Optional[dict[str, Any]]:
    """The fields of a dataclass, attrs or pydantic instance, or of a mapping view; None for anything else."""
    tp = type(value)
    dataclass_fields = getattr(tp, "__dataclass_fields__", None)
    if dataclass_fields is not None and not isinstance(value, type):
        missing = object()
        found = {}
        for field in sys.modules["dataclasses"].fields(value):
            item = getattr(value, field.name, missing)
            if item is not missing:
                found[field.name] = item
        return found
    attributes = getattr(tp, "__attrs_attrs__", None)
    if attributes is not None:
        return {attribute.name: getattr(value, attribute.name) for attribute in attributes}
    pydantic = getattr(tp, "model_fields", None)
    if (
        isinstance(pydantic, dict)
        and "pydantic" in sys.modules
        and callable(getattr(value, "model_dump", None))
    ):
        return {name: getattr(value, name) for name in pydantic}
    mappings = sys.modules.get("collections.abc") or sys.modules["_collections_abc"]
    if isinstance(value, mappings.Mapping):
        return {key: value[key] for key in value}
    return None
