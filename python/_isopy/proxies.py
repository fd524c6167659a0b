"""Python's view of JavaScript objects and functions.

Every question goes to JavaScript (PROTOCOL.md, section 6); nothing is cached, so a getter runs
each time. A name that Python reserves is written with one trailing underscore: `p.class_`,
`p.new_`. Equality is `===`, and one JS object has one proxy while it lives, so `is` works too.
"""

from __future__ import annotations

import keyword
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Optional

from . import asking as ops
from .lent import Lent, function_type

if TYPE_CHECKING:
    from .engine import Engine

FUNCTION, CLASS, ITERABLE, ASYNC_ITERABLE, THENABLE, ERROR = 1, 2, 4, 8, 16, 32
SYMBOL, ARRAY, ASYNC, ITERATOR, SIZED = 64, 128, 256, 512, 1024

_RESERVED = frozenset(keyword.kwlist) | {"new"}


def js_name(name: str) -> str:
    """The JavaScript name of a Python attribute."""
    return name[:-1] if name.endswith("_") and name[:-1] in _RESERVED else name


def py_name(name: str) -> str:
    return name + "_" if name in _RESERVED else name


class JsProxy(Lent):
    """An object of JavaScript."""

    __slots__ = ("_isopy_engine", "_isopy_id", "_isopy_count", "_isopy_flags", "_isopy_name", "__weakref__")

    _isopy_engine: Engine
    _isopy_id: int
    _isopy_count: int
    _isopy_flags: int
    _isopy_name: str

    def __init__(self, engine: Engine, number: int, flags: int, name: str) -> None:
        put = object.__setattr__
        put(self, "_isopy_engine", engine)
        put(self, "_isopy_id", number)
        put(self, "_isopy_flags", flags)
        put(self, "_isopy_name", name)
        put(self, "_isopy_count", 0)

    def __isopy_lent__(self, engine: object) -> Optional[int]:
        """The callback id for a stream to `engine`; None when another engine lent it."""
        return self._isopy_id if self._isopy_engine is engine else None

    def __del__(self) -> None:
        try:
            count = self._isopy_count
            if count:
                self._isopy_engine.callbacks.drop(self, self._isopy_id, count)
        except AttributeError:
            pass  # __init__ did not finish: nothing was introduced

    def _isopy_ask(self, op: int, *operands: Any) -> Any:
        return self._isopy_engine.asker.ask(self._isopy_id, op, *operands)

    def __getattr__(self, name: str) -> Any:
        if (
            name.startswith("__")
            and name.endswith("__")
            or name.startswith("_isopy_")
            or name.startswith("_repr_")
        ):
            raise AttributeError(name)
        wanted = js_name(name)
        value = self._isopy_ask(ops.OP_GET, wanted)
        if isinstance(value, JsFunction) and not value._isopy_flags & (ASYNC | CLASS):
            return JsMethod(self, wanted, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_isopy_count":
            object.__setattr__(self, name, value)
        else:
            self._isopy_ask(ops.OP_SET, js_name(name), value)

    def __delattr__(self, name: str) -> None:
        self._isopy_ask(ops.OP_DELETE, js_name(name))

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(py_name(key) for key in self._isopy_ask(ops.OP_KEYS))})

    def __getitem__(self, key: Any) -> Any:
        return self._isopy_ask(ops.OP_GETITEM, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._isopy_ask(ops.OP_SETITEM, key, value)

    def __delitem__(self, key: Any) -> None:
        self._isopy_ask(ops.OP_DELITEM, key)

    def __contains__(self, key: Any) -> bool:
        return bool(self._isopy_ask(ops.OP_CONTAINS, key))

    def __bool__(self) -> bool:
        return bool(self._isopy_ask(ops.OP_TRUTH))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, JsProxy):
            return self._isopy_engine is other._isopy_engine and self._isopy_id == other._isopy_id
        return False

    def __hash__(self) -> int:
        return hash((id(self._isopy_engine), self._isopy_id))

    def __str__(self) -> str:
        return str(self._isopy_ask(ops.OP_TEXT)) if self._isopy_engine.host.can_ask else repr(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._isopy_name or 'Object'}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("an object of JavaScript cannot be pickled")


class _Iterable(JsProxy):
    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        found = self._isopy_ask(ops.OP_ITERATE)
        return found if isinstance(found, JsIterator) else iter(found)


class _Sized(JsProxy):
    __slots__ = ()

    def __len__(self) -> int:
        return int(self._isopy_ask(ops.OP_LENGTH))


class JsIterator(JsProxy):
    """A JavaScript iterator or generator; `close()` runs its `return()`."""

    __slots__ = ()

    def __iter__(self) -> JsIterator:
        return self

    def __next__(self) -> Any:
        done, items, result = self._isopy_ask(ops.OP_NEXT, 1)
        if items:
            return items[0]
        raise StopIteration(result) if done else StopIteration

    def close(self) -> None:
        self._isopy_ask(ops.OP_RETURN)


class _AsyncIterable(JsProxy):
    __slots__ = ()

    def __aiter__(self) -> JsAsyncIterator:
        return JsAsyncIterator(self)


class JsAsyncIterator:
    """Items of an async iterable of JavaScript, one question per item, in order."""

    __slots__ = ("_source", "_iterator")

    def __init__(self, source: JsProxy) -> None:
        self._source = source
        self._iterator: Any = None

    def __aiter__(self) -> JsAsyncIterator:
        return self

    async def __anext__(self) -> Any:
        asker = self._source._isopy_engine.asker
        if self._iterator is None:
            self._iterator = await asker.send(self._source._isopy_id, ops.OP_ITERATE)
        _done, items, _result = await asker.send(self._iterator._isopy_id, ops.OP_NEXT, 1)
        if items:
            return items[0]
        raise StopAsyncIteration

    async def aclose(self) -> None:
        if self._iterator is not None:
            asker = self._source._isopy_engine.asker
            await asker.send(self._iterator._isopy_id, ops.OP_RETURN)


class JsPromise(JsProxy):
    """A promise or thenable; `await` it. Only `input()` waits for one in synchronous code."""

    __slots__ = ()

    def _isopy_wait(self) -> Any:
        """What it resolves to; this thread waits, and an interrupt ends that."""
        return self._isopy_engine.asker.ask(self._isopy_id, ops.OP_AWAIT)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._isopy_engine.asker.send(self._isopy_id, ops.OP_AWAIT).__await__()


class _Function(JsProxy):
    """A function of JavaScript; keyword arguments arrive as one last plain object."""

    __slots__ = ()

    def _isopy_call(self, *args: Any, **kwargs: Any) -> Any:
        asker = self._isopy_engine.asker
        if self._isopy_flags & ASYNC:
            return asker.send(self._isopy_id, ops.OP_CALL, args, kwargs)
        return asker.ask(self._isopy_id, ops.OP_CALL, args, kwargs)

    def new(self, *args: Any, **kwargs: Any) -> Any:
        """`new f(…)`; the property called `new` is reached as `new_`."""
        return self._isopy_ask(ops.OP_NEW, args, kwargs)

    def __bool__(self) -> bool:
        return True

    @property
    def __name__(self) -> str:
        return self._isopy_name


if TYPE_CHECKING:

    class JsFunction(_Function):
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

else:
    JsFunction = function_type(_Function)


class JsClass(JsFunction):
    """A class of JavaScript; calling it is `new`, as calling a class is in Python."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.new(*args, **kwargs)


class JsMethod:
    """`owner.name` of JavaScript: a call keeps its `this`. Crosses back as the very function."""

    __slots__ = ("_isopy_owner", "_isopy_key", "_isopy_function")

    def __init__(self, owner: JsProxy, key: str, function: JsFunction) -> None:
        self._isopy_owner = owner
        self._isopy_key = key
        self._isopy_function = function

    def __isopy_lent__(self, engine: object) -> Optional[int]:
        return self._isopy_function.__isopy_lent__(engine)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._isopy_owner._isopy_ask(ops.OP_METHOD, self._isopy_key, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._isopy_function, name)

    def __eq__(self, other: object) -> bool:
        return self._isopy_function == (other._isopy_function if isinstance(other, JsMethod) else other)

    def __hash__(self) -> int:
        return hash(self._isopy_function)

    def __repr__(self) -> str:
        return f"<JsMethod {self._isopy_key} of {self._isopy_owner!r}>"


class JsSymbol(JsProxy):
    """A symbol of JavaScript."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


_classes: dict[int, type[JsProxy]] = {}
_KINDS = FUNCTION | CLASS | ITERABLE | ASYNC_ITERABLE | THENABLE | SYMBOL | ITERATOR | SIZED


def proxy_class(flags: int) -> type[JsProxy]:
    """The class with exactly the protocols that the flags name; made once per combination."""
    kinds = flags & _KINDS
    found = _classes.get(kinds)
    if found is None:
        bases: list[type[JsProxy]] = []
        if kinds & CLASS:
            bases.append(JsClass)
        elif kinds & FUNCTION:
            bases.append(JsFunction)
        if kinds & THENABLE:
            bases.append(JsPromise)
        if kinds & ITERATOR:
            bases.append(JsIterator)
        elif kinds & ITERABLE:
            bases.append(_Iterable)
        if kinds & ASYNC_ITERABLE:
            bases.append(_AsyncIterable)
        if kinds & SIZED:
            bases.append(_Sized)
        if kinds & SYMBOL:
            bases.append(JsSymbol)
        if not bases:
            found = JsProxy
        elif len(bases) == 1 and not bases[0].__name__.startswith("_"):
            found = bases[0]
        else:
            name = next((base.__name__ for base in bases if not base.__name__.startswith("_")), "JsProxy")
            found = type(name, tuple(bases), {"__slots__": (), "__module__": __name__})
        _classes[kinds] = found
    return found


__all__ = ["JsProxy", "JsFunction", "JsClass", "JsMethod", "JsPromise", "JsIterator", "JsSymbol"]
