"""Waits that an interrupt can end, on threads that are not Python's main thread.

CPython raises KeyboardInterrupt in another thread only between two bytecodes, so a pool thread that
waits would wait on. While a thread runs a program, it waits in slices instead: for locks (and with
them conditions, events, semaphores, barriers, queues, futures and threads), for file descriptors
(`select`, `poll`, `epoll`: so `asyncio.run` too) and for child processes. `time.sleep` is woken at once
(`sleeping.py`). Every other thread goes straight to CPython's own function; types stay what they are.

A part that must not be divided (a condition that takes its lock back) is shielded: an interrupt
that comes meanwhile is raised where it is looked for, or when the shield is let down (`lanes.py`).

Installed once per interpreter. Opt-out: option `waits: False`.
"""

from __future__ import annotations

import _thread
import gc
import sys
import threading
from _thread import get_ident
from functools import wraps
from time import monotonic
from typing import TYPE_CHECKING, Any, Callable, Optional

from . import sleeping
from .arriving import when_imported
from .lanes import Lane, find

if TYPE_CHECKING:
    from types import ModuleType

    from .host import Host

SLICE = 0.05  # seconds


def at_work() -> Optional[Lane]:
    """This thread's lane while it runs a program, or a synchronous call, that may be interrupted here."""
    own = find(get_ident())
    if own is None or not (own.program or own.javascript) or (own.shield and not own.waiting):
        return None
    return own


# ---- locks: called by native/locks.cc --------------------------------------------------------


def begin() -> bool:
    """A lock is taken: whether this thread waits for it in slices."""
    own = at_work()
    if own is None or own.event is not None:
        return False
    if not own.shield:
        assert own.engine is not None
        own.engine.flush()  # what is done must not wait for this
    return True


def look() -> None:
    """Between two slices: an interrupt strikes here."""
    own = find(get_ident())
    if own is not None and own.struck:
        own.strike()


_Wait = Callable[..., Any]


def _replace_locks(host: Host) -> None:
    interruptible = getattr(host, "interruptible", None)
    if interruptible is None:
        return
    for kind in (_thread.LockType, _thread.RLock):
        for name in ("acquire", "acquire_lock", "__enter__"):
            before = kind.__dict__.get(name)
            made = (
                None
                if before is None or _shared(host, kind)
                else interruptible(kind, before, kind is _thread.RLock)
            )
            if made is not None:
                _put(host, kind, name, made)


_HEAP_TYPE = 1 << 9


def _shared(host: Host, kind: type) -> bool:
    """Whether the main interpreter has the same type: it changed it already, and our change would outlive us."""
    return bool(getattr(host, "isolated", False)) and not kind.__flags__ & _HEAP_TYPE


def _put(host: Host, kind: type, name: str, method: Any) -> None:
    """Replaces a method of a type that is written in C."""
    gc.get_referents(kind.__dict__)[0][name] = method
    host.type_modified(kind)  # type: ignore[attr-defined]


def _replace_method(host: Host, kind: Any, name: str, make: Callable[[_Wait], _Wait]) -> None:
    if hasattr(host, "type_modified") and name in kind.__dict__ and not _shared(host, kind):
        before = kind.__dict__[name]
        _put(host, kind, name, wraps(before)(make(before)))


# ---- conditions ------------------------------------------------------------------------------


def _condition(original: _Wait) -> _Wait:
    def wait(self: Any, timeout: Optional[float] = None) -> Any:
        own = at_work()
        if own is None:
            return original(self, timeout)
        own.shield += 1
        try:
            own.waiting = True
            return original(self, timeout)
        finally:
            own.waiting = False
            own.lower()

    return wait


def _taking_back(original: _Wait) -> _Wait:
    def _acquire_restore(self: Any, state: Any) -> Any:
        own = find(get_ident())
        if own is not None:
            own.waiting = False  # without its lock a condition is not whole
        return original(self, state)

    return _acquire_restore


# ---- in slices -------------------------------------------------------------------------------


def _sliced(
    wait: Callable[[Optional[float]], Any], timeout: Optional[float], nothing: Callable[[Any], bool]
) -> Any:
    """`wait(seconds)` until it gives something or `timeout` is over."""
    end = None if timeout is None else monotonic() + timeout
    while True:
        left = None if end is None else end - monotonic()
        if left is not None and left <= SLICE:
            return wait(max(left, 0.0))
        found = wait(SLICE)
        if not nothing(found):
            return found
        look()


def _plain(timeout: Any) -> bool:
    """Whether a timeout is one that is sliced; the original knows what to say about the others."""
    return timeout is None or type(timeout) in (int, float)


def _working(timeout: Any) -> bool:
    """Whether a wait with this timeout is to be sliced here and now."""
    if not (_plain(timeout) and (timeout is None or timeout > SLICE)):
        return False
    own = at_work()
    if own is None:
        return False
    assert own.engine is not None
    own.engine.flush()
    return True


def _epoll(original: _Wait) -> _Wait:
    def poll(self: Any, timeout: Any = None, maxevents: int = -1) -> Any:
        if timeout is not None and type(timeout) in (int, float) and timeout < 0:
            timeout = None
        if not _working(timeout):
            return original(self, timeout, maxevents)
        return _sliced(lambda left: original(self, left, maxevents), timeout, lambda found: not found)

    return poll


def _poll(original: _Wait) -> _Wait:
    def poll(self: Any, timeout: Any = None, /) -> Any:
        """`timeout` is in milliseconds here."""
        seconds = timeout / 1000 if type(timeout) in (int, float) and timeout >= 0 else timeout
        if type(seconds) in (int, float) and seconds < 0:
            seconds = None
        if not _working(seconds):
            return original(self, timeout)
        return _sliced(
            lambda left: original(self, -1 if left is None else left * 1000), seconds, lambda found: not found
        )

    return poll


def _select(original: _Wait) -> _Wait:
    def select(rlist: Any, wlist: Any, xlist: Any, timeout: Any = None, /) -> Any:
        iterable = all(hasattr(type(one), "__iter__") for one in (rlist, wlist, xlist))
        if not iterable or not _working(timeout):
            return original(rlist, wlist, xlist, timeout)
        lists = list(rlist), list(wlist), list(xlist)  # an iterator gives its items once
        return _sliced(lambda left: original(*lists, left), timeout, lambda found: not any(found))

    return select


def _simple_queue(original: _Wait) -> _Wait:
    def get(self: Any, block: Any = True, timeout: Any = None) -> Any:
        if not block or not self.empty() or not _working(timeout):
            return original(self, block, timeout)
        empty = sys.modules["_queue"].Empty

        def wait(left: Optional[float]) -> Any:
            try:
                return (original(self, True, left),)
            except empty:
                return None

        found = _sliced(wait, timeout, lambda found: found is None)
        if found is None:
            raise empty
        return found[0]

    return get


def _joining(original: _Wait) -> _Wait:
    def join(self: Any, timeout: Any = None, /) -> Any:
        if timeout is not None and type(timeout) in (int, float) and timeout < 0:
            timeout = None
        if self.is_done() or not _working(timeout):
            return original(self, timeout)
        _sliced(lambda left: original(self, left), timeout, lambda _: not self.is_done())
        return None

    return join


# ---- child processes -------------------------------------------------------------------------


def _child(original: _Wait) -> _Wait:
    def _wait(self: Any, timeout: Optional[float]) -> Any:
        """Popen's. Without a timeout it blocks in `waitpid`; with one it polls and sleeps, which can be interrupted."""
        if timeout is None and self.returncode is None and at_work() is not None:
            _exited(self.pid)
        return original(self, timeout)

    return _wait


def _exited(pid: int) -> None:
    """Waits until a child has ended, without taking its status."""
    import os
    import select

    try:
        handle = os.pidfd_open(pid)  # type: ignore[attr-defined,unused-ignore]
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # not Linux, or an old one
        _exited_polling(pid)
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()
    finally:
        os.close(handle)


def _exited_polling(pid: int) -> None:
    import os
    import time

    pause = 0.0005
    while True:
        try:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return
        except ChildProcessError:
            return
        time.sleep(pause)
        pause = min(pause * 2, SLICE)


def _impatient(original: _Wait) -> _Wait:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        """After Ctrl-C Popen gives the child, which it takes to have seen it too, a quarter of a second. Ours has not."""
        if at_work() is not None:
            self._sigint_wait_secs = 0
        return original(self, *args, **kwargs)

    return method


# ---- installing ------------------------------------------------------------------------------


def _in_select(host: Host, module: ModuleType) -> None:
    original = module.select  # type: ignore[attr-defined]
    module.select = wraps(original)(_select(original))  # type: ignore[attr-defined]
    if hasattr(module, "epoll"):
        _replace_method(host, module.epoll, "poll", _epoll)
    if hasattr(module, "poll"):
        _replace_method(host, type(module.poll()), "poll", _poll)


def _in_selectors(module: ModuleType) -> None:
    selector = module.SelectSelector  # type: ignore[attr-defined]
    if sys.platform != "win32":  # there it is a method of its own, which calls `select.select`
        selector._select = staticmethod(sys.modules["select"].select)  # type: ignore[attr-defined]


def _in_subprocess(module: ModuleType) -> None:
    popen = module.Popen  # type: ignore[attr-defined]
    for name, make in (("_wait", _child), ("wait", _impatient), ("communicate", _impatient)):
        original = popen.__dict__[name]
        setattr(popen, name, wraps(original)(make(original)))


_installed = False


def install(host: Host) -> None:
    """Replaces what waits, once per interpreter; in modules that are not loaded yet, when they are."""
    global _installed
    if _installed:
        return
    _installed = True
    sleeping.install()
    _replace_locks(host)
    condition = threading.Condition
    condition.wait = wraps(condition.wait)(_condition(condition.wait))  # type: ignore[method-assign]
    taking = condition._acquire_restore  # type: ignore[attr-defined]
    condition._acquire_restore = wraps(taking)(_taking_back(taking))  # type: ignore[attr-defined]
    handle = getattr(_thread, "_ThreadHandle", None)  # from 3.13
    if handle is not None:
        _replace_method(host, handle, "join", _joining)
    when_imported("select", lambda module: _in_select(host, module))
    when_imported("selectors", _in_selectors)
    when_imported("subprocess", _in_subprocess)
    when_imported("_queue", lambda module: _replace_method(host, module.SimpleQueue, "get", _simple_queue))
