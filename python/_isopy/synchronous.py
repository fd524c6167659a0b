"""The synchronous path: one call, get or program to its end on the caller's thread.

For `isopy/sync` (native) and for nested programs. Awaitables run on the context's loop while this
thread waits with the GIL let go. A busy ordered context is ERR_SESSION_BUSY: waiting could
deadlock (rule N10).
"""

from __future__ import annotations

import pickle
import threading
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Optional

from .construct import Poison
from .errors import EngineError, protocol_error
from .lanes import Lane, lane
from .reading import FAILURES, read_data, refuse
from .traits import AWAITABLE, traits
from .values import CONTAINERS, PLAIN, SCALARS, plain, ref, rule

if TYPE_CHECKING:
    from .engine import Engine


class Synchronous:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, fragment: bytes) -> bytes:
        """Runs one program fragment; returns a REPLY stream for it. Never raises."""
        engine = self._engine
        number = 0
        try:
            program = read_data(b"\x80\x05" + fragment + b".", engine.trusted, False)
            if type(program) is not tuple or len(program) < 3 or type(program[0]) is not int:
                raise protocol_error("A program is not a tuple of id, context, outputs and instructions.")
            number = program[0]
            context = engine.contexts.get(program[1])
        except FAILURES as error:
            return self._refused(number, refuse(error))
        except EngineError as error:
            return self._refused(number, error)
        if context.ordered:
            if not engine.contexts.try_enter(context):
                return self._refused(number, EngineError(
                    "ERR_SESSION_BUSY",
                    "The session is running another program; a synchronous call cannot wait for it.",
                    "Use the asynchronous API, or make the call after the running one has settled.",
                ))  # fmt: skip
            engine.scheduler.hold(context, number)
        since = engine.asker.mark()
        done = threading.Event()
        found: list[Any] = []

        def settle(_: int, outputs: list[Any]) -> None:
            found.append(outputs)
            done.set()

        own = lane()
        outer, outer_engine = own.program, own.engine
        own.program, own.engine = number, engine
        own.depth += 1
        evaluator = engine.scheduler.evaluator
        try:
            outcome = evaluator.run(program, context, settle)
            own.program = outer
        except BaseException as error:  # an interrupt at the very edge
            own.program = outer
            outcome = evaluator.failed(program, error)
        own.depth -= 1
        own.engine = outer_engine
        if engine.interrupts.pending:
            engine.interrupts.leave(own, number)
        if isinstance(outcome, list):
            settle(number, outcome)
        elif engine.host.threads:
            evaluator.start(outcome)
            engine.asker.wait(done, number, since)
        else:
            for unawaited in outcome.awaited():
                if type(unawaited) is CoroutineType:
                    unawaited.close()
            settle(number, evaluator.failed(program, self._cannot_wait()))
        if context.ordered:
            engine.scheduler.left(context, number)
        engine.flush()
        outputs = found[0]
        return pickle.dumps([number, len(outputs) >> 1, *outputs], 5)

    def call(
        self, handle: int, args: tuple[Any, ...], kwargs: Optional[dict[str, Any]], mode: int
    ) -> tuple[int, Any]:
        """(kind, payload) of calling a handle."""
        own, before = self._enter()
        try:
            target = self._engine.handles.get(handle)
            value = target(*args, **kwargs) if kwargs else target(*args)  # type: ignore[operator]
            return self.encode(value, mode)
        except BaseException as error:
            return 2, self._engine.codec.encode_error(error)
        finally:
            self._leave(own, before)

    def get(self, handle: int, name: str, mode: int) -> tuple[int, Any]:
        """(kind, payload) of an attribute."""
        own, before = self._enter()
        try:
            return self.encode(getattr(self._engine.handles.get(handle), name), mode)
        except BaseException as error:
            return 2, self._engine.codec.encode_error(error)
        finally:
            self._leave(own, before)

    def _enter(self) -> tuple[Lane, Optional[Engine]]:
        own = lane()
        before, own.engine = own.engine, self._engine
        own.depth += 1
        return own, before

    def _leave(self, own: Lane, before: Optional[Engine]) -> None:
        own.depth -= 1
        own.engine = before
        engine = self._engine
        if engine.callbacks.dropped or engine.events.waiting:
            engine.flush()

    def encode(self, value: Any, mode: int = 0) -> tuple[int, Any]:
        """(kind, payload) of a value, awaited first where the mode says so."""
        try:
            if (
                type(value) not in SCALARS
                and not mode & 8
                and mode & 7 not in (1, 4)
                and traits(value)[0] & AWAITABLE
            ):
                value = self._awaited(value)
            return self._engine.codec.encode(value, mode & 7)
        except BaseException as error:
            return 2, self._engine.codec.encode_error(error)

    def reference(self, value: Any) -> Optional[tuple[int, str, bool, bool]]:
        """How instances of the value's type become refs: flags, type name, whether they do where data would be
        copied, and where a ref is asked for. None where the object itself decides. For hosts, once per type."""
        tp = type(value)
        if tp is GeneratorType:
            return None
        flags, name = traits(value)
        alone = not flags & AWAITABLE and tp not in CONTAINERS and tp not in PLAIN
        return (
            flags,
            name,
            alone and rule(tp) is ref and plain(tp) is None,
            getattr(tp, "__isopy_lent__", None) is None,
        )

    def _awaited(self, value: Any) -> Any:
        engine = self._engine
        if not engine.host.threads:
            raise self._cannot_wait()
        done = threading.Event()
        outcome: list[Any] = []

        def settle(ok: bool, result: Any) -> None:
            outcome.append(result if ok else Poison(result))
            done.set()

        program, since = lane().program, engine.asker.mark()
        engine.aio.start(value, program, engine.contexts.by_id[0], settle)
        engine.asker.wait(done, program, since, value)
        result = outcome[0]
        if type(result) is Poison:
            raise result.error
        return result

    @staticmethod
    def _cannot_wait() -> EngineError:
        return EngineError(
            "ERR_UNSUPPORTED",
            "A synchronous call cannot await on an engine with one thread.",
            "Use the asynchronous API for coroutines.",
        )

    def _refused(self, number: int, error: BaseException) -> bytes:
        return pickle.dumps([number, 1, 2, self._engine.codec.encode_error(error)], 5)
