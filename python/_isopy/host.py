"""What a backend gives to the engine (PROTOCOL.md, section 8)."""

from __future__ import annotations

from typing import Any, Protocol


class Host(Protocol):
    can_ask: bool
    threads: bool

    def send(self, kind: int, frame: bytes) -> None: ...

    def ask(self, frame: bytes) -> bytes: ...

    def wake(self) -> None: ...

    def tick(self) -> None: ...

    def interrupt_thread(self, ident: int, on: bool) -> None: ...


class Collecting(Host, Protocol):
    """A host that collects replies itself."""

    def reply(self, flat: tuple[Any, ...]) -> None: ...

    def announce(self) -> None: ...
