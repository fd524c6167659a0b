"""What goes to JavaScript: replies and text, collected and sent in order.

Replies are one flat list, pickled once per flush. Writers only extend it and a flush only takes
from its front, each in one step that the interpreter does not divide, so writers need no lock. A
flush counts the replies before it sends the text: so the text of a program is always sent before
its reply, whichever thread flushes.

A host that collects replies itself (`host.reply`) has each at once; then nothing waits here but text.
"""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from .host import Host

from .lanes import lane

REPLY = 16
# So many replies leave together: few where JavaScript reads them on another core meanwhile (100 calls in
# flight: 1.3 times as many as with 128), more where a message costs as much as ten calls (Pyodide).
MANY, MANY_ALONE = 32, 256


class Replies:
    def __init__(self, host: Host) -> None:
        self._send = host.send
        self.lock = threading.RLock()  # of everything that is sent in order
        self.flat: list[Any] = []
        # Takes (program, count of outputs, kind, payload, …).
        self.add: Callable[[tuple[Any, ...]], None] = getattr(host, "reply", self.flat.extend)

    def flush(self, text: Callable[[], None]) -> None:
        """Sends what is done, after the text that came before it."""
        flat = self.flat
        own = lane()
        own.shield += 1  # an interrupt in here would lose what others wait for
        try:
            with self.lock:
                count = len(flat)
                text()
                if count:
                    taken = flat[:count]
                    del flat[:count]
                    self._send(REPLY, pickle.dumps(taken, 5))
        finally:
            own.lower()
