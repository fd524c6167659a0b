"""The engine's side of isopy: one evaluator and one codec for every backend.

Why here: everything that is behaviour is written once, in Python, and each backend only moves
bytes (PROTOCOL.md). Standard library only, CPython 3.9 and later, Pyodide included.

This module is also the service door: what is not a value and not an instruction (contexts,
sessions, lists of handles) is an ordinary call into a name of this module.
"""

from __future__ import annotations

from .errors import EngineError, JsException, forget_errors
from .marker import v

PROTOCOL = 1

__all__ = ["PROTOCOL", "EngineError", "JsException", "forget_errors", "v"]
