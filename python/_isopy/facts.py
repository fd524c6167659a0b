"""What the engine says about itself when it starts."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from . import PROTOCOL

if TYPE_CHECKING:
    from .engine import Engine


def facts(engine: Engine) -> dict[str, Any]:
    """The dict of `hello`; the host adds what only it knows."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    wasm = sys.platform in ("emscripten", "wasi")
    return {
        "protocol": PROTOCOL,
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "platform": sys.platform,
        "executable": sys.executable or None,
        "prefix": sys.prefix or None,
        "path": [str(entry) for entry in sys.path],
        "pid": os.getpid(),
        "gil": True if enabled is None else bool(enabled()),
        "capabilities": {
            "syncCallbacks": bool(engine.host.can_ask),
            "threads": bool(engine.host.threads),
            "processes": not wasm,
            "hostFiles": not wasm,
        },
    }
