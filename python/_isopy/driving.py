"""Runs awaitables of programs on a loop, one step at a time.

The first step is taken at once: most coroutines are done after it, and what it costs decides how many
of them a second are possible. All first steps of a batch are taken inside one asyncio task, the
driver's. A coroutine that waits keeps that task for itself, and the rest of the batch gets another
one. So `asyncio.current_task()` is a real task from the first step on; it is used for the next
coroutine only while nothing outside can tell (nobody holds it, no callback, no cancellation is on it).

A host may have a loop of its own for the common first steps (`host.first_steps`, native): a coroutine that ends in
it with plain data. What is anything else comes back here, with how far it got.

Each step is fenced: while it runs, the thread's lane names its program, so that callbacks know their
origin and an interrupt hits this step or nothing. It runs in the context (`contextvars`) of its own program.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Generator
from contextvars import Context as Variables
from typing import TYPE_CHECKING, Any, Callable, Optional, Union
from weakref import getweakrefcount

from .lanes import TASK, Lane, lane
from .lazily import asyncio, loaded
from .replies import MANY

if TYPE_CHECKING:
    from .aio import HostLoop, LoopThread
    from .engine import Engine

_YIELDED, _RETURNED, _RAISED = 0, 1, 2
_TURN = 256  # first steps before other tasks of the loop get their turn
_EAGER = sys.version_info >= (3, 12)

_set_task = TASK.set
_refcount: Callable[[object], int] = getattr(sys, "getrefcount", lambda _: 0)

Done = Callable[[bool, Any], None]
Settle = Callable[[int, list[Any]], None]
# An awaitable, whose it is, its variables, and who is told: `done`, or `settle` when it is the program's only output.
Item = tuple[Any, int, Variables, Optional[Done], Optional[Settle]]


class Driver:
    """The queue of one loop. Only `queue`, `called`, `call` and `has` may be touched by other threads."""

    def __init__(self, engine: Engine, home: Union[LoopThread, HostLoop]) -> None:
        self.queue: deque[Item] = deque()
        self.called = False  # whether `begin` is on its way
        self.stepping = 0  # the program whose first step runs
        self._engine = engine
        self._home = home
        self._loop = home.loop
        self._spread = 1  # tasks that are started together: more while coroutines wait
        self._host_steps: Optional[Callable[..., tuple[int, Optional[Item], int, Any]]] = getattr(
            engine.host, "first_steps", None
        )

    def call(self) -> None:
        """The queue has something."""
        self.called = True
        self._home.call(self.begin)

    def has(self, program: int) -> bool:
        """Whether a program waits for its first step or is in it. Its cancellation is seen after that step."""
        return self.stepping == program or any(item[1] == program for item in list(self.queue))

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
            if type(item[0]) is types.CoroutineType:
                item[0].close()
            self._end(item, False, error)

    def _end(self, item: Item, ok: bool, value: Any) -> None:
        _, program, _, done, settle = item
        if done is not None:
            done(ok, value)
            return
        assert settle is not None
        codec = self._engine.codec
        outputs: list[Any]
        try:
            if ok:
                outputs = [*codec.encode(value)]
            else:
                cancelled = self._engine.interrupts.was_cancelled(program, value)
                outputs = [2, codec.encode_error(value, cancelled)]
        except BaseException as error:
            outputs = [2, codec.encode_error(error)]
        settle(program, outputs)

    async def _drive(self) -> None:
        await self._first_steps()

    @types.coroutine
    def _first_steps(self) -> Generator[Any, Any, None]:
        engine, queue, end = self._engine, self.queue, self._end
        task = asyncio.current_task(self._loop)
        assert task is not None
        own = lane()
        flat = engine.replies.flat
        held, marks = _refcount(task), _marks(task)
        own.flushing = True  # at the end of this
        host_steps, left = self._host_steps, _TURN
        while left > 0:
            item = None
            if host_steps is not None:
                taken, item, state, value = host_steps(self, own, task, left)
                left -= taken
                if item is None and (left <= 0 or _refcount(task) != held or _marks(task) != marks):
                    break
            if item is not None:
                iterator = item[0]
            else:
                try:
                    item = queue.popleft()
                except IndexError:
                    self._spread = max(self._spread >> 1, 1)
                    break
                left -= 1
                self.stepping = program = item[1]
                try:
                    iterator = item[0]
                    if type(iterator) is not types.CoroutineType:
                        iterator = _awaiting(iterator)
                    step = item[2].run
                    step(_set_task, (engine, program))
                    state, value = _step(engine, own, program, step, iterator.send, None)
                except BaseException as error:  # it cannot be awaited
                    state, value = _RAISED, error
            if state == _YIELDED:
                self._spread = min(self._spread * 2, _TURN)
                yield from self._wait(engine, own, item, task, iterator, value)
                return
            self.stepping = 0
            end(item, state == _RETURNED, value)
            if len(flat) > 4 * MANY:
                engine.flush()
            del item, iterator, value
            if _refcount(task) != held or _marks(task) != marks:
                break
        self.stepping = 0
        own.flushing = False
        engine.flush()
        if not _EAGER:
            self._again()

    def _wait(
        self, engine: Engine, own: Lane, item: Item, task: Any, iterator: Any, yielded: Any
    ) -> Generator[Any, Any, None]:
        """The other steps; this task is the awaitable's own from now on."""
        program, step = item[1], item[2].run
        engine.aio.remember(program, task, self._home)
        self.stepping = 0
        if program in engine.interrupts.cancelled:
            # It came during the first step, or before: a coroutine that has not begun could not clean up.
            self._home.cancel(task)
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


def _marks(task: Any) -> tuple[int, bool, bool]:
    """How a task would act on the next coroutine: who watches it, callbacks for its end, a cancellation on its way."""
    return (
        getweakrefcount(task),
        bool(getattr(task, "_callbacks", None)),
        bool(getattr(task, "_must_cancel", False)),
    )


def _awaiting(awaitable: Any) -> Any:
    tp = type(awaitable)
    make = getattr(tp, "__await__", None)
    if make is not None:
        iterator = make(awaitable)
        return iterator if hasattr(iterator, "send") else _Steps(iterator)
    if tp is types.GeneratorType and awaitable.gi_code.co_flags & 0x100:
        return awaitable
    future = loaded("concurrent.futures", "Future")
    if future is not None and isinstance(awaitable, future):
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


__all__ = ["Done", "Driver", "Settle"]
