"""`os.putenv` and `os.unsetenv` of a Python inside a host that reads the process's variables on threads of its own.

The C library's `setenv` moves the array that such a reader walks. `native/variables.cc` does not, and `os.environ`
calls what stands here. Where the host brings none, nothing is changed.
"""

from __future__ import annotations

import os
import sys
from functools import wraps
from typing import Any


def install() -> None:
    """Once per interpreter."""
    native: Any = sys.modules.get("_isopy_native")
    put, unset = getattr(native, "put_variable", None), getattr(native, "unset_variable", None)
    if put is None or unset is None:
        return
    put_original, unset_original = os.putenv, os.unsetenv

    @wraps(put_original)
    def putenv(name: Any, value: Any, /) -> None:
        key, text = os.fsencode(name), os.fsencode(value)
        if not _fits(key) or b"\0" in text:
            return put_original(name, value)  # it says what is wrong
        sys.audit("os.putenv", key, text)
        put(key, text)

    @wraps(unset_original)
    def unsetenv(name: Any, /) -> None:
        key = os.fsencode(name)
        if not _fits(key):
            return unset_original(name)
        sys.audit("os.unsetenv", key)
        unset(key)

    os.putenv, os.unsetenv = putenv, unsetenv


def _fits(key: bytes) -> bool:
    return key != b"" and b"=" not in key and b"\0" not in key
