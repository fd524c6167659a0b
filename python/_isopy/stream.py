"""Streams: Python values to bytes and back (PROTOCOL.md, section 1).

Writing: plain data is one call of CPython's own C pickler; anything with extension values goes
through `Writer`, a pickler whose `reducer_override` spells them; deep or unusual values go through
the iterative writer. A level-wise scan that runs at C speed decides, and counts nodes on the way.
The C pickler recurses (fatal in Pyodide when deep), so it is trusted with FAST_DEPTH levels only.

Reading: a restricted C unpickler. The only global it accepts is `_isopy v`, which it replaces by
its own constructor, so nothing but data and extension values is ever made.
"""

from __future__ import annotations

import pickle
from io import BytesIO
from struct import Struct
from typing import TYPE_CHECKING, Any, Optional

from . import marker, strict, wellformed
from .describe import describe
from .errors import EngineError, protocol_error
from .introducing import Introducing
from .limits import Limits, check_depth, deep
from .marker import Extension
from .reading import FAILURES, Making, Reader, construct, framed, refuse
from .scanning import EXTENDED, ITERATIVE, PURE, changed, nests, scan
from .traits import traits
from .values import CONTAINERS, EXACT, PLAIN, SCALARS, NotPortable, not_convertible, plain, ref, rule

if TYPE_CHECKING:
    from .engine import Engine

_INT4 = Struct("<Bi").pack
_v = marker.v
_FRAME = 0x95
_ONE_FRAME = 60_000  # bytes that the pickler surely writes as one frame


class Writer(Introducing, pickle.Pickler):
    """Writes one value with its extension values."""

    def __init__(self, file: Any, engine: Engine, portable: bool = False) -> None:
        super().__init__(file, 5)
        self.prepare(engine, portable)

    def reducer_override(self, obj: Any) -> Any:
        if obj is _v:
            return NotImplemented
        tp = type(obj)
        encoder = EXACT.get(tp)
        return _v, (encoder or rule(tp))(self, obj)


def _plain_error(described: Extension) -> Optional[bytes]:
    """The stream of a small error without others in it: 2 µs instead of 5 (CPython 3.11)."""
    tag, fields, *_ = described.operands
    if (
        tag != "error"
        or type(fields) is not dict
        or not fields["cause"] is fields["context"] is fields["errors"] is None
        or "js" in fields
        or not SCALARS.issuperset(map(type, fields["args"] or ()))
        or not SCALARS.issuperset(map(type, fields["extra"].values()))
    ):
        return None
    data = pickle.dumps(fields, 5)
    if data[2] != _FRAME or len(data) > _ONE_FRAME:
        return None
    return b"\x80\x05(\x8c\x05error%btQ." % data[11:-1]  # without PROTO, FRAME and STOP


class Codec:
    """Encodes and decodes for one engine."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.engine = engine
        self.limits = limits

    # ---- Python to JavaScript -------------------------------------------------------------

    def encode(self, value: Any, mode: int = 0) -> tuple[int, Any]:
        """(kind, payload) of a reply; `mode` as in PROTOCOL.md without the await bit."""
        tp = type(value)
        if tp in SCALARS:
            if mode == 1:
                return 1, self._single_ref(value)
            if mode == 4:
                return 0, None
            if mode > 5:
                raise protocol_error(f"Unknown output mode {mode}.")
            if (tp is str or tp is bytes) and len(value) > self.limits.bytes:
                raise self.limits.exceeded("maxBytes")
            return 0, value
        if mode == 0:
            alone = tp not in CONTAINERS and tp not in PLAIN and rule(tp) is ref and plain(tp) is None
            if alone and self.engine.rules is None:  # else a rule of the user may make data of it
                return 1, self._ref_stream(value)
            return 1, self.stream(value)
        if mode == 1:
            return 1, self._single_ref(value)
        if mode == 4:
            return 0, None
        if mode in (2, 5):
            from .copying import to_js

            value = to_js(self.engine, value, mode == 5)
            if type(value) in SCALARS:
                return 0, value
            return 1, self.stream(value)
        if mode == 3:
            return 1, self.stream(value, portable=True)
        raise protocol_error(f"Unknown output mode {mode}.")

    def stream(self, value: Any, portable: bool = False) -> bytes:
        """A whole stream that holds `value`."""
        tp = type(value)
        if tp in CONTAINERS:
            path = scan(value, self.limits)
        elif tp in PLAIN:
            path = PURE
        elif plain(tp) is not None or nests(tp):
            path = ITERATIVE
        else:
            path = EXTENDED
        if path == EXTENDED and self.engine.rules is not None:
            path = ITERATIVE  # what a rule makes of an object may be deep, and no scan has seen it
        if path == ITERATIVE and self.engine.held is not None:
            self.engine.held.hold(value)
        try:
            if path == PURE:
                data = pickle.dumps(value, 5)
            elif path == EXTENDED:
                return self._extended(value, portable, self.limits.bytes)
            else:
                return self._iterative(value, portable)
        except RecursionError:
            return self._iterative(value, portable)
        except RuntimeError as error:
            if isinstance(error, EngineError):
                raise
            if "changed size during" in str(error):
                raise changed() from None
            raise
        if len(data) > self.limits.bytes:
            raise self.limits.exceeded("maxBytes")
        return data

    def _extended(self, value: Any, portable: bool, most: Optional[int] = None) -> bytes:
        file = BytesIO()
        writer = Writer(file, self.engine, portable)
        try:
            writer.dump(value)
            if most is not None and file.tell() > most:
                raise self.limits.exceeded("maxBytes")
        except BaseException as error:
            self._undo(writer, error, value)
            raise
        return file.getvalue()

    def _iterative(self, value: Any, portable: bool) -> bytes:
        from .iterative import IterativeWriter

        writer = IterativeWriter(self.engine, portable, self.limits)
        try:
            data = writer.dump(value)
            if len(data) > self.limits.bytes:
                raise self.limits.exceeded("maxBytes")
            return data
        except BaseException as error:
            self._undo(writer, error, value)
            raise

    def _undo(self, writer: Any, error: BaseException, value: object) -> None:
        writer.undo()
        if isinstance(error, NotPortable):
            from .paths import path_of

            raise not_convertible(path_of(value, error.culprit), error.culprit) from None

    def _single_ref(self, value: object) -> bytes:
        if getattr(type(value), "__isopy_lent__", None) is not None:
            return self._extended(value, False)
        return self._ref_stream(value)

    def _ref_stream(self, value: object) -> bytes:
        """The stream of one `ref`, written by hand: 1 µs instead of 5 (CPython 3.13)."""
        flags, name = traits(value)
        text = name.encode("utf-8", "surrogatepass")
        if len(text) > 255:
            return self._extended(Extension("ref", self.engine.handles.introduce(value), flags, name), False)
        handle = self.engine.handles.introduce(value)
        number = _INT4(ord("J"), handle) if handle < 1 << 31 else b"\x8a\x08" + handle.to_bytes(8, "little")
        return b"\x80\x05(\x8c\x03ref%bM%b\x8c%c%btQ." % (
            number,
            flags.to_bytes(2, "little"),
            len(text),
            text,
        )

    def portable(self, value: Any) -> Any:
        """The value as data, or None where it is not: for the `args` of errors."""
        if type(value) in SCALARS:
            return value
        if getattr(type(value), "__isopy_lent__", None) is not None:
            return value
        try:
            data = self.stream(value, portable=True)
        except Exception:
            return None
        return value if len(data) < 1 << 20 else None

    def encode_error(self, error: BaseException, cancelled: bool = False) -> bytes:
        """A stream that holds an `error` or `engine_error`; never raises."""
        described = describe(error, self.portable, cancelled)
        try:
            return _plain_error(described) or self._extended(described, False)
        except Exception:
            from .describe import bare

            return self._extended(bare(error), False)

    # ---- JavaScript to Python -------------------------------------------------------------

    def decode(self, data: bytes, slots: Optional[list[Any]] = None) -> Any:
        """The value of a stream. Hostile bytes give ERR_PROTOCOL and touch nothing."""
        limits = self.limits
        if len(data) > limits.bytes:
            raise limits.exceeded("maxBytes")
        try:
            if not self.engine.trusted and wellformed.check(data):
                making = Making(self.engine, slots)
                value = strict.read(data, lambda operands: construct(making, operands))
            elif b"Q" in data:
                reader = Reader(BytesIO(framed(data)))
                reader.engine = self.engine
                reader.slots = slots
                value = reader.load()
            else:
                value = pickle.loads(data)
        except EngineError:
            raise
        except FAILURES as error:
            raise refuse(error) from None
        if self.engine.held is not None:
            self.engine.held.hold_read(data, value)
        if len(data) > limits.depth and deep(data, limits.depth):
            check_depth(value, limits)
        return value
