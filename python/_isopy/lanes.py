"""Which engine and program a thread (or task) is working for.

A lane belongs to one thread and is read by others: interrupts ask it what runs there. It is a plain
slot object because it is written twice per program; the context variable is for tasks only.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Callable, Optional

from .errors import EngineError

if TYPE_CHECKING:
    from .engine import Engine


class Lane:
    __slots__ = (
        "ident", "engine", "program", "depth", "event", "shield", "waiting", "struck", "flushing", "javascript",
    )  # fmt: skip

    def __init__(self, ident: int) -> None:
        self.ident = ident
        self.engine: Optional[Engine] = None
        self.program = 0
        self.depth = 0
        self.event: object = None
        self.javascript = False  # a thread that runs JavaScript, which comes here in synchronous calls
        # While the shield is up, an interrupt does not come between two bytecodes; it is noted in `struck`.
        self.shield = 0
        self.waiting = False  # behind the shield, in a wait that an interrupt may end
        self.struck = 0  # the program whose interrupt is yet to be raised
        self.flushing = False  # on a loop's thread: a flush is on its way

    def lower(self) -> None:
        """Takes the shield down; raises what came meanwhile."""
        self.shield -= 1
        if self.struck and self.shield <= 0:
            self.strike()

    def strike(self) -> None:
        """Raises the noted interrupt, if its program still runs here."""
        program, self.struck = self.struck, 0
        if program == self.program:
            raise KeyboardInterrupt


class WatchedLane(Lane):
    """Tells somebody outside each time what its thread works for; 0 when for nobody."""

    __slots__ = ("_program", "_tell")

    def __init__(self, ident: int, tell: Callable[[int], object]) -> None:
        self._tell = tell
        super().__init__(ident)

    @property  # type: ignore[override]
    def program(self) -> int:
        return self._program

    @program.setter
    def program(self, number: int) -> None:
        self._program = number
        self._tell(number)


_lanes: dict[int, Lane] = {}
TASK: ContextVar[Optional[tuple[Engine, int]]] = ContextVar("isopy_task", default=None)


def lane() -> Lane:
    """This thread's lane."""
    ident = get_ident()
    found = _lanes.get(ident)
    if found is None:
        found = _lanes[ident] = Lane(ident)
    return found


def watch(tell: Callable[[int], object]) -> None:
    """From now on this thread's lane tells what it runs; before anything runs on it."""
    _lanes[get_ident()] = WatchedLane(get_ident(), tell)


find = _lanes.get


def lanes() -> list[Lane]:
    return list(_lanes.values())


def rouse(ident: int) -> None:
    """Ends a wait of ours on that thread; what it finds then is somebody else's affair."""
    found = _lanes.get(ident)
    event = found.event if found is not None else None
    if event is not None:
        event.set()  # type: ignore[attr-defined]


def drop_lane() -> None:
    """A thread of ours ends: its ident may be reused."""
    _lanes.pop(get_ident(), None)


def current() -> tuple[Optional[Engine], int]:
    """(engine, program id) of the code that asks; (None, 0) outside."""
    found = _lanes.get(get_ident())
    if found is not None and found.program:
        return found.engine, found.program
    task = TASK.get()
    if task is not None:
        return task
    return (found.engine, 0) if found is not None else (None, 0)  # a JS thread in a sync call has no depth


def asking_engine() -> Engine:
    """The engine whose program runs here; for services, which are ordinary calls."""
    engine = current()[0]
    if engine is None:
        raise EngineError("ERR_UNSUPPORTED", "This is a service of an isopy engine; plain Python has none.")
    return engine
