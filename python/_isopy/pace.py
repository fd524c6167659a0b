"""Where there is one thread: which programs may be slow, so that replies go out before them.

A flush costs more than a small program, so it cannot precede each one. A program is quick when one
like it (same source, same callee) was quick before; anything else is preceded by a flush and timed.
The clock costs as much as a small program too (1 to 3 µs in Pyodide), so quick ones are only looked
at every CHECK programs: when they were not quick after all, everything has to prove itself again.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Callable, Optional

QUICK = 0.0005
CHECK = 32
_KNOWN = 2048
_CHEAP = frozenset((int, str))  # what can be compared without surprises
_TARGET = 12  # bytes of an operand stream in which its target lies


class Pace:
    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._quick: dict[Any, None] = {}
        self._count = 0
        self._since = 0.0

    def before(self, program: tuple[Any, ...], waiting: bool) -> Optional[float]:
        """Called before a program, and whether replies wait. When it began, if it is to be timed."""
        if like(program) in self._quick:
            self._count += 1
            if self._count % CHECK == 0:
                now = monotonic()
                if now - self._since > QUICK * CHECK:
                    self._quick.clear()
                    if waiting:
                        self._flush()
                self._since = now
            return None
        if waiting:
            self._flush()
        now = monotonic()
        self._since, self._count = now, 0
        return now

    def after(self, program: tuple[Any, ...], begun: float) -> None:
        key = like(program)
        if key is not None and monotonic() - begun < QUICK:
            if len(self._quick) >= _KNOWN:
                self._quick.clear()
            self._quick[key] = None


def like(program: tuple[Any, ...]) -> Any:
    """What tells programs apart cheaply: where the chain begins and what is called last; None is never quick."""
    count = len(program)
    first = program[3] if count > 3 else None
    if type(first) is not tuple or len(first) < 2:
        return None
    begin = first[1]
    if type(begin) is bytes:
        begin = begin[:_TARGET]
    elif type(begin) not in _CHEAP:
        return None
    if count == 4:
        return first[0], begin
    last = program[-2]
    if type(last) is not tuple:
        return None
    return begin, last[2] if len(last) > 2 and type(last[2]) in _CHEAP else last[0], count
