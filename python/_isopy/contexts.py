"""Contexts: a namespace, and whether its programs run in order.

Context 0 is the default one: unordered, its namespace is `__main__` where nobody else owns that
(an embedded interpreter), otherwise a module of the same name. An ordered context is a strand: one
of its programs at a time, first in first out. While one of them waits for JavaScript, programs of
the same context run at once: they were sent by what it waits for.
"""

from __future__ import annotations

import builtins
import sys
import threading
from collections import deque
from types import ModuleType
from typing import Any, Callable, Optional

from .errors import EngineError

Program = tuple[Any, ...]


class Context:
    __slots__ = (
        "id",
        "name",
        "namespace",
        "ordered",
        "module",
        "busy",
        "asking",
        "waiting",
        "loop",
        "settle",
        "main",
    )

    def __init__(self, number: int, module: ModuleType, ordered: bool) -> None:
        self.id = number
        self.module = module
        self.namespace: dict[str, Any] = module.__dict__
        self.ordered = ordered
        self.busy = 0
        self.asking = 0
        self.waiting: deque[Program] = deque()
        self.loop: Any = None
        self.settle: Any = None
        self.main = False  # its programs run on Python's main thread


class Contexts:
    """The contexts of one engine by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 1
        self.adopt: Callable[[Context], None] = lambda context: None
        self.by_id: dict[int, Context] = {0: Context(0, _main(), False)}

    def open(self, ordered: bool = False) -> Context:
        with self._lock:
            number = self._next
            self._next += 1
        context = Context(number, _module("__main__"), ordered)
        self.adopt(context)
        self.by_id[number] = context
        return context

    def get(self, number: object) -> Context:
        context = self.by_id.get(number)  # type: ignore[call-overload]
        if context is None:
            raise EngineError(
                "ERR_CLOSED", f"Context {number!r} is closed.", "Open a new context or session."
            )
        return context

    def close(self, number: int) -> Optional[Context]:
        if number == 0:
            raise EngineError(
                "ERR_ARGUMENT", "The default context cannot be closed.", "Close the engine instead."
            )
        return self.by_id.pop(number, None)

    def admit(self, context: Context, program: Program) -> bool:
        """Whether a program may be queued now; otherwise it waits for its turn."""
        with self._lock:
            if context.busy and context.asking < context.busy:
                context.waiting.append(program)
                return False
            context.busy += 1
            return True

    def try_enter(self, context: Context) -> bool:
        """For synchronous calls, which must not wait."""
        with self._lock:
            if context.busy and context.asking < context.busy:
                return False
            context.busy += 1
            return True

    def leave(self, context: Context) -> Optional[Program]:
        """A program of the context is done; the next one, if it waits."""
        with self._lock:
            if context.waiting:
                return context.waiting.popleft()
            context.busy -= 1
            return None

    def withdraw(self, number: int) -> Optional[Program]:
        """Takes a waiting program out of its strand."""
        with self._lock:
            for context in self.by_id.values():
                for program in context.waiting:
                    if program[0] == number:
                        context.waiting.remove(program)
                        return program
        return None


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__dict__["__builtins__"] = builtins
    return module


_main_given = False


def _main() -> ModuleType:
    """`__main__` for the first engine of the process; the next ones have a namespace of their own."""
    global _main_given
    main = sys.modules.get("__main__")
    if _main_given:
        return _module("__main__")
    if (
        main is not None
        and getattr(main, "__file__", None) is None
        and getattr(main, "__spec__", None) is None
    ):
        main.__dict__.setdefault("__builtins__", builtins)
        _main_given = True
        return main
    return _module("__main__")


# ---- services: called as `_isopy.contexts.create(…)` by programs --------------------------------


def create(ordered: bool = False) -> int:
    """A new context of the engine that asks; its id."""
    from .lanes import asking_engine

    return asking_engine().contexts.open(bool(ordered)).id


def close(context: int) -> None:
    """Ends a context: what waits in it is refused. Unknown ids are ignored."""
    from .lanes import asking_engine

    asking_engine().close_context(context)
