"""Many threads, ordered contexts, interrupts, event loops, the synchronous path, closing."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import types
import unittest
from typing import Any
from unittest import mock

from scripted import (
    CALLS,
    EVAL,
    EXEC,
    GET,
    GLOBAL,
    IMPORT,
    INTERRUPT,
    ITEM,
    SUBMIT,
    VALUE,
    Ext,
    Scripted,
    batch,
    fragment,
    inner,
    read,
    stream,
)  # fmt: skip


class Threads(unittest.TestCase):
    def test_eight_threads_settle_each_program_once(self) -> None:
        py = Scripted(workers=8)
        self.addCleanup(py.close)
        py.run((EXEC, "import threading\ndef f(x): return [x, object]"))
        total = 4000
        for start in range(1, total + 1, 50):
            py.engine.receive(
                SUBMIT,
                batch(
                    *(
                        (10_000 + i, 0, (1, 0), (GLOBAL, "f"), (CALLS, 0, (i,)))
                        for i in range(start, start + 50)
                    )
                ),
            )
        replies = py.host.wait(lambda: (r := py.host.replies()) and len(r) > total and r, 60)
        for i in range(1, total + 1):
            ((kind, value),) = replies[10_000 + i]
            self.assertEqual((kind, value[0]), (1, i))

    def test_a_slow_program_strands_nobody(self) -> None:
        py = Scripted(workers=2)
        self.addCleanup(py.close)
        py.run((EXEC, "import threading\ngate = threading.Event()"))
        engine = py.engine
        engine.receive(
            SUBMIT,
            batch(
                (100, 0, (0, 0), (EVAL, "1")),
                (101, 0, (0, 0), (EVAL, "gate.wait(20)")),
                (102, 0, (0, 0), (EVAL, "3")),
            ),
        )
        py.host.wake()
        py.host.wait(lambda: 102 in py.host.replies() and 100 in py.host.replies())
        self.assertNotIn(101, py.host.replies())
        py.run((EVAL, "gate.set()"))
        py.host.wait(lambda: 101 in py.host.replies())

    def test_a_module_that_another_program_imports_is_there_as_a_whole(self) -> None:
        py = Scripted(workers=2)
        self.addCleanup(py.close)
        gates = types.ModuleType("isopy_gates")
        gates.inside, gates.opened, gates.arrived = (threading.Event() for _ in range(3))  # type: ignore[attr-defined]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(f"{folder.name}/isopy_slow.py", "w") as out:
            out.write(
                "import isopy_gates\nisopy_gates.inside.set()\nisopy_gates.opened.wait(20)\nvalue = 7\n"
            )
        sys.modules["isopy_gates"] = gates
        sys.path.insert(0, folder.name)
        for name in ("isopy_gates", "isopy_slow"):
            self.addCleanup(sys.modules.pop, name, None)
        self.addCleanup(sys.path.remove, folder.name)
        first = py.submit((IMPORT, "isopy_slow"), (GET, 0, "value"))
        self.assertTrue(gates.inside.wait(10))  # type: ignore[attr-defined]
        arriving = "__import__('isopy_gates').arrived.set()"
        second = py.submit((EVAL, arriving), (IMPORT, "isopy_slow"), (GET, 1, "value"))
        self.assertTrue(gates.arrived.wait(10))  # type: ignore[attr-defined]
        gates.opened.set()  # type: ignore[attr-defined]
        self.assertEqual([py.outputs(first), py.outputs(second)], [[(0, 7)], [(0, 7)]])

    def test_what_is_asked_of_a_half_imported_module_has_an_answer(self) -> None:
        py = Scripted()
        self.addCleanup(py.close)
        zone = "type('Zone', (__import__('datetime').tzinfo,), {'utcoffset': lambda *_: None})()"
        for name in ("concurrent.futures", "zoneinfo"):
            with mock.patch.dict(sys.modules, {name: types.ModuleType(name)}):
                self.assertIsInstance(py.run((EVAL, "type('One', (), {})()")), Ext)
                self.assertIsInstance(
                    py.run((EVAL, f"__import__('datetime').datetime(2020, 1, 1, tzinfo={zone})")), Ext
                )

    def test_where_there_is_one_thread_what_is_done_goes_before_what_may_be_slow(self) -> None:
        py = Scripted(threads=False, workers=0)
        self.addCleanup(py.close)
        seen: list[bool] = []
        py.engine.codec  # the engine is there
        py.engine.contexts.by_id[0].namespace["look"] = lambda: seen.append(100 in py.host.replies())
        py.engine.receive(SUBMIT, batch((100, 0, (0, 0), (EVAL, "1")), (101, 0, (0, 0), (EVAL, "look()"))))
        py.engine.work()
        self.assertEqual(seen, [True])

    def test_an_ordered_context_runs_one_program_at_a_time(self) -> None:
        py = Scripted(workers=4)
        self.addCleanup(py.close)
        context = py.run((IMPORT, "_isopy.contexts"), (GET, 0, "create"), (CALLS, 1, (True,)))
        py.run(
            (
                EXEC,
                "import asyncio\nlog = []\nrunning = 0\nasync def step(i):\n    global running\n    assert running == 0\n    running = 1\n    await asyncio.sleep(0.001)\n    running = 0\n    log.append(i)",
            ),
            context=context,
        )
        numbers = [py.submit((GLOBAL, "step"), (CALLS, 0, (i,)), context=context) for i in range(30)]
        for number in numbers:
            py.outputs(number)
        self.assertEqual(py.run((GLOBAL, "log"), context=context), list(range(30)))
        self.assertEqual(py.fail((GLOBAL, "log"))["name"], "NameError", "namespaces are apart")
        py.run((IMPORT, "_isopy.contexts"), (GET, 0, "close"), (CALLS, 1, (context,)))
        self.assertEqual(py.fail((EVAL, "1"), context=context).operands[1], "ERR_CLOSED")

    def test_a_program_that_waits_for_javascript_lets_its_own_context_in(self) -> None:
        py = Scripted(workers=2)
        self.addCleanup(py.close)
        context = py.run((IMPORT, "_isopy.contexts"), (GET, 0, "create"), (CALLS, 1, (True,)))
        py.host.answer = lambda target, op, *operands: py.run((EVAL, "40 + 2"), context=context)
        self.assertEqual(py.run(inner(EVAL, "f()", ("f",), (Ext("js", 1, 1, "f"),)), context=context), 42)

    def test_the_loop_is_one_per_context(self) -> None:
        py = Scripted()
        self.addCleanup(py.close)
        context = py.run((IMPORT, "_isopy.contexts"), (GET, 0, "create"), (CALLS, 1, (True,)))
        source = "__import__('threading').get_ident() if await __import__('asyncio').sleep(0) is None else 0"
        first, second = py.run((EVAL, source)), py.run((EVAL, source))
        third = py.run((EVAL, source), context=context)
        self.assertEqual(first, second)
        self.assertNotEqual(first, third)


class Interrupts(unittest.TestCase):
    def setUp(self) -> None:
        self.py = Scripted(workers=2)
        self.addCleanup(self.py.close)
        self.py.run((EXEC, "import threading, time, asyncio\nstarted = threading.Event()"))

    def interrupted(self, *instructions: Any, context: int = 0) -> dict[str, Any]:
        py = self.py
        py.engine.contexts.get(context).namespace.setdefault("started", threading.Event())
        started = py.engine.contexts.get(context).namespace["started"]
        started.clear()
        number = py.submit(*instructions, context=context)
        self.assertTrue(started.wait(10))
        py.engine.receive(INTERRUPT, stream([number]))
        ((kind, value),) = py.outputs(number)
        self.assertEqual(kind, 2)
        self.assertIs(value.operands[1].get("cancelled"), True)
        return value.operands[1]

    def test_a_busy_loop(self) -> None:
        error = self.interrupted((EXEC, "started.set()\nwhile True: pass"))
        self.assertEqual(error["name"], "KeyboardInterrupt")
        self.assertEqual(self.py.run((EVAL, "1 + 1")), 2)

    def test_a_sleep(self) -> None:
        error = self.interrupted((EXEC, "started.set()\ntime.sleep(60)"))
        self.assertEqual(error["name"], "KeyboardInterrupt")

    def test_an_await(self) -> None:
        error = self.interrupted((EXEC, "started.set()\nawait asyncio.sleep(60)"))
        self.assertEqual(error["name"], "CancelledError")

    def test_a_busy_coroutine(self) -> None:
        self.interrupted((EXEC, "await asyncio.sleep(0)\nstarted.set()\nwhile True: pass"))
        self.assertEqual(self.py.run((EXEC, "await asyncio.sleep(0)")), None)

    def test_finally_blocks_run(self) -> None:
        self.interrupted(
            (EXEC, "cleaned = []\nstarted.set()\ntry:\n    time.sleep(60)\nfinally:\n    cleaned.append(1)")
        )
        self.assertEqual(self.py.evaluate("cleaned"), [1])

    def test_a_queued_program_is_withdrawn(self) -> None:
        py = Scripted(workers=0)
        self.addCleanup(py.close)
        number = py.submit((EVAL, "1"))
        py.engine.receive(INTERRUPT, stream([number]))
        ((kind, value),) = py.host.replies()[number]
        self.assertEqual(
            (kind, value.operands[1]["name"], value.operands[1]["cancelled"]), (2, "KeyboardInterrupt", True)
        )
        py.engine.work()
        self.assertEqual(len(py.host.replies()), 1)

    def test_a_waiting_program_of_an_ordered_context_is_withdrawn(self) -> None:
        py = self.py
        context = py.run((IMPORT, "_isopy.contexts"), (GET, 0, "create"), (CALLS, 1, (True,)))
        gate = threading.Event()
        py.engine.contexts.get(context).namespace["gate"] = gate
        first = py.submit((EVAL, "gate.wait(20)"), context=context)
        second = py.submit((EVAL, "2"), context=context)
        third = py.submit((EVAL, "3"), context=context)
        py.engine.receive(INTERRUPT, stream([second]))
        self.assertEqual(py.outputs(second)[0][0], 2)
        gate.set()
        self.assertEqual(py.outputs(first), [(0, True)])
        self.assertEqual(py.outputs(third), [(0, 3)])

    def test_an_interrupt_never_hits_a_later_program(self) -> None:
        py = self.py
        for _ in range(300):
            first = py.submit((EVAL, "sum(range(300))"))
            second = py.submit((EVAL, "sum(range(3000))"))
            py.engine.receive(INTERRUPT, stream([first]))
            ((kind, value),) = py.outputs(second)
            self.assertEqual(kind, 0, value)
            py.outputs(first)
        self.assertEqual(py.engine.interrupts.pending, set())

    def test_an_interrupt_of_what_is_done_does_nothing(self) -> None:
        py = self.py
        number = py.submit((EVAL, "1"))
        py.outputs(number)
        py.engine.receive(INTERRUPT, stream([number, 12345]))
        self.assertEqual(py.run((EVAL, "5")), 5)
        self.assertEqual(py.engine.interrupts.pending, set())

    def test_the_rest_of_an_interrupted_program_does_not_run(self) -> None:
        py = self.py
        started = py.engine.contexts.get(0).namespace["started"]
        number = py.submit(
            (EXEC, "ran = []\nstarted.set()\ntime.sleep(60)"), (EVAL, "ran.append(1)"), outputs=(0, 0, 1, 0)
        )
        self.assertTrue(started.wait(10))
        py.engine.receive(INTERRUPT, stream([number]))
        self.assertEqual([kind for kind, _ in py.outputs(number)], [2, 2])
        self.assertEqual(py.evaluate("ran"), [])


class Synchronous(unittest.TestCase):
    def setUp(self) -> None:
        self.py = Scripted()
        self.addCleanup(self.py.close)

    def run_sync(self, *instructions: Any, context: int = 0) -> Any:
        flat = read(
            self.py.engine.run_sync(fragment((7, context, (len(instructions) - 1, 0), *instructions)))
        )
        self.assertEqual(flat[:2], [7, 1])
        return flat[2], flat[3] if flat[2] == 0 else read(flat[3])

    def test_a_program_to_its_end(self) -> None:
        self.assertEqual(self.run_sync((EVAL, "1 + 1")), (0, 2))
        self.assertEqual(self.run_sync((EVAL, "[1]")), (1, [1]))
        self.assertEqual(self.run_sync((EVAL, "1/0"))[0], 2)
        self.assertEqual(self.run_sync((EVAL, "await __import__('asyncio').sleep(0, 'slept')")), (0, "slept"))
        self.assertEqual(self.run_sync((EVAL, "__import__('asyncio').sleep(0, 'slept')")), (0, "slept"))
        self.assertEqual(self.run_sync((VALUE,))[1].operands[1], "ERR_PROTOCOL")
        self.assertEqual(read(self.py.engine.run_sync(b"junk"))[:3], [0, 1, 2])

    def test_a_busy_ordered_context_is_refused(self) -> None:
        py = self.py
        context = py.run((IMPORT, "_isopy.contexts"), (GET, 0, "create"), (CALLS, 1, (True,)))
        gate, inside = threading.Event(), threading.Event()
        py.engine.contexts.get(context).namespace.update(gate=gate, inside=inside)
        number = py.submit((EVAL, "(inside.set(), gate.wait(20))[1]"), context=context)
        self.assertTrue(inside.wait(10))
        self.assertEqual(self.run_sync((EVAL, "1"), context=context)[1].operands[1], "ERR_SESSION_BUSY")
        gate.set()
        py.outputs(number)
        self.assertEqual(self.run_sync((EVAL, "1"), context=context), (0, 1))

    def test_calls_and_gets(self) -> None:
        engine = self.py.engine
        handle = self.py.handle("max")
        self.assertEqual(engine.call_sync(handle, (1, 5), None, 0), (0, 5))
        kind, payload = engine.call_sync(handle, (), None, 0)
        self.assertEqual((kind, read(payload).operands[1]["name"]), (2, "TypeError"))
        kind, payload = engine.call_sync(9999, (), None, 0)
        self.assertEqual(read(payload).operands[1], "ERR_HANDLE_DISPOSED")
        module = self.py.handle("__import__('math')")
        self.assertEqual(engine.get_sync(module, "pi", 0)[0], 0)
        self.assertEqual(engine.encode(engine.decode(stream([1])), 0)[0], 1)
        coroutine = self.py.handle("(lambda: __import__('asyncio').sleep(0, 3))")
        self.assertEqual(engine.call_sync(coroutine, (), None, 0), (0, 3))


class OneThread(unittest.TestCase):
    """Where the host has one thread, its loop is ours and nothing else runs (wasm)."""

    def setUp(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.py = Scripted(threads=False, workers=0, loop=self.loop)
        self.addCleanup(self.py.close)

    def settled(self, number: int) -> Any:
        async def until() -> Any:
            while number not in self.py.host.replies():
                await asyncio.sleep(0)
            return self.py.host.replies()[number]

        self.py.engine.work()
        return self.loop.run_until_complete(asyncio.wait_for(until(), 10))

    def test_awaitables_run_on_the_loop_of_the_host(self) -> None:
        first = self.py.submit((EVAL, "__import__('asyncio').sleep(0, 'slept')"))
        second = self.py.submit((EVAL, "[await __import__('asyncio').sleep(0, 5)]"), (ITEM, 0, 0))
        self.assertEqual(self.settled(first), [(0, "slept")])
        self.assertEqual(self.settled(second), [(0, 5)])

    def test_an_interrupt_cancels_what_is_awaited(self) -> None:
        number = self.py.submit((EXEC, "await __import__('asyncio').sleep(60)"))
        self.py.engine.work()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.py.engine.receive(INTERRUPT, stream([number]))
        ((kind, value),) = self.settled(number)
        self.assertEqual((kind, value.operands[1]["cancelled"]), (2, True))

    def test_an_exit_inside_a_coroutine_is_a_reply(self) -> None:
        self.py.submit((EXEC, "async def bad(): raise SystemExit(3)"))
        number = self.py.submit((EVAL, "bad()"))
        self.assertEqual(self.settled(number)[0][1].operands[1]["name"], "SystemExit")

    def test_a_signal_hits_only_its_program(self) -> None:
        engine = self.py.engine
        seen: list[str] = []

        def handler(*numbers: int) -> None:
            try:
                engine.interrupts.signal(numbers)
                seen.append("ignored")
            except KeyboardInterrupt:
                seen.append("raised")
                raise

        engine.contexts.get(0).namespace["signal"] = handler
        number = self.py.submit((EVAL, "signal(999)"), (EVAL, "signal(1)"))
        ((kind, value),) = self.settled(number)
        self.assertEqual((seen, kind, value.operands[1]["cancelled"]), (["ignored", "raised"], 2, True))

    def test_a_synchronous_program_cannot_await(self) -> None:
        flat = read(
            self.py.engine.run_sync(fragment((7, 0, (0, 0), (EVAL, "__import__('asyncio').sleep(0)"))))
        )
        self.assertEqual(read(flat[3]).operands[1], "ERR_UNSUPPORTED")


class Closing(unittest.TestCase):
    def test_what_is_queued_settles_and_closing_twice_is_fine(self) -> None:
        py = Scripted(workers=0)
        first = py.submit((EVAL, "1"))
        py.close()
        py.close()
        self.assertEqual(py.host.replies()[first][0][1].operands[1], "ERR_CLOSED")
        late = py.submit((EVAL, "1"))
        self.assertEqual(py.host.replies()[late][0][1].operands[1], "ERR_CLOSED")
        self.assertEqual(len(py.engine.handles), 0)

    def test_what_is_awaited_settles(self) -> None:
        py = Scripted()
        started = threading.Event()
        py.engine.contexts.get(0).namespace["started"] = started
        number = py.submit((EXEC, "import asyncio\nstarted.set()\nawait asyncio.sleep(60)"))
        self.assertTrue(started.wait(10))
        py.engine.close()
        self.assertEqual(py.host.wait(lambda: py.host.replies().get(number))[0][0], 2)
        py.close()

    def test_hello(self) -> None:
        py = Scripted()
        self.addCleanup(py.close)
        hello = read(py.engine.hello())
        self.assertEqual(hello["protocol"], 1)
        self.assertIs(hello["capabilities"]["threads"], True)


if __name__ == "__main__":
    unittest.main()
