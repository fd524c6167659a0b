"""Bytes to Python values: restricted C unpicklers.

`wellformed.check` has looked at every opcode before one of these runs. The only global that is
accepted is `_isopy v`, which becomes our own constructor, so nothing but data and extension values
is ever made.
"""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import TYPE_CHECKING, Any, Optional

from . import wellformed
from .construct import TAGS
from .errors import EngineError, protocol_error

if TYPE_CHECKING:
    from .engine import Engine

# What the C unpickler raises for a broken stream.
FAILURES = (
    pickle.PickleError, EOFError, ValueError, IndexError, KeyError, AttributeError, TypeError, OverflowError, MemoryError,
)  # fmt: skip


def refuse(error: BaseException) -> BaseException:
    """The typed error for what the C unpickler said."""
    if isinstance(error, TypeError) and "unhashable" in str(error):
        return EngineError(
            "ERR_NOT_CONVERTIBLE",
            f"A key of a Map or a member of a Set cannot be one in Python: {error}.",
            "Use strings, numbers, booleans, null, tuple(…) or frozen sets as keys.",
        )
    return protocol_error(f"The stream cannot be read: {type(error).__name__}: {error}")


class Reader(pickle.Unpickler):
    """A C unpickler that makes data and extension values, and nothing else."""

    engine: Engine
    slots: Optional[list[Any]]

    def find_class(self, module: str, name: str) -> Any:
        if module == "_isopy" and name == "v":
            return self._reduced
        raise protocol_error(f"A stream may not name the global {module}.{name}.")

    def _reduced(self, *operands: Any) -> Any:
        return construct(self, operands)

    def persistent_load(self, pid: Any) -> Any:
        if type(pid) is not tuple:
            raise protocol_error("An extension value is not a tuple.")
        return construct(self, pid)


class Making:
    """What constructors need of a reader, for the strict one."""

    __slots__ = ("engine", "slots")

    def __init__(self, engine: Engine, slots: Optional[list[Any]]) -> None:
        self.engine = engine
        self.slots = slots


class _DataReader(pickle.Unpickler):
    """A C unpickler for streams without extension values: batches of programs."""

    def find_class(self, module: str, name: str) -> Any:
        raise protocol_error("A program may not hold extension values outside its operands.")

    def persistent_load(self, pid: Any) -> Any:
        raise protocol_error("A program may not hold extension values outside its operands.")


def read_data(data: bytes, trusted: bool, batch: bool) -> Any:
    """The value of a stream without extension values.

    A trusted peer (option `trusted` of the host: our own code in the same realm) writes streams as
    they are meant; the check is 0.6 µs a program (CPython 3.13).
    """
    if trusted:
        return _DataReader(BytesIO(framed(data))).load()
    if wellformed.check(data, batch) or b"Q" in data:
        return _DataReader(BytesIO(framed(data))).load()
    return pickle.loads(data)


def framed(data: bytes) -> bytes:
    """The stream as one FRAME: without it the C unpickler reads its file once per opcode (5 times slower)."""
    if data[2:3] == b"\x95":
        return data
    return b"\x80\x05\x95" + (len(data) - 2).to_bytes(8, "little") + data[2:]


def construct(reader: Any, operands: tuple[Any, ...]) -> Any:
    try:
        make = TAGS[operands[0]]
    except (KeyError, IndexError, TypeError):
        raise protocol_error(f"Unknown extension value {operands[:1]!r:.60}.") from None
    return make(reader, operands)
