"""What a forked child of the host keeps: Python, and the standard streams of the process.

It has one thread and no JavaScript. Text goes to the file descriptors instead of the engine; asking
JavaScript is an error of the host's (`ERR_UNSUPPORTED`); a loop of ours that the child comes back to ends it.
"""

from __future__ import annotations

import os
import sys
from typing import Callable, Optional

from .lazily import asyncio, running_loop

_installed = False
_running: Optional[asyncio.AbstractEventLoop] = (
    None  # of the thread that forks; asyncio denies it in the child
)


def install(end: Callable[[], object], forget: Callable[[], object]) -> None:
    """Once per interpreter. `end` ends the child, `forget` drops the programs that are the parent's to run."""
    global _installed
    if not _installed and hasattr(os, "register_at_fork"):
        _installed = True
        os.register_at_fork(before=_before, after_in_child=lambda: _in_child(end, forget))


def _before() -> None:
    global _running
    _running = running_loop()


def _in_child(end: Callable[[], object], forget: Callable[[], object]) -> None:
    forget()
    if sys.__stdout__ is not None:
        sys.stdout = sys.__stdout__
    if sys.__stderr__ is not None:
        sys.stderr = sys.__stderr__
    if _running is not None:
        _running.call_soon(end)
