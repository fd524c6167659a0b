"""Is this a stream at all? Which opcodes it holds and where they end, before anything is made of it.

CPython's unpickler knows more opcodes than a stream may hold, and believes a memo index of two
billion. So bytes are checked first: runs of small tokens by a regular expression (50 ns a token,
CPython 3.13), long texts and byte strings one by one. Nothing is decoded here.
"""

from __future__ import annotations

import re
from re import Pattern
from struct import unpack_from
from typing import Optional

from .errors import protocol_error

# Texts and ints up to this many bytes are tokens of the expression; more makes it slow to compile.
_SHORT = 40
_BARE = b"Nae)\\]}tu(1s0Q\\x88\\x89\\x85-\\x87\\x8f-\\x91\\x94"
# opcode → format of the size before its content
_SIZED = {0x8A: "<B", 0x8B: "<i", 0x8C: "<B", ord("X"): "<I", 0x8D: "<Q", ord("C"): "<B", ord("B"): "<I",
          0x8E: "<Q", 0x96: "<Q"}  # fmt: skip
_WIDTH = {"<B": 1, "<i": 4, "<I": 4, "<Q": 8}

_tokens: Optional[Pattern[bytes]] = None


def _compile() -> Pattern[bytes]:
    def short(opcode: bytes) -> bytes:
        sizes = (b"\\x%02x" % size + (b".{%d}" % size if size else b"") for size in range(_SHORT))
        return opcode + b"(?:" + b"|".join(sizes) + b")"

    parts = (b"[" + _BARE + b"]+", b"[Kqh].", short(b"\\x8c"), b"J.{4}", b"M..", b"G.{8}", short(b"\\x8a"),
             b"r..[\\x00\\x01]\\x00", b"j.{4}", b"\\x95.{8}", short(b"C"))  # fmt: skip
    return re.compile(b"(?:" + b"|".join(parts) + b"){1,2000}", re.DOTALL)


def check(data: bytes, batch: bool = False) -> bool:
    """Raises ERR_PROTOCOL for what is no stream; whether it marks extension values the way CPython does.

    With `batch`, the opcode LIST is allowed once, before STOP.
    """
    global _tokens
    tokens = _tokens
    if tokens is None:
        tokens = _tokens = _compile()
    end = len(data) - (2 if batch else 1)
    if data[:2] != b"\x80\x05" or data[end:] != (b"l." if batch else b"."):
        raise protocol_error("A stream does not begin with PROTO 5 or does not end with STOP.")
    position, reduces = 2, False
    match = tokens.match
    while position < end:
        run = match(data, position, end)
        if run is not None:
            position = run.end()
            continue
        opcode = data[position]
        size = _SIZED.get(opcode)
        if size is not None:
            begin = position + 1 + _WIDTH[size]
            if begin > end:
                raise protocol_error("The stream ends in the middle of a size.")
            (length,) = unpack_from(size, data, position + 1)
            if length < 0 or begin + length > end:
                raise protocol_error("The stream ends in the middle of a value.")
            position = begin + length
        elif opcode == 0x93 or opcode == ord("R"):
            reduces = True
            position += 1
        elif (
            opcode == ord("r")
            and position + 5 <= end
            and unpack_from("<I", data, position + 1)[0] < len(data)
        ):
            position += 5
        else:
            raise protocol_error(f"The opcode 0x{opcode:02x} does not belong in a stream, or is cut off.")
    return reduces
