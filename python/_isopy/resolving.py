"""Which wheels a requirement means: micropip decides, over files that JavaScript brings.

micropip asks for everything through a layer that can be replaced; ours reads no network itself,
verifies the bytes before anybody looks into them, and remembers why something did not come.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Awaitable, Sequence
from typing import Any, Callable

from .wheels import Failure, Wheel, canonical, hash_of, platform_tag, refusal

__all__ = ["RESOLVER", "Files", "wheels_for"]

RESOLVER = "micropip"

# What JavaScript lends: a project's files by name, a file's bytes by URL.
Project = Callable[[str], Awaitable[dict[str, Any]]]
Fetch = Callable[[str, bool], Awaitable[dict[str, Any]]]


class Files:
    """What one installation reads, each file once. What JavaScript could not bring is a Failure."""

    def __init__(self, project: Project, fetch: Fetch) -> None:
        self._project = project
        self._fetch = fetch
        self.projects: dict[str, list[dict[str, Any]]] = {}
        self.failures: dict[str, Failure] = {}
        self.wheels: dict[str, Wheel] = {}
        # What the source of a URL promised about it.
        self.known: dict[str, dict[str, Any]] = {}

    async def project(self, name: str) -> list[dict[str, Any]]:
        """A project's wheels, each with `file`, `url`, `sha256`, `size` and `yanked`."""
        name = canonical(name)
        if name not in self.projects:
            answer = await self._project(name)
            if "cause" in answer:
                self.failures[name] = _failure(answer)
                raise self.failures[name]
            self.projects[name] = answer["files"]
            self.known.update((file["url"], file) for file in answer["files"])
        return self.projects[name]

    async def wheel(self, url: str) -> Wheel:
        """A wheel, verified. A broken copy may lie in a cache, so it is asked for once more past that."""
        found = self.wheels.get(url)
        if found is not None:
            return found
        known = self.known.get(url, {})
        try:
            try:
                found = await self._attempt(url, known, False)
            except Failure as failure:
                if failure.cause not in ("hash", "truncated", "invalid", "html"):
                    raise
                found = await self._attempt(url, known, True)
        except Failure as failure:
            text = str(failure) if url in str(failure) else f"{url}: {failure}"
            raise Failure(failure.cause, text, **{"url": url, **failure.facts}) from failure
        self.wheels[url] = found
        return found

    async def _attempt(self, url: str, known: dict[str, Any], again: bool) -> Wheel:
        answer = await self._fetch(url, again)
        if "cause" in answer:
            raise _failure(answer)
        data: bytes = answer["bytes"]
        file = known.get("file") or answer["file"]
        expected = known.get("sha256")
        if expected and hash_of(data) != expected:
            size = known.get("size")
            if data[:256].lstrip().startswith(b"<"):
                Wheel(file, data)  # raises: a page came in its place
            if size and len(data) < size:
                raise Failure("truncated", f"it has {len(data)} bytes instead of {size}", size=len(data))
            raise Failure(
                "hash",
                f"its SHA-256 is {hash_of(data)} instead of {expected} ({len(data)} bytes)",
                size=len(data),
            )
        return Wheel(file, data, url)


def _failure(answer: dict[str, Any]) -> Failure:
    facts = {key: value for key, value in answer.items() if key not in ("cause", "message")}
    return Failure(answer["cause"], answer["message"], **facts)


async def wheels_for(requirement: str, others: Sequence[str], files: Files) -> list[Wheel]:
    """The wheels that a requirement (a name, or a wheel's URL) needs and that are not installed.

    `others`: the requirements that are installed with it, which bound the versions of what it needs.
    """
    from micropip.package_manager import default_environment  # type: ignore[import-not-found]
    from micropip.transaction import InvalidRequirement  # type: ignore[import-not-found]

    layer = _layer(files)
    transaction = _transaction_type()(
        _compat_layer=layer,
        ctx=default_environment(),
        ctx_extras=[],
        keep_going=False,
        deps=True,
        pre=False,
        fetch_kwargs={},
        index_urls=["isopy:index"],
        constraints=list(others),
    )
    transaction.files = files
    try:
        await transaction.gather_requirements([requirement])
    except InvalidRequirement as error:
        raise Failure("invalid", f"it cannot be read: {str(error).partition(chr(10))[0]}") from error
    chosen = {wheel.url: files.wheels[wheel.url] for wheel in transaction.wheels}
    return list(chosen.values())


def _layer(files: Files) -> Any:
    """micropip's `CompatibilityLayer`, as far as a transaction uses it."""

    class Layer:
        lockfile_packages: dict[str, Any] = {}  # noqa: RUF012 - micropip reads it from the class

        @staticmethod
        async def fetch_string_and_headers(url: str, _kwargs: Any) -> tuple[str, dict[str, str]]:
            name = url.rstrip("/").rpartition("/")[2]
            found = await files.project(name)
            # Without `core-metadata`: needs are read from wheels, which are verified.
            page = {
                "name": name,
                "files": [
                    {
                        "filename": file["file"],
                        "url": file["url"],
                        "hashes": {"sha256": file["sha256"]} if file["sha256"] else {},
                        "size": file["size"],
                        "yanked": file["yanked"],
                    }
                    for file in found
                    if _fits_python(file["python"])
                ],
            }
            return json.dumps(page), {"content-type": "application/vnd.pypi.simple.v1+json"}

        @staticmethod
        async def fetch_bytes(url: str, _kwargs: Any) -> bytes:
            from io import BytesIO

            fp = (await files.wheel(url)).archive.fp
            assert isinstance(fp, BytesIO)
            return fp.getvalue()

    return Layer


def _fits_python(needed: str | None) -> bool:
    """Whether a file's `Requires-Python` allows this one; micropip does not ask."""
    from micropip.transaction import InvalidRequirement, Requirement

    if not needed:
        return True
    try:
        return bool(
            Requirement(f"python{needed}").specifier.contains(platform.python_version(), prereleases=True)
        )
    except InvalidRequirement:
        return True


def _transaction_type() -> Any:
    from micropip.transaction import Transaction  # type: ignore[import-not-found]

    class Resolution(Transaction):  # type: ignore[misc]
        """A transaction whose failures say which one they are."""

        files: Files

        def check_version_satisfied(self, req: Any, *, allow_reinstall: bool = False) -> tuple[bool, str]:
            try:
                return super().check_version_satisfied(req, allow_reinstall=allow_reinstall)  # type: ignore[no-any-return]
            except ValueError as error:
                have = self.locked[req.name].version if req.name in self.locked else _installed(req.name)
                raise Failure(
                    "conflict",
                    f"{req} is needed, and {req.name} {have} is there",
                    name=req.name,
                    version=have,
                ) from error

        async def _add_requirement_from_package_index(self, req: Any) -> None:
            try:
                await super()._add_requirement_from_package_index(req)
            except ValueError as error:
                raise self._explained(req, error) from error

        def _explained(self, req: Any, error: ValueError) -> Failure:
            name = canonical(req.name)
            if name in self.files.failures:
                failure = self.files.failures[name]
                return Failure(failure.cause, str(failure), **{"name": name, **failure.facts})
            found = self.files.projects.get(name)
            if found is None:
                return Failure("failed", str(error), name=name)
            if not found:
                return Failure(
                    "no-wheel", f"{name} has no wheel for {platform_tag()}, and no pure one", name=name
                )
            if all(refusal(file["file"]) for file in found):
                last = refusal(found[-1]["file"])
                return Failure(
                    "no-wheel", f"{name} has no wheel for this Python; the last one: {last}", name=name
                )
            usable = [file["file"].split("-")[1] for file in found if not refusal(file["file"])]
            versions = ", ".join(list(dict.fromkeys(usable))[-8:])
            return Failure(
                "no-wheel",
                f"no version of {name} fits {req.specifier}; for this Python there are {versions}",
                name=name,
            )

    return Resolution


def _installed(name: str) -> str:
    return importlib.metadata.version(name)
