"""Python's `logging` as `log` events, where somebody listens (option `logs`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .lanes import asking_engine, current
from .output import origin

if TYPE_CHECKING:
    from .engine import Engine


_NAMES = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
    (logging.DEBUG, "DEBUG"),
)


def level_name(level: int) -> str:
    """Python's name of a level; one between two counts as the lower, one below DEBUG as TRACE."""
    return next((name for bound, name in _NAMES if level >= bound), "TRACE")


class EventHandler(logging.Handler):
    """Sends each record to the engine whose code logged it, else to the engine that listens."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def emit(self, record: logging.LogRecord) -> None:
        try:
            place = origin()
            engine, session, cell = place if place is not None else (current()[0] or self._engine, 0, 0)
            if engine is self._engine and not engine.closed:
                engine.event(
                    "log", session, cell, level_name(record.levelno), record.name, self.format(record)
                )
        except Exception:
            self.handleError(record)


def listen(engine: Engine, level: str = "INFO") -> EventHandler:
    """Adds a handler to the root logger; `logging` gets this level unless it was configured already."""
    handler = EventHandler(engine)
    root = logging.getLogger()
    if root.level in (logging.NOTSET, logging.WARNING):
        root.setLevel(level)
    root.addHandler(handler)
    return handler


def start(level: str = "DEBUG") -> None:
    """Service: the JavaScript of the engine that asks wants the records."""
    engine = asking_engine()
    engine._log_handler = listen(engine, level)
