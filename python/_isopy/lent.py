"""The bases of proxies: the host's own where it can call JavaScript without a frame, else these.

A host that has them (the native addon) makes the module `_isopy_native` before this package is
loaded. Its `LentFunction` calls a function with scalars at once when Python runs on the thread of
JavaScript, and leaves every other call to `_isopy_call`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class Lent:
        __slots__ = ()

    class LentFunction(Lent):
        __slots__ = ()

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

else:
    try:
        from _isopy_native import Lent, LentFunction
    except ImportError:

        class Lent:
            __slots__ = ()

        class LentFunction(Lent):
            __slots__ = ()

            def __call__(self, *args, **kwargs):
                return self._isopy_call(*args, **kwargs)
