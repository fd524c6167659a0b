"""A scripted host: collects frames, builds programs with pickle, answers calls by plain functions."""

from __future__ import annotations

import io
import pickle
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from _isopy.engine import Engine

SUBMIT, RELEASE, INTERRUPT, ANSWER = 1, 2, 3, 4
REPLY, EVENT, CALL, FORGET = 16, 17, 18, 19

(IMPORT, GET, ITEM, CALLS, SET, SETITEM, DEL, DELITEM, EVAL, EXEC, ITER, NEXT, CLOSE, AWAIT, GLOBAL, CAST, THROW,
 SEND, ENTER, EXIT, VALUE, SETGLOBAL, DELGLOBAL) = range(23)  # fmt: skip
AUTO, REF, COPY, PORTABLE, NONE, RAW = 0, 1, 2, 3, 4, 8


class Ext:
    """An extension value as JavaScript writes it: a tuple marked with BINPERSID."""

    def __init__(self, *operands: Any) -> None:
        self.operands = operands

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ext) and self.operands == other.operands

    def __hash__(self) -> int:
        return hash(self.operands[0])

    def __repr__(self) -> str:
        return f"Ext{self.operands!r}"

    def __getitem__(self, index: int) -> Any:
        return self.operands[index]


class JsPickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes what JavaScript would: plain data, and `Ext` as a marked tuple."""

    def persistent_id(self, obj: Any) -> Any:
        return obj.operands if isinstance(obj, Ext) else None


class JsUnpickler(pickle.Unpickler):
    """Reads what JavaScript would read."""

    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) == ("_isopy", "v"), (module, name)
        return Ext

    def persistent_load(self, pid: Any) -> Any:
        return Ext(*pid)


def stream(value: Any) -> bytes:
    file = io.BytesIO()
    JsPickler(file, 5).dump(value)
    return file.getvalue()


def read(data: bytes) -> Any:
    return JsUnpickler(io.BytesIO(data)).load()


class FragmentPickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes a program as a part of a batch: no frame, memo indices explicit and its own."""

    def memoize(self, obj: Any) -> None:
        index = len(self.memo)
        self.write(b"q%c" % index if index < 256 else b"r" + index.to_bytes(4, "little"))
        self.memo[id(obj)] = index, obj


def fragment(program: tuple[Any, ...]) -> bytes:
    """A program without PROTO and STOP."""
    file = io.BytesIO()
    FragmentPickler(file, 5).save(program)
    return file.getvalue()


def batch(*programs: tuple[Any, ...]) -> bytes:
    return b"\x80\x05(" + b"".join(map(fragment, programs)) + b"l."


def inner(op: int, *operands: Any) -> tuple[int, bytes]:
    """The second form of an instruction: its operands as a stream."""
    return op, stream(operands)


class ScriptedHost:
    can_ask = True
    threads = True
    patience = 0.1
    loop: Any = None

    def __init__(self, answer: Optional[Callable[..., Any]] = None, workers: int = 0) -> None:
        self.answer = answer
        self.frames: list[tuple[int, Any]] = []
        self.arrived = threading.Condition()
        self.interrupted: list[tuple[int, bool]] = []
        self.ticks = 0
        self.settled: dict[int, list[tuple[int, Any]]] = {}
        self.twice: list[int] = []
        self.engine: Any = None
        self._wanted = threading.Semaphore(0)
        self._stop = False
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def start(self, engine: Any) -> None:
        self.engine = engine
        for worker in self._workers:
            worker.start()

    def _work(self) -> None:
        while True:
            self._wanted.acquire()
            if self._stop:
                return
            self.engine.work()

    def stop(self) -> None:
        self._stop = True
        for _ in self._workers:
            self._wanted.release()
        for worker in self._workers:
            worker.join(5)

    # ---- the Host protocol ----------------------------------------------------------------

    def send(self, kind: int, frame: bytes) -> None:
        with self.arrived:
            self.frames.append((kind, read(frame)))
            if kind == REPLY:
                self._settle(self.frames[-1][1])
            self.arrived.notify_all()
        if kind == CALL and self.answer is not None:
            threading.Thread(target=self._answer_later, args=(frame,), daemon=True).start()

    def _answer_later(self, frame: bytes) -> None:
        self.engine.receive(ANSWER, self._answered(read(frame)))

    def ask(self, frame: bytes) -> bytes:
        call = read(frame)
        with self.arrived:
            self.frames.append((CALL, call))
        return self._answered(call)

    def _answered(self, call: tuple[Any, ...]) -> bytes:
        token, _origin, target, op, *operands = call
        try:
            assert self.answer is not None
            return stream((token, True, self.answer(target, op, *operands)))
        except Thrown as thrown:
            return stream((token, False, Ext("thrown", *thrown.args)))

    def wake(self) -> None:
        self._wanted.release()

    def tick(self) -> None:
        self.ticks += 1

    def interrupt_thread(self, ident: int, on: bool) -> None:
        import ctypes

        self.interrupted.append((ident, on))
        error = ctypes.py_object(KeyboardInterrupt) if on else None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), error)

    # ---- what tests ask -------------------------------------------------------------------

    def replies(self) -> dict[int, list[tuple[int, Any]]]:
        """[(kind, value)] by program id; streams are read."""
        return self.settled

    def _settle(self, flat: list[Any]) -> None:
        position = 0
        while position < len(flat):
            number, count = flat[position : position + 2]
            position += 2
            outputs = []
            for _ in range(count):
                form, payload = flat[position : position + 2]
                position += 2
                outputs.append((form, payload if form == 0 else read(payload)))
            if number in self.settled and number != 0:
                self.twice.append(number)
            self.settled[number] = outputs

    def events(self) -> list[tuple[Any, ...]]:
        return [event for kind, event in list(self.frames) if kind == EVENT]

    def forgotten(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for kind, flat in list(self.frames):
            if kind == FORGET:
                for number, count in zip(flat[::2], flat[1::2]):
                    found[number] = found.get(number, 0) + count
        return found

    def wait(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Waits until frames make `condition` true."""
        with self.arrived:
            assert self.arrived.wait_for(condition, seconds), "the frames that were waited for did not come"
            return condition()


class Thrown(Exception):
    """Raised by an answering function: name, message, stack, value."""


class Scripted:
    """An engine with its host, for one test; one thread works for it unless said otherwise."""

    def __init__(
        self,
        answer: Optional[Callable[..., Any]] = None,
        workers: int = 1,
        threads: bool = True,
        loop: Any = None,
        **options: Any,
    ) -> None:
        self.host = ScriptedHost(answer, workers)
        self.host.threads = threads
        self.host.loop = loop
        self.engine = Engine(self.host, stream({"redirect": False, "exit": False, **options}))
        self.host.start(self.engine)
        self._next = 0

    def close(self) -> None:
        self.engine.close()
        self.host.stop()
        assert not self.host.twice, f"programs settled twice: {self.host.twice[:9]}"

    def submit(self, *instructions: Any, outputs: Optional[tuple[int, ...]] = None, context: int = 0) -> int:
        """Sends one program; by default its last instruction is its output."""
        self._next += 1
        outputs = (len(instructions) - 1, AUTO) if outputs is None else outputs
        self.engine.receive(SUBMIT, batch((self._next, context, outputs, *instructions)))
        return self._next

    def outputs(self, number: int) -> list[tuple[int, Any]]:
        if not self.host._workers:
            self.engine.work()
        return self.host.wait(lambda: self.host.replies().get(number))

    def run(self, *instructions: Any, mode: int = AUTO, context: int = 0) -> Any:
        """The value of the last instruction; fails the test when it is an error."""
        number = self.submit(*instructions, outputs=(len(instructions) - 1, mode), context=context)
        ((kind, value),) = self.outputs(number)
        assert kind != 2, value
        return value

    def fail(self, *instructions: Any, mode: int = AUTO, context: int = 0) -> Any:
        """The error of the last instruction: the dict of an `error`, or an `engine_error`."""
        number = self.submit(*instructions, outputs=(len(instructions) - 1, mode), context=context)
        ((kind, value),) = self.outputs(number)
        assert kind == 2, value
        return value.operands[1] if value.operands[0] == "error" else value

    def evaluate(self, source: str, mode: int = AUTO, **bound: Any) -> Any:
        return self.run(inner(EVAL, source, tuple(bound), tuple(bound.values())), mode=mode)

    def handle(self, source: str) -> int:
        """The handle of an object made by an expression."""
        value = self.run((EVAL, source), mode=REF)
        assert value.operands[0] == "ref", value
        return value.operands[1]
