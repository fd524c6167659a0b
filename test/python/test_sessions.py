"""Cells: output as events, values, errors with the author's lines, display, interrupts."""

from __future__ import annotations

import sys
import unittest
from typing import Any

from scripted import CALLS, COPY, EVAL, EXEC, GET, IMPORT, INTERRUPT, Scripted, stream


class Sessions(unittest.TestCase):
    def setUp(self) -> None:
        self.streams = sys.stdout, sys.stderr
        self.addCleanup(self.restore)
        self.py = Scripted(redirect=True, workers=2)
        self.addCleanup(self.py.close)
        self.session, self.context = self.py.run(
            (IMPORT, "_isopy.session"), (GET, 0, "create"), (CALLS, 1, ("s",))
        )
        self.cells = 0

    def restore(self) -> None:
        sys.stdout, sys.stderr = self.streams

    def start(self, code: str) -> int:
        self.cells += 1
        return self.py.submit(
            (IMPORT, "_isopy.session"),
            (GET, 0, "run"),
            (CALLS, 1, (self.session, self.cells, code)),
            context=self.context,
        )

    def cell(self, code: str) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        number = self.start(code)
        ((kind, result),) = self.py.outputs(number)
        self.assertEqual(kind, 1, result)
        return result, self.events()

    def events(self) -> list[tuple[Any, ...]]:
        return [
            (event[0], *event[3:])
            for event in self.py.host.events()
            if event[1:3] == (self.session, self.cells)
        ]

    def test_output_value_and_status_come_in_order(self) -> None:
        result, events = self.cell(
            "import sys\nprint('hi')\nprint('oops', file=sys.stderr)\nprint('partial', end='')\n6 * 7"
        )
        self.assertEqual(result, {"status": "ok", "executionCount": 1, "value": 42})
        self.assertEqual(events[0], ("status", "busy"))
        self.assertEqual(events[-1], ("status", "idle"))
        self.assertEqual(
            "".join(event[2] for event in events if event[:2] == ("stream", "stdout")), "hi\npartial"
        )
        self.assertIn(("stream", "stderr", "oops\n"), events)
        self.assertEqual(events[-2], ("execute_result", {"text/plain": "42"}, {}, 1))

    def test_events_come_before_the_reply(self) -> None:
        number = self.start("print('x')")
        self.py.outputs(number)
        kinds = [kind for kind, data in self.py.host.frames if kind == 16 and number in data or kind == 17]
        self.assertEqual(kinds[-1], 16)

    def test_names_stay_and_cells_count(self) -> None:
        self.cell("x = 5")
        result, events = self.cell("x + 1;")
        self.assertEqual(result, {"status": "ok", "executionCount": 2})
        self.assertNotIn("execute_result", [event[0] for event in events])
        self.assertEqual(self.cell("x")[0]["value"], 5)

    def test_top_level_await(self) -> None:
        result, events = self.cell(
            "import asyncio\nawait asyncio.sleep(0)\nprint('after')\nawait asyncio.sleep(0, 'slept')"
        )
        self.assertEqual(result["value"], "slept")
        self.assertIn(("stream", "stdout", "after\n"), events)

    def test_an_error_has_the_authors_lines(self) -> None:
        result, events = self.cell("def f():\n    return 1 / 0\n\nf()")
        self.assertEqual(
            (result["status"], result["error"].operands[1]["name"]), ("error", "ZeroDivisionError")
        )
        error = next(event for event in events if event[0] == "error")[1].operands[1]
        self.assertEqual(
            [(frame[1], frame[5]) for frame in error["frames"]], [(4, "f()"), (2, "return 1 / 0")]
        )
        self.assertIn("cell 1", error["frames"][0][0])
        result, _ = self.cell("x = (")
        self.assertEqual(result["error"].operands[1]["name"], "SyntaxError")
        result, _ = self.cell("import sys; sys.exit(3)")
        self.assertEqual(result["error"].operands[1]["extra"], {"code": 3})

    def test_display_and_bundles(self) -> None:
        _, events = self.cell(
            "class R:\n    def _repr_html_(self): return '<b>'\n    def _repr_png_(self): return b'png'\ndisplay(R(), 5)\nclear_output(wait=True)\nR()"
        )
        shown = [event for event in events if event[0] == "display_data"]
        self.assertEqual(shown[0][1]["text/html"], "<b>")
        self.assertEqual(shown[0][1]["image/png"], "cG5n")
        self.assertEqual(shown[1][1], {"text/plain": "5"})
        self.assertIn(("clear_output", True), events)
        self.assertEqual(
            next(event for event in events if event[0] == "execute_result")[1]["text/html"], "<b>"
        )

    def test_a_failing_repr_is_no_failure(self) -> None:
        result, events = self.cell("class Bad:\n    def __repr__(self): 1/0\nBad()")
        self.assertEqual(result["status"], "ok")
        self.assertIn(
            "ZeroDivisionError",
            next(event for event in events if event[0] == "execute_result")[1]["text/plain"],
        )

    def test_many_prints_are_few_frames(self) -> None:
        _, events = self.cell("for i in range(20000): print(i)")
        text = "".join(event[2] for event in events if event[0] == "stream")
        self.assertEqual(text, "".join(f"{i}\n" for i in range(20000)))
        self.assertLess(len(events), 1000)

    def test_output_of_threads_and_tasks_belongs_to_the_cell(self) -> None:
        _, events = self.cell(
            "import threading, asyncio\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\nasync def f(): print('task')\nawait asyncio.ensure_future(f())"
        )
        text = "".join(event[2] for event in events if event[0] == "stream")
        self.assertEqual(text, "thread\ntask\n")

    def test_strange_text(self) -> None:
        _, events = self.cell(
            "import sys\nprint('\\ud800é\\0')\nsys.stdout.buffer.write('ü'.encode()[:1]); sys.stdout.buffer.write('ü'.encode()[1:])\nsys.stdout.flush()"
        )
        self.assertEqual("".join(event[2] for event in events if event[0] == "stream"), "\ud800é\0\nü")

    def test_output_outside_cells_has_session_0(self) -> None:
        self.py.run((EXEC, "print('outside')"))
        self.assertIn(("stream", 0, 0, "stdout", "outside\n"), self.py.host.events())

    def test_an_interrupted_cell_leaves_the_session_alive(self) -> None:
        self.cell("import threading\nstarted = threading.Event()")
        started = self.py.engine.contexts.get(self.context).namespace["started"]
        for body in (
            "import time; time.sleep(60)",
            "while True: pass",
            "import asyncio; await asyncio.sleep(60)",
        ):
            started.clear()
            number = self.start(f"started.set()\n{body}")
            self.assertTrue(started.wait(10))
            self.py.engine.receive(INTERRUPT, stream([number]))
            ((kind, value),) = self.py.outputs(number)
            self.assertEqual((kind, value.operands[1]["cancelled"]), (2, True))
            self.assertEqual(self.events()[-1], ("status", "idle"))
        self.assertEqual(self.cell("'alive'")[0]["value"], "alive")

    def test_closing(self) -> None:
        self.py.run(
            (IMPORT, "_isopy.session"), (GET, 0, "close"), (CALLS, 1, (self.session,)), context=self.context
        )
        self.assertEqual(self.py.fail((EVAL, "1"), context=self.context).operands[1], "ERR_CLOSED")
        self.assertIsNone(
            self.py.run((IMPORT, "_isopy.session"), (GET, 0, "close"), (CALLS, 1, (self.session,)))
        )

    def test_logs_are_events_where_somebody_listens(self) -> None:
        py = Scripted(logs="INFO")
        self.addCleanup(py.close)
        py.run((EXEC, "import logging\nlogging.getLogger('here').info('hello %s', 'you')"))
        self.assertIn(("log", 0, 0, "INFO", "here", "hello you"), py.host.events())


class NumPy(unittest.TestCase):
    def setUp(self) -> None:
        try:
            import numpy  # noqa: F401
        except ImportError:
            self.skipTest("NumPy is not installed for this Python")
        self.py = Scripted()
        self.addCleanup(self.py.close)
        self.py.run((EXEC, "import numpy as np"))

    def test_scalars_are_data(self) -> None:
        for source, value in (
            ("np.float64(1.5)", 1.5),
            ("np.int8(-3)", -3),
            ("np.uint64(2**64-1)", 2**64 - 1),
            ("np.bool_(True)", True),
            ("np.float32(0.1)", 0.10000000149011612),
            ("np.str_('x')", "x"),
            ("np.bytes_(b'x')", b"x"),
        ):
            with self.subTest(source=source):
                found = self.py.run((EVAL, source))
                self.assertEqual((found, type(found)), (value, type(value)))
                self.assertEqual(self.py.run((EVAL, f"[{source}, {{'k': {source}}}]")), [value, {"k": value}])
        self.assertEqual(self.py.run((EVAL, "np.complex128(1+2j)")).operands, ("complex", 1.0, 2.0))
        for source in ("np.longdouble(1)", "np.datetime64('2020')", "np.arange(3)"):
            self.assertEqual(self.py.run((EVAL, source)).operands[0], "ref")

    def test_arrays_are_copied_on_demand(self) -> None:
        for source, operands in (
            ("np.arange(6, dtype='int32').reshape(2, 3)", ("int32", (2, 3))),
            ("np.array(5.0)", ("float64", ())),
            ("np.arange(3, dtype='>i4')", ("int32", (3,))),
            ("np.arange(6)[::-2].astype('float16')", ("float16", (3,))),
            ("np.array([True])", ("bool", (1,))),
        ):
            with self.subTest(source=source):
                found = self.py.run((EVAL, source), mode=COPY)
                self.assertEqual(found.operands[1:3], operands)
                self.assertIs(
                    self.py.evaluate(
                        f"bool((x == {source}).all()) and x.dtype == ({source}).dtype.newbyteorder('=')",
                        x=found,
                    ),
                    True,
                )
        self.assertEqual(
            self.py.run((EVAL, "np.array(['a', 'b'])"), mode=COPY).operands, ("strings", (2,), ["a", "b"])
        )


if __name__ == "__main__":
    unittest.main()
