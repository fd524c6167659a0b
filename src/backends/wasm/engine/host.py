"""Joins the engine to the worker's JavaScript: `_isopy.worker_host`, inside Pyodide only.

One thread serves everything, so three things need the worker's help: a call into JavaScript that
waits, a sleep that can be interrupted, and a SIGINT that hits only the program it was meant for.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from pyodide.ffi import to_js

from .engine import Engine
from .lanes import current, watch

if TYPE_CHECKING:
    from collections.abc import Callable

# Where the content of a bytes object begins: its size counts the closing zero byte.
_CONTENT = bytes.__basicsize__ - 1
# Frames up to this size are written by JavaScript into a bytes object of ours, which nobody else ever sees:
# a frame that comes as an object costs 40 µs more (a proxy, its attribute, a call).
_SMALL = 65536


class WorkerHost:
    """The `Host` of PROTOCOL.md, section 8: one thread, frames by messages."""

    threads = False
    # Frames come through a port that only the library holds, and the page that holds it may run any code here.
    trusted = True
    # Nobody watches the queue: the thread that would is the one that works.
    tick = None

    def __init__(self, worker: Any) -> None:
        self.can_ask = bool(worker.canAsk)
        self.wake: Callable[[], None] = worker.wake
        self._send: Callable[[int, int, int], None] = worker.send
        self._push: Callable[[int, int, int], None] = worker.push
        self._ask: Callable[[int, int], Any] = worker.ask
        self._take: Callable[[int], bool] = worker.takeInterrupt
        self.interrupted = False

    # JavaScript copies a frame out of this memory itself: a proxy or to_js costs 8 µs more per frame.

    def send(self, kind: int, frame: bytes) -> None:
        self._send(kind, id(frame) + _CONTENT, len(frame))

    def push(self, kind: int, frame: bytes) -> None:
        """As `send`, when another frame follows at once: both are one message."""
        self._push(kind, id(frame) + _CONTENT, len(frame))

    def ask(self, frame: bytes) -> bytes:
        answer = self._ask(id(frame) + _CONTENT, len(frame))
        if answer is None:
            self._take(current()[1])  # or the signal would hit the program once more
            raise KeyboardInterrupt
        return answer.to_bytes()  # type: ignore[no-any-return]

    def interrupt_thread(self, ident: int, on: bool) -> None:
        """The only thread can only hear this while it waits for JavaScript; that wait is what ends."""
        self.interrupted = on


class WorkerEngine:
    """What the worker's JavaScript holds: the engine, with bytes that both sides understand."""

    def __init__(self, engine: Engine, host: WorkerHost) -> None:
        self._host = host
        self._receive: Callable[[int, bytes], None] = engine.receive
        self._hello: Callable[[], bytes] = engine.hello
        self.work: Callable[[], None] = engine.work
        self.close: Callable[[], None] = engine.close

        self.receiving = False
        self._small = bytes(_SMALL)
        self.small_size = _SMALL
        self.small_address = id(self._small) + _CONTENT

    def hello(self) -> Any:
        return to_js(self._hello())

    def receive(self, kind: int, frame: Any) -> None:
        self._receive(kind, frame.to_bytes())

    def receive_small(self, kind: int, length: int) -> None:
        """A frame that lies at `small_address`."""
        self._receive(kind, self._small[:length])

    def receive_waiting(self, kind: int, frame: Any) -> bool:
        """A frame that came while a program waits for JavaScript; whether that wait is over."""
        self.receiving = True
        try:
            self._receive(kind, frame.to_bytes())
        finally:
            self.receiving = False
        ended, self._host.interrupted = self._host.interrupted, False
        return ended

    def install_sigint(
        self, engine: Engine, take: Callable[[int], bool], repeat: Callable[[int], None]
    ) -> None:
        def on_sigint(_signum: int, _frame: object) -> None:
            program = current()[1]
            # Not while a frame is received: its interrupt ends the wait of this very program.
            if program and not self.receiving and take(program):
                engine.interrupts.signal((program,))

        signal.signal(signal.SIGINT, on_sigint)
        unraisable = sys.unraisablehook

        def ignored(details: sys.UnraisableHookArgs) -> None:
            program = current()[1]
            # Raised in a finalizer, say, where Python drops it: the program has not heard it.
            if details.exc_type is KeyboardInterrupt and program and program in engine.interrupts.cancelled:
                repeat(program)
            else:
                unraisable(details)

        sys.unraisablehook = ignored


def start(worker: Any, options: Any, paths: list[str], args: list[str]) -> WorkerEngine:
    sys.path[0:0] = paths
    sys.argv[:] = ["", *args]
    host = WorkerHost(worker)
    engine = Engine(host, options.to_bytes())
    if worker.running is not None:
        watch(worker.running)
    served = WorkerEngine(engine, host)
    if worker.canInterrupt:
        served.install_sigint(engine, worker.takeInterrupt, worker.repeatInterrupt)
        _install_sleep(worker.sleep, engine.flush)
    _survive_exits(engine)
    _exit_after(engine.flush)
    return served


def _exit_after(flush: Callable[[], None]) -> None:
    original = os._exit

    def _exit(status: int) -> None:
        """Exit to the system with specified status, without normal exit processing."""
        flush()  # what was printed before it is JavaScript's already, as a terminal would have it
        original(status)

    os._exit = _exit  # type: ignore[assignment]


def _install_sleep(sleep_milliseconds: Callable[[float], bool], flush: Callable[[], None]) -> None:
    original = time.sleep

    def sleep(seconds: float, /) -> None:
        """Delay execution for a given number of seconds. The argument may be a float for subsecond precision."""
        if not isinstance(seconds, (int, float)) or not 0 < seconds < threshold:
            return original(seconds)  # its errors are its own
        flush()  # what was printed is seen before the wait
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if sleep_milliseconds(left * 1000):
                signal.raise_signal(signal.SIGINT)
        return None

    threshold = 2.0**31
    time.sleep = sleep


def _survive_exits(engine: Engine) -> None:
    """What ends a background task is reported once, `sys.exit` and interrupts too; the loop goes on."""
    told: list[type[BaseException]] = []

    def ended(error: BaseException) -> None:
        told.append(type(error))
        engine.report(error)

    def failed(_loop: object, details: dict[str, Any]) -> None:
        # The task of an exit that went through the loop tells of it once more.
        if type(details.get("exception")) in told:
            told.remove(type(details["exception"]))
        else:
            engine.unhandled(details)

    loop: Any = asyncio.get_event_loop()
    loop._keyboard_interrupt_handler = lambda: ended(KeyboardInterrupt())
    loop._system_exit_handler = lambda code: ended(SystemExit(code))
    loop.set_exception_handler(failed)
