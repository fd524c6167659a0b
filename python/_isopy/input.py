"""sys.stdin as a question to JavaScript: one call per line, `null` at the end.

Without an answerer the input is at its end from the start, so `input()` is an EOFError on every
engine and never waits for a terminal that belongs to the host.
"""

from __future__ import annotations

import io
import sys
from typing import Any, Callable, Optional

from .lanes import asking_engine, current
from .proxies import JsPromise

Reader = Callable[[], Any]


class EventInput(io.TextIOBase):
    """A text stream that asks the engine whose program reads."""

    name = "<stdin>"
    encoding = "utf-8"  # type: ignore[assignment]
    errors = "strict"  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._rest = ""

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno: this stream comes from JavaScript")

    def readline(self, size: Optional[int] = -1) -> str:  # type: ignore[override]
        line = self._rest or self._ask()
        if size is not None and 0 <= size < len(line):
            self._rest = line[size:]
            return line[:size]
        self._rest = ""
        return line

    def read(self, size: Optional[int] = -1) -> str:
        parts: list[str] = []
        wanted = -1 if size is None else size
        while wanted != 0:
            part = self.readline(wanted)
            if not part:
                break
            parts.append(part)
            if wanted > 0:
                wanted -= len(part)
        return "".join(parts)

    def _ask(self) -> str:
        engine = current()[0]
        reader: Optional[Reader] = getattr(engine, "reader", None)
        line: Any = None if reader is None else reader()
        if isinstance(line, JsPromise):
            line = line._isopy_wait()
        if line is None:
            return ""
        if not isinstance(line, str):
            raise TypeError(
                f"the stdin option answered with {type(line).__name__}; it must give a string, or null at the end"
            )
        return line if line.endswith("\n") else line + "\n"


def use(reader: Reader) -> None:
    """From now on programs of the asking engine read what `reader` gives."""
    asking_engine().reader = reader  # type: ignore[attr-defined]


def redirect() -> None:
    """Puts the stream in the place of sys.stdin, once per interpreter."""
    if not isinstance(sys.stdin, EventInput):
        sys.stdin = EventInput()
