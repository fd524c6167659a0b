"""The byte code of this package, in one file that the next start reads.

Read by the addon's bootstrap (`native/bootstrap.h`): a hash of what follows it, then a marshalled pair of what
the code was made from and, by module, its byte code.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import threading
from typing import Optional

# One for each place that isopy is installed in and each Python that it ran with; the oldest go first.
CAPACITY = 16


def keep(package: str, file: str, stamp: str) -> Optional[dict[str, bytes]]:
    """Compiles every module and writes the file; None where it cannot be written, so that nothing is gained."""
    folder = os.path.dirname(file)
    fresh = f"{file}.{os.getpid()}.{threading.get_ident()}"
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        target = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    except OSError:
        return None
    code = {
        f"_isopy.{name[:-3]}": _compiled(package, name) for name in os.listdir(package) if _is_module(name)
    }
    body = marshal.dumps((stamp, code))
    try:
        with open(target, "wb") as opened:
            opened.write(importlib.util.source_hash(body) + body)
        os.replace(fresh, file)
        _forget_oldest(folder)
    except OSError:
        pass  # a full disk, or another process on Windows has it open: the next start tries again
    return code


def _is_module(name: str) -> bool:
    return name.endswith(".py") and name != "__init__.py"


def _compiled(package: str, name: str) -> bytes:
    path = os.path.join(package, name)
    with open(path, "rb") as source:
        return marshal.dumps(compile(source.read(), path, "exec", dont_inherit=True))


def _forget_oldest(folder: str) -> None:
    with os.scandir(folder) as entries:
        files = [e for e in entries if e.name.startswith("isopy-") and e.name.endswith(".code")]
    for entry in sorted(files, key=lambda e: e.stat().st_mtime_ns)[:-CAPACITY]:
        os.unlink(entry.path)
