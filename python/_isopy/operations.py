"""The instructions of PROTOCOL.md, section 3, as functions of (engine, context, …operands).

A target has become its object by then. An operation that has to wait returns a `Wait`; its value
is what the awaitable gives.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable, Optional

from .errors import JsException, protocol_error
from .framed import in_namespace
from .iterating import advance, advance_async, close_async
from .traits import ASYNC_ITERATOR, ITERATOR, traits

if TYPE_CHECKING:
    from .contexts import Context
    from .engine import Engine


class Wait:
    """The instruction's value is that of an awaitable."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable


def _import(engine: Engine, context: Context, name: str) -> Any:
    return import_module(name)


def _get(engine: Engine, context: Context, target: Any, name: str) -> Any:
    return getattr(target, name)


def _item(engine: Engine, context: Context, target: Any, key: Any) -> Any:
    return target[key]


def _call(engine: Engine, context: Context, target: Any, args: Any, kwargs: Any = None) -> Any:
    if type(args) is not tuple or kwargs is not None and type(kwargs) is not dict:
        raise protocol_error("The arguments of a call are not a tuple and a dict.")
    target = in_namespace(target, context.namespace)
    return target(*args, **kwargs) if kwargs else target(*args)


def _set(engine: Engine, context: Context, target: Any, name: str, value: Any) -> None:
    setattr(target, name, value)


def _setitem(engine: Engine, context: Context, target: Any, key: Any, value: Any) -> None:
    target[key] = value


def _del(engine: Engine, context: Context, target: Any, name: str) -> None:
    delattr(target, name)


def _delitem(engine: Engine, context: Context, target: Any, key: Any) -> None:
    del target[key]


def _source(kind: str) -> Callable[..., Any]:
    def run(engine: Engine, context: Context, text: Any, names: Any = (), values: Any = ()) -> Any:
        if (
            type(text) is not str
            or type(names) is not tuple
            or type(values) is not tuple
            or len(names) != len(values)
        ):
            raise protocol_error(f"The operands of {kind} are not a text, names and as many values.")
        from .sources import source  # with ast and linecache; a start needs none of them

        compiled = source(text, kind, names)
        value = compiled.run(context.namespace, values)
        if compiled.asynchronous:
            return Wait(value)
        return value if kind == "eval" else None

    return run


def _iter(engine: Engine, context: Context, target: Any) -> Any:
    tp = type(target)
    if getattr(tp, "__iter__", None) is None and getattr(tp, "__aiter__", None) is not None:
        return tp.__aiter__(target)
    return iter(target)


def _asynchronous(target: Any) -> bool:
    flags = traits(target)[0]
    return bool(flags & ASYNC_ITERATOR) and not flags & ITERATOR


def _next(engine: Engine, context: Context, target: Any, count: int, milliseconds: float) -> Any:
    deadline = time.monotonic() + milliseconds / 1000
    if _asynchronous(target):
        return Wait(advance_async(target, count, deadline))
    return advance(target, count, deadline)


def _close(engine: Engine, context: Context, target: Any) -> Any:
    if _asynchronous(target):
        return Wait(close_async(target))
    close = getattr(target, "close", None)
    if close is not None:
        close()
    return None


def _await(engine: Engine, context: Context, target: Any) -> Any:
    return Wait(target)


def _global(engine: Engine, context: Context, name: str) -> Any:
    namespace = context.namespace
    if name in namespace:
        return namespace[name]
    known = namespace.get("__builtins__", {})
    known = known if type(known) is dict else vars(known)
    if name in known:
        return known[name]
    raise NameError(f"name {name!r} is not defined")


def _cast(engine: Engine, context: Context, target: Any, spec: Any) -> Any:
    from .targets import cast

    return cast(target, spec)


def _throw(engine: Engine, context: Context, target: Any, error: Any, *more: Any) -> Any:
    if not isinstance(error, BaseException):
        error = JsException("Error", str(error), None, error)
    if _asynchronous(target):
        return Wait(advance_async(target, 1, 0.0, throw=error))
    return advance(target, 1, 0.0, throw=error)


def _send(engine: Engine, context: Context, target: Any, value: Any) -> Any:
    if _asynchronous(target):
        return Wait(advance_async(target, 1, 0.0, send=(value,)))
    return advance(target, 1, 0.0, send=(value,))


def _enter(engine: Engine, context: Context, target: Any) -> Any:
    tp = type(target)
    if hasattr(tp, "__enter__"):
        return tp.__enter__(target)
    if hasattr(tp, "__aenter__"):
        return Wait(tp.__aenter__(target))
    raise TypeError(f"{tp.__name__!r} object is not a context manager")


def _exit(engine: Engine, context: Context, target: Any, error: Optional[BaseException] = None) -> Any:
    tp = type(target)
    if error is not None and not isinstance(error, BaseException):
        error = JsException("Error", str(error), None, error)
    details = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    if hasattr(tp, "__exit__"):
        return bool(tp.__exit__(target, *details))

    async def leave() -> bool:
        return bool(await tp.__aexit__(target, *details))

    return Wait(leave())


def _value(engine: Engine, context: Context, value: Any) -> Any:
    return value


def _setglobal(engine: Engine, context: Context, name: str, value: Any) -> None:
    context.namespace[name] = value


def _delglobal(engine: Engine, context: Context, name: str) -> None:
    if name not in context.namespace:
        raise NameError(f"name {name!r} is not defined")
    del context.namespace[name]


# (function, first operand is a target, least operands, most operands), by number.
OPERATIONS: tuple[tuple[Callable[..., Any], bool, int, int], ...] = (
    (_import, False, 1, 1),
    (_get, True, 2, 2),
    (_item, True, 2, 2),
    (_call, True, 2, 3),
    (_set, True, 3, 3),
    (_setitem, True, 3, 3),
    (_del, True, 2, 2),
    (_delitem, True, 2, 2),
    (_source("eval"), False, 1, 3),
    (_source("exec"), False, 1, 3),
    (_iter, True, 1, 1),
    (_next, True, 3, 3),
    (_close, True, 1, 1),
    (_await, True, 1, 1),
    (_global, False, 1, 1),
    (_cast, True, 2, 2),
    (_throw, True, 2, 4),
    (_send, True, 2, 2),
    (_enter, True, 1, 1),
    (_exit, True, 1, 2),
    (_value, False, 1, 1),
    (_setglobal, False, 2, 2),
    (_delglobal, False, 1, 1),
)
