"""Modules that programs may or may not have imported.

asyncio is imported when it is first used: it is more than half of what an engine would import at its start.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Optional


class _Later:
    """A module that is imported by the first look at one of its attributes; each is looked up once."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._name), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    import asyncio as asyncio  # noqa: PLC0414
else:
    asyncio = _Later("asyncio")


def loaded(module: str, name: str) -> Any:
    """An attribute of a module that was imported; None where it was not, or another thread is still at it."""
    return getattr(sys.modules.get(module), name, None)


def running_loop() -> Optional[asyncio.AbstractEventLoop]:
    """The loop that runs on this thread; where asyncio was never imported, there is none."""
    if "asyncio" not in sys.modules:
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
