"""Modules whose names are the members of an object that JavaScript lent.

``py.registerModule("host", object)`` calls :func:`register`; then ``import host`` and
``from host import name`` work anywhere in the interpreter, before and after the modules that use it
were imported.

Invariant: a name is looked up in JavaScript each time, so that Python sees what is there now.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["JsModule", "register"]


class JsModule(ModuleType):
    """A module that asks a JavaScript object for its names."""

    def __init__(self, name: str, target: Any) -> None:
        super().__init__(name, "Registered from JavaScript.")
        self.__dict__["__target__"] = target

    def __getattr__(self, name: str) -> Any:
        # The import system asks for names like __path__ that no host object has.
        if not (name.startswith("__") and name.endswith("__")):
            try:
                return getattr(self.__dict__["__target__"], name)
            except AttributeError:
                pass  # said again below, in the words of a module
        raise AttributeError(f"module {self.__name__!r} (from JavaScript) has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.__dict__["__target__"])})


def register(name: str, target: Any) -> None:
    """Makes ``target`` importable as ``name``; a later one of the same name replaces it.

    Raises ValueError when the name is no module name or belongs to a module of Python's own.
    """
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise ValueError(f"{name!r} is no module name")
    if _is_python(name, parts[0]):
        raise ValueError(f"there is a Python module {name!r} already")
    module = JsModule(name, target)
    parent, _, leaf = name.rpartition(".")
    if parent:
        if parent not in sys.modules:
            package = ModuleType(parent, "Holds modules registered from JavaScript.")
            package.__path__ = []
            _adopt(package)
        setattr(sys.modules[parent], leaf, module)
    sys.modules[name] = module


def _is_python(name: str, top: str) -> bool:
    """Whether importing ``name`` would give a module that is not from JavaScript."""
    if name in sys.modules:
        return not isinstance(sys.modules[name], JsModule)
    return top not in sys.modules and find_spec(top) is not None


def _adopt(package: ModuleType) -> None:
    """Puts an empty package where its children can be imported from, its own parents first."""
    parent, _, leaf = package.__name__.rpartition(".")
    if parent:
        if parent not in sys.modules:
            above = ModuleType(parent, package.__doc__)
            above.__path__ = []
            _adopt(above)
        setattr(sys.modules[parent], leaf, package)
    sys.modules[package.__name__] = package
