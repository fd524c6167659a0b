"""Calls into JavaScript: asked (this thread waits) or sent (the answer comes later).

The GIL is let go by the host while a thread waits (rule N1). Before it waits, everything that is
done is flushed, so that no reply waits for JavaScript.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Optional

from .errors import EngineError, protocol_error
from .lanes import current
from .lazily import asyncio

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .engine import Engine

CALL = 18

(OP_CALL, OP_GET, OP_SET, OP_DELETE, OP_NEW, OP_METHOD, OP_ITERATE, OP_NEXT, OP_RETURN, OP_LENGTH, OP_GETITEM,
 OP_SETITEM, OP_DELITEM, OP_CONTAINS, OP_KEYS, OP_TEXT, OP_AWAIT, OP_TRUTH, OP_EQUALS) = range(19)  # fmt: skip


class Asker:
    """Builds CALL frames and matches ANSWER frames."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tokens = itertools.count(1)
        self._waiting: dict[int, tuple[Future[Any], int]] = {}  # by token, with the program that sent it
        self._lock = threading.Lock()

    def ask(self, target: int, op: int, *operands: Any) -> Any:
        """Calls JavaScript and waits; what it throws is raised here."""
        engine = self._engine
        if engine.closed:
            raise EngineError("ERR_CLOSED", "The engine is closed; JavaScript cannot be called any more.")
        if not engine.host.can_ask:
            raise EngineError(
                "ERR_UNSUPPORTED",
                "Python cannot wait for JavaScript on this engine (capabilities.syncCallbacks is false).",
                "Lend the function with proxy(fn, { async: true }) and await the call in Python, "
                "or serve the page cross-origin isolated.",
            )
        program = current()[1]
        frame = engine.codec.stream((next(self._tokens), program, target, op, *operands))
        engine.flush()
        context = engine.asking_context(program)
        if context is not None:
            context.asking += 1
        try:
            answer = engine.codec.decode(engine.host.ask(frame))
        finally:
            if context is not None:
                context.asking -= 1
        return _outcome(answer)

    def answered(self, frame: bytes) -> Any:
        """The value of an ANSWER stream; what JavaScript threw is raised. For a host that asks without a CALL."""
        return _outcome(self._engine.codec.decode(frame))

    def send(self, target: int, op: int, *operands: Any) -> Answer:
        """Calls JavaScript without waiting; await the result."""
        engine = self._engine
        token = next(self._tokens)
        program = current()[1]
        frame = engine.codec.stream((token, program, target, op, *operands))
        from concurrent.futures import Future

        future: Future[Any] = Future()
        with self._lock:
            if engine.closed:
                raise EngineError("ERR_CLOSED", "The engine is closed; JavaScript cannot be called any more.")
            self._waiting[token] = future, program
        engine.host.send(CALL, frame)
        return Answer(future)

    def receive(self, frame: bytes) -> None:
        """An ANSWER frame to a sent call."""
        answer = self._engine.codec.decode(frame)
        if type(answer) is not tuple or len(answer) != 3:
            raise protocol_error("An ANSWER is not (token, ok, value).")
        with self._lock:
            future, _ = self._waiting.pop(answer[0], (None, 0))
        if future is None or not future.set_running_or_notify_cancel():
            return  # the awaiting task was cancelled meanwhile, or waited in vain
        try:
            future.set_result(_outcome(answer))
        except BaseException as error:
            future.set_exception(error)

    def mark(self) -> int:
        """Comes before everything that is sent from now on."""
        return next(self._tokens)

    def wait(self, done: threading.Event, program: int, since: int, value: Any = None) -> None:
        """A synchronous call waits for what it awaits: JavaScript is blocked in it and answers nothing.

        What the program has sent since that mark, and `value` itself where it is such an answer, fails
        when the host's patience ends.
        """
        own = value._future if type(value) is Answer else None
        while not done.wait(self._engine.host.patience):
            with self._lock:
                late = [
                    token
                    for token, (future, sender) in self._waiting.items()
                    if future is own or (sender == program and token > since)
                ]
                futures = [self._waiting.pop(token)[0] for token in late]
            self._fail(
                futures,
                "ERR_DEADLOCK",
                "A synchronous call awaits an answer of JavaScript, whose thread is blocked in this call.",
                "Start the work with `isopy` (await) instead of `isopy/sync`, or resolve the promise first.",
            )

    def close(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        futures = [future for future, _ in waiting.values()]
        self._fail(futures, "ERR_CLOSED", "The engine was closed before JavaScript answered.")

    @staticmethod
    def _fail(futures: list[Future[Any]], code: str, message: str, hint: Optional[str] = None) -> None:
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_exception(EngineError(code, message, hint))


def _outcome(answer: Any) -> Any:
    if type(answer) is not tuple or len(answer) != 3:
        raise protocol_error("An ANSWER is not (token, ok, value).")
    if answer[1]:
        return answer[2]
    if isinstance(answer[2], BaseException):
        raise answer[2]
    raise protocol_error("A failed ANSWER holds no thrown value.")


class Answer:
    """The awaitable result of a sent call."""

    __slots__ = ("_future",)

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self._future).__await__()
