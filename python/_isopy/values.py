"""Python value → extension value: which object crosses as what.

The exact type decides, once per type; a subclass never silently becomes its base (named tuples,
enum members and NumPy scalars are the listed exceptions). Modules that are not loaded are not
loaded for this: a type is known by where it says it comes from, then compared by identity.
Whatever has no rule is a `ref`. No `repr`, `str` or attribute hook of the user is needed for that.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from enum import Enum
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, Optional
from weakref import WeakKeyDictionary

from .errors import EngineError, JsException
from .lazily import loaded
from .marker import Extension, Memory
from .traits import traits, type_module, type_name

if TYPE_CHECKING:
    from .stream import Writer

Operands = tuple[Any, ...]
Encoder = Callable[["Writer", Any], Operands]

SCALARS = frozenset((type(None), bool, int, float, str, bytes))
PLAIN = SCALARS | {bytearray}
CONTAINERS = frozenset((list, tuple, dict, set, frozenset))


def ref(writer: Writer, obj: object) -> Operands:
    rules = writer.engine.rules
    if rules is not None:
        ruled = rules.encode(obj)
        if ruled is not None:
            return ruled
    if writer.portable:
        raise NotPortable(obj)
    flags, name = traits(obj)
    return ("ref", writer.introduce(obj), flags, name)


class NotPortable(Exception):
    """Something below the value is an object and not data; the writer finds its path."""

    def __init__(self, culprit: object) -> None:
        super().__init__()
        self.culprit = culprit


def _complex(writer: Writer, obj: complex) -> Operands:
    return ("complex", obj.real, obj.imag)


def _range(writer: Writer, obj: range) -> Operands:
    return ("range", obj.start, obj.stop, obj.step)


def _slice(writer: Writer, obj: slice) -> Operands:
    return ("slice", obj.start, obj.stop, obj.step)


def _decimal(writer: Writer, obj: object) -> Operands:
    return ("decimal", str(obj))


def _fraction(writer: Writer, obj: Any) -> Operands:
    return ("fraction", obj.numerator, obj.denominator)


def _date(writer: Writer, obj: Any) -> Operands:
    return ("date", obj.year, obj.month, obj.day)


def _time(writer: Writer, obj: Any) -> Operands:
    if obj.tzinfo is not None:
        return ref(writer, obj)
    return ("time", obj.hour, obj.minute, obj.second, obj.microsecond)


def _datetime(writer: Writer, obj: Any) -> Operands:
    parts = (obj.year, obj.month, obj.day, obj.hour, obj.minute, obj.second, obj.microsecond)
    zone = obj.tzinfo
    if zone is None:
        return ("datetime", *parts)
    kind = type(zone)
    if kind is sys.modules["datetime"].timezone:
        key = None
    elif kind is loaded("zoneinfo", "ZoneInfo") and type(zone.key) is str:
        key = zone.key
    else:
        return ref(writer, obj)
    offset = obj.utcoffset()
    if key is None and (offset.seconds % 60 or offset.microseconds):
        return ref(writer, obj)  # an offset zone has whole minutes
    return ("zoned", *parts, (offset.days * 86400 + offset.seconds) * 1_000_000 + offset.microseconds, key)


def _timedelta(writer: Writer, obj: Any) -> Operands:
    return ("timedelta", obj.days, obj.seconds, obj.microseconds)


def _odict(writer: Writer, obj: Any) -> Operands:
    if not writer.enter(obj):
        return ref(writer, obj)  # it holds itself: only a handle can say that
    return ("odict", tuple(obj.items()))


def _enum(writer: Writer, obj: Any) -> Operands:
    name = obj._name_
    if name is None:  # a composite Flag before 3.11
        parts = [
            member
            for member in type(obj)
            if member._value_ and member._value_ & obj._value_ == member._value_
        ]
        name = "|".join(str(part._name_) for part in parts)
    if not writer.enter(obj):
        return ref(writer, obj)
    return ("enum", writer.introduce(obj), name, obj._value_, type.__dict__["__name__"].__get__(type(obj)))


def _namedtuple(writer: Writer, obj: Any) -> Operands:
    tp = type(obj)
    return ("namedtuple", tp, type_name(tp), tuple(tp._fields), tuple.__getitem__(obj, slice(None)))


def _exception(writer: Writer, obj: BaseException) -> Operands:
    if isinstance(obj, JsException):  # the very object that JavaScript made
        lent = getattr(type(obj.js), "__isopy_lent__", None)
        number = None if lent is None else lent(obj.js, writer.engine)
        if number is not None:
            return ("js", number)
    return writer.describe(obj).operands


def _lent(writer: Writer, obj: Any) -> Operands:
    lent = type(obj).__isopy_lent__(obj, writer.engine)
    return ref(writer, obj) if lent is None else ("js", lent)


def _extension(writer: Writer, obj: Extension) -> Operands:
    operands = obj.operands
    for operand in operands:
        if type(operand) is Memory:
            shared = hasattr(writer.engine.host, "export")
            return tuple(part.copied(shared) if type(part) is Memory else part for part in operands)
    return operands


def _memory(writer: Writer, obj: Memory) -> Operands:
    with memoryview(obj.source) as view:
        if view.nbytes > writer.engine.codec.limits.bytes:
            raise writer.engine.codec.limits.exceeded("maxBytes")
        # JavaScript copies it; what it reads later must be as it was now.
        source = obj.source if writer.engine.host.on_js_thread() else bytearray(view)
    return ("memory", writer.export(source, 1)[0])


def _constant(tag: str) -> Encoder:
    return lambda writer, obj: (tag,)


EXACT: dict[type, Encoder] = {
    complex: _complex,
    range: _range,
    slice: _slice,
    type(Ellipsis): _constant("ellipsis"),
    type(NotImplemented): _constant("notimplemented"),
    Extension: _extension,
    Memory: _memory,
    type: ref,
    type(len): ref,
    type(ref): ref,
    ModuleType: ref,
    memoryview: ref,
    object: ref,
}

# Types of modules that need not be loaded: (module, name) → rule.
_LATE: dict[tuple[str, str], Encoder] = {
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "datetime"): _datetime,
    ("datetime", "timedelta"): _timedelta,
    ("collections", "OrderedDict"): _odict,
}

# NumPy scalars that are a Python value exactly; what would round (longdouble) or lose a unit stays a handle.
_NUMPY_SCALARS = {
    **dict.fromkeys(("bool", "bool_"), bool),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), int),
    **dict.fromkeys(("intc", "uintc", "long", "ulong", "longlong", "ulonglong", "int_", "uint"), int),
    **dict.fromkeys(("float16", "float32", "float64"), float),
    **dict.fromkeys(("complex64", "complex128"), complex),
    **dict.fromkeys(("str_",), str),
    **dict.fromkeys(("bytes_",), bytes),
}

_heap: MutableMapping[type, tuple[Optional[Encoder], Optional[Callable[[Any], Any]]]] = WeakKeyDictionary()


def rule(tp: type) -> Encoder:
    """The rule of a type that is neither plain nor an exact container."""
    exact = EXACT.get(tp)
    if exact is not None:
        return exact
    return _classified(tp)[0] or ref


def plain(tp: type) -> Optional[Callable[[Any], Any]]:
    """How an instance becomes an exact built-in (NumPy scalars); None for every other type."""
    if tp in EXACT:
        return None
    return _classified(tp)[1]


def _classified(tp: type) -> tuple[Optional[Encoder], Optional[Callable[[Any], Any]]]:
    known = _heap.get(tp)
    if known is None:
        known = _heap[tp] = _classify(tp)
    return known


def _classify(tp: type) -> tuple[Optional[Encoder], Optional[Callable[[Any], Any]]]:
    mro = type.__dict__["__mro__"].__get__(tp)
    module = type_module(tp)
    name = type.__dict__["__name__"].__get__(tp)
    if isinstance(module, str):
        late = _LATE.get((module, name))
        if late is not None and getattr(sys.modules.get(module), name, None) is tp:
            return late, None
        if module == "numpy" and name in _NUMPY_SCALARS:
            numpy = sys.modules.get("numpy")
            if getattr(numpy, name, None) is tp or getattr(numpy, name + "_", None) is tp:
                exact = _NUMPY_SCALARS[name]
                if exact in (str, bytes):
                    return None, exact.__getitem__ and (exact)
                return None, lambda obj: obj.item() if exact is not float else float(obj)
    for base in mro:
        if "__isopy_lent__" in base.__dict__:
            return _lent, None
    if Enum in mro:
        return _enum, None
    if BaseException in mro:
        return _exception, None
    if tuple in mro and _is_namedtuple(tp, mro):
        return _namedtuple, None
    return None, None


def _is_namedtuple(tp: Any, mro: tuple[type, ...]) -> bool:
    fields = tp.__dict__.get("_fields") if mro[1] is tuple else getattr(tp, "_fields", None)
    if type(fields) is not tuple or not all(type(field) is str for field in fields):
        return False
    # Instances with a __dict__ could hold more than their fields.
    return callable(getattr(tp, "_make", None)) and not any("__dict__" in base.__dict__ for base in mro)


def not_convertible(path: str, obj: object) -> EngineError:
    name = type_name(type(obj))
    return EngineError(
        "ERR_NOT_CONVERTIBLE",
        f"{path} is an object of type {name}, which is not data.",
        'Convert it in Python first, or ask for `convert: "auto"`, which gives a ref for objects.',
    )
