"""What the stress run calls. Every function counts its own calls, so that one lost or run twice shows."""

import asyncio
import hashlib
import itertools
import time

_counters = {}


def counted(function):
    counter = _counters[function.__name__] = itertools.count()

    if asyncio.iscoroutinefunction(function):

        async def count(*args, **kwargs):
            next(counter)
            return await function(*args, **kwargs)
    else:

        def count(*args, **kwargs):
            next(counter)
            return function(*args, **kwargs)

    return count


def calls(name):
    """How often a function was called. Reading it counts too, so it may be asked once."""
    return next(_counters[name])


@counted
def add(a, b):
    return a + b


@counted
def text(value):
    return value + "é\0👍"


@counted
def big(value):
    return value * 2**70


@counted
def echo(value):
    return value


@counted
def data(value):
    return bytes(reversed(value))


@counted
def fail(value):
    raise ValueError(value)


@counted
def back(function, value):
    return function(value) + 1


@counted
def keywords(*, first, second):
    return [first, second]


@counted
async def later(value):
    await asyncio.sleep(0)
    return value


@counted
def items(count):
    yield from range(count)


@counted
def digest(value):
    # More than 2,047 bytes: hashlib lets go of the GIL.
    return hashlib.sha256(value).hexdigest()[:4]


def doze():
    time.sleep(30)


class Box:
    made = itertools.count()

    def __init__(self, value):
        next(Box.made)
        self.value = value

    def get(self):
        return self.value


_counters["Box"] = Box.made
