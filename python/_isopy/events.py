"""EVENT frames: output, display, log, news. One ordered channel, in order with replies.

Text is collected until something else is sent, so a thousand prints are one frame; replies that
are older than a text are sent before the text is collected.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from .describe import describe
from .lanes import lane

if TYPE_CHECKING:
    from .engine import Engine

EVENT = 17
_MANY = 1 << 16
_STALE = 0.03  # seconds after which text is sent at once


class Events:
    def __init__(self, engine: Engine, lock: Any) -> None:
        self._engine = engine
        self._lock = lock
        self.waiting: list[str] = []
        self._size = 0
        self._sent = 0.0
        self._asked = False
        self._origin: tuple[str, int, int] = ("", 0, 0)

    def emit(self, kind: str, session: int, cell: int, *data: Any) -> None:
        """Sends one event after everything that is older."""
        engine = self._engine
        frame = engine.codec.stream((kind, session, cell, *data))
        with self._lock:
            engine.flush()
            engine.host.send(EVENT, frame)

    def write(self, name: str, session: int, cell: int, text: str) -> None:
        """Text of stdout or stderr."""
        engine = self._engine
        with self._lock:
            origin = (name, session, cell)
            if engine.replies.flat or self.waiting and origin != self._origin:
                engine.flush()
            self._origin = origin
            self.waiting.append(text)
            self._size += len(text)
            if self._size > _MANY or monotonic() - self._sent > _STALE:
                engine.flush()
                return
        # A program that goes on without writing must not hold its text back: another thread sends it.
        if not self._asked and (engine.host.threads or lane().depth == 0) and not engine.closed:
            self._asked = True
            engine.host.wake()

    def flush(self) -> None:
        """Sends the collected text; the caller holds the lock."""
        waiting = self.waiting
        if not waiting:
            return
        text = "".join(waiting)
        waiting.clear()
        self._size = 0
        self._asked = False
        self._sent = monotonic()
        name, session, cell = self._origin
        self._engine.host.send(EVENT, self._engine.codec.stream(("stream", session, cell, name, text)))

    def unhandled(self, error: BaseException) -> None:
        """A failure that belongs to no program: a background task, a finalizer, a malformed frame."""
        self.emit("unhandled", 0, 0, describe(error, self._engine.codec.portable))
