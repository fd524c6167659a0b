"""sys.stdout and sys.stderr as events: `stream` events with the session and cell that wrote.

Every write is an event of its own unless it comes from the same thread before the last one was
sent: small writes are joined until a line ends or JOIN characters wait, so that 20,000 prints are
not 20,000 messages, and a flush sends what waits. Which cell wrote is a context variable, so tasks
keep theirs; a thread that a cell started belongs to the only cell that runs, if there is one.
"""

from __future__ import annotations

import io
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable, Optional

if TYPE_CHECKING:
    from .engine import Engine

JOIN = 8192

CELL: ContextVar[Optional[tuple[Engine, int, int]]] = ContextVar("isopy_cell", default=None)
_running: list[tuple[Engine, int, int]] = []


def enter_cell(engine: Engine, session: int, cell: int) -> Any:
    origin = (engine, session, cell)
    _running.append(origin)
    return origin, CELL.set(origin)


def leave_cell(entered: Any) -> None:
    origin, token = entered
    _running.remove(origin)
    CELL.reset(token)


def origin() -> Optional[tuple[Engine, int, int]]:
    """(engine, session, cell) of the code that writes; None outside cells."""
    found = CELL.get()
    if found is None and len(_running) == 1:
        return _running[0]
    return found


class EventStream(io.TextIOBase):
    """A text stream that sends `stream` events. Writing never blocks on JavaScript."""

    def __init__(
        self, name: str, send: Callable[[str, Optional[tuple[Engine, int, int]], str], None]
    ) -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]
        self._send = send
        # Reentrant: a collection inside write may run a __del__ that prints.
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._size = 0
        self._origin: Optional[tuple[Engine, int, int]] = None
        self.buffer = _Bytes(self)  # type: ignore[assignment]

    encoding = "utf-8"  # type: ignore[assignment]
    errors = "surrogateescape"  # type: ignore[assignment]

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno: this stream goes to JavaScript")

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not text:
            return 0
        here = origin()
        with self._lock:
            if self._waiting and self._origin is not here:
                self._flush()
            self._origin = here
            self._waiting.append(text)
            self._size += len(text)
            if self._size >= JOIN or "\n" in text:
                self._flush()
        return len(text)

    def flush(self) -> None:
        """Sends what waits, also what the engine collected."""
        with self._lock:
            here = self._origin if self._waiting else origin()
            self._flush()
            self._send(str(self.name), here, "")

    def _flush(self) -> None:
        if self._waiting:
            text, self._waiting, self._size = "".join(self._waiting), [], 0
            self._send(str(self.name), self._origin, text)


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`: bytes that are decoded as UTF-8, characters split over writes included."""

    def __init__(self, text: EventStream) -> None:
        super().__init__()
        import codecs

        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with memoryview(data) as view:
            self._text.write(self._decoder.decode(view.tobytes()))
            return view.nbytes

    def flush(self) -> None:
        self._text.flush()


def redirect(send: Callable[[str, Optional[tuple[Engine, int, int]], str], None]) -> None:
    """Puts event streams in the place of sys.stdout and sys.stderr, once per interpreter."""
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), EventStream):
            setattr(sys, name, EventStream(name, send))


def flush() -> None:
    """Sends what waits in both streams."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, EventStream):
            stream.flush()
