"""Conversion rules of the user, on this side: `py.rules.add` of the facade.

A rule is asked where an object would become a handle, so it can add a conversion and never change
one of the exact types. The wire carries `("rule", id, data)` both ways.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Optional

from .errors import EngineError
from .lanes import asking_engine


class Rules:
    """The rules of one engine; made with the first one, so that engines without rules pay nothing."""

    def __init__(self) -> None:
        self._encoders: list[tuple[int, int, type, bool, Callable[[Any], Any]]] = []
        self._by_type: dict[type, Optional[tuple[int, Callable[[Any], Any]]]] = {}
        self._decoders: dict[int, Optional[Callable[[Any], Any]]] = {}

    def add_encoder(
        self, number: int, tp: type, encode: Callable[[Any], Any], subclasses: bool, priority: int
    ) -> None:
        self._encoders.append((priority, number, tp, subclasses, encode))
        self._encoders.sort(key=lambda entry: entry[:2], reverse=True)
        self._by_type.clear()

    def add_decoder(self, number: int, decode: Optional[Callable[[Any], Any]]) -> None:
        self._decoders[number] = decode

    def encode(self, obj: object) -> Optional[tuple[Any, ...]]:
        """The operands of the extension value; None when no rule is for this type."""
        found = self._rule(type(obj))
        if found is None:
            return None
        number, encode = found
        return ("rule", number, encode(obj))

    def covers(self, tp: type) -> bool:
        return self._rule(tp) is not None

    def _rule(self, tp: type) -> Optional[tuple[int, Callable[[Any], Any]]]:
        try:
            return self._by_type[tp]
        except KeyError:
            found = self._by_type[tp] = self._find(tp)
            return found

    def _find(self, tp: type) -> Optional[tuple[int, Callable[[Any], Any]]]:
        for _, number, wanted, subclasses, encode in self._encoders:
            if tp is wanted or subclasses and issubclass(tp, wanted):
                return number, encode
        return None

    def decode(self, number: int, data: Any) -> Any:
        try:
            decode = self._decoders[number]
        except KeyError:
            raise EngineError("ERR_PROTOCOL", f"Rule {number} does not exist in this engine.") from None
        if decode is None:
            return data
        try:
            return decode(data)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(
                "ERR_NOT_CONVERTIBLE",
                f"The conversion rule for a JavaScript value failed: {type(error).__name__}: {error}",
                "The `decode` of the rule must accept what its `encode` gives.",
            ) from error


def add_encoder(number: int, name: str, encode: Any, subclasses: bool, priority: int) -> None:
    """Service: instances of the class `name` cross as the data that `encode` makes of them."""
    _rules().add_encoder(number, _class(name), _function(encode), subclasses, priority)


def add_decoder(number: int, decode: Any) -> None:
    """Service: what JavaScript sends under this rule becomes what `decode` makes of it."""
    _rules().add_decoder(number, None if decode is None else _function(decode))


def _rules() -> Rules:
    engine = asking_engine()
    if engine.rules is None:
        engine.rules = Rules()
        engine.ruled.append(engine.rules)
    return engine.rules


def _class(name: str) -> type:
    module, _, leaf = name.rpartition(".")
    found: Any = import_module(module or "builtins")
    found = getattr(found, leaf)
    if not isinstance(found, type):
        raise TypeError(f"{name} is not a class")
    return found


def _function(given: Any) -> Callable[[Any], Any]:
    function = eval(given, {}) if isinstance(given, str) else given
    if not callable(function):
        raise TypeError("a rule needs a function")
    return function
