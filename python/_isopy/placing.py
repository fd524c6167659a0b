"""Wheels into a running Python: all of them and all of each, or nothing.

Files are unpacked beside their places first, where what is damaged or too large shows; then they are
moved one by one. A failure or an interrupt at any time puts everything back.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import site
import sysconfig
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zipfile import BadZipFile
from zlib import error as ZlibError

from .wheels import Failure

if TYPE_CHECKING:
    from .wheels import Wheel

__all__ = ["ORIGIN", "place"]

# Where a package came from, beside its metadata.
ORIGIN = "isopy.json"


def place(wheels: Sequence[Wheel]) -> None:
    """Installs wheels. Raises Failure, and has then changed nothing."""
    target = site.getsitepackages()[0]
    os.makedirs(target, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=".isopy-", dir=target)
    moves = Moves(os.path.join(staging, "before"))
    try:
        plan = [
            pair for number, wheel in enumerate(wheels) for pair in _unpack(wheel, staging, number, target)
        ]
        for new, final in plan:
            moves.move(new, final)
        importlib.invalidate_caches()
    except BaseException as error:
        moves.undo()
        if isinstance(error, MemoryError):
            raise Failure("memory", "there is not enough memory to unpack it") from error
        if isinstance(error, OSError):
            raise Failure("failed", f"its files could not be written: {error}") from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class Moves:
    """Files that were moved to their places, and what was there before."""

    def __init__(self, before: str) -> None:
        self._before = before
        self._done: list[tuple[str, str]] = []
        self._folders: list[str] = []

    def move(self, new: str, final: str) -> None:
        self._make(os.path.dirname(final))
        kept = ""
        if os.path.lexists(final):
            os.makedirs(self._before, exist_ok=True)
            kept = os.path.join(self._before, str(len(self._done)))
        # Written down first: an interrupt may come after any step.
        self._done.append((kept, final))
        if kept:
            os.replace(final, kept)
        os.replace(new, final)

    def undo(self) -> None:
        for kept, final in reversed(self._done):
            if kept and os.path.lexists(kept):
                os.replace(kept, final)
            elif not kept and os.path.lexists(final):
                os.unlink(final)
        for folder in reversed(self._folders):
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, folder: str) -> None:
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for each in reversed(missing):
            self._folders.append(each)
            os.mkdir(each)


def _unpack(wheel: Wheel, staging: str, number: int, target: str) -> list[tuple[str, str]]:
    """Writes the files beside their places; where each is, and where it belongs."""
    data = wheel.info[: -len(".dist-info")] + ".data/"
    folder = os.path.join(staging, str(number))
    files = []
    for entry in wheel.entries:
        name = entry.filename
        final = _spread(name[len(data) :], name) if name.startswith(data) else os.path.join(target, name)
        new = os.path.join(folder, name)
        os.makedirs(os.path.dirname(new), exist_ok=True)
        try:
            with wheel.archive.open(entry) as source, open(new, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        except (BadZipFile, EOFError, ZlibError, NotImplementedError) as error:
            raise Failure("invalid", f"{name} in it is damaged: {error}") from error
        files.append((new, final))
    files += _notes(wheel, folder, target)
    return files


def _spread(rest: str, name: str) -> str:
    """The place of a file of the `.data` folder."""
    scheme, _, path = rest.partition("/")
    place = sysconfig.get_paths().get("include" if scheme == "headers" else scheme)
    if place is None or not path:
        raise Failure("invalid", f"it has a file of an unknown kind: {name!r}")
    return os.path.join(place, path)


def _notes(wheel: Wheel, folder: str, target: str) -> list[tuple[str, str]]:
    """Who installed it, and from where; micropip reads its own names of that."""
    described = wheel.described()
    url = wheel.url or wheel.file
    notes = {
        "INSTALLER": "isopy\n",
        ORIGIN: json.dumps(described),
        "PYODIDE_SOURCE": url,
        "PYODIDE_URL": url,
        "PYODIDE_SHA256": wheel.sha256,
    }
    files = []
    for name, text in notes.items():
        new = os.path.join(folder, wheel.info, name)
        with open(new, "w", encoding="utf-8") as sink:
            sink.write(text)
        final = os.path.join(target, wheel.info, name)
        # A wheel may bring one of that name, which is in the plan already.
        if not any(entry.filename == f"{wheel.info}/{name}" for entry in wheel.entries):
            files.append((new, final))
    return files
