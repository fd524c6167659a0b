"""The reader in plain Python: for streams that mark extension values by REDUCE, as CPython does.

The C unpickler would call whatever lies below REDUCE; here it has to be the marker. JavaScript
marks with BINPERSID, so only streams that come back from Python are read this way.
"""

from __future__ import annotations

from struct import unpack_from
from typing import Any, Callable

from .errors import protocol_error

_MARK = object()
_MARKER = object()


def read(data: bytes, construct: Callable[[tuple[Any, ...]], Any]) -> Any:
    """The value of a stream that `wellformed.check` has passed."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    push = stack.append
    position = 2
    markers = 0  # markers that are on the stack; one that ends up inside a value is no value

    def since_mark() -> list[Any]:
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is _MARK:
                items = stack[index + 1 :]
                del stack[index:]
                return items
        raise IndexError("no mark")

    def below(kind: type) -> Any:
        if type(stack[-1]) is not kind:
            raise protocol_error(f"Something else lies where a {kind.__name__} is filled.")
        return stack[-1]

    while True:
        op = data[position : position + 1]
        position += 1
        if op == b".":
            if len(stack) != 1 or stack[0] is _MARK or markers:
                raise protocol_error("A stream does not end with one value.")
            return stack[0]
        if op in _CONSTANTS:
            push(_CONSTANTS[op])
        elif op in _NUMBERS:
            fmt, width = _NUMBERS[op]
            push(unpack_from(fmt, data, position)[0])
            position += width
        elif op in _CONTENT:
            fmt, width, make = _CONTENT[op]
            begin = position + width
            position = begin + unpack_from(fmt, data, position)[0]
            push(make(data[begin:position]))
        elif op in _EMPTY:
            push(_EMPTY[op]())
        elif op == b"\x95":
            position += 8
        elif op == b"(":
            push(_MARK)
        elif op == b"0":
            stack.pop()
        elif op == b"1":
            since_mark()
        elif op == b"\x94":
            memo[len(memo)] = stack[-1]
        elif op in b"qr":
            fmt, width = ("<B", 1) if op == b"q" else ("<I", 4)
            memo[unpack_from(fmt, data, position)[0]] = stack[-1]
            position += width
        elif op in b"hj":
            fmt, width = ("<B", 1) if op == b"h" else ("<I", 4)
            push(memo[unpack_from(fmt, data, position)[0]])
            markers += stack[-1] is _MARKER
            position += width
        elif op == b"a":
            item = stack.pop()
            below(list).append(item)
        elif op == b"e":
            items = since_mark()
            below(list).extend(items)
        elif op == b"s":
            item, key = stack.pop(), stack.pop()
            below(dict)[key] = item
        elif op == b"u":
            items = since_mark()
            if len(items) % 2:
                raise protocol_error("A dict has a key without a value.")
            below(dict).update(zip(items[::2], items[1::2]))
        elif op == b"\x90":
            items = since_mark()
            below(set).update(items)
        elif op == b"\x91":
            push(frozenset(since_mark()))
        elif op == b"t":
            push(tuple(since_mark()))
        elif op in b"\x85\x86\x87":
            count = op[0] - 0x84
            items = stack[-count:]
            if len(items) < count:
                raise IndexError("no items")
            del stack[-count:]
            push(tuple(items))
        elif op == b"\x93":
            name, module = stack.pop(), stack.pop()
            if (module, name) != ("_isopy", "v"):
                raise protocol_error("A stream may not name a global.")
            push(_MARKER)
            markers += 1
        else:  # R or Q
            operands = stack.pop()
            if op == b"R":
                if stack.pop() is not _MARKER:
                    raise protocol_error("Only the marker may be applied.")
                markers -= 1
            if type(operands) is not tuple:
                raise protocol_error("An extension value is not a tuple.")
            push(construct(operands))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _long(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
_EMPTY = {b"]": list, b"}": dict, b"\x8f": set}
_NUMBERS = {b"J": ("<i", 4), b"K": ("<B", 1), b"M": ("<H", 2), b"G": (">d", 8)}
_CONTENT: dict[bytes, tuple[str, int, Callable[[bytes], Any]]] = {
    b"\x8a": ("<B", 1, _long), b"\x8b": ("<i", 4, _long),
    b"\x8c": ("<B", 1, _text), b"X": ("<I", 4, _text), b"\x8d": ("<Q", 8, _text),
    b"C": ("<B", 1, bytes), b"B": ("<I", 4, bytes), b"\x8e": ("<Q", 8, bytes), b"\x96": ("<Q", 8, bytearray),
}  # fmt: skip
