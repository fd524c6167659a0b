"""Event loops: where awaitables of programs run.

Where the host has threads, the default context has one loop on a daemon thread of ours and each
ordered context that awaits anything has one too, started when first needed. Where there is one
thread (wasm), everything runs on the loop that the host already runs. Awaitables are handed over in a
queue, with one wake-up for all that come before the loop gets to it (`driving.py`).
"""

from __future__ import annotations

import threading
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Callable, Optional
from weakref import WeakSet

from .driving import Done, Driver, Settle
from .errors import EngineError
from .lanes import drop_lane, lane
from .lazily import asyncio

if TYPE_CHECKING:
    from .contexts import Context
    from .engine import Engine

_STACK = 16 << 20
_stack_lock = threading.Lock()


class LoopThread:
    """One asyncio loop on a daemon thread; survives whatever user code raises into it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, details: engine.unhandled(details))
        self.driver = Driver(engine, self)
        self._cancelled: WeakSet[asyncio.Task[Any]] = WeakSet()
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
        self.driver.refuse(EngineError("ERR_CLOSED", "The engine was closed before this was awaited."))
        tasks = asyncio.all_tasks(self.loop)
        try:
            # One that was cancelled a moment ago may await in its `finally`; only what goes on is told again.
            for told in (self._cancelled, ()):
                for task in tasks:
                    if task not in told:
                        task.cancel()
                if tasks:
                    _, tasks = self.loop.run_until_complete(asyncio.wait(tasks, timeout=0.5))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        except BaseException as error:
            self.engine.report(error)
        self.loop.close()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        self.loop.call_soon_threadsafe(function, *args)

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """Once: what it awaits in its `finally` is not cut short when the engine closes."""
        if task not in self._cancelled:
            self._cancelled.add(task)
            self.call(task.cancel)

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
        self.driver = Driver(engine, self)

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        self.loop.call_soon(function, *args)

    def cancel(self, task: asyncio.Task[Any]) -> None:
        self.call(task.cancel)

    def stop(self) -> None:
        pass


class Loops:
    """Starts awaitables on the loop of their context and remembers the task of each program that waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.tasks: dict[int, list[tuple[asyncio.Task[Any], Any]]] = {}

    def of(self, context: Context) -> Any:
        """The loop of a context; unordered contexts share that of the default one."""
        if not context.ordered:
            context = self._engine.contexts.by_id[0]
        home = context.loop
        if home is not None and not self._engine.closed:
            return home
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
        """Awaits `awaitable`; `done(ok, value or error)` is called once, on the loop's thread, and a flush follows."""
        try:
            self._hand_over(awaitable, program, context, done, None)
        except BaseException as error:
            done(False, error)

    def output(self, awaitable: Any, program: int, context: Context, settle: Settle) -> None:
        """Awaits the only output of a program (mode auto) and settles it; the same as `start` with less to do."""
        try:
            self._hand_over(awaitable, program, context, None, settle)
        except BaseException as error:
            settle(program, [2, self._engine.codec.encode_error(error)])

    def _hand_over(
        self, awaitable: Any, program: int, context: Context, done: Optional[Done], settle: Optional[Settle]
    ) -> None:
        driver = self.of(context).driver
        driver.queue.append((awaitable, program, copy_context(), done, settle))
        if not driver.called:
            driver.call()

    def remember(self, program: int, task: asyncio.Task[Any], home: Any) -> None:
        with self._lock:
            self.tasks.setdefault(program, []).append((task, home))

    def forget(self, program: int, task: Any) -> None:
        with self._lock:
            left = [entry for entry in self.tasks.get(program, ()) if entry[0] is not task]
            if left:
                self.tasks[program] = left
            else:
                self.tasks.pop(program, None)

    def cancel(self, program: int) -> bool:
        """Cancels what a program awaits; whether it awaits anything, or is about to."""
        with self._lock:
            entries = list(self.tasks.get(program, ()))
        for task, home in entries:
            with suppress(RuntimeError):  # that loop is closed, and with it went the task
                home.cancel(task)
        return bool(entries) or self.about_to(program)

    def about_to(self, program: int) -> bool:
        """Whether a first step of a program is yet to be taken, or is being taken."""
        homes = [context.loop for context in list(self._engine.contexts.by_id.values())]
        return any(home is not None and home.driver.has(program) for home in homes)

    def stop(self, context: Context) -> None:
        if context.loop is not None:
            context.loop.stop()
            context.loop = None
