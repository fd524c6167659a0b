"""The Python half of the conformance vectors: evaluates, compares exactly, builds odd buffers.

Loaded into an engine as the module ``isopy_probe``. ``differs`` is stricter than ``==``: types must be
the same, -0.0 is not 0.0, nan is nan, order counts in dicts, and shared or circular structure is followed.
"""

from __future__ import annotations

import ctypes
import datetime
import struct
import sys
import types
from typing import Any

_given: dict[str, Any] = {}
# Classes of a vector say they are of this module; dataclasses look it up.
sys.modules["vector"] = types.ModuleType("vector")


def namespace(setup: str, values: dict[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "vector", "view": view, "buffer_cases": buffer_cases}
    names.update(values)
    exec(compile(setup, "<vector>", "exec"), names)
    return names


def evaluate(setup: str, source: str, values: dict[str, Any]) -> Any:
    return eval(compile(source, "<vector>", "eval"), namespace(setup, values))


def give(setup: str, source: str, values: dict[str, Any]) -> Any:
    """Evaluates and remembers, for ``returned``."""
    _given["value"] = evaluate(setup, source, values)
    return _given["value"]


def returned(value: Any) -> str:
    """How what came back differs from what was given; empty when it does not."""
    given = [_given.pop("value")]
    try:
        return differs(value, given[0])
    finally:
        unravel(given)


def arrived(setup: str, source: str, values: dict[str, Any], x: Any) -> str:
    """How ``x`` differs from the value of the expression."""
    expected = [evaluate(setup, source, values)]
    try:
        return differs(x, expected[0])
    finally:
        unravel(expected)


def holds(setup: str, condition: str, values: dict[str, Any], x: Any) -> str:
    """Empty when the condition over ``x`` is True, else a description of ``x``."""
    names = namespace(setup, values)
    names["x"] = x
    try:
        answer = eval(compile(condition, "<vector>", "eval"), names)
    finally:
        del names[
            "x"
        ]  # functions of the setup keep `names` for the collector, which would drop a deep value at once
    return "" if answer is True else "%s gave %s for %s" % (condition, answer, describe(x))


def echo(value: Any) -> Any:
    return value


def unravel(box: list[Any]) -> None:
    """Lets go of what is in the box container by container: dropping 5,000 levels at once is too much for a browser."""
    order: list[Any] = []
    seen: set[int] = set()
    level = list(box)
    box.clear()
    while level:
        following: list[Any] = []
        for item in level:
            if isinstance(item, (list, tuple, dict, set, frozenset)) and id(item) not in seen:
                seen.add(id(item))
                order.append(item)
                following.extend(item.values() if isinstance(item, dict) else item)
        level = following
    for index in range(len(order)):
        order[index] = None


def describe(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:  # a repr that raises is one of the vectors
        text = "<repr raised %s>" % type(error).__name__
    return "%s %s" % (type(value).__name__, text[:300])


def differs(a: Any, b: Any) -> str:
    todo = [(a, b, "x")]
    met: dict[tuple[int, int], tuple[Any, Any]] = {}
    while todo:
        left, right, path = todo.pop()
        if left is right or (id(left), id(right)) in met:
            continue
        met[(id(left), id(right))] = (left, right)
        if type(left) is not type(right):
            return "%s: %s is not %s" % (path, describe(left), describe(right))
        if isinstance(left, (list, tuple)):
            if len(left) != len(right):
                return "%s: length %d is not %d" % (path, len(left), len(right))
            todo.extend((x, y, path + "[%d]" % i) for i, (x, y) in enumerate(zip(left, right)))
        elif isinstance(left, dict):
            if len(left) != len(right):
                return "%s: %d keys are not %d" % (path, len(left), len(right))
            for (k, x), (l, y) in zip(left.items(), right.items()):
                todo.append((k, l, path + ".key"))
                todo.append((x, y, path + "[%s]" % describe(l)))
        elif isinstance(left, (set, frozenset)):
            if len(left) != len(right):
                return "%s: %d members are not %d" % (path, len(left), len(right))
            for member in right:
                same = [x for x in left if type(x) is type(member) and not differs_scalar(x, member)]
                if not same:
                    return "%s: %s is missing" % (path, describe(member))
        else:
            reason = differs_scalar(left, right)
            if reason:
                return "%s: %s" % (path, reason)
    return ""


def differs_scalar(a: Any, b: Any) -> str:
    if isinstance(a, float):
        same = struct.pack("<d", a) == struct.pack("<d", b) or (a != a and b != b)
    elif isinstance(a, complex):
        same = not differs_scalar(a.real, b.real) and not differs_scalar(a.imag, b.imag)
    elif isinstance(a, memoryview):
        same = (a.format, a.shape, a.tobytes()) == (b.format, b.shape, b.tobytes())
    elif isinstance(a, datetime.datetime):
        same = a == b and a.utcoffset() == b.utcoffset() and str(a) == str(b)
    elif type(a).__name__ == "Decimal":
        same = a.as_tuple() == b.as_tuple()
    elif type(a).__name__ == "ndarray":
        same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    elif isinstance(a, (types.FunctionType, BaseException)):
        same = a is b
    else:
        same = bool(a == b)
    return "" if same else "%s is not %s" % (describe(a), describe(b))


class _Buffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


_memory: list[Any] = []


def view(
    data: bytes,
    format: str,
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None = None,
    offset: int = 0,
    readonly: bool = False,
) -> memoryview:
    """A memoryview of any format, shape and strides, as an exporter like NumPy would give it; no NumPy needed."""
    size = item_size(format)
    if strides is None:
        strides = contiguous(shape, size)
    block = ctypes.create_string_buffer(data, max(len(data), 1))
    text = ctypes.create_string_buffer(format.encode())
    count = 1
    for extent in shape:
        count *= extent
    n = max(len(shape), 1)
    extents, steps = (ctypes.c_ssize_t * n)(*shape), (ctypes.c_ssize_t * n)(*strides)
    _memory.append((block, text, extents, steps))  # the view does not own its memory
    if len(_memory) > 4096:
        del _memory[:2048]
    make = ctypes.pythonapi.PyMemoryView_FromBuffer
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(_Buffer)]
    info = _Buffer(
        ctypes.addressof(block) + offset, None, count * size, size, int(readonly), len(shape),
        ctypes.cast(text, ctypes.c_char_p), extents, steps, None, None,
    )  # fmt: skip
    return make(ctypes.byref(info))


def item_size(format: str) -> int:
    return struct.calcsize(format if format[0] != "!" else ">" + format[1:])


def contiguous(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    strides: list[int] = []
    for extent in reversed(shape):
        strides.insert(0, size)
        size *= extent
    return tuple(strides)


def samples(code: str) -> list[Any]:
    """Six values at the edges of a format, in `struct`'s terms."""
    if code in "efd":
        return [0.0, -0.0, 1.5, -2.25, float("inf"), float("nan")]
    if code == "?":
        return [True, False, True, True, False, False]
    if code == "c":
        return [bytes([n]) for n in (0, 1, 65, 127, 128, 255)]
    bits = 8 * struct.calcsize(code)
    if code.isupper():
        return [0, 1, 2, 2 ** (bits - 1), 2**bits - 2, 2**bits - 1]
    return [0, 1, -1, 2 ** (bits - 2), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1]


def plain(value: Any) -> Any:
    """A sample as the typed array holds it: bytes and bools are small integers."""
    return value[0] if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value


KINDS = ("0-d", "1-d", "2-d C", "2-d F", "strided", "negative stride", "broadcast", "empty", "readonly")


def buffer_case(format: str, kind: str) -> tuple[memoryview, list[int], list[Any]]:
    """A view of the format, its shape, and its items in C order."""
    code = format[-1]
    order = format[0] if len(format) == 2 else ""
    size = item_size(format)
    items = fitting(code, size)
    data = b"".join(struct.pack(order + code, item) for item in items)
    shown = [plain(item) for item in items]
    if kind == "0-d":
        return view(data, format, (), ()), [], shown[:1]
    if kind == "1-d":
        return view(data, format, (6,)), [6], shown
    if kind == "2-d C":
        return view(data, format, (2, 3)), [2, 3], shown
    if kind == "2-d F":
        return view(data, format, (2, 3), (size, 2 * size)), [2, 3], [shown[i] for i in (0, 2, 4, 1, 3, 5)]
    if kind == "strided":
        return view(data, format, (3,), (2 * size,)), [3], shown[::2]
    if kind == "negative stride":
        return view(data, format, (6,), (-size,), 5 * size), [6], shown[::-1]
    if kind == "broadcast":
        return view(data, format, (2, 3), (0, size)), [2, 3], shown[:3] * 2
    if kind == "empty":
        return view(b"", format, (0,)), [0], []
    return view(data, format, (6,), None, 0, True), [6], shown


def fitting(code: str, size: int) -> list[Any]:
    """Samples for a format whose standard size may differ from the native one (`l` is 4 or 8 bytes)."""
    if code in "lLqQiIhHbB":
        by_size = {1: "b", 2: "h", 4: "i", 8: "q"}[size]
        return samples(by_size.upper() if code.isupper() else by_size)
    return samples(code)


def orders(code: str) -> list[str]:
    """The byte-order prefixes under which the format exists."""
    return ["", "@"] if code in "nNP" else ["", "@", "=", "<", ">", "!"]


def buffer_cases(code: str) -> tuple[list[memoryview], list[Any]]:
    """Every byte order and shape kind of a format: the views, and what each must become."""
    views, facts = [], []
    for order in orders(code):
        for kind in KINDS:
            made, shape, items = buffer_case(order + code, kind)
            views.append(made)
            facts.append([order + code, kind, item_size(order + code), shape, items])
    return views, facts
