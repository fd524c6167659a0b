"""`py.packages` inside Python: installs wheels that JavaScript brings, and says what is there.

Installing is ordered: one installation at a time, each requirement all or nothing. Whatever fails
is in the answer, by name; what does not fail is installed.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import json
import re
import sys
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Callable, Optional

from .importable import missing
from .placing import ORIGIN, place
from .resolving import RESOLVER, Files, wheels_for
from .wheels import Failure, Wheel, canonical, platform_tag, refusal

__all__ = ["install", "installed", "lock", "missing"]

# The version that the resolving was tested with; another one is taken where an index has not this.
_TESTED = "0.11.1"
# Wheels that are downloaded at the same time when the whole list is known.
_TOGETHER = 4

_turn: Optional[asyncio.Lock] = None


async def install(
    wanted: list[dict[str, Any]], project: Any, fetch: Any, told: Callable[[str, str], Awaitable[None]]
) -> dict[str, Any]:
    """Installs requirements: `{"text"}` is resolved, `{"text", "url"}` is that wheel and what it needs,
    `{"text", "url", "alone": True}` is that wheel and nothing else.

    Answers with what was installed, what was there already, and the failures.
    """
    global _turn
    _turn = _turn or asyncio.Lock()
    async with _turn:
        installation = Installation(Files(project, fetch), told)
        await installation.run(wanted)
        return installation.report()


class Installation:
    def __init__(self, files: Files, told: Callable[[str, str], Awaitable[None]]) -> None:
        self._files = files
        self._told = told
        self._installed: list[dict[str, Any]] = []
        self._present: dict[str, str] = {}
        self._failures: list[dict[str, Any]] = []

    def report(self) -> dict[str, Any]:
        present = [{"name": name, "version": version} for name, version in self._present.items()]
        return {"installed": self._installed, "present": present, "failures": self._failures}

    async def run(self, wanted: list[dict[str, Any]]) -> None:
        for each in wanted:
            if each.get("url") and each.get("known"):
                self._files.known[each["url"]] = each["known"]
        for begin in range(0, len(wanted), _TOGETHER):
            group = wanted[begin : begin + _TOGETHER]
            # Failures are told where the wheel is needed.
            fetched = [self._files.wheel(each["url"]) for each in group if each.get("alone")]
            await asyncio.gather(*fetched, return_exceptions=True)
            for each in group:
                others = [other["text"] for other in wanted if other is not each and not other.get("url")]
                await self._one(each, others)

    async def _one(self, want: dict[str, Any], others: list[str]) -> None:
        try:
            await self._install(want, others)
        except Failure as failure:
            name = _project_of(want)
            self._failures.append(
                {
                    "name": name,
                    **failure.facts,
                    "requirement": want["text"],
                    "cause": failure.cause,
                    "message": str(failure),
                }
            )
        except Exception as error:  # of micropip, or a defect of ours: the other requirements go on
            cause, text = "failed", f"{type(error).__name__}: {error}"
            if isinstance(error, MemoryError):
                cause, text = "memory", "there is not enough memory for it"
            name = _project_of(want)
            self._failures.append(
                {"name": name, "requirement": want["text"], "cause": cause, "message": text}
            )

    async def _install(self, want: dict[str, Any], others: list[str]) -> None:
        url: Optional[str] = want.get("url")
        if url is None:
            await self._resolved(want["text"], others)
            return
        wheel = await self._files.wheel(url)
        if self._is_present(wheel):
            return
        if want.get("alone") or not wheel.needs_resolving:
            await self._place([wheel])
        else:
            await self._resolved(url, others)

    async def _resolved(self, requirement: str, others: list[str]) -> None:
        await self._prepare()
        wheels = await wheels_for(requirement, others, self._files)
        if wheels:
            await self._place(wheels)
            return
        name = canonical(_name_in(requirement))
        # Not there either: a condition of the requirement says that it is not for this Python.
        with suppress(importlib.metadata.PackageNotFoundError):
            self._present[name] = importlib.metadata.version(name)

    async def _prepare(self) -> None:
        """The resolver is a wheel like the others, from the same place."""
        if importlib.util.find_spec(RESOLVER) is not None:
            return
        try:
            found = [file for file in await self._files.project(RESOLVER) if not refusal(file["file"])]
            if not found:
                raise Failure("no-wheel", f"{RESOLVER} has no wheel for {platform_tag()}")
            tested = [file for file in found if file["file"].split("-")[1] == _TESTED]
            best = (tested or sorted(found, key=lambda file: _order(file["file"])))[-1]
            await self._place([await self._files.wheel(best["url"])])
        except Failure as failure:
            message = f"{RESOLVER}, which finds out what is needed, could not be installed: {failure}"
            raise Failure(failure.cause, message, **{"name": RESOLVER, **failure.facts}) from failure

    async def _place(self, wheels: list[Wheel]) -> None:
        """Together, or not at all."""
        new = [wheel for wheel in wheels if not self._is_present(wheel)]
        for wheel in new:
            why = refusal(wheel.file)
            if why is not None:
                raise Failure("no-wheel", why, name=canonical(wheel.name), url=wheel.url)
            await self._told(canonical(wheel.name), wheel.version)
        place(new)
        self._installed += [wheel.described() for wheel in new]

    def _is_present(self, wheel: Wheel) -> bool:
        """Whether this very version is there. Raises Failure when another one is."""
        name = canonical(wheel.name)
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return False
        if have != wheel.version:
            raise Failure(
                "conflict",
                f"{name} {wheel.version} cannot be installed: {have} is there",
                name=name,
                version=have,
            )
        if not any(each["name"] == name for each in self._installed):
            self._present[name] = have
        return True


def installed() -> list[dict[str, Any]]:
    """Every distribution that can be imported, with where it came from; that is None for what others put there."""
    found = {}
    for each in importlib.metadata.distributions():
        name = each.metadata.get("Name")
        if not name or canonical(name) in found:
            continue
        unknown = {
            "file": None,
            "sha256": each.read_text("PYODIDE_SHA256"),
            "size": None,
            "url": None,
            "imports": [],
        }
        origin = json.loads(each.read_text(ORIGIN) or "{}")
        found[canonical(name)] = {**unknown, **origin, "name": canonical(name), "version": each.version}
        url = each.read_text("PYODIDE_URL")
        if not origin and url:
            file = url.partition("#")[0].rpartition("/")[2]
            found[canonical(name)].update(
                url=url, file=file, imports=(each.read_text("top_level.txt") or "").split()
            )
    return [found[name] for name in sorted(found)]


def _project_of(want: dict[str, Any]) -> str:
    url = want.get("url")
    return canonical(url.rpartition("/")[2].partition("-")[0]) if url else canonical(_name_in(want["text"]))


def _name_in(requirement: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return match.group(1) if match else requirement


def _order(file: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", file.split("-")[1])]


def lock() -> dict[str, Any]:
    """What was installed from wheels, so that it can be installed again."""
    return {
        "isopyLock": 1,
        "python": "{}.{}".format(*sys.version_info),
        "platform": platform_tag(),
        "packages": [each for each in installed() if each["sha256"] and each["file"]],
    }
