"""Exceptions as data, whatever their classes do; engine errors; background failures."""

from __future__ import annotations

import sys
import unittest

from _isopy.describe import describe
from _isopy.stream import _plain_error
from scripted import EVAL, EXEC, Ext, Scripted, inner, read


class Errors(unittest.TestCase):
    def setUp(self) -> None:
        self.py = Scripted()
        self.addCleanup(self.py.close)

    def fail_with(self, source: str, **bound: object) -> dict[str, object]:
        number = self.py.submit(inner(EXEC, source, tuple(bound), tuple(bound.values())))
        ((kind, value),) = self.py.outputs(number)
        self.assertEqual(kind, 2)
        self.assertEqual(value.operands[0], "error")
        return value.operands[1]

    def test_the_parts_of_an_error(self) -> None:
        error = self.fail_with("class Mine(ValueError): pass\ndef f():\n    raise Mine('no', 3, len)\nf()")
        self.assertEqual(
            (error["name"], error["type"], error["message"]), ("Mine", "__main__.Mine", str(("no", 3, len)))
        )
        self.assertEqual(
            error["mro"], ["__main__.Mine", "ValueError", "Exception", "BaseException", "object"]
        )
        self.assertEqual(error["args"], ["no", 3, None])
        self.assertEqual(
            [(frame[1], frame[4], frame[5]) for frame in error["frames"]],
            [(4, "<module>", "f()"), (3, "f", "raise Mine('no', 3, len)")],
        )
        self.assertIn('", line 3, in f', error["traceback"])
        self.assertTrue(error["traceback"].endswith("Mine: " + str(error["message"]) + "\n"))
        self.assertEqual(
            (error["cause"], error["context"], error["suppress"], error["errors"], error["notes"]),
            (None, None, False, None, []),
        )

    def test_a_plain_error_is_written_as_any_other(self) -> None:
        codec = self.py.engine.codec
        written = 0
        for source in (
            "raise ValueError('x')",
            "raise KeyError(1)",
            "raise ValueError",
            "raise OSError(2, 'no', '/tmp/\\ud800')",
            "raise StopIteration([1])",
            "raise ValueError(len)",
            "raise ValueError('cause') from KeyError('k')",
            "raise ValueError('long' * 100_000)",
            "raise SystemExit(2.5)",
            "import json\njson.loads('{')",
            "def f(n): raise RuntimeError(b'deep') if n == 0 else f(n - 1)\nf(300)",
        ):
            try:
                exec(source, {})
            except BaseException as error:
                described = describe(error, codec.portable, raised=False)
                plain = _plain_error(described)
                if plain is not None:
                    written += 1
                    self.assertEqual(read(plain), read(codec._extended(described, False)), source)
        self.assertGreaterEqual(written, 6)

    def test_frames_of_bound_sources_are_the_callers_lines(self) -> None:
        error = self.fail_with("x = 1\ny = x / z", z=0)
        self.assertEqual(
            [(frame[1], frame[4], frame[5]) for frame in error["frames"]], [(2, "<module>", "y = x / z")]
        )

    def test_causes_contexts_and_cycles(self) -> None:
        error = self.fail_with("try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e")
        self.assertEqual(error["cause"].operands[1]["name"], "ZeroDivisionError")
        self.assertIs(error["suppress"], True)
        error = self.fail_with(
            "a = ValueError('a'); b = ValueError('b'); a.__cause__ = b; b.__cause__ = a\nraise a"
        )
        self.assertIsNone(error["cause"].operands[1]["cause"])
        error = self.fail_with(
            "e = ValueError('0')\nfor i in range(3000):\n    n = ValueError(i); n.__cause__ = e; e = n\nraise e"
        )
        self.assertEqual(error["name"], "ValueError")

    def test_messages_that_fail_have_a_fallback(self) -> None:
        self.py.run(
            (
                EXEC,
                "class S(Exception):\n    def __str__(self): return 1/0\nclass R(Exception):\n    def __str__(self): return str(self)\nclass N(Exception):\n    __notes__ = property(lambda s: 1/0)\n    args = property(lambda s: 1/0)\nclass T(str): pass\nclass U(Exception):\n    def __str__(self): return T('sub')",
            )
        )
        self.assertIn("ZeroDivisionError", self.fail_with("raise S()")["message"])
        self.assertIn("RecursionError", self.fail_with("raise R()")["message"])
        self.assertEqual(self.fail_with("raise N('x')")["name"], "N")
        self.assertEqual(self.fail_with("raise U('x')")["message"], "sub")

    def test_extra_fields(self) -> None:
        self.assertEqual(self.fail_with("raise KeyError('')")["message"], "")
        self.assertEqual(self.fail_with("raise KeyError('k')")["extra"], {"key": "k"})
        extra = self.fail_with("open('/definitely/not/here')")["extra"]
        self.assertEqual((extra["errno"], extra["filename"]), (2, "/definitely/not/here"))
        extra = self.fail_with("compile('a b', 'file.py', 'exec')")["extra"]
        self.assertEqual((extra["filename"], extra["lineno"], extra["text"].strip()), ("file.py", 1, "a b"))
        self.assertEqual(self.fail_with("raise SystemExit(3)")["extra"], {"code": 3})
        self.assertEqual(self.fail_with("next((x for x in []))")["extra"], {"value": None})

    def test_a_syntax_error_in_the_source_itself(self) -> None:
        error = self.fail_with("x = (1\ny = 2")
        self.assertEqual(error["name"], "SyntaxError")
        self.assertTrue(error["extra"]["filename"].startswith("<isopy "))
        self.assertEqual(error["frames"], [])

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups came with 3.11")
    def test_groups_and_notes(self) -> None:
        error = self.fail_with(
            "e = ExceptionGroup('g', [ValueError(1), ExceptionGroup('h', [KeyError('k')])])\ne.add_note('n1')\nraise e"
        )
        self.assertEqual(
            [member.operands[1]["name"] for member in error["errors"]], ["ValueError", "ExceptionGroup"]
        )
        self.assertEqual(error["notes"], ["n1"])

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups came with 3.11")
    def test_a_deep_group_says_what_it_leaves_out(self) -> None:
        error = self.fail_with(
            "e = ValueError('innermost')\nfor n in range(100):\n    e = ExceptionGroup(str(n), [e, KeyError(n)])\nraise e"
        )
        depth = 0
        while error["errors"]:
            self.assertEqual(error["notes"], [])
            error = error["errors"][0].operands[1]
            depth += 1
        self.assertEqual(depth, 64)
        self.assertEqual(error["errors"], [])
        self.assertIn("2 exceptions of this group are left out", error["notes"][0])
        self.assertIn("left out", error["traceback"])
        once = self.fail_with("e = ValueError(1)\nraise ExceptionGroup('g', [e, e])")
        self.assertEqual((len(once["errors"]), once["notes"]), (1, []))

    def test_recursion_and_memory(self) -> None:
        error = self.fail_with("def f(): return f()\nf()")
        self.assertEqual(error["name"], "RecursionError")
        self.assertLessEqual(len(error["frames"]), 201)
        self.assertEqual(self.fail_with("raise MemoryError")["name"], "MemoryError")
        self.assertEqual(self.py.run((EVAL, "1")), 1)

    def test_the_last_exceptions_keep_their_identity(self) -> None:
        error = self.fail_with("kept = ValueError('x')\nraise kept")
        self.assertIs(self.py.evaluate("e is kept", e=Ext("exception", error["id"])), True)
        for index in range(1100):
            self.py.engine.encode_error(ValueError(index))
        late = self.py.fail(inner(EVAL, "e", ("e",), (Ext("exception", error["id"]),)))
        self.assertEqual(late.operands[1], "ERR_NOT_CONVERTIBLE")

    def test_a_remembered_error_keeps_no_local_variables(self) -> None:
        self.py.run(
            (
                EXEC,
                "import weakref\nclass Big: pass\ndef f():\n    global weak\n    big = Big()\n    weak = weakref.ref(big)\n    raise ValueError",
            )
        )
        self.fail_with("f()")
        self.assertIs(self.py.evaluate("weak() is None"), True)

    def test_background_failures_are_events(self) -> None:
        self.py.run(
            (
                EXEC,
                "import asyncio, gc\nasync def bad(): raise ValueError('bg')\nasync def start():\n    asyncio.ensure_future(bad())\n    await asyncio.sleep(0)\n    await asyncio.sleep(0)\n    gc.collect()",
            )
        )
        self.py.run((EVAL, "start()"))
        self.py.run((EVAL, "start()"))
        events = self.py.host.wait(
            lambda: [event for event in self.py.host.events() if event[0] == "unhandled"]
        )
        self.assertEqual(events[0][3].operands[1]["message"], "bg")

    def test_exits_in_background_tasks_leave_the_loop_alive(self) -> None:
        self.py.run(
            (
                EXEC,
                "import asyncio\nasync def bad(): raise SystemExit(3)\nasync def start(): asyncio.ensure_future(bad())\nasync def fine():\n    await asyncio.sleep(0)\n    return 'fine'",
            )
        )
        self.py.run((EVAL, "start()"))
        self.assertEqual(self.py.run((EVAL, "fine()")), "fine")
        self.assertEqual(self.py.fail((EVAL, "bad()"))["name"], "SystemExit")
        self.assertEqual(self.py.run((EVAL, "fine()")), "fine")


class Hostile(unittest.TestCase):
    """A peer may send anything: nothing but data is made, the engine lives, each program settles."""

    def setUp(self) -> None:
        self.py = Scripted()
        self.addCleanup(self.py.close)

    STREAMS = {
        "empty": b"",
        "no stop": b"\x80\x05]",
        "short text": b"\x80\x05\x8c\x10ab.",
        "huge text": b"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
        "huge bytes": b"\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\xffab.",
        "huge frame": b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",
        "bad utf-8": b"\x80\x05\x8c\x01\xff.",
        "unset memo": b"\x80\x05h\x05.",
        "huge memo index": b"\x80\x05Nr\xff\xff\xff\x7f.",
        "stack underflow": b"\x80\x05e.",
        "mark without end": b"\x80\x05(.",
        "global": b"\x80\x05cos\nsystem\n.",
        "stack global": b"\x80\x05\x8c\x02os\x8c\x06system\x93.",
        "reduce": b"\x80\x05\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
        "inst": b"\x80\x05(S'id'\nios\nsystem\n.",
        "newobj": b"\x80\x05\x8c\x08builtins\x8c\x04list\x93)\x81.",
        "extension registry": b"\x80\x05\x82\x01.",
        "out of band buffer": b"\x80\x05\x97.",
        "text int": b"\x80\x05I1\n.",
        "text float": b"\x80\x05F1.5\n.",
        "text string": b"\x80\x05S'a'\n.",
        "text long": b"\x80\x05L1L\n.",
        "text persistent id": b"\x80\x05Pabc\n.",
        "build": b"\x80\x05}}b.",
        "build of the marker": b"\x80\x05\x8c\x06_isopy\x8c\x01v\x93}b.",
        "marker itself": b"\x80\x05\x8c\x06_isopy\x8c\x01v\x93.",
        "dup": b"\x80\x05N2\x86.",
        "reduce of a handle": b"\x80\x05(\x8c\x03refK\x01tQ)R.",
        "append to a handle": b"\x80\x05(\x8c\x03refK\x01tQNa.",
        "unknown tag": b"\x80\x05(\x8c\x04evilK\x01tQ.",
        "tag of no text": b"\x80\x05(]tQ.",
        "empty extension": b"\x80\x05)Q.",
        "extension of no tuple": b"\x80\x05K\x01Q.",
        "ref of text": b"\x80\x05(\x8c\x03ref\x8c\x01xtQ.",
        "ref of nothing": b"\x80\x05(\x8c\x03reftQ.",
        "slot outside": b"\x80\x05(\x8c\x04slotK\x63tQ.",
        "negative slot": b"\x80\x05(\x8c\x04slotJ\xff\xff\xff\xfftQ.",
        "decimal of junk": b"\x80\x05(\x8c\x07decimal\x8c\x03abctQ.",
        "range of text": b"\x80\x05(\x8c\x05range\x8c\x01aK\x01K\x01tQ.",
        "named tuple of int": b"\x80\x05(\x8c\x0anamedtupleK\x01K\x01))tQ.",
        "odict of junk": b"\x80\x05(\x8c\x05odictK\x01tQ.",
        "buffer of junk": b"\x80\x05(\x8c\x06buffer\x8c\x01zC\x01atQ.",
        "complex of text": b"\x80\x05(\x8c\x07complex\x8c\x01aK\x01tQ.",
        "zero step": b"\x80\x05(\x8c\x05rangeK\x01K\x01K\x00tQ.",
    }

    def test_malformed_operands_are_protocol_errors(self) -> None:
        self.py.handle("print")  # handle 1 exists and is callable
        for name, data in self.STREAMS.items():
            with self.subTest(name):
                number = self.py.submit((20, data[:-1] + b"\x85." if data else data))
                ((kind, value),) = self.py.outputs(number)
                self.assertEqual((kind, value.operands[:2]), (2, ("engine_error", "ERR_PROTOCOL")))
        self.assertEqual(self.py.run((EVAL, "1 + 1")), 2)

    def test_malformed_batches_settle_their_programs(self) -> None:
        from scripted import SUBMIT, batch, fragment

        good = fragment((5, 0, (0, 0), (EVAL, "1")))
        for name, data in self.STREAMS.items():
            if name in ("empty", "no stop"):
                continue  # nothing is wrong with them inside a batch
            with self.subTest(name):
                py = Scripted()
                self.addCleanup(py.close)
                py.engine.receive(SUBMIT, b"\x80\x05(" + good + b"(K\x09K\x00" + data[2:-1] + b"tl.")
                replies = py.host.wait(py.host.replies)
                self.assertEqual(
                    {value.operands[1] for outputs in replies.values() for _, value in outputs},
                    {"ERR_PROTOCOL"},
                )
                self.assertIn(5, replies)
                self.assertEqual(py.run((EVAL, "1 + 1")), 2)
        py = Scripted()
        self.addCleanup(py.close)
        for frame in (
            b"",
            b"\x80\x05N.",
            b"\x80\x05}.",
            b"junk",
            batch((1,)),
            batch((2, 0)),
            b"\x80\x05(]l.",
            b"\x80\x05(K\x01l.",
        ):
            py.engine.receive(SUBMIT, frame)
        py._next = 10
        self.assertEqual(py.run((EVAL, "1 + 1")), 2)

    def test_other_frames_of_junk_are_events(self) -> None:
        py = self.py
        for kind in (2, 3, 4, 5, 99):
            for frame in (b"", b"\x80\x05N.", b"\x80\x05\x8c\x01a.", b"\x80\x05]\x8c\x01aa."):
                py.engine.receive(kind, frame)
        codes = {event[3].operands[1] for event in py.host.events() if event[0] == "unhandled"}
        self.assertEqual(codes, {"ERR_PROTOCOL"})
        self.assertEqual(py.run((EVAL, "1 + 1")), 2)

    def test_random_damage_is_survived(self) -> None:
        import random

        from scripted import GET, IMPORT, SUBMIT, batch

        chance = random.Random(20)
        py = Scripted(workers=0)
        self.addCleanup(py.close)
        whole = batch(
            (1, 0, (2, 0), (IMPORT, "math"), (GET, 0, "sqrt"), (3, 1, (2,))),
            (
                2,
                0,
                (1, 0),
                (EVAL, "[1]"),
                inner(20, [Ext("slot", 0), Ext("decimal", "1.5"), {"a": b"x" * 50}]),
            ),
        )
        for _ in range(3000):
            damaged = bytearray(whole)
            for _ in range(chance.randint(1, 3)):
                place = chance.randrange(2, len(damaged))
                damaged[place : place + chance.choice((0, 1, 1, 1, 4))] = bytes([chance.randrange(256)])
            py.engine.receive(SUBMIT, bytes(damaged))
            py.engine.work()
        self.assertIn(16, {kind for kind, _ in py.host.frames})
        py.host.twice.clear()  # the same two programs were sent again and again
        fine = Scripted()
        self.addCleanup(fine.close)
        self.assertEqual(fine.run((EVAL, "1 + 1")), 2)

    def test_unhashable_keys_are_not_convertible(self) -> None:
        error = self.py.fail(inner(20, {Ext("ref", self.py.handle("[]")): 1}))
        self.assertEqual(error.operands[1], "ERR_NOT_CONVERTIBLE")


if __name__ == "__main__":
    unittest.main()
