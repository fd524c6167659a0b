"""Runs something when a module is there: now, or right after its first import."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Optional

Then = Callable[[ModuleType], None]


class _Awaited:
    """A finder that finds nothing itself; it only follows the modules that are waited for."""

    def __init__(self) -> None:
        self.wanted: dict[str, list[Then]] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        if name not in self.wanted:
            return None
        then = self.wanted.pop(name)  # so the search below does not come back here
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is None or spec.loader is None:
            self.wanted[name] = then
            return None
        spec.loader = _Following(spec.loader, then)  # type: ignore[assignment]
        return spec


class _Following:
    """A loader that does one thing more once the module has run."""

    def __init__(self, loader: Any, then: list[Then]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self._loader  # it leaves no trace
        self._loader.exec_module(module)
        for then in self._then:
            then(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


_awaited = _Awaited()


def when_imported(name: str, then: Then) -> None:
    """Calls `then(module)` once."""
    module = sys.modules.get(name)
    if module is not None:
        then(module)
        return
    _awaited.wanted.setdefault(name, []).append(then)
    if _awaited not in sys.meta_path:
        sys.meta_path.insert(0, _awaited)  # type: ignore[arg-type]
