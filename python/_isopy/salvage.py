"""Program ids in a batch that cannot be decoded, so that each of them still settles.

Walks opcodes by their sizes only. A program begins with a mark inside the mark of the batch,
followed by its id; the walk stops at the first byte it does not understand.
"""

from __future__ import annotations

from struct import unpack_from

_FIXED = {0x80: 1, 0x95: 8, ord("J"): 4, ord("K"): 1, ord("M"): 2, ord("G"): 8, ord("q"): 1, ord("r"): 4,
          ord("h"): 1, ord("j"): 4}  # fmt: skip
_SIZED = {0x8A: "<B", 0x8B: "<i", 0x8C: "<B", ord("X"): "<I", 0x8D: "<Q", ord("C"): "<B", ord("B"): "<I",
          0x8E: "<Q", 0x96: "<Q"}  # fmt: skip
_BARE = frozenset(b"N\x88\x89]ae)\x85\x86\x87t}su\x8f\x90\x91(01\x94QR\x93l.")
_CLOSE = frozenset(b"tleu1\x90\x91")


def program_ids(data: bytes) -> list[int]:
    found: list[int] = []
    position, depth, fresh = 0, 0, False
    try:
        while position < len(data):
            op = data[position]
            position += 1
            start = position
            if op in _FIXED:
                position += _FIXED[op]
            elif op in _SIZED:
                (size,) = unpack_from(_SIZED[op], data, position)
                position += int(_SIZED[op] != "<B") * (7 if _SIZED[op] == "<Q" else 3) + 1 + max(size, 0)
            elif op not in _BARE:
                break
            if fresh:
                number = _number(op, data, start)
                if number is not None:
                    found.append(number)
            fresh = op == ord("(") and depth == 1
            if op == ord("("):
                depth += 1
            elif op in _CLOSE:
                depth -= 1
    except Exception:
        return found  # cut off in the middle of a size
    return found


def _number(op: int, data: bytes, at: int) -> int | None:
    if op == ord("K"):
        return data[at]
    if op == ord("M"):
        return int(unpack_from("<H", data, at)[0])
    if op == ord("J"):
        return int(unpack_from("<i", data, at)[0])
    if op == 0x8A:
        return int.from_bytes(data[at + 1 : at + 1 + data[at]], "little", signed=True)
    return None
