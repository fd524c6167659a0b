"""A wheel: bytes that were checked before anything of them is used.

Reading one verifies its hash and its form; placing one is `placing`. Standard library only, so that
the same code reads wheels inside Pyodide and, ahead of time, on the host (`vendoring`).
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import sysconfig
from email.parser import HeaderParser
from posixpath import normpath
from typing import Any, Optional
from zipfile import BadZipFile, ZipFile, ZipInfo

__all__ = ["Failure", "Wheel", "canonical", "hash_of", "platform_tag", "refusal"]


class Failure(Exception):
    """Why a package was not installed; `cause` is stable (`FailureCause` in src/core/packages.ts)."""

    def __init__(self, cause: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.cause = cause
        self.facts = facts


def canonical(name: str) -> str:
    """A project's name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Wheel:
    """A wheel that can be read: its name, its needs and what can be imported from it."""

    def __init__(self, file: str, data: bytes, url: Optional[str] = None) -> None:
        self.file = file
        self.url = url
        self.size = len(data)
        self.sha256 = hash_of(data)
        self.archive = _opened(data)
        self.entries = [entry for entry in self.archive.infolist() if not entry.is_dir()]
        for entry in self.entries:
            _check_name(entry)
        self.info = self._info_folder()
        headers = HeaderParser().parsestr(self._text("METADATA"))
        self.name: str = headers.get("Name") or ""
        self.version: str = headers.get("Version") or ""
        if not self.name or not self.version:
            raise Failure("invalid", "its METADATA has no name or no version")
        self.requires: list[str] = headers.get_all("Requires-Dist") or []
        self.python: Optional[str] = headers.get("Requires-Python")
        self._text("WHEEL")  # or it is another kind of archive

    @property
    def needs_resolving(self) -> bool:
        """Whether something else has to be found for it; extras are not asked for here."""
        return any(not re.search(r"\bextra\s*==", need.partition(";")[2]) for need in self.requires)

    @property
    def imports(self) -> list[str]:
        """Names that can be imported from it: its top level."""
        names = set()
        for entry in self.entries:
            top, _, rest = entry.filename.partition("/")
            if top.endswith(".data"):
                scheme, _, rest = rest.partition("/")
                if scheme not in ("purelib", "platlib"):
                    continue
                top, _, rest = rest.partition("/")
            code = (rest or top).endswith((".py", ".so", ".pyc"))
            name = top if rest else top.partition(".")[0]
            if code and name.isidentifier():
                names.add(name)
        return sorted(names)

    def described(self) -> dict[str, Any]:
        """What a lock says about it."""
        return {
            "name": canonical(self.name),
            "version": self.version,
            "file": self.file,
            "sha256": self.sha256,
            "size": self.size,
            "url": self.url,
            "imports": self.imports,
        }

    def _info_folder(self) -> str:
        found = {entry.filename.partition("/")[0] for entry in self.entries}
        folders = [name for name in found if name.endswith(".dist-info")]
        if len(folders) != 1:
            raise Failure("invalid", f"it has {len(folders)} .dist-info folders, where a wheel has one")
        return folders[0]

    def _text(self, name: str) -> str:
        try:
            return self.archive.read(f"{self.info}/{name}").decode("utf-8", "replace")
        except KeyError:
            raise Failure("invalid", f"it has no {self.info}/{name}") from None
        except BadZipFile as error:
            raise Failure("invalid", f"its {name} is damaged: {error}") from error


def _opened(data: bytes) -> ZipFile:
    try:
        return ZipFile(io.BytesIO(data))
    except BadZipFile as error:
        begin = data[:256].lstrip().lower()
        if begin.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
            raise Failure(
                "html", f"a page came in its place ({len(data)} bytes of HTML)", size=len(data)
            ) from error
        if data.startswith(b"PK"):
            raise Failure(
                "truncated", f"its end is missing: it has {len(data)} bytes", size=len(data)
            ) from error
        raise Failure("invalid", f"its {len(data)} bytes are no wheel", size=len(data)) from error


def _check_name(entry: ZipInfo) -> None:
    name = entry.filename
    if name.startswith("/") or "\\" in name or "\0" in name or normpath(name).split("/")[0] in ("..", "."):
        raise Failure("invalid", f"it has a file outside of its folder: {name!r}")


def refusal(file: str) -> Optional[str]:
    """Why this Python cannot use a wheel of that file name; None when it can."""
    parts = file[: -len(".whl")].split("-") if file.endswith(".whl") else []
    if len(parts) not in (5, 6):
        return f"{file!r} is no wheel's name"
    pythons, abis, platforms = (set(part.split(".")) for part in parts[-3:])
    if not platforms & set(_platforms()):
        return f"it is for {', '.join(sorted(platforms))}, and this is {platform_tag()}"
    minor = sys.version_info[1]
    own = f"cp3{minor}"
    older = {f"{kind}3{n}" for kind in ("py", "cp") for n in range(2, minor + 1)} | {"py3"}
    if (
        own in abis
        and own in pythons
        or "none" in abis
        and pythons & older
        or "abi3" in abis
        and pythons & older
    ):
        return None
    return f"it is for {', '.join(sorted(pythons))} with ABI {', '.join(sorted(abis))}, and this is {own}"


def platform_tag() -> str:
    """The platform that compiled wheels for this Python are named for."""
    return _platforms()[0]


def _platforms() -> list[str]:
    """Platform tags, the best first (PEP 783)."""
    version = sysconfig.get_config_var("PYEMSCRIPTEN_PLATFORM_VERSION")
    named = [f"pyemscripten_{version}_wasm32", f"pyodide_{version}_wasm32"] if version else []
    return [*named, re.sub(r"[-.]", "_", sysconfig.get_platform()), "any"]
