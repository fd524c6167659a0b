"""An interpreter beside the main one: which extension modules it refuses, and how its threads end.

With a GIL of its own CPython itself refuses every extension module that does not declare support.
With the shared GIL it refuses none, although a module that keeps state per process then breaks in
whichever interpreter comes second, the main one included. So there everything outside the standard
library is refused, and NumPy, whose initialisation alone does harm, is refused by name everywhere.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from typing import TYPE_CHECKING, Any, Callable, Optional

from .errors import EngineError
from .lanes import lanes

if TYPE_CHECKING:
    from types import ModuleType

    from .engine import Engine

#: Refused before anything of them is loaded: state per process, or a terminal or display per process.
UNSAFE = frozenset({"numpy", "readline", "curses", "_curses", "_curses_panel", "tkinter", "_tkinter"})

#: Of the standard library of 3.12: CPython runs their initialisation before it refuses them. With a GIL of its own
#: (and an allocator of its own) that frees what another interpreter allocated, and the process aborts.
#: `_zoneinfo` needs the C half of datetime. All but ctypes have a half in Python that takes over.
SINGLE_PHASE = frozenset({"_ctypes", "_datetime", "_decimal", "_zoneinfo", "ossaudiodev"})

#: Before 3.12 the C half of asyncio keeps the running loop and the tasks in static variables, by an id of the thread
#: state that is unique in its interpreter only: loops of two interpreters are mixed up. asyncio has a half in Python.
#: (native/bootstrap.h keeps it out before this module is there.)
STATIC_STATE = frozenset({"_asyncio"})

_HINT = "Import it in the engine's own interpreter: py.context({ isolation: \"namespace\" }) shares that one's modules."
_FAREWELL = 2.0  # seconds that threads get to end
_STEP = 0.005
_PATIENCE = 10  # steps between two interrupts of the same thread


class ModuleRefused(EngineError, ImportError):
    """A module cannot be loaded in this interpreter; an ImportError, so that fallbacks in Python are found."""

    def __init__(self, module: str, why: str) -> None:
        super().__init__("ERR_UNSUPPORTED", f"The module {module!r} {why}.", _HINT)
        self.name = module


class _Refusing(Loader):
    """Stands for the loader of a module that is refused: to look for it is no error, to load it is."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        raise ModuleRefused(
            spec.name, "keeps its state once per process and does not work in an isolated interpreter"
        )

    def exec_module(self, module: ModuleType) -> None:
        raise AssertionError("a refused module was made")


class _Doorkeeper(MetaPathFinder):
    """The first finder: refuses by name."""

    def __init__(self, refused: frozenset[str]) -> None:
        self._refused = refused

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        return ModuleSpec(name, _Refusing()) if name in self._refused else None


def guard(own_gil: bool) -> None:
    """Refuses extension modules that would do harm here. Once per interpreter, on its control thread."""
    _be_main_thread()
    aborts = own_gil and sys.version_info < (3, 13)
    refused = UNSAFE | SINGLE_PHASE if aborts else UNSAFE
    if sys.version_info < (3, 12):
        refused |= STATIC_STATE
    sys.meta_path.insert(0, _Doorkeeper(refused))
    for name in ("fork", "forkpty"):
        if hasattr(os, name):
            setattr(os, name, partial(_no_fork, name))
    create = ExtensionFileLoader.create_module
    execute = ExtensionFileLoader.exec_module
    standard = _standard_directories()
    foreign = aborts or not own_gil  # an extension module from elsewhere may do anything

    def create_module(self: Any, spec: ModuleSpec) -> Any:
        if foreign and os.path.dirname(os.path.realpath(spec.origin or "")) not in standard:
            raise ModuleRefused(
                spec.name,
                "is an extension module, and this Python cannot tell whether it works in two interpreters",
            )
        return _explained(spec.name, create, self, spec)

    def exec_module(self: Any, module: Any) -> None:
        _explained(module.__name__, execute, self, module)

    ExtensionFileLoader.create_module = create_module  # type: ignore[method-assign]
    ExtensionFileLoader.exec_module = exec_module  # type: ignore[method-assign]


def _no_fork(name: str) -> int:
    """CPython's own check is missing before 3.12, and the child dies."""
    raise EngineError(
        "ERR_UNSUPPORTED",
        f"os.{name}() does not work in an isolated interpreter: the child would have no interpreter to run in.",
        "Start a program with `subprocess`.",
    )


def _be_main_thread() -> None:
    """Makes the calling thread the main thread of this interpreter, as `threading` sees it.

    `threading` may have been imported (by `site`) with a thread state that is gone, and its lock with it; and
    3.13 takes the main thread of the process for that of every interpreter.
    """
    main: Any = threading.main_thread()
    lock = getattr(main, "_tstate_lock", None)
    if lock is not None and not lock.locked():
        main._set_tstate_lock()
    me = threading.get_ident()
    if main.ident != me:
        threading._active.pop(main.ident, None)  # type: ignore[attr-defined]
        main._ident = me
        threading._active[me] = main  # type: ignore[attr-defined]


def _standard_directories() -> frozenset[str]:
    library = os.path.dirname(os.__file__)  # sysconfig names that of a virtual environment, which has none
    found = [library, os.path.join(library, "lib-dynload"), os.path.join(sys.base_exec_prefix, "DLLs")]
    return frozenset(os.path.realpath(directory) for directory in found)


def _explained(name: str, step: Any, *args: Any) -> Any:
    """Runs a step of an import; a refusal of CPython's or of the module's own is a ModuleRefused."""
    try:
        return step(*args)
    except ModuleRefused:
        raise
    except ImportError as error:
        text = str(error)
        if "subinterpreter" in text or "one interpreter" in text or "more than once per process" in text:
            raise ModuleRefused(name, "does not support isolated interpreters") from error
        raise


def farewell(engine: Engine) -> None:
    """Asks every thread of this interpreter to end and waits for them, within a bound.

    Programs and threads of the user's get KeyboardInterrupt, again and again; executors that nobody shut
    down end as they do at the exit of Python.
    """
    deadline = time.monotonic() + _FAREWELL
    outer = threading.excepthook
    threading.excepthook = partial(_quiet, outer)
    # They join their threads, perhaps for ever: not on this one.
    leaving = threading.Thread(target=_leave_executors, name="isopy-farewell", daemon=True)
    leaving.start()
    me = threading.get_ident()
    step = 0
    while time.monotonic() < deadline:
        busy = {own.ident for own in lanes() if own.depth} - {me}
        others = {
            thread.ident
            for thread in threading.enumerate()
            if thread is not leaving
            and not isinstance(thread, threading._DummyThread)  # ours, or of an extension
        }
        waiting = (busy | others) - {me, None}
        if not waiting and not leaving.is_alive():
            break
        if step % _PATIENCE == 0:  # not so often that a thread only ever handles the last one
            for ident in waiting:
                engine.host.interrupt_thread(ident, True)
        step += 1
        time.sleep(_STEP)
    threading.excepthook = outer


def _leave_executors() -> None:
    for function in reversed(getattr(threading, "_threading_atexits", [])):
        function()


def _quiet(report: Callable[[Any], object], details: Any) -> None:
    """What we raised in a thread is no news."""
    if not issubclass(details.exc_type, KeyboardInterrupt):
        report(details)
