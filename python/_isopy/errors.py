"""Errors: the engine's own, and what JavaScript threw.

EngineError is about the bridge (a disposed handle, a limit); it is a RuntimeError so that Python
code can catch it without knowing us. JsException is a JavaScript exception seen from Python; the
classes below it also derive from the Python class that the name maps to, so that
`except TypeError` works for a JS TypeError.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Optional


class EngineError(RuntimeError):
    """Something between JavaScript and Python failed; `code` is stable, `hint` says what to do."""

    def __init__(self, code: str, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message if hint is None else f"{message}\n  {hint}")
        self.code = code
        self.message = message
        self.hint = hint


def protocol_error(message: str) -> EngineError:
    """A malformed frame, stream or program: a bug of a peer, never of the user."""
    return EngineError("ERR_PROTOCOL", message, "This is a defect of isopy or of the peer; please report it.")


class JsException(Exception):
    """What JavaScript threw. `js` is the thrown value: a proxy, or data when it was data."""

    def __init__(
        self, name: str = "Error", message: str = "", stack: Optional[str] = None, js: object = None
    ) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.stack = stack
        self.js = js

    def __str__(self) -> str:
        return self.message if self.name in ("", "Error") else f"{self.name}: {self.message}"


class JsTypeError(JsException, TypeError):
    pass


class JsSyntaxError(JsException, SyntaxError):
    pass


class JsRangeError(JsException, ValueError, IndexError):
    pass


class JsReferenceError(JsException, NameError):
    pass


class JsAttributeError(JsException, AttributeError):
    pass


class JsKeyError(JsException, KeyError):
    pass


class JsIndexError(JsException, IndexError):
    pass


class JsStopIteration(JsException, StopIteration):
    pass


class JsTimeoutError(JsException, TimeoutError):
    pass


@cache
def _abort_error() -> type[JsException]:
    """An AbortError is what asyncio raises in a task that is cancelled; asyncio is imported for it."""
    import asyncio

    class JsAbortError(JsException, asyncio.CancelledError):
        pass

    JsAbortError.__qualname__ = "JsAbortError"
    return JsAbortError


def __getattr__(name: str) -> Any:
    if name == "JsAbortError":
        return _abort_error()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_JsExceptionGroup: Any = None
if sys.version_info >= (3, 11):

    class JsAggregateError(JsException, ExceptionGroup):  # noqa: F821
        """An AggregateError whose members are all ordinary exceptions; `message` is the group's."""

        def __new__(
            cls, name: str, message: str, stack: Optional[str], js: object, members: Sequence[Exception]
        ) -> Any:
            return ExceptionGroup.__new__(cls, message, list(members))  # noqa: F821

        def __init__(
            self, name: str, message: str, stack: Optional[str], js: object, members: object
        ) -> None:
            self.name = name
            self.stack = stack
            self.js = js

        def __str__(self) -> str:
            return ExceptionGroup.__str__(self)  # noqa: F821

    _JsExceptionGroup = JsAggregateError


_BY_NAME: dict[str, type[JsException]] = {
    "TypeError": JsTypeError,
    "SyntaxError": JsSyntaxError,
    "RangeError": JsRangeError,
    "ReferenceError": JsReferenceError,
    "AttributeError": JsAttributeError,
    "KeyError": JsKeyError,
    "IndexError": JsIndexError,
    "TimeoutError": JsTimeoutError,
}


def js_exception(
    name: str, message: str, stack: Optional[str], js: object, members: Sequence[BaseException] = ()
) -> BaseException:
    """The exception for a thrown value; an exception that came from Python is that very one."""
    if isinstance(js, BaseException):
        return js
    if members and _JsExceptionGroup is not None and all(isinstance(one, Exception) for one in members):
        return _JsExceptionGroup(name, message, stack, js, members)
    kind = _abort_error() if name == "AbortError" else _BY_NAME.get(name, JsException)
    return kind(name, message, stack, js)


class ErrorTable:
    """The last exceptions that JavaScript saw, by id, so that they come back as themselves.

    Strong, because most exceptions cannot be referenced weakly; bounded, because they hold frames.
    """

    SIZE = 1024

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._next = 1
        self._by_id: dict[int, BaseException] = {}
        self._ids: dict[int, int] = {}

    def remember(self, error: BaseException) -> int:
        """The id of an exception; the same one while it is remembered."""
        with self._lock:
            known = self._ids.get(id(error))
            if known is not None:
                return known
            number = self._next
            self._next += 1
            self._by_id[number] = error
            self._ids[id(error)] = number
            dropped = None
            if len(self._by_id) > self.SIZE:
                oldest = next(iter(self._by_id))
                dropped = self._by_id.pop(oldest)
                del self._ids[id(dropped)]
        del dropped  # outside the lock: its frames may hold anything
        return number

    def get(self, number: int) -> Optional[BaseException]:
        return self._by_id.get(number)

    def clear(self) -> None:
        with self._lock:
            dropped, self._by_id, self._ids = self._by_id, {}, {}
        del dropped


ERRORS = ErrorTable()


def forget_errors() -> None:
    """Lets go of every exception that was kept for identity."""
    ERRORS.clear()
