"""What JavaScript lent: one id, one proxy while it lives.

Each occurrence of an id in a stream counts once on its proxy; when Python drops the proxy, the
count goes back in a FORGET frame. A finalizer only appends to a queue: it may run anywhere, inside
any lock, so it must not block, allocate handles or run user code.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from .proxies import JsProxy, proxy_class

if TYPE_CHECKING:
    from .engine import Engine


class CallbackTable:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._live: dict[int, weakref.ref[JsProxy]] = {}
        self._lock = threading.RLock()
        self.dropped: deque[tuple[int, int]] = deque()

    def introduce(self, number: int, flags: int, name: str) -> JsProxy:
        with self._lock:
            known = self._live.get(number)
            proxy = known() if known is not None else None
            if proxy is None:
                proxy = proxy_class(flags)(self._engine, number, flags, name)
                self._live[number] = weakref.ref(proxy)
            proxy._isopy_count += 1
            return proxy

    def drop(self, proxy: JsProxy, number: int, count: int) -> None:
        """Called by a proxy's finalizer: must not block."""
        known = self._live.get(number)
        found = known() if known is not None else None
        # In a finalizer the weak reference to its own object is still alive, unless the collector runs it.
        if known is not None and (found is None or found is proxy):
            self._live.pop(number, None)
        self.dropped.append((number, count))
        self._engine.nudge()

    def take(self) -> list[int]:
        """What to forget: callback, count, …; empties the queue."""
        flat: list[int] = []
        while self.dropped:
            try:
                flat += self.dropped.popleft()
            except IndexError:
                break  # another thread took the last one
        return flat

    def __len__(self) -> int:
        return sum(1 for known in list(self._live.values()) if known() is not None)
