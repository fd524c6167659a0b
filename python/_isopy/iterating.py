"""Batches of items from Python iterators: `(done, [items], return value)`.

One item is always waited for; more come while there is time. An error after the first item must
not lose the items before it, so it waits for the next call; so does the item of an async iterator
that was asked for but did not come in time.
"""

from __future__ import annotations

import time
from typing import Any, Optional

from .lazily import asyncio

Batch = tuple[bool, list[Any], Any]

# What the next call must begin with, by iterator: an exception to raise or a task to await.
_later: dict[int, tuple[Any, BaseException]] = {}
_asked: dict[int, tuple[Any, asyncio.Task[Any]]] = {}


def advance(
    iterator: Any,
    count: int,
    deadline: float,
    throw: Optional[BaseException] = None,
    send: tuple[Any, ...] = (),
) -> Batch:
    """Up to `count` items of a synchronous iterator until `deadline` (time.monotonic)."""
    waiting = _later.pop(id(iterator), None)
    if waiting is not None and throw is None:
        raise waiting[1]
    items: list[Any] = []
    push = items.append
    clock = time.monotonic
    step = type(iterator).__next__
    try:
        if throw is not None:
            push(iterator.throw(throw))
        elif send:
            push(iterator.send(send[0]))
        else:
            push(step(iterator))
        while len(items) < count and clock() < deadline:
            push(step(iterator))
    except StopIteration as stop:
        if stop is throw:
            raise
        return True, items, stop.value
    except BaseException as error:
        if not items:
            raise
        _later[id(iterator)] = (iterator, error)
    return False, items, None


async def advance_async(
    iterator: Any,
    count: int,
    deadline: float,
    throw: Optional[BaseException] = None,
    send: tuple[Any, ...] = (),
) -> Batch:
    """Up to `count` items of an async iterator; items that take longer stay asked for."""
    key = id(iterator)
    waiting = _later.pop(key, None)
    if waiting is not None and throw is None:
        raise waiting[1]
    items: list[Any] = []
    try:
        if throw is not None:
            items.append(await iterator.athrow(throw))
        elif send:
            items.append(await iterator.asend(send[0]))
        else:
            asked = _asked.pop(key, None)
            items.append(await (asked[1] if asked is not None else iterator.__anext__()))
        while len(items) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            task = asyncio.ensure_future(_item(iterator))
            done, _ = await asyncio.wait((task,), timeout=left)
            if not done:
                _asked[key] = (iterator, task)
                break
            items.append(task.result())
    except StopAsyncIteration:
        return True, items, None
    except BaseException as error:
        if not items:
            raise
        _later[key] = (iterator, error)
    return False, items, None


async def _item(iterator: Any) -> Any:
    return await iterator.__anext__()


async def close_async(iterator: Any) -> None:
    """Ends an async generator: an item that is still asked for is cancelled first."""
    _later.pop(id(iterator), None)
    asked = _asked.pop(id(iterator), None)
    if asked is not None:
        asked[1].cancel()
        await asyncio.wait((asked[1],))
        if not asked[1].cancelled():
            asked[1].exception()
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
