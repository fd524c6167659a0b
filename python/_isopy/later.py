"""Calls things after a while, on one daemon thread that ends when nothing is left to call."""

from __future__ import annotations

import sys
import threading
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import Any, Callable


class Later:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._running = False

    def call(self, seconds: float, function: Callable[..., None], *args: Any) -> None:
        """Calls `function(*args)` in so many seconds. It must not wait, and what it raises is shown by `threading`."""
        with self._changed:
            heappush(self._heap, (monotonic() + seconds, next(self._order), function, args))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="isopy-later", daemon=True).start()
            else:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._heap:
                    self._running = False
                    return
                left = self._heap[0][0] - monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                _, _, function, args = heappop(self._heap)
            try:
                function(*args)
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


LATER = Later()
