"""Wheels for Pyodide, fetched ahead of time by the host's pip: `vendor()` of `isopy/packages`.

Run as `python -m _isopy.vendoring`, with its order as JSON on stdin; prints the lock as JSON. pip
judges conditions such as `sys_platform == "emscripten"` by the machine that it runs on, so what a
wheel needs only inside Pyodide is looked for here, until nothing new is needed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

from .wheels import Failure, Wheel, canonical

__all__ = ["vendor"]


def vendor(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Downloads `requirements` into `folder`; the entries of the lock."""
    folder: str = order["folder"]
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".isopy-", dir=folder) as fresh:
        needs: list[str] = list(order["requirements"])
        asked: set[str] = set()
        while new := [need for need in needs if need not in asked]:
            asked.update(new)
            _download([*order["requirements"], *sorted(asked - set(order["requirements"]))], fresh, order)
            needs = _needs_of(_wheels(fresh), order["environment"])
        wheels = _wheels(fresh)
        for wheel in wheels:
            os.replace(os.path.join(fresh, wheel.file), os.path.join(folder, wheel.file))
    return [wheel.described() for wheel in wheels]


def _download(requirements: list[str], folder: str, order: dict[str, Any]) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]
    command += ["--dest", folder, "--only-binary=:all:", *order["target"]]
    if order.get("index"):
        command += ["--index-url", order["index"]]
    process = subprocess.Popen(
        [*command, "--", *requirements], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            print(line, end="", file=sys.stderr, flush=True)
        code = process.wait()
    finally:
        process.kill()
    if code != 0:
        raise SystemExit("".join(line for line in said if line.startswith("ERROR")) or "".join(said[-10:]))


def _wheels(folder: str) -> list[Wheel]:
    wheels = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".whl"):
            with open(os.path.join(folder, name), "rb") as file:
                try:
                    wheels.append(Wheel(name, file.read()))
                except Failure as failure:
                    raise SystemExit(f"ERROR: {name}: {failure}") from failure
    return wheels


def _needs_of(wheels: list[Wheel], environment: dict[str, str]) -> list[str]:
    """What the wheels need inside Pyodide and is not among them; extras were pip's affair."""
    from pip._vendor.packaging.requirements import Requirement  # type: ignore[import-untyped]

    there = {canonical(wheel.name) for wheel in wheels}
    needs = []
    for wheel in wheels:
        for text in wheel.requires:
            need = Requirement(text)
            if need.marker is None or canonical(need.name) in there:
                continue
            if need.marker.evaluate({**environment, "extra": ""}):
                extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
                needs.append(f"{need.name}{extras}{need.specifier}")
    return needs


if __name__ == "__main__":
    # Whoever gives up ends this process; pip and what it has fetched go with it.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    json.dump(vendor(json.load(sys.stdin)), sys.stdout)
