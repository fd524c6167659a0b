"""Python's main thread, and the one session at a time whose programs run on it.

Only there `signal` may be used, and only there a signal ends a wait inside C at once: CPython looks for
signals when a system call is interrupted (EINTR). So an interrupt of a program on this thread is a
signal of our own, sent to this thread alone; SIGINT stays the host's, whatever Python code asks for.
The host has a thread of its own for control frames, so that interrupts get through.
"""

from __future__ import annotations

import _signal as signals  # not `signal`, which an engine need not load at its start
import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, Optional

from .lanes import find

if TYPE_CHECKING:
    from .contexts import Context
    from .host import Host

# Ignored by default, and of no use to anybody but readers of urgent TCP data.
SIGNAL: Optional[int] = getattr(signals, "SIGURG", None)


class Principal:
    """Who has the main thread. One per interpreter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: Optional[Context] = None
        self._working = False
        self._ready = False
        self.ident = threading.main_thread().ident

    def claim(self, host: Host, context: Context) -> bool:
        """Whether the context gets the main thread: nobody has it, and the host lends it."""
        if SIGNAL is None or not hasattr(host, "wake_main"):
            return False
        with self._lock:
            if self._owner is not None or self._working:
                return False
            self._owner = context
            return True

    def release(self, context: Context) -> None:
        with self._lock:
            if self._owner is context:
                self._owner = None

    def enter(self, host: Host) -> None:
        """On the main thread: programs begin."""
        with self._lock:
            self._working = True
        if not self._ready:
            self._ready = True
            signals.signal(SIGNAL, _struck)  # type: ignore[arg-type]
            _guard(host)

    def leave(self) -> None:
        with self._lock:
            self._working = False

    def strike(self) -> None:
        """Any thread: makes the main thread look for interrupts now, also out of a system call."""
        signals.pthread_kill(self.ident, SIGNAL)  # type: ignore[arg-type]


def _struck(number: int, frame: Any) -> None:
    """The signal's handler; the program it was meant for may be gone."""
    own = find(PRINCIPAL.ident)  # type: ignore[arg-type]
    if own is None or own.engine is None or not own.program:
        return
    signalled = own.engine.interrupts.signalled
    if own.program in signalled:
        signalled.discard(own.program)
        if own.shield:
            own.struck = own.program
        else:
            raise KeyboardInterrupt


def _guard(host: Host) -> None:
    """`signal.signal(SIGINT, …)` sets what Python calls, and leaves what the system calls to the host."""
    import signal

    original = signal.signal

    @wraps(original)
    def guarded(signalnum: Any, handler: Any) -> Any:
        if signalnum != signal.SIGINT:
            return original(signalnum, handler)
        return host.keeping_signal(int(signal.SIGINT), original, handler)  # type: ignore[attr-defined]

    signal.signal = guarded


PRINCIPAL = Principal()
