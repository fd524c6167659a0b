"""Built-in functions that work on the frame of their caller: `eval`, `exec`, `globals`, `locals`, `vars`, `dir`.

A call that comes from JavaScript has no frame of Python's, or one of ours, which is worse. Here they
work on the namespace of the call's context, as they would at the top of a module.
"""

from __future__ import annotations

import builtins
from functools import partial
from types import BuiltinFunctionType
from typing import Any, Callable, Optional

Namespace = dict[str, Any]


def _evaluate(
    function: Callable[..., Any],
    namespace: Namespace,
    source: Any,
    globals: Optional[Namespace] = None,
    locals: Any = None,
    **rest: Any,
) -> Any:
    return function(source, namespace if globals is None else globals, locals, **rest)


def _whole(namespace: Namespace) -> Namespace:
    return namespace


def _vars(namespace: Namespace, *args: Any) -> Any:
    return vars(*args) if args else namespace


def _dir(namespace: Namespace, *args: Any) -> list[str]:
    return dir(*args) if args else sorted(namespace)


#: What each of them does on a namespace.
FRAMED: dict[Any, Callable[..., Any]] = {
    builtins.eval: partial(_evaluate, builtins.eval),
    builtins.exec: partial(_evaluate, builtins.exec),
    builtins.globals: _whole,
    builtins.locals: _whole,
    builtins.vars: _vars,
    builtins.dir: _dir,
}


def in_namespace(function: Any, namespace: Namespace) -> Any:
    """What to call instead of `function`, where it would look for a frame."""
    if type(function) is BuiltinFunctionType and function in FRAMED:
        return partial(FRAMED[function], namespace)
    return function


def call(namespace: Namespace, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """For hosts that know the functions by `FRAMED` and call all others themselves."""
    return FRAMED[function](namespace, *args, **kwargs)
