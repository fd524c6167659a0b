"""The evaluator: runs the instructions of one program (PROTOCOL.md, section 3).

`run` is the tight path: a plain loop for the instructions that make up nearly every chain, no
poison checks. The first failure continues in `_rest`, which knows poison; an instruction that has
to wait for the event loop turns the program into a `Suspended` one that goes on later. Both share
`step`, which is the whole instruction set.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from types import BuiltinFunctionType, CoroutineType
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from .construct import Poison, Poisoned
from .errors import EngineError, protocol_error
from .framed import in_namespace
from .operations import OPERATIONS, Wait
from .traits import AWAITABLE, traits
from .values import SCALARS

if TYPE_CHECKING:
    from .contexts import Context
    from .engine import Engine

#: Of a top-level module that is there: in C, and where another thread is still importing it, this waits for it.
import_again = __import__

Program = tuple[Any, ...]
Settle = Callable[[int, list[Any]], None]


class Suspended:
    """A program between two of its instructions (`wait`), or before its reply (`owed`)."""

    __slots__ = ("program", "context", "slots", "settle", "wait", "owed")

    def __init__(self, program: Program, context: Context, slots: list[Any], settle: Settle) -> None:
        self.program = program
        self.context = context
        self.slots = slots
        self.settle = settle
        self.wait: Any = None  # what the next slot is the value of
        # Slots whose values are awaitables that outputs want awaited, by object; None: the only output is a coroutine.
        self.owed: Optional[list[list[int]]] = []

    def awaited(self) -> list[Any]:
        """What it waits for."""
        if self.owed is None:
            return [self.slots[self.program[2][0]]]
        return [self.wait, *(self.slots[places[0]] for places in self.owed)]


Outcome = Union[list[Any], Suspended]


class Evaluator:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._handle = engine.handles.get
        self._encode = engine.codec.encode

    def run(self, program: Program, context: Context, settle: Settle) -> Outcome:
        """Runs a program: its outputs as [kind, payload, …], or what it waits for (see `start`).

        Everything in here may be interrupted; whoever calls settles after the interrupt is fenced off.
        """
        slots: list[Any] = []
        push = slots.append
        try:
            for instruction in program[3:]:
                op = instruction[0]
                if op <= 3 and (op == 0 or type(instruction[1]) is int):
                    if op == 0:
                        name = instruction[1]
                        new = "." in name or sys.modules.get(name) is None
                        push(import_module(name) if new else import_again(name))
                        continue
                    target = instruction[1]
                    value = slots[target] if target >= 0 else self._handle(-target)
                    if op == 3:
                        if type(value) is BuiltinFunctionType:
                            value = in_namespace(value, context.namespace)
                        push(
                            value(*instruction[2])
                            if len(instruction) == 3
                            else value(*instruction[2], **instruction[3])
                        )
                    elif op == 1:
                        push(getattr(value, instruction[2]))
                    else:
                        push(value[instruction[2]])
                else:
                    value = self.step(instruction, slots, context)
                    if type(value) is Wait:
                        state = Suspended(program, context, slots, settle)
                        state.wait = value.awaitable
                        return state
                    push(value)
            outputs = program[2]
            if len(outputs) == 2:
                value = slots[outputs[0]]
                if type(value) in SCALARS and outputs[1] & 7 == 0:
                    return [*self._encode(value)]
        except BaseException as error:
            state = Suspended(program, context, slots, settle)
            if len(slots) < len(program) - 3:
                self._fail(state, error)
        else:
            return self._finish(Suspended(program, context, slots, settle))
        # Outside the handler: what fails now does not fail because of that error.
        return self.rest(state)

    def take_over(
        self,
        program: Program,
        context: Context,
        settle: Settle,
        slots: list[Any],
        error: Optional[BaseException],
    ) -> Outcome:
        """Goes on where a host's own evaluator stopped: its next instruction has failed, or all are done."""
        state = Suspended(program, context, slots, settle)
        if error is None:
            return self._finish(state)
        self._fail(state, error)
        return self.rest(state)

    def rest(self, state: Suspended) -> Outcome:
        """Goes on with a program that has poisoned slots or has waited."""
        state.wait = None
        program, slots, context = state.program, state.slots, state.context
        while len(slots) < len(program) - 3:
            instruction = program[3 + len(slots)]
            try:
                dead = self._poisoned(instruction, slots)
                if dead is not None:
                    slots.append(dead)
                    continue
                value = self.step(instruction, slots, context)
            except BaseException as error:
                self._fail(state, error)
                continue
            if type(value) is Wait:
                state.wait = value.awaitable
                return state
            slots.append(value)
        return self._finish(state)

    def step(self, instruction: tuple[Any, ...], slots: list[Any], context: Context) -> Any:
        """One instruction, with every check."""
        op, operands = self._operands(instruction, slots)
        operation, target, least, most = OPERATIONS[op]
        if not least <= len(operands) <= most:
            raise protocol_error(f"Instruction {op} has {len(operands)} operands.")
        if target:
            first = operands[0]
            if type(first) is not int:
                raise protocol_error(f"The target of instruction {op} is not an int.")
            if first >= 0:
                if first >= len(slots):
                    raise protocol_error(f"Slot {first} does not exist yet.")
                if type(slots[first]) is Poison:
                    raise Poisoned(first)
                first = slots[first]
            else:
                first = self._handle(-first)
            operands = (first, *operands[1:])
        return operation(self.engine, context, *operands)

    def _operands(self, instruction: Any, slots: list[Any]) -> tuple[int, tuple[Any, ...]]:
        if type(instruction) is not tuple or not instruction:
            raise protocol_error("An instruction is not a tuple.")
        op = instruction[0]
        if type(op) is not int or not 0 <= op < len(OPERATIONS):
            raise protocol_error(f"Unknown instruction {op!r:.40}.")
        if len(instruction) == 2 and type(instruction[1]) is bytes:
            operands = self.engine.codec.decode(instruction[1], slots)
            if type(operands) is not tuple:
                raise protocol_error("The operands of an instruction are not a tuple.")
            return op, operands
        return op, instruction[1:]

    def _poisoned(self, instruction: Any, slots: list[Any]) -> Optional[Poison]:
        """The poison of the instruction's target; that of its operands shows when they are decoded."""
        cancelled = next((slot for slot in slots if type(slot) is Poison and slot.cancelled), None)
        if cancelled is not None:
            return cancelled  # an interrupt ends the whole program
        if type(instruction) is tuple and len(instruction) > 1:
            target = instruction[1]
            op = instruction[0]
            known = type(op) is int and 0 <= op < len(OPERATIONS) and OPERATIONS[op][1]
            if known and type(target) is int and 0 <= target < len(slots) and type(slots[target]) is Poison:
                return slots[target]  # type: ignore[no-any-return]
        elif type(instruction) is not tuple:
            raise protocol_error("An instruction is not a tuple.")
        return None

    def _fail(self, state: Suspended, error: BaseException) -> None:
        """Poisons the slot of the instruction that has just failed."""
        slots = state.slots
        instruction = state.program[3 + len(slots)]
        if type(error) is Poisoned:
            slots.append(slots[error.slot])
            return
        try:
            if not issubclass(type(error), EngineError):  # its class may answer for __class__
                self._validate(instruction, slots)
        except EngineError as malformed:
            error = malformed
        cancelled = self.engine.interrupts.was_cancelled(state.program[0], error)
        slots.append(Poison(error, cancelled))

    def _validate(self, instruction: Any, slots: list[Any]) -> None:
        """The tight path does not check shapes; after a failure they are checked here."""
        if type(instruction) is not tuple or not instruction or type(instruction[0]) is not int:
            raise protocol_error("An instruction is not a tuple that begins with its number.")
        op, operands = instruction[0], instruction[1:]
        if not 0 <= op < len(OPERATIONS):
            raise protocol_error(f"Unknown instruction {op}.")
        if len(operands) == 1 and type(operands[0]) is bytes:
            return
        _, target, least, most = OPERATIONS[op]
        if not least <= len(operands) <= most:
            raise protocol_error(f"Instruction {op} has {len(operands)} operands.")
        if target and (type(operands[0]) is not int or operands[0] >= len(slots)):
            raise protocol_error(f"The target {operands[0]!r:.40} of instruction {op} does not exist.")
        if op == 0 and type(operands[0]) is not str or op == 1 and type(operands[1]) is not str:
            raise protocol_error(f"The name of instruction {op} is not text.")
        if op == 3 and (
            type(operands[1]) is not tuple or len(operands) == 3 and type(operands[2]) is not dict
        ):
            raise protocol_error("The arguments of a call are not a tuple and a dict.")

    # ---- waiting ----------------------------------------------------------------------------

    def start(self, state: Suspended) -> None:
        """Begins what a suspended program waits for; it settles or goes on when that is there."""
        engine, program, context = self.engine, state.program[0], state.context
        if state.wait is not None:

            def resume(ok: bool, value: Any) -> None:
                if ok:
                    state.slots.append(value)
                else:
                    self._fail(state, value)
                engine.resume(state)

            engine.aio.start(state.wait, program, context, resume)
            return
        slots = state.slots
        if state.owed is None:
            engine.aio.output(slots[state.program[2][0]], program, context, state.settle)
            return
        left = len(state.owed)

        def settled(places: list[int], ok: bool, value: Any) -> None:
            nonlocal left
            if not ok:
                value = Poison(value, engine.interrupts.was_cancelled(program, value))
            for place in places:
                slots[place] = value
            left -= 1
            if left == 0:
                state.settle(program, self.outputs(state))

        for places in state.owed:
            engine.aio.start(slots[places[0]], program, context, partial(settled, places))

    def _finish(self, state: Suspended) -> Outcome:
        """The outputs, unless some of them have to be awaited first."""
        owed: dict[int, list[int]] = {}
        slots = state.slots
        try:
            outputs = state.program[2]
            if (
                len(outputs) == 2
                and outputs[1] == 0 <= outputs[0]
                and type(slots[outputs[0]]) is CoroutineType
            ):
                state.owed = None
                return state
            for slot, mode in zip(outputs[::2], outputs[1::2]):
                if mode & 8 or mode & 7 in (1, 4) or slot < 0:
                    continue
                value = slots[slot]
                if type(value) not in SCALARS and type(value) is not Poison and traits(value)[0] & AWAITABLE:
                    places = owed.setdefault(id(value), [])
                    if slot not in places:
                        places.append(slot)
        except (IndexError, TypeError):
            owed = {}  # a malformed output is reported where it is encoded
        if owed:
            state.owed = list(owed.values())
            return state
        return self.outputs(state)

    def failed(self, program: Program, error: BaseException) -> list[Any]:
        """The same error for every output: the program ended outside its instructions."""
        payload = self.engine.codec.encode_error(
            error, self.engine.interrupts.was_cancelled(program[0], error)
        )
        count = len(program[2]) >> 1 if type(program[2]) is tuple else 1
        return [2, payload] * max(count, 1)

    def outputs(self, state: Suspended) -> list[Any]:
        """[kind, payload, …] of every output; encoding one never fails another."""
        flat: list[Any] = []
        lost = self.engine.interrupts.lost
        if lost and state.program[0] in lost:
            return flat  # nobody waits for it any more: no handle must be made for it
        outputs = state.program[2]
        codec = self.engine.codec
        if type(outputs) is not tuple:
            return [2, codec.encode_error(protocol_error("The outputs of a program are not a tuple."))]
        for slot, mode in zip(outputs[::2], outputs[1::2]):
            try:
                if type(slot) is not int or type(mode) is not int or not 0 <= slot < len(state.slots):
                    raise protocol_error(f"Output slot {slot!r:.40} does not exist.")
                value = state.slots[slot]
                if type(value) is Poison:
                    flat += (2, codec.encode_error(value.error, value.cancelled))
                else:
                    flat += codec.encode(value, mode & 7)
            except BaseException as error:
                flat += (2, codec.encode_error(error))
        return flat
