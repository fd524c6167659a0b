"""Event loops: where awaitables of programs run.

Where the host has threads, the default context has one loop on a daemon thread of ours and each
ordered context that awaits anything has one too, started when first needed. Where there is one
thread (wasm), everything runs on the loop that the host already runs.

Each step of an awaitable is fenced: while it runs, the thread's lane names its program, so that
callbacks know their origin and an interrupt hits this step or nothing.
"""

from __future__ import annotations

import asyncio
import threading
import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Callable, Optional

from .errors import EngineError
from .lanes import TASK, drop_lane, lane

if TYPE_CHECKING:
    from .contexts import Context
    from .engine import Engine

Done = Callable[[bool, Any], None]

_STACK = 16 << 20
_stack_lock = threading.Lock()


class LoopThread:
    """One asyncio loop on a daemon thread; survives whatever user code raises into it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, details: engine.unhandled(details))
        self._closing = False
        self._ready = threading.Event()
        # The thread's stack must hold Python's deep recursions; the size is a process-wide setting.
        with _stack_lock:
            before = threading.stack_size(_STACK)
            try:
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()
            finally:
                threading.stack_size(before)
        self._ready.wait()

    @property
    def ident(self) -> Optional[int]:
        return self._thread.ident

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        own = lane()
        own.engine = self.engine
        self._ready.set()
        while not self._closing:
            try:
                self.loop.run_forever()
            except BaseException as error:  # SystemExit or KeyboardInterrupt of a background task
                self.engine.report(error)
        try:
            self._finish()
        finally:
            drop_lane()

    def _finish(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                self.loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        except BaseException as error:
            self.engine.report(error)
        self.loop.close()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        self.loop.call_soon_threadsafe(function, *args)

    def stop(self) -> None:
        self._closing = True
        try:
            self.loop.call_soon_threadsafe(self.loop.stop)
        except RuntimeError:
            return  # already closed
        if threading.get_ident() != self._thread.ident:
            self._thread.join(2.0)


class HostLoop:
    """The loop of the only thread."""

    ident: Optional[int] = None

    def __init__(self, engine: Engine) -> None:
        self.loop = engine.host_loop()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        function(*args)

    def stop(self) -> None:
        pass


class Loops:
    """Starts awaitables on the loop of their context and remembers the task of each program."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.tasks: dict[int, list[tuple[asyncio.Task[Any], Any]]] = {}

    def of(self, context: Context) -> Any:
        """The loop of a context; unordered contexts share that of the default one."""
        if not context.ordered:
            context = self._engine.contexts.by_id[0]
        with self._lock:
            if self._engine.closed:
                raise EngineError("ERR_CLOSED", "The engine is closed; nothing can be awaited any more.")
            if context.loop is None:
                threads = self._engine.host.threads
                context.loop = (
                    LoopThread(self._engine, f"isopy-loop-{context.id}")
                    if threads
                    else HostLoop(self._engine)
                )
            return context.loop

    def start(self, awaitable: Any, program: int, context: Context, done: Done) -> None:
        """Awaits `awaitable`; `done(ok, value or error)` is called once, on the loop's thread."""
        try:
            home = self.of(context)
            home.call(self._begin, home, awaitable, program, done)
        except BaseException as error:
            done(False, error)

    def _begin(self, home: Any, awaitable: Any, program: int, done: Done) -> None:
        finished = False

        def finish(ok: bool, value: Any) -> None:
            nonlocal finished
            if not finished:
                finished = True
                self._forget(program, task)
                done(ok, value)

        async def guard() -> None:
            TASK.set((self._engine, program))
            try:
                value = await fenced(self._engine, program, awaitable)
            except BaseException as error:  # whatever it is, it is the program's outcome
                own = lane()
                if own.program == program:  # an interrupt struck while the lane was leaving
                    own.program = 0
                    self._engine.interrupts.leave(own, program)
                finish(False, error)
            else:
                finish(True, value)

        task = home.loop.create_task(guard())
        with self._lock:
            self.tasks.setdefault(program, []).append((task, home))
        if program in self._engine.interrupts.cancelled:
            # The interrupt came while the program was on its way here. After the first step, not before
            # it: a coroutine that has not begun could not clean up.
            home.loop.call_soon(task.cancel)
        # A task that is cancelled before its first step never enters guard().
        task.add_done_callback(lambda _: finish(False, asyncio.CancelledError()))

    def _forget(self, program: int, task: Any) -> None:
        with self._lock:
            left = [entry for entry in self.tasks.get(program, ()) if entry[0] is not task]
            if left:
                self.tasks[program] = left
            else:
                self.tasks.pop(program, None)

    def cancel(self, program: int) -> bool:
        """Cancels what a program awaits; whether it awaits anything."""
        with self._lock:
            entries = list(self.tasks.get(program, ()))
        for task, home in entries:
            home.call(task.cancel)
        return bool(entries)

    def stop(self, context: Context) -> None:
        if context.loop is not None:
            context.loop.stop()
            context.loop = None


@types.coroutine
def fenced(engine: Engine, program: int, awaitable: Any) -> Generator[Any, Any, Any]:
    """Awaits step by step; between the steps this thread works for nobody."""
    iterator = _awaiting(awaitable)
    own = lane()
    value: Any = None
    error: Optional[BaseException] = None
    while True:
        outer, own.program, own.engine = own.program, program, engine
        try:
            if error is not None:
                thrown, error = error, None
                yielded = iterator.throw(thrown)
            elif value is None:
                yielded = next(iterator) if not hasattr(iterator, "send") else iterator.send(None)
            else:
                yielded = iterator.send(value)
        except StopIteration as stop:
            return stop.value
        finally:
            own.program = outer
            if engine.interrupts.pending:
                engine.interrupts.leave(own, program)
        try:
            value = yield yielded
        except BaseException as thrown:  # the loop cancels or closes this task
            value, error = None, thrown


def _awaiting(awaitable: Any) -> Any:
    tp = type(awaitable)
    make = getattr(tp, "__await__", None)
    if make is not None:
        return make(awaitable)
    if tp is types.GeneratorType and awaitable.gi_code.co_flags & 0x100:
        return awaitable
    raise TypeError(f"object {tp.__name__} can't be used in 'await' expression")
