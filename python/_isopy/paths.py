"""Where in a value something is, in the words of the code that made it: value['users'][3].

Only errors ask, so this may be slow; it is iterative because values may be deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .values import CONTAINERS


def path_of(value: Any, culprit: object, root: str = "value") -> str:
    """The path of the first place where `culprit` is; the root when it is not found."""
    stack: list[tuple[Any, str]] = [(value, root)]
    seen: set[int] = set()
    while stack:
        item, path = stack.pop()
        if item is culprit:
            return path
        if type(item) not in CONTAINERS or id(item) in seen:
            continue
        seen.add(id(item))
        stack.extend(reversed(list(_children(item, path))))
    return root


def _children(item: Any, path: str) -> Iterator[tuple[Any, str]]:
    if type(item) is dict:
        for key, child in item.items():
            yield key, f"{path} key {_label(key)}"
            yield child, f"{path}[{_label(key)}]"
    elif type(item) in (list, tuple):
        for index, child in enumerate(item):
            yield child, f"{path}[{index}]"
    else:
        for child in item:
            yield child, f"{path} member"


def _label(key: Any) -> str:
    return repr(key) if type(key) in (str, int, float, bool, bytes, type(None)) else f"<{type(key).__name__}>"
