"""What a backend gives to the engine (PROTOCOL.md, section 8)."""

from __future__ import annotations

from typing import Any, Protocol


class Host(Protocol):
    can_ask: bool
    threads: bool
    # Seconds that Python waits for JavaScript while that is blocked in a synchronous call.
    patience: float

    def send(self, kind: int, frame: bytes) -> None: ...

    def ask(self, frame: bytes) -> bytes: ...

    def wake(self) -> None: ...

    def tick(self) -> None: ...

    # Only where memory can be shared: pins a writable buffer, and gives it back unless JS has claimed it.
    def export(self, obj: object, alignment: int) -> tuple[int, int, int]: ...

    def unexport(self, number: int) -> None: ...

    # With `export`: whether what is sent now is read before anything else runs in Python on this thread.
    def on_js_thread(self) -> bool: ...

    def interrupt_thread(self, ident: int, on: bool) -> None: ...


class Collecting(Host, Protocol):
    """A host that collects replies itself."""

    def reply(self, flat: tuple[Any, ...]) -> None: ...

    def announce(self) -> None: ...

    # Optional: how many first steps of coroutines were taken, and the item of the last one where Python ends it.
    def first_steps(
        self, driver: object, lane: object, task: object, most: int
    ) -> tuple[int, Any, int, object]: ...


class HandleHost(Protocol):
    """A host that keeps the table of handles (`handles.py`)."""

    def introduce(self, obj: object) -> int: ...

    def object_of(self, handle: int) -> object: ...

    def release(self, handle: int, count: int) -> None: ...

    def limit_handles(self, most: int) -> None: ...

    def handles(self) -> list[tuple[int, int, object]]: ...
