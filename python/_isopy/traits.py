"""What an object can do, as the handle flags of PROTOCOL.md.

Asked of the type, not of the object, so that no attribute hook of the user runs; cached per type.
Immortal types are cached in a plain dict, classes of the user weakly.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import GeneratorType, ModuleType
from weakref import WeakKeyDictionary

from .lazily import loaded

CALLABLE, ITERABLE, ITERATOR, ASYNC_ITERABLE, AWAITABLE = 1, 2, 4, 8, 16
CONTEXT, ASYNC_CONTEXT, MAPPING, SIZED, CLASS, MODULE = 32, 64, 128, 256, 512, 1024
ASYNC_ITERATOR, GENERATOR, BUFFER = 2048, 4096, 8192

_HEAP_TYPE = 1 << 9
_ITERABLE_COROUTINE = 0x100

_type_flags = type.__dict__["__flags__"].__get__
type_module = type.__dict__["__module__"].__get__
_static: dict[type, tuple[int, str]] = {}
_heap: MutableMapping[type, tuple[int, str]] = WeakKeyDictionary()


def traits(obj: object) -> tuple[int, str]:
    """(flags, type name) of an object."""
    tp = type(obj)
    known = _static.get(tp)
    if known is None:
        known = _heap.get(tp)
        if known is None:
            known = _examine(tp, obj)
            (_static if is_static(tp) else _heap)[tp] = known
    if tp is GeneratorType and obj.gi_code.co_flags & _ITERABLE_COROUTINE:  # type: ignore[attr-defined]
        return known[0] | AWAITABLE, known[1]
    return known


def is_static(tp: type) -> bool:
    """Whether a type is immortal and never changes."""
    return not _type_flags(tp) & _HEAP_TYPE


def awaitable(obj: object) -> bool:
    """Whether `await obj` is meant to work."""
    return bool(traits(obj)[0] & AWAITABLE)


def type_name(tp: type) -> str:
    """`module.qualname`, without the module for built-ins; never runs user code."""
    module = type_module(tp)
    name = type.__dict__["__qualname__"].__get__(tp)
    return name if module == "builtins" or not isinstance(module, str) else f"{module}.{name}"


def _examine(tp: type, obj: object) -> tuple[int, str]:
    def has(*names: str) -> bool:
        return all(_lookup(tp, name) is not None for name in names)

    flags = 0
    if has("__call__"):
        flags |= CALLABLE
    if has("__iter__") or (has("__getitem__", "__len__") and not has("keys")):
        flags |= ITERABLE
    if has("__next__"):
        flags |= ITERATOR
    if has("__aiter__"):
        flags |= ASYNC_ITERABLE
    if has("__anext__"):
        flags |= ASYNC_ITERATOR
    if has("__await__") or _is_thread_future(tp):
        flags |= AWAITABLE
    if has("__enter__", "__exit__"):
        flags |= CONTEXT
    if has("__aenter__", "__aexit__"):
        flags |= ASYNC_CONTEXT
    if issubclass(tp, dict) or has("__getitem__", "keys", "__len__") or _is_mapping(tp):
        flags |= MAPPING
    if has("__len__"):
        flags |= SIZED
    if issubclass(tp, type):
        flags |= CLASS
    if issubclass(tp, ModuleType):
        flags |= MODULE
    if has("send", "throw", "close") or has("asend", "athrow", "aclose"):
        flags |= GENERATOR
    if _exports_buffer(obj):
        flags |= BUFFER
    return flags, type_name(tp)


def _is_thread_future(tp: type) -> bool:
    """A `concurrent.futures.Future`: not for `await` in Python, but a promise in JavaScript all the same."""
    future = loaded("concurrent.futures", "Future")
    return future is not None and issubclass(tp, future)


def _lookup(tp: type, name: str) -> object:
    for base in type.__dict__["__mro__"].__get__(tp):
        namespace = base.__dict__
        if name in namespace:
            return namespace[name]
    return None


def _is_mapping(tp: type) -> bool:
    try:
        return issubclass(tp, Mapping)
    except Exception:
        return False  # a metaclass that refuses the question is no mapping


def _exports_buffer(obj: object) -> bool:
    try:
        memoryview(obj).release()  # type: ignore[arg-type]
    except TypeError:
        return False
    except Exception:
        return True  # it exports buffers, just not now (released, resizing)
    return True
