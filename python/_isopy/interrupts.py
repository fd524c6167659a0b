"""Interrupts, fenced by program id: one never reaches a later program.

The order makes it safe without a lock per program: an interrupt first writes its program into
`pending`, then looks at what each thread runs. A thread first leaves its program, then looks at
`pending`. So either the interrupt sees that the program is gone, or the thread sees the interrupt
and takes it back before it begins anything else. A program that is between two places (popped but
not begun, done with a step but not yet waiting) is found by `cancelled`, which is written before
everything and read by each place that a program arrives at.

What cannot be interrupted (a call into C that never returns) is given up after a grace: the program is
settled, its thread written off, so that the host may start another one, and a log event says so. When
the call returns at last, its result is dropped.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .lanes import Lane, current, lane, lanes
from .later import LATER
from .lazily import asyncio
from .principal import PRINCIPAL

if TYPE_CHECKING:
    from .engine import Engine

_REMEMBERED = 4096
_STEP = 0.1  # seconds that a step of a cancelled task may take before it is interrupted
_GRACE = 0.5  # seconds from an interrupt until a thread that goes on is written off


class Interrupts:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.pending: set[int] = set()  # programs that were interrupted while they ran
        self._raised: dict[int, int] = {}  # thread → the program the interrupt was for
        self.cancelled: dict[int, None] = {}  # the last programs that were asked to stop
        self.signalled: set[int] = set()  # programs of the main thread that a signal is to end
        self.lost: set[int] = set()  # programs that were settled while they ran on

    def interrupt(self, program: int) -> None:
        """Ends a program wherever it is: queued, waiting for a loop, or running."""
        engine = self._engine
        with self._lock:
            self.cancelled[program] = None
            while len(self.cancelled) > _REMEMBERED:
                del self.cancelled[next(iter(self.cancelled))]
        if engine.scheduler.withdraw(program):
            return
        self.pending.add(program)
        if not engine.aio.cancel(program):
            self._strike(program)
        elif engine.host.threads:
            # The cancellation reaches the task between two of its steps; only a step that never ends needs more.
            # (With one thread nothing can wait for that; there the host's signal ends such a step.)
            LATER.call(_STEP, self._strike, program)

    def _strike(self, program: int) -> None:
        """Raises KeyboardInterrupt in whatever thread runs the program at this moment."""
        engine = self._engine
        for own in lanes():
            if own.engine is engine and own.program == program:
                with self._lock:
                    if own.program != program:
                        continue
                    if own.ident == PRINCIPAL.ident and hasattr(engine.host, "wake_main"):
                        self.signalled.add(program)
                        PRINCIPAL.strike()
                    elif own.shield:
                        own.struck = program
                    else:
                        self._raised[own.ident] = program
                        engine.host.interrupt_thread(own.ident, True)
                wake = own.event
                if wake is not None:
                    wake.set()  # type: ignore[attr-defined]
        if not engine.scheduler.running(program):
            if engine.host.threads and engine.aio.about_to(program):
                LATER.call(_STEP, self._strike, program)  # behind the step of another one
            else:
                self.pending.discard(program)
        elif engine.host.threads:
            LATER.call(_GRACE, self._give_up, program)

    def _give_up(self, program: int) -> None:
        """Settles a program that goes on after its interrupt, and writes its thread off."""
        engine = self._engine
        with self._lock:
            own = next((one for one in lanes() if one.engine is engine and one.program == program), None)
            if own is None or program not in self.pending or program in self.lost or engine.closed:
                return
            self.lost.add(program)
        engine.scheduler.refuse([program], KeyboardInterrupt(), cancelled=True)
        write_off = getattr(engine.host, "write_off", None)
        replaced = write_off is not None and write_off(own.ident)
        engine.event(
            "log",
            0,
            0,
            "WARNING",
            "isopy",
            f"Program {program} goes on {_GRACE} s after it was interrupted: it is inside a call that Python "
            "cannot interrupt. "
            + ("Its thread is written off and replaced." if replaced else "It keeps its thread."),
        )

    def forget_late(self, program: int) -> None:
        """A program that was given up has ended."""
        self.lost.discard(program)

    def leave(self, own: Lane, program: int) -> bool:
        """The thread has left `program`: takes back an interrupt that came too late. Whether it was given up."""
        while True:
            try:
                with self._lock:
                    if self._raised.pop(own.ident, None) is not None:
                        self._engine.host.interrupt_thread(own.ident, False)
                    own.struck = own.shield = 0
                    self.signalled.discard(program)
                    self.pending.discard(program)
                return program in self.lost
            except KeyboardInterrupt:
                continue  # it arrived just now, after its program: this is the late one

    def was_cancelled(self, program: int, error: BaseException) -> bool:
        """Whether `error` is what an interrupt of this program looks like."""
        return program in self.cancelled and isinstance(error, (KeyboardInterrupt, asyncio.CancelledError))

    def signal(self, programs: object) -> None:
        """For hosts whose interrupt is a signal: call it in the handler; raises for the running program."""
        engine, program = current()
        wanted = list(programs) if isinstance(programs, (list, tuple, set)) else []
        for number in wanted:
            if engine is self._engine and number == program:
                with self._lock:
                    self.cancelled[number] = None
            elif type(number) is int:
                self.interrupt(number)
        if engine is self._engine and program in wanted:
            own = lane()
            if own.shield and own.program == program:
                own.struck = program
                return
            raise KeyboardInterrupt
