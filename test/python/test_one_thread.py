"""What engines with one thread need: letting go of deep values, and knowing quick programs."""

from __future__ import annotations

import pickle
import unittest
import weakref
from time import monotonic

from _isopy import pace, unravel


class Leaf:
    pass


def nested(levels: int, value: object) -> object:
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


class HeldTest(unittest.TestCase):
    def test_a_held_value_lives_until_it_is_let_go(self) -> None:
        leaf = Leaf()
        alive = weakref.ref(leaf)
        held = unravel.Held()
        held.hold(nested(5_000, leaf))
        del leaf
        self.assertIsNotNone(alive())
        held.let_go()
        self.assertIsNone(alive())

    def test_containers_are_let_go_outermost_first(self) -> None:
        held = unravel.Held()
        inner: list[object] = []
        held.hold({"k": (inner, [inner])})
        self.assertEqual([type(part) for part in held._order], [dict, tuple, list, list])

    def test_a_cycle_is_held_once(self) -> None:
        ring: list[object] = []
        ring.append({"ring": ring})
        held = unravel.Held()
        held.hold(ring)
        self.assertEqual(len(held._order), 2)
        held.let_go()

    def test_only_what_is_deep_is_held_after_reading(self) -> None:
        held = unravel.Held()
        for value, count in ((nested(100, 1), 0), ([[n] for n in range(5_000)], 0), (nested(900, 1), 900)):
            with self.subTest(count=count):
                held.let_go()
                held.hold_read(pickle.dumps([0] * 2_000) + b"a" * 2_000, value)
                self.assertEqual(len(held._order), count)


class PaceTest(unittest.TestCase):
    def test_programs_are_told_apart_whatever_their_operands_are(self) -> None:
        for instructions in (
            ((20, [1]),),
            ((20, {}),),
            ((0, "math"), (1, 0, "sqrt"), (3, 1, (2,))),
            ((3, -5, ([1], {})), (15, 0, ("int32",))),
            ((3, -5, ({},), {"k": []}), (1, 0, "x")),
            ("no instruction", None),
        ):
            with self.subTest(instructions=instructions):
                hash(pace.like((7, 0, (0, 0), *instructions)))

    def test_an_unknown_kind_of_program_is_never_quick(self) -> None:
        flushed: list[int] = []
        watch = pace.Pace(lambda: flushed.append(1))
        program = (7, 0, (0, 0), (20, [1]))
        watch.after(program, monotonic())
        self.assertIsNotNone(watch.before(program, True), "it is timed")
        self.assertEqual(len(flushed), 1, "what waits goes out first")


if __name__ == "__main__":
    unittest.main()
