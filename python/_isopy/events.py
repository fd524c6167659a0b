"""EVENT frames: output, display, log, news. One ordered channel, in order with replies.

A text is sent at once while there have been few, so that a program which then computes for minutes has shown
what it said; a flood is collected, to leave RATE times a second or with what else is sent. Replies that are
older than a text are sent before the text is collected.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Optional

from .describe import describe
from .errors import EngineError
from .lanes import current, lane

if TYPE_CHECKING:
    from .engine import Engine

EVENT = 17
Origin = tuple[str, int, int]  # stream, session, cell
_MANY = 1 << 20  # characters that are not held back for the rate's sake
_COUNTED = 1024  # programs whose output is remembered
RATE = 30  # messages a second; as many again may leave at once, so that no second has more than 60


class Events:
    def __init__(self, engine: Engine, lock: Any, most: Optional[int] = None) -> None:
        self._engine = engine
        self._most = most  # characters that one program may write
        self._written: dict[int, int] = {}
        self._lock = lock
        self.waiting: list[tuple[Origin, list[str]]] = []
        self._size = 0
        self._allowed = float(RATE)
        self._counted = monotonic()
        self._asked = False
        # Where a message is dear, frames that another one follows at once go with it.
        self._push = getattr(engine.host, "push", engine.host.send)

    def emit(self, kind: str, session: int, cell: int, *data: Any) -> None:
        """Sends one event after everything that is older."""
        engine = self._engine
        frame = engine.codec.stream((kind, session, cell, *data))
        with self._lock:
            engine.flush()
            engine.host.send(EVENT, frame)

    def write(self, name: str, session: int, cell: int, text: str) -> None:
        """Text of stdout or stderr. ERR_LIMIT in the program that has written too much; what still fits is sent."""
        if self._most is not None:
            fits = self._count(len(text))
            if fits < len(text):
                text = text[:fits]
                if text:
                    self._collect(name, session, cell, text)
                raise EngineError(
                    "ERR_LIMIT",
                    f"The program has written more than limits.maxOutput allows ({self._most:,} characters).",
                    "Write less, or raise limits.maxOutput in createPython(). The rest is lost.",
                )
        self._collect(name, session, cell, text)

    def _count(self, size: int) -> int:
        """How much of a text the running program may still write."""
        program = current()[1]
        if not program or self._most is None:
            return size  # a background task or thread: the rate holds it
        with self._lock:
            before = self._written.pop(program, 0)
            self._written[program] = min(before + size, self._most)
            if len(self._written) > _COUNTED:
                self._written.pop(next(iter(self._written)))
            return max(0, min(size, self._most - before))

    def _collect(self, name: str, session: int, cell: int, text: str) -> None:
        engine = self._engine
        with self._lock:
            if engine.replies.flat:
                engine.flush()
            origin = (name, session, cell)
            if self.waiting and self.waiting[-1][0] == origin:
                self.waiting[-1][1].append(text)
            else:
                self.waiting.append((origin, [text]))
            self._size += len(text)
            if self._size > _MANY or self._may_send():
                engine.flush()
                return
        # A program that goes on without writing must not hold its text back: another thread sends it.
        if not self._asked and (engine.host.threads or lane().depth == 0) and not engine.closed:
            self._asked = True
            engine.host.wake()

    def _may_send(self) -> bool:
        now = monotonic()
        self._allowed = min(float(RATE), self._allowed + (now - self._counted) * RATE)
        self._counted = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def flush(self) -> None:
        """Sends the collected text; the caller holds the lock."""
        if not self.waiting:
            return
        waiting = self.waiting.copy()
        self.waiting.clear()  # the list itself is known to the host
        self._size = 0
        self._asked = False
        stream, host = self._engine.codec.stream, self._engine.host
        last = len(waiting) - 1
        for index, ((name, session, cell), texts) in enumerate(waiting):
            send = host.send if index == last else self._push
            send(EVENT, stream(("stream", session, cell, name, "".join(texts))))

    def unhandled(self, error: BaseException) -> None:
        """A failure that belongs to no program: a background task, a finalizer, a malformed frame."""
        self.emit("unhandled", 0, 0, describe(error, self._engine.codec.portable))
