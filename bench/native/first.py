"""The smallest module: what a process imports for its first result."""


def add(a, b):
    return a + b
