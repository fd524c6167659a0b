"""The base of proxies, and the class of functions: the host's own where it can call JavaScript without
a frame, else these.

A host that has them (the native addon) makes the module `_isopy_native` before this package is
loaded. A function of its type is called with scalars at once when Python runs on the thread of
JavaScript; every other call is left to `_isopy_call`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class Lent:
        __slots__ = ()

    def function_type(base: type) -> type: ...

else:
    try:
        from _isopy_native import Lent, function_type
    except ImportError:

        class Lent:
            __slots__ = ()

        def function_type(base: type) -> type:
            """The class of JavaScript functions, below a class with `_isopy_call`."""

            def call(self: Any, *args: Any, **kwargs: Any) -> Any:
                return self._isopy_call(*args, **kwargs)

            return type(
                "JsFunction", (base,), {"__slots__": (), "__module__": base.__module__, "__call__": call}
            )
