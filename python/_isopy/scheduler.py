"""The queue of programs and the threads that empty it.

`work` pops one program at a time, so a program that blocks never strands the ones behind it:
another thread takes them. Replies are collected and sent together, but never held back by a slow
neighbour: a second thread that comes in sends what is done first; where there is only one thread,
whatever is not known to be quick is preceded by a flush (see `pace.py`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from functools import partial
from math import inf
from threading import get_ident
from typing import TYPE_CHECKING, Any, Optional

from .construct import Poison
from .contexts import Context
from .errors import EngineError, protocol_error
from .lanes import Lane, lane, lanes
from .limits import check_depth, deep
from .pace import Pace
from .principal import PRINCIPAL
from .program import Evaluator, Suspended
from .reading import FAILURES, read_data, refuse
from .replies import MANY, MANY_ALONE
from .salvage import program_ids

if TYPE_CHECKING:
    from .engine import Engine

Program = tuple[Any, ...]


class Scheduler:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.queue: deque[Any] = deque()
        self.main_queue: deque[Any] = deque()  # for Python's main thread
        self.evaluator = Evaluator(engine)
        self._lock = threading.Lock()
        self._outer: dict[int, int] = {}  # programs that wait below a nested one, with how often
        self._ordered: dict[int, Context] = {}  # the context of each admitted program of an ordered context
        self._pace = None if engine.host.threads else Pace(engine.flush)
        engine.contexts.adopt = self.adopt
        self.adopt(engine.contexts.by_id[0])

    def adopt(self, context: Context) -> None:
        """A context's programs settle here."""
        context.settle = partial(self._settle_ordered, context) if context.ordered else self.settle

    # ---- in -----------------------------------------------------------------------------------

    def submit(self, frame: bytes) -> None:
        programs = self._decode(frame)
        if programs is not None:
            self.admit(frame, programs)

    def admit(self, frame: bytes, programs: list[Any]) -> None:
        """Queues what a SUBMIT frame holds."""
        engine = self.engine
        queue, by_id = self.queue, engine.contexts.by_id
        if set(map(type, programs)) - {tuple}:
            # A broken batch may have swallowed programs: those that can be found settle too.
            known = {program[0] for program in programs if type(program) is tuple and program}
            lost = [number for number in program_ids(frame) if number not in known]
            self.refuse(lost or [0], protocol_error("A batch holds something that is no program."))
            programs = [program for program in programs if type(program) is tuple]
        for program in programs:
            try:
                context = by_id[program[1]]
                if context.ordered or len(program) < 3 or type(program[0]) is not int:
                    self._admit(program, context)
                else:
                    queue.append(program)
            except (KeyError, IndexError, TypeError):
                self._admit(program, None)
        if engine.closed:
            self.refuse_queued()
        elif queue:
            engine.host.wake()

    def _decode(self, frame: bytes) -> Optional[list[Any]]:
        engine = self.engine
        limits = engine.codec.limits
        try:
            if len(frame) > limits.bytes:
                raise limits.exceeded("maxBytes")
            programs = read_data(frame, engine.trusted_batches, True)
            if type(programs) is not list:
                raise protocol_error("A SUBMIT is not a list of programs.")
            if not engine.trusted_batches:  # our own code puts deep operands into streams of their own
                if engine.held is not None:
                    engine.held.hold_read(frame, programs)
                if len(frame) > limits.depth and deep(frame, limits.depth):
                    check_depth(programs, limits)
        except FAILURES as error:
            self.refuse(program_ids(frame) or [0], refuse(error))
        except EngineError as error:
            self.refuse(program_ids(frame) or [0], error)
        else:
            return programs
        return None

    def _admit(self, program: Any, context: Optional[Context]) -> None:
        """The uncommon cases: ordered contexts, and programs that are none."""
        if type(program) is not tuple or len(program) < 3 or type(program[0]) is not int:
            number = program[0] if type(program) is tuple and program and type(program[0]) is int else 0
            self.refuse(
                [number], protocol_error("A program is not a tuple of id, context, outputs and instructions.")
            )
        elif context is None:
            try:
                self.engine.contexts.get(program[1])
            except (EngineError, TypeError) as error:
                self.refuse([program[0]], error)
        else:
            if context.ordered:
                self._ordered[program[0]] = context
                if not self.engine.contexts.admit(context, program):
                    return
            self._enqueue(program, context)

    def _enqueue(self, program: Any, context: Context) -> None:
        # What a waiting program of the main thread needs must run elsewhere.
        if context.main and not context.asking:
            self.main_queue.append(program)
            if get_ident() != PRINCIPAL.ident:
                self.engine.host.wake_main()  # type: ignore[attr-defined]
        else:
            self.queue.append(program)

    def refuse(self, ids: Iterable[int], error: BaseException, cancelled: bool = False) -> None:
        for number in ids:
            self.engine.replies.add((number, 1, 2, self.engine.codec.encode_error(error, cancelled)))
        self.engine.flush()

    def refuse_queued(self) -> None:
        error = EngineError("ERR_CLOSED", "The engine was closed before this program ran.")
        waiting = []
        for context in self.engine.contexts.by_id.values():
            waiting += context.waiting
            context.waiting.clear()
        for queue in (self.queue, self.main_queue):
            while queue:
                program = queue.popleft()
                waiting.append(program.program if type(program) is Suspended else program)
        self.refuse([program[0] for program in waiting], error)

    # ---- run ----------------------------------------------------------------------------------

    def work_main(self) -> None:
        """On Python's main thread: runs the programs of the session that has it."""
        PRINCIPAL.enter(self.engine.host)
        try:
            self.work(self.main_queue)
        finally:
            PRINCIPAL.leave()

    def work(self, queue: Optional[deque[Any]] = None) -> None:
        """Runs programs until the queue is empty."""
        engine = self.engine
        own = lane()
        outer_engine, outer = own.engine, own.program
        own.engine = engine
        own.depth += 1
        if outer:
            self._enter_nested(outer)
        try:
            if engine.replies.flat:
                engine.flush()  # another thread is busy: what it has done must not wait for that
        except Exception as error:
            engine.report(error)
        working = True
        while working:
            try:
                working = self._work(own, outer, inf, queue)
            except KeyboardInterrupt:
                own.program = outer  # it came between two programs
        own.depth -= 1
        own.engine = outer_engine
        if engine.held is not None and not outer:
            engine.held.let_go()
        try:
            engine.flush()
        except Exception as error:
            engine.report(error)
        if outer:
            self._leave_nested(outer)
            if outer in engine.interrupts.pending:
                engine.interrupts.pending.discard(outer)
                raise KeyboardInterrupt  # the program below was interrupted while it waited for this one

    def _work(self, own: Lane, outer: int, most: float = inf, queue: Optional[deque[Any]] = None) -> bool:
        """Runs `most` programs, or all there are: False when the queue is empty."""
        engine = self.engine
        flat, by_id = engine.replies.flat, engine.contexts.by_id
        if queue is None:
            queue = self.queue
        pending, cancelled, leave = (
            engine.interrupts.pending,
            engine.interrupts.cancelled,
            engine.interrupts.leave,
        )
        tick, evaluator, pace = engine.tick, self.evaluator, self._pace
        run = evaluator.run
        many = 4 * (MANY if pace is None else MANY_ALONE)
        number = owed = 0
        item: Any = None
        while most > 0:
            try:
                try:
                    item = queue.popleft()
                except IndexError:
                    return False
                most -= 1
                if tick is not None:
                    tick()
                if type(item) is tuple:
                    context = by_id.get(item[1])
                    if context is None:
                        self._admit(item, None)
                        continue
                    settle = context.settle
                    if len(flat) > many:
                        engine.flush()
                    # From here until the lane has left, an interrupt may strike between any two bytecodes.
                    owed = number = item[0]
                    # First said, then asked: the interrupt writes `cancelled` first and looks at the lane then.
                    own.program = number
                    if cancelled and number in cancelled:
                        outcome = evaluator.failed(item, KeyboardInterrupt())
                    elif pace is None:
                        outcome = run(item, context, settle)
                    else:
                        begun = pace.before(item, bool(flat))
                        outcome = run(item, context, settle)
                        if begun is not None:
                            pace.after(item, begun)
                else:
                    settle = item.settle
                    owed = number = item.program[0]
                    own.program = number
                    if cancelled and number in cancelled and type(item.slots[-1]) is not Poison:
                        item.slots[-1] = Poison(KeyboardInterrupt(), True)
                    outcome = evaluator.rest(item)
                own.program = outer
                if pending:
                    leave(own, number)
                owed = 0
                if type(outcome) is list:
                    settle(number, outcome)
                else:
                    evaluator.start(outcome)
            except BaseException as error:
                own.program = outer
                if pending:
                    leave(own, number)
                if owed:
                    # Interrupted at the very edge of the program, or a defect of ours: it settles either way.
                    owed = 0
                    program = item if type(item) is tuple else item.program
                    settle(number, evaluator.failed(program, error))
                elif not isinstance(error, KeyboardInterrupt):
                    engine.report(error)
        return True

    # ---- for a host with an evaluator of its own, which empties the queue instead of `work` ----

    def work_some(self, own: Lane, count: int) -> None:
        """Runs the next programs of the queue, as `work` would."""
        self._work(own, 0, count)

    def take_over(
        self, own: Lane, program: Program, slots: list[Any], error: Optional[BaseException]
    ) -> None:
        """Ends a program that the host has begun (`Evaluator.take_over`), and settles it."""
        number, interrupts = program[0], self.engine.interrupts
        context = self.engine.contexts.by_id[program[1]]
        settle = context.settle
        try:
            outcome = self.evaluator.take_over(program, context, settle, slots, error)
            own.program = 0
            if interrupts.pending:
                interrupts.leave(own, number)
        except BaseException as failure:  # interrupted at the very edge of the program
            own.program = 0
            if interrupts.pending:
                interrupts.leave(own, number)
            outcome = self.evaluator.failed(program, failure)
        if type(outcome) is list:
            settle(number, outcome)
        else:
            self.evaluator.start(outcome)

    def abort(self, program: Program, error: BaseException) -> None:
        """Settles a program that the host has begun and left, because it could not be taken over."""
        self.settle(program[0], self.evaluator.failed(program, error))

    def resume(self, state: Suspended) -> None:
        """A program has what it waited for; it goes on where programs run."""
        self._enqueue(state, state.context)
        if self._pace is None:
            self.engine.host.wake()
        else:
            self.work()

    def _enter_nested(self, outer: int) -> None:
        with self._lock:
            self._outer[outer] = self._outer.get(outer, 0) + 1

    def _leave_nested(self, outer: int) -> None:
        with self._lock:
            left = self._outer[outer] - 1
            if left:
                self._outer[outer] = left
            else:
                del self._outer[outer]

    # ---- out ----------------------------------------------------------------------------------

    def settle(self, number: int, outputs: list[Any]) -> None:
        """A program is done: its reply goes with the next flush."""
        lost = self.engine.interrupts.lost
        if lost and number in lost:
            lost.discard(number)  # it was settled when its thread was written off
            return
        self.engine.replies.add((number, len(outputs) >> 1, *outputs))

    def _settle_ordered(self, context: Context, number: int, outputs: list[Any]) -> None:
        self.settle(number, outputs)
        self.left(context, number)

    def left(self, context: Context, number: int) -> None:
        """A program of an ordered context is done: the next one may run."""
        self._ordered.pop(number, None)
        following = self.engine.contexts.leave(context)
        if following is not None:
            self._enqueue(following, context)
            if lane().depth == 0:
                self.engine.host.wake()

    # ---- questions ----------------------------------------------------------------------------

    def context_of(self, number: int) -> Optional[Context]:
        """The ordered context that a running program belongs to."""
        return self._ordered.get(number)

    def hold(self, context: Context, number: int) -> None:
        self._ordered[number] = context

    def running(self, number: int) -> bool:
        """Whether a program has begun and is not done."""
        engine = self.engine
        return (
            number in self._outer
            or number in engine.aio.tasks
            or any(own.program == number and own.engine is engine for own in lanes())
        )

    def withdraw(self, number: int) -> bool:
        """Takes a program that has not begun out of the queue and settles it as cancelled."""
        found = self.engine.contexts.withdraw(number)
        if found is None:
            for queue, program in [(q, one) for q in (self.queue, self.main_queue) for one in list(q)]:
                if type(program) is tuple and program[0] == number:
                    try:
                        queue.remove(program)
                    except ValueError:
                        return False  # it has begun just now
                    context = self._ordered.get(number)
                    if context is not None:
                        self.left(context, number)
                    found = program
                    break
            else:
                return False
        self._ordered.pop(number, None)
        self.refuse([number], KeyboardInterrupt(), cancelled=True)
        return True


__all__ = ["Scheduler"]
