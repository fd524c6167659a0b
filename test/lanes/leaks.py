"""Counts what is alive, for the leak run."""

import gc
import sys


def alive():
    """Allocated blocks, objects that the collector knows, and, where this Python counts them, references."""
    gc.collect()
    gc.collect()
    total = getattr(sys, "gettotalrefcount", None)
    return (sys.getallocatedblocks(), len(gc.get_objects()), total() if total is not None else 0)


class Box:
    value = 1

    def method(self):
        return 1


box = Box()


def echo(value):
    return value


def fail():
    raise ValueError("no")


def call(function):
    return function(1)


def items():
    yield from range(3)


async def later():
    return 1


async def later_items():
    yield 1
    yield 2


def new():
    return Box()
