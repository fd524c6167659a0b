"""Which imports of a piece of code would fail here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec

__all__ = ["missing"]


def missing(code: str) -> list[str]:
    """Top-level modules that the code imports and that are not there, in the order of the code.

    An import that the code itself is prepared to miss (inside a `try` that handles ImportError, or under
    `if TYPE_CHECKING`) is none of them. Raises SyntaxError for code that is none.
    """
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, "<code>", "exec", flags, dont_inherit=True)
    return list(dict.fromkeys(name for name in _imported(tree) if not _is_there(name)))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if node.level == 0 and node.module:
            yield node.module.partition(".")[0]
    else:
        spared = _spared(node)
        for child in ast.iter_child_nodes(node):
            if child not in spared:
                yield from _imported(child)


def _spared(node: ast.AST) -> list[ast.stmt]:
    if isinstance(node, ast.Try) and any(_handles_import_error(handler) for handler in node.handlers):
        return node.body
    if isinstance(node, ast.If):
        test = node.test
        name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
        if name == "TYPE_CHECKING":
            return node.body
    return []


def _handles_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        isinstance(each, ast.Name) and each.id in ("ImportError", "ModuleNotFoundError", "Exception")
        for each in types
    )


def _is_there(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        return find_spec(name) is not None
    except ValueError:  # a module without a spec, half made by somebody
        return True
