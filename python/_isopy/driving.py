"""Runs awaitables of programs on a loop, one step at a time.

The first step is taken at once: most coroutines are done after it, and what it costs decides how many
of them a second are possible. All first steps of a batch are taken inside one asyncio task, the
driver's. A coroutine that waits keeps that task for itself, and the rest of the batch gets another
one. So `asyncio.current_task()` is a real task from the first step on; it is used for the next
coroutine only while nothing outside can tell (nobody holds it, no callback, no cancellation is on it).

Each step is fenced: while it runs, the thread's lane names its program, so that callbacks know their
origin and an interrupt hits this step or nothing. It runs in the context (`contextvars`) of its own program.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Generator
from contextvars import Context as Variables
from typing import TYPE_CHECKING, Any, Callable, Optional
from weakref import getweakrefcount

from .lanes import TASK, Lane, lane
from .lazily import asyncio
from .replies import MANY

if TYPE_CHECKING:
    from .engine import Engine

_YIELDED, _RETURNED, _RAISED = 0, 1, 2
_TURN = 256  # first steps before other tasks of the loop get their turn
_EAGER = sys.version_info >= (3, 12)

_set_task = TASK.set
_refcount: Callable[[object], int] = getattr(sys, "getrefcount", lambda _: 0)


class Item:
    """An awaitable, whose it is, and who is told: `done`, or the program's `settle` when it is its only output."""

    __slots__ = ("awaitable", "program", "variables", "home", "done", "settle")

    def __init__(
        self,
        awaitable: Any,
        program: int,
        variables: Variables,
        home: Any,
        done: Optional[Callable[[bool, Any], None]],
        settle: Optional[Callable[[int, list[Any]], None]],
    ) -> None:
        self.awaitable = awaitable
        self.program = program
        self.variables = variables
        self.home = home
        self.done = done
        self.settle = settle


class Driver:
    """The queue of one loop. Only `queue`, `called` and `has` may be touched by other threads."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self.queue: deque[Item] = deque()
        self.called = False  # whether `begin` is on its way
        self._engine = engine
        self._loop = loop
        self._stepping = 0  # the program whose first step runs
        self._spread = 1  # tasks that are started together: more while coroutines wait

    def has(self, program: int) -> bool:
        """Whether a program waits for its first step or is in it. Its cancellation is seen after that step."""
        return self._stepping == program or any(item.program == program for item in list(self.queue))

    def begin(self) -> None:
        self.called = False
        queue, loop = self.queue, self._loop
        if _EAGER:  # each of these takes what it can until one coroutine waits
            for _ in range(_TURN):
                if not queue:
                    return
                asyncio.Task(self._drive(), loop=loop, eager_start=True)  # type: ignore[call-arg]
        else:
            for _ in range(min(len(queue), self._spread)):
                loop.create_task(self._drive())
        self._again()

    def _again(self) -> None:
        if self.queue and not self.called:
            self.called = True
            self._loop.call_soon(self.begin)

    def refuse(self, error: BaseException) -> None:
        """The loop ends: what has not begun never will."""
        while self.queue:
            item = self.queue.popleft()
            if type(item.awaitable) is types.CoroutineType:
                item.awaitable.close()
            self._end(item, False, error)

    def _end(self, item: Item, ok: bool, value: Any) -> None:
        if item.done is not None:
            item.done(ok, value)
            return
        assert item.settle is not None
        codec = self._engine.codec
        outputs: list[Any]
        try:
            if ok:
                outputs = [*codec.encode(value)]
            else:
                cancelled = self._engine.interrupts.was_cancelled(item.program, value)
                outputs = [2, codec.encode_error(value, cancelled)]
        except BaseException as error:
            outputs = [2, codec.encode_error(error)]
        item.settle(item.program, outputs)

    async def _drive(self) -> None:
        await self._first_steps()

    @types.coroutine
    def _first_steps(self) -> Generator[Any, Any, None]:
        engine, queue, end = self._engine, self.queue, self._end
        task = asyncio.current_task(self._loop)
        assert task is not None
        own = lane()
        flat = engine.replies.flat
        held, watched = _refcount(task), getweakrefcount(task)
        own.flushing = True  # at the end of this
        for _ in range(_TURN):
            try:
                item = queue.popleft()
            except IndexError:
                self._spread = max(self._spread >> 1, 1)
                break
            program = item.program
            try:
                iterator = item.awaitable
                if type(iterator) is not types.CoroutineType:
                    iterator = _awaiting(iterator)
                step = item.variables.run
                step(_set_task, (engine, program))
                self._stepping = program
                state, value = _step(engine, own, program, step, iterator.send, None)
            except BaseException as error:  # it cannot be awaited
                state, value = _RAISED, error
            if state == _YIELDED:
                self._spread = min(self._spread * 2, _TURN)
                yield from self._wait(engine, own, item, task, iterator, value)
                return
            self._stepping = 0
            end(item, state == _RETURNED, value)
            if len(flat) > 4 * MANY:
                engine.flush()
            del item, iterator, value
            if _refcount(task) != held or getweakrefcount(task) != watched or _marked(task):
                break
        own.flushing = False
        engine.flush()
        if not _EAGER:
            self._again()

    def _wait(
        self, engine: Engine, own: Lane, item: Item, task: Any, iterator: Any, yielded: Any
    ) -> Generator[Any, Any, None]:
        """The other steps; this task is the awaitable's own from now on."""
        program, step = item.program, item.variables.run
        engine.aio.remember(item, task)
        self._stepping = 0
        if program in engine.interrupts.cancelled:
            # It came during the first step, or before: a coroutine that has not begun could not clean up.
            self._loop.call_soon(task.cancel)
        if not _EAGER:
            self._again()
        own.flushing = False
        engine.flush_soon()
        state, value = _YIELDED, yielded
        while state == _YIELDED:
            try:
                sent = yield value
            except BaseException as thrown:  # the loop cancels or closes this task
                state, value = _step(engine, own, program, step, iterator.throw, thrown)
            else:
                state, value = _step(engine, own, program, step, iterator.send, sent)
        engine.aio.forget(program, task)
        self._end(item, state == _RETURNED, value)
        engine.flush_soon()


def _step(
    engine: Engine,
    own: Lane,
    program: int,
    run: Callable[..., Any],
    function: Callable[[Any], Any],
    argument: Any,
) -> tuple[int, Any]:
    """One step in its context; whether it yielded, returned or raised, and what."""
    interrupts = engine.interrupts
    outer, outer_engine = own.program, own.engine
    state, value = _RAISED, None
    try:
        try:
            own.engine = engine
            own.program = program
            value = run(function, argument)
            state = _YIELDED
        except StopIteration as stop:
            value = stop.value
            state = _RETURNED
        own.program, own.engine = outer, outer_engine
        if interrupts.pending:
            interrupts.leave(own, program)
        return state, value
    except BaseException as error:
        if (
            state != _YIELDED
        ):  # else an interrupt struck while the lane was leaving; the task is cancelled anyway
            state, value = _RAISED, error
    try:
        own.program, own.engine = outer, outer_engine
        if interrupts.pending:
            interrupts.leave(own, program)
    except KeyboardInterrupt:  # likewise
        interrupts.leave(own, program)
    return state, value


def _marked(task: Any) -> bool:
    """Whether a task would act on the next coroutine: callbacks wait for its end, or a cancellation is on its way."""
    return bool(getattr(task, "_callbacks", None) or getattr(task, "_must_cancel", False))


def _awaiting(awaitable: Any) -> Any:
    tp = type(awaitable)
    make = getattr(tp, "__await__", None)
    if make is not None:
        iterator = make(awaitable)
        return iterator if hasattr(iterator, "send") else _Steps(iterator)
    if tp is types.GeneratorType and awaitable.gi_code.co_flags & 0x100:
        return awaitable
    futures = sys.modules.get("concurrent.futures")
    if futures is not None and isinstance(awaitable, futures.Future):
        return asyncio.wrap_future(awaitable).__await__()
    raise TypeError(f"object {tp.__name__} can't be used in 'await' expression")


class _Steps:
    """A plain iterator, which `__await__` may return too."""

    __slots__ = ("_iterator",)

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def send(self, value: Any) -> Any:
        return next(self._iterator)

    def throw(self, error: BaseException) -> Any:
        throw = getattr(self._iterator, "throw", None)
        if throw is None:
            raise error
        return throw(error)


__all__ = ["Driver", "Item"]
