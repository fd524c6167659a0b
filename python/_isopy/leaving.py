"""What drives a thread out of Python that swallows KeyboardInterrupt; its JavaScript is being stopped."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any


def _again(frame: FrameType, event: str, arg: object) -> Any:
    if (
        event == "line"
    ):  # not where the first one is raised, which a handler of the same frame may still catch
        raise KeyboardInterrupt
    return _again


class Leave(KeyboardInterrupt):
    """Raised asynchronously, so that it is made on the thread that must leave: from there every line that is
    begun raises once more, and a handler that swallows the first one is left by the second."""

    def __new__(cls, *args: object) -> Leave:
        frame = sys._getframe().f_back
        while frame is not None:
            frame.f_trace = _again
            frame = frame.f_back
        sys.settrace(_again)
        return super().__new__(cls, *args)
