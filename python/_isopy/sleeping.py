"""`time.sleep` that an interrupt can end, on threads that are not Python's main thread.

CPython delivers KeyboardInterrupt to another thread only between bytecodes, so a sleeping pool
thread would sleep on. Here a program sleeps by waiting for a lock that an interrupt releases; the
exception itself is the host's (`interrupt_thread`) and arrives when the wait is over. Other
threads, and values that `sleep` itself refuses, go to the original. Installed by `waits.py`.
"""

from __future__ import annotations

import threading
import time
from _thread import allocate_lock, get_ident
from contextlib import suppress
from typing import Any

from .lanes import find

_original = time.sleep


class Alarm:
    """What a sleeping lane waits for; `set` may be called from any thread, more than once."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def set(self) -> None:
        with suppress(RuntimeError):  # it rang already
            self._lock.release()

    def wait(self, seconds: float) -> None:
        self._lock.acquire(True, seconds)


def sleep(seconds: Any, /) -> None:
    """Delay execution for a given number of seconds. The argument may be a floating-point number for subsecond precision."""
    own = find(get_ident())
    if (
        own is None
        or not (own.program or own.javascript)
        or type(seconds) not in (int, float)
        or not 0 < seconds <= threading.TIMEOUT_MAX
    ):
        return _original(seconds)
    assert own.engine is not None
    own.engine.flush()  # what is done must not wait for a sleeper
    alarm = own.event = Alarm()
    try:
        if own.program not in own.engine.interrupts.pending:
            alarm.wait(seconds)
    finally:
        own.event = None


def install() -> None:
    """Replaces time.sleep, once per interpreter."""
    time.sleep = sleep
