"""Child processes get this process's variables, as `os.environ` has them.

Inside a host, libpython's C variable `environ` may be a copy from the start (native/python_api.cc). `os.posix_spawn`
with no environment, which `subprocess` uses from 3.13 on, would give that copy to the child.
"""

from __future__ import annotations

import os
from functools import wraps
from typing import Any


def install() -> None:
    """Once per interpreter; a second time changes nothing."""
    for name in ("posix_spawn", "posix_spawnp"):
        original = getattr(os, name, None)
        if original is not None and not hasattr(original, "__wrapped__"):
            setattr(os, name, _with_environment(original))


def _with_environment(original: Any) -> Any:
    @wraps(original)
    def spawn(path: Any, argv: Any, env: Any = None, **options: Any) -> int:
        return original(path, argv, os.environ if env is None else env, **options)  # type: ignore[no-any-return]

    return spawn
