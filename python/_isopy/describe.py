"""An exception as the `error` dict of PROTOCOL.md, whatever its class does.

Every question to user code (`str`, `args`, `__notes__`) may raise or recurse, so each one has a
fallback; nothing here raises. Frames of isopy itself are left out. Describing a raised exception
clears the local variables of its finished frames: what is remembered must not keep data alive.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, Callable, NamedTuple, Optional

from .errors import ERRORS, EngineError, JsException
from .marker import Extension
from .traits import is_static, type_name

_HOME = os.path.dirname(os.path.abspath(__file__)) if "__file__" in globals() else "\0"
_SUSPENDABLE = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator
_MAX_CHAIN = 64
_MAX_FRAMES = 200
_MAX_ERRORS = 100_000

# A class may hide these behind properties that raise; the slots themselves answer always.
_args_of: Any = BaseException.__dict__["args"].__get__
_cause_of: Any = BaseException.__dict__["__cause__"].__get__
_context_of: Any = BaseException.__dict__["__context__"].__get__
_suppress_of: Any = BaseException.__dict__["__suppress_context__"].__get__
_traceback_of: Any = BaseException.__dict__["__traceback__"].__get__


class _Kind(NamedTuple):
    """What the class of an exception says."""

    name: str
    mro: list[str]
    group: bool
    fields: tuple[str, ...]  # of `extra`


class _Trying(threading.local):
    """Whether an error's `args` are being tried: errors in them are described again when they are sent."""

    args = False


_trying = _Trying()

Portable = Callable[[object], object]


def describe(
    error: BaseException, portable: Portable, cancelled: bool = False, raised: bool = True
) -> Extension:
    """`error` (or `engine_error`) as an extension value."""
    try:
        found = _describe(error, portable, set(), cancelled)
    except BaseException:  # whatever the class of the exception raises
        found = bare(error)
    if raised:
        _forget_locals(error)
    return found


def bare(error: BaseException) -> Extension:
    """What can be said without asking the exception anything."""
    names = _mro(type(error))
    return Extension("error", {
        "id": ERRORS.remember(error), "name": names[0].rpartition(".")[2], "type": names[0], "mro": names,
        "message": "", "args": None, "frames": [], "traceback": "", "notes": [], "cause": None, "context": None,
        "suppress": False, "errors": None, "extra": {},
    })  # fmt: skip


def _describe(
    error: BaseException, portable: Portable, seen: set[int], cancelled: bool = False, chain: int = 0
) -> Extension:
    seen.add(id(error))
    if type(error) is EngineError:
        return Extension(
            "engine_error",
            error.code,
            error.message,
            error.hint,
            _linked(error.__cause__, portable, seen, chain),
        )
    tp = type(error)
    kind = _kind(tp)
    message = _message(error)
    members, cut = _members(error, portable, seen, chain) if kind.group else (None, 0)
    notes = _notes(error)
    if cut:
        notes.append(
            f"({cut} exceptions of this group are left out: too many, or nested deeper than {_MAX_CHAIN})"
        )
    frames = _frames(_traceback_of(error))
    described: dict[str, Any] = {
        "id": ERRORS.remember(error),
        "name": kind.name,
        "type": kind.mro[0],
        "mro": kind.mro,
        "message": message,
        "args": None,
        "frames": frames,
        "traceback": "",
        "notes": notes,
        "cause": _linked(_cause_of(error), portable, seen, chain),
        "context": _linked(_context_of(error), portable, seen, chain),
        "suppress": bool(_suppress_of(error)),
        "errors": members,
        "extra": _extra(error, kind, portable),
    }
    described["args"] = _args(error, portable, members)
    described["traceback"] = _text(described)
    if issubclass(tp, JsException):
        described["js"] = portable_js(error.js, portable)
    if cancelled:
        described["cancelled"] = True
    return Extension("error", described)


def portable_js(value: object, portable: Portable) -> object:
    lent = getattr(type(value), "__isopy_lent__", None)
    return value if lent is not None else portable(value)


def _linked(
    error: Optional[BaseException], portable: Portable, seen: set[int], chain: int
) -> Optional[Extension]:
    if error is None or id(error) in seen or chain >= _MAX_CHAIN or len(seen) >= _MAX_ERRORS:
        return None
    return _describe(error, portable, seen, chain=chain + 1)


_kinds: dict[type, _Kind] = {}  # of built-in classes, which never change


def _mro(tp: type) -> list[str]:
    return [type_name(base) for base in type.__dict__["__mro__"].__get__(tp)]


def _kind(tp: type) -> _Kind:
    known = _kinds.get(tp)
    if known is None:
        bases = type.__dict__["__mro__"].__get__(tp)
        known = _Kind(
            type.__dict__["__name__"].__get__(tp),
            _mro(tp),
            any(base.__name__ == "BaseExceptionGroup" for base in bases),  # also that of the back-port
            tuple(name for base, names in _FIELDS if issubclass(tp, base) for name in names),
        )
        if is_static(tp):
            _kinds[tp] = known
    return known


def _members(
    error: BaseException, portable: Portable, seen: set[int], chain: int
) -> tuple[Optional[list[Extension]], int]:
    """The members of a group, and how many had to be left out."""
    try:
        members = [member for member in error.exceptions if isinstance(member, BaseException)]  # type: ignore[attr-defined]
    except Exception:
        return [], 0
    described: list[Extension] = []
    cut = 0
    for member in members:
        found = _linked(member, portable, seen, chain)
        if found is not None:
            described.append(found)
        elif id(member) not in seen:  # a member that was met before is described where it was met
            cut += 1
    return described, cut


def _message(error: BaseException) -> str:
    try:
        if (
            issubclass(type(error), KeyError)
            and type(error).__str__ is KeyError.__str__
            and len(_args_of(error)) == 1
        ):
            # KeyError shows the repr of its key; the message is the key's own text.
            text = str(_args_of(error)[0])
        elif issubclass(type(error), JsException):
            text = error.message  # type: ignore[attr-defined]
        else:
            text = str(error)
    except BaseException as failure:
        return f"<{type(failure).__name__} while the message was made>"
    return _exact(text)


def _exact(text: str) -> str:
    return text if type(text) is str else str.__str__(text)


def _args(
    error: BaseException, portable: Portable, members: Optional[list[Extension]]
) -> Optional[list[object]]:
    if _trying.args:
        return None
    args = _args_of(error)
    if members is not None and len(args) == 2 and isinstance(args[1], (list, tuple)):
        # A group's members are its second argument: described once, or the work doubles with every level.
        return [portable(args[0]), members]
    _trying.args = True
    try:
        return [portable(arg) for arg in args]
    except Exception:
        return None
    finally:
        _trying.args = False


def _notes(error: BaseException) -> list[str]:
    try:
        notes = getattr(error, "__notes__", None) or ()
        return [_exact(note) for note in notes if isinstance(note, str)]
    except BaseException:
        return []


_FIELDS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (SyntaxError, ("filename", "lineno", "offset", "text", "end_lineno", "end_offset", "msg")),
    (OSError, ("errno", "strerror", "filename", "filename2")),
    (SystemExit, ("code",)),
    (StopIteration, ("value",)),
    (UnicodeError, ("encoding", "start", "end", "reason")),
    (ImportError, ("name", "path", "msg")),
    (NameError, ("name",)),
    (AttributeError, ("name",)),
)


def _extra(error: BaseException, kind: _Kind, portable: Portable) -> dict[str, object]:
    extra: dict[str, object] = {}
    for name in kind.fields:
        try:
            extra[name] = portable(getattr(error, name, None))
        except BaseException:
            extra[name] = None
    args = _args_of(error)
    if issubclass(type(error), KeyError) and len(args) == 1:
        extra["key"] = portable(args[0])
    if issubclass(type(error), EngineError):
        extra["code"] = error.code  # type: ignore[attr-defined]
    return extra


def ours(filename: str) -> bool:
    """Whether a frame belongs to isopy and not to the user."""
    return filename.startswith(_HOME)


def _frames(tb: Optional[TracebackType]) -> list[list[object]]:
    found: list[list[object]] = []
    skipped = 0
    while tb is not None:
        code = tb.tb_frame.f_code
        if not ours(code.co_filename):
            if len(found) >= _MAX_FRAMES:
                # A recursion: the outermost half and the innermost half say everything.
                del found[_MAX_FRAMES // 2]
                skipped += 1
            found.append(_frame(code, tb))
        tb = tb.tb_next
    if skipped:
        found.insert(_MAX_FRAMES // 2, [f"… {skipped} frames left out …", None, None, None, "…", None])
    return found


def _frame(code: Any, tb: TracebackType) -> list[object]:
    line, end, column = tb.tb_lineno, tb.tb_lineno, None
    positions = getattr(code, "co_positions", None)
    if positions is not None and tb.tb_lasti >= 0:
        index = tb.tb_lasti // 2
        for start, stop, begin, _ in islice(positions(), index, index + 1):
            line = start if start is not None else line
            end = stop if stop is not None else line
            column = begin
    name = getattr(code, "co_qualname", code.co_name)
    try:
        import linecache  # with tokenize and re: not before something is raised

        source = linecache.getline(code.co_filename, line, tb.tb_frame.f_globals).strip() or None
    except Exception:
        source = None
    if name.startswith("__isopy_"):
        name = "<module>"
    return [code.co_filename, line, end, column, name, source]


def _text(described: dict[str, Any]) -> str:
    lines = ["Traceback (most recent call last):"] if described["frames"] else []
    for file, line, _end, _column, name, source in described["frames"]:
        lines.append(f'  File "{file}", line {line}, in {name}' if line is not None else f"  {file}")
        if source:
            lines.append(f"    {source}")
    builtin = described["type"]
    message = described["message"]
    lines.append(f"{builtin}: {message}" if message else builtin)
    lines.extend(described["notes"])
    return "\n".join(lines) + "\n"


def _forget_locals(error: BaseException) -> None:
    """Empties the finished frames of a raised exception and of what it came from."""
    seen: set[int] = set()
    todo: list[Optional[BaseException]] = [error]
    while todo and len(seen) < _MAX_CHAIN:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        todo += (_cause_of(current), _context_of(current))
        tb = _traceback_of(current)
        while tb is not None:
            _clear(tb.tb_frame)
            tb = tb.tb_next


def _clear(frame: FrameType) -> None:
    if frame.f_code.co_flags & _SUSPENDABLE:
        return  # clearing a suspended generator would close it
    with suppress(RuntimeError):  # still running: it is not finished, so it is not ours to clear
        frame.clear()


__all__ = ["describe", "bare", "ours"]
