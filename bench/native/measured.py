"""What every contender calls: the same functions for isopy, its peers, the floor and plain Python."""

import asyncio
import time


def add(a, b):
    return a + b


def echo(value):
    return value


class Point:
    x = 7

    def m(self):
        return 1


POINT = Point()


class Cell:
    def __init__(self):
        self.value = None


class Sheet:
    def __init__(self):
        self._cells = {}

    def cell(self, row, column):
        key = (row, column)
        found = self._cells.get(key)
        if found is None:
            found = self._cells[key] = Cell()
        return found


class Workbook:
    def __init__(self):
        self.active = Sheet()


def dicts(count):
    return [{f"key{n}": n * 1.5 for n in range(10)} for _ in range(count)]


DICTS = dicts(10_000)
BYTES = bytes(10_000_000)


def size(data):
    return len(data)


def produce():
    return BYTES


def callbacks(function, count):
    for _ in range(count):
        function(1)


def fails():
    raise ValueError("x")


def new_object():
    return Point()


def snooze(seconds):
    time.sleep(seconds)


def burn(count):
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


async def coroutine():
    return 1


def eager():
    """Makes tasks of the running loop eager, where Python has that."""
    factory = getattr(asyncio, "eager_task_factory", None)
    if factory is not None:
        asyncio.get_running_loop().set_task_factory(factory)


def array(count):
    import numpy

    return numpy.arange(count, dtype=numpy.float64)


def total(data):
    import numpy

    return float(numpy.frombuffer(data, dtype=numpy.float64)[1])
