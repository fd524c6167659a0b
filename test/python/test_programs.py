"""Every instruction, poisoning, modes, slots in operands."""

from __future__ import annotations

import unittest

from scripted import (
    AWAIT,
    CALLS,
    CAST,
    CLOSE,
    COPY,
    DEL,
    DELGLOBAL,
    DELITEM,
    ENTER,
    EVAL,
    EXEC,
    EXIT,
    GET,
    GLOBAL,
    IMPORT,
    ITEM,
    ITER,
    NEXT,
    NONE,
    PORTABLE,
    RAW,
    REF,
    SEND,
    SET,
    SETGLOBAL,
    SETITEM,
    THROW,
    VALUE,
    Ext,
    Scripted,
    inner,
)  # fmt: skip


class Programs(unittest.TestCase):
    def setUp(self) -> None:
        self.py = Scripted()
        self.addCleanup(self.py.close)

    def test_a_chain_is_one_program(self) -> None:
        self.assertEqual(self.py.run((IMPORT, "math"), (GET, 0, "sqrt"), (CALLS, 1, (16,))), 4.0)

    def test_a_dotted_import_gives_the_leaf(self) -> None:
        value = self.py.run((IMPORT, "os.path"), (GET, 0, "basename"), (CALLS, 1, ("a/b",)))
        self.assertEqual(value, "b")

    def test_item_call_with_keywords_and_attributes(self) -> None:
        self.assertEqual(self.py.run((EVAL, "{'a': [1, 2]}"), (ITEM, 0, "a"), (ITEM, 1, 1)), 2)
        self.assertEqual(self.py.run((EVAL, "dict"), (CALLS, 0, (), {"a": 1})), {"a": 1})

    def test_set_and_delete(self) -> None:
        py = self.py
        py.run((EXEC, "class Box: pass\nbox = Box(); table = {}"))
        py.run((GLOBAL, "box"), (SET, 0, "x", 5))
        self.assertEqual(py.evaluate("box.x"), 5)
        py.run((GLOBAL, "box"), (DEL, 0, "x"))
        self.assertEqual(py.fail((EVAL, "box.x"))["name"], "AttributeError")
        py.run((GLOBAL, "table"), (SETITEM, 0, "k", [1]))
        self.assertEqual(py.evaluate("table"), {"k": [1]})
        py.run((GLOBAL, "table"), (DELITEM, 0, "k"))
        self.assertEqual(py.evaluate("table"), {})

    def test_globals_of_the_context_then_builtins(self) -> None:
        py = self.py
        py.run((SETGLOBAL, "answer", 42))
        self.assertEqual(py.run((GLOBAL, "answer")), 42)
        self.assertEqual(py.run((GLOBAL, "len"), (CALLS, 0, ([1, 2],))), 2)
        py.run((DELGLOBAL, "answer"))
        self.assertEqual(py.fail((GLOBAL, "answer"))["name"], "NameError")
        self.assertEqual(py.fail((DELGLOBAL, "answer"))["name"], "NameError")

    def test_value_is_its_operand(self) -> None:
        self.assertEqual(self.py.run((VALUE, {"a": 1})), {"a": 1})
        self.assertEqual(self.py.run(inner(VALUE, b"raw")), b"raw")

    def test_slots_inside_operands(self) -> None:
        value = self.py.run((EVAL, "[1, 2, 3]"), (GLOBAL, "len"), inner(CALLS, 1, ([Ext("slot", 0), 5],)))
        self.assertEqual(value, 2)
        value = self.py.run(
            (EVAL, "[1, 2, 3]"), (GLOBAL, "dict"), inner(CALLS, 1, (), {"a": {"b": Ext("slot", 0)}})
        )
        self.assertEqual(value, {"a": {"b": [1, 2, 3]}})

    def test_one_slot_is_one_object(self) -> None:
        value = self.py.run(
            (EVAL, "object()"),
            (EVAL, "lambda a, b: a is b"),
            inner(CALLS, 1, (Ext("slot", 0), Ext("slot", 0))),
        )
        self.assertIs(value, True)

    def test_iteration(self) -> None:
        py = self.py
        self.assertEqual(py.run((EVAL, "range(5)"), (ITER, 0), (NEXT, 1, 3, 1000)), (False, [0, 1, 2], None))
        self.assertEqual(py.run((EVAL, "[7]"), (ITER, 0), (NEXT, 1, 3, 1000)), (True, [7], None))
        py.run((EXEC, "def g():\n    got = yield 1\n    yield got\n    return 'end'"))
        gen = py.handle("g()")
        self.assertEqual(py.run((NEXT, -gen, 1, 0)), (False, [1], None))
        self.assertEqual(py.run((SEND, -gen, "sent")), (False, ["sent"], None))
        self.assertEqual(py.run((NEXT, -gen, 9, 100)), (True, [], "end"))

    def test_items_before_an_error_are_not_lost(self) -> None:
        py = self.py
        py.run((EXEC, "def g():\n    yield 1\n    yield 2\n    raise KeyError('late')"))
        gen = py.handle("g()")
        self.assertEqual(py.run((NEXT, -gen, 9, 1000)), (False, [1, 2], None))
        self.assertEqual(py.fail((NEXT, -gen, 9, 1000))["name"], "KeyError")
        self.assertEqual(py.run((NEXT, -gen, 9, 1000)), (True, [], None))

    def test_next_stops_when_its_time_is_over(self) -> None:
        self.assertEqual(self.py.run((EVAL, "iter([1, 2])"), (NEXT, 0, 9, 0)), (False, [1], None))

    def test_throw_and_close(self) -> None:
        py = self.py
        py.run(
            (
                EXEC,
                "log = []\ndef g():\n    try:\n        yield 1\n    except ValueError as e:\n        yield str(e)\n    finally:\n        log.append('finally')",
            )
        )
        gen = py.handle("g()")
        py.run((NEXT, -gen, 1, 0))
        self.assertEqual(
            py.run((EVAL, "ValueError('boo')"), inner(THROW, -gen, Ext("slot", 0))), (False, ["boo"], None)
        )
        self.assertIsNone(py.run((CLOSE, -gen)))
        self.assertEqual(py.evaluate("log"), ["finally"])

    def test_context_managers(self) -> None:
        py = self.py
        py.run(
            (
                EXEC,
                "class CM:\n    def __enter__(self): return 'in'\n    def __exit__(self, t, v, tb):\n        global seen\n        seen = t\n        return True",
            )
        )
        cm = py.handle("CM()")
        self.assertEqual(py.run((ENTER, -cm)), "in")
        self.assertIs(py.run((EVAL, "ValueError()"), inner(EXIT, -cm, Ext("slot", 0))), True)
        self.assertIs(py.evaluate("seen is ValueError"), True)
        self.assertIs(py.run((EXIT, -cm, None)), True)

    def test_async_iteration_and_context_managers(self) -> None:
        py = self.py
        py.run((EXEC, """
import asyncio
closed = []
async def g():
    try:
        for i in range(3):
            await asyncio.sleep(0)
            yield i
    finally:
        closed.append(1)
class CM:
    async def __aenter__(self): return 'ain'
    async def __aexit__(self, *a): return a[0] is ValueError
"""))  # fmt: skip
        gen = py.handle("g()")
        self.assertEqual(py.run((NEXT, -gen, 1, 0)), (False, [0], None))
        self.assertEqual(py.run((NEXT, -gen, 9, 5000)), (True, [1, 2], None))
        other = py.handle("g()")
        py.run((NEXT, -other, 1, 0))
        py.run((CLOSE, -other))
        self.assertEqual(py.evaluate("closed"), [1, 1])
        cm = py.handle("CM()")
        self.assertEqual(py.run((ENTER, -cm)), "ain")
        self.assertIs(py.run((EVAL, "ValueError()"), inner(EXIT, -cm, Ext("slot", 0))), True)

    def test_await_in_the_middle_and_at_the_end(self) -> None:
        py = self.py
        py.run((EXEC, "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return [x]"))
        self.assertEqual(py.run((GLOBAL, "f"), (CALLS, 0, (3,))), [3])
        self.assertEqual(py.run((GLOBAL, "f"), (CALLS, 0, (3,)), (AWAIT, 1), (ITEM, 2, 0)), 3)
        self.assertEqual(py.run((GLOBAL, "f"), (CALLS, 0, (3,)), mode=RAW).operands[0], "ref")
        self.assertEqual(py.run((EVAL, "await f(4)"), (ITEM, 0, 0)), 4)
        py.run((EXEC, "kept = await f(9)"))
        self.assertEqual(py.evaluate("kept"), [9])

    def test_two_awaited_outputs_run_together(self) -> None:
        py = self.py
        py.run(
            (
                EXEC,
                "import asyncio\nevent = None\nasync def a():\n    global event\n    event = asyncio.Event()\n    await asyncio.wait_for(event.wait(), 5)\n    return 'a'\nasync def b():\n    await asyncio.sleep(0)\n    event.set()\n    return 'b'",
            )
        )
        number = py.submit((EVAL, "a()"), (EVAL, "b()"), outputs=(0, 0, 1, 0))
        self.assertEqual(py.outputs(number), [(0, "a"), (0, "b")])

    def test_a_failure_poisons_its_dependents_only(self) -> None:
        py = self.py
        number = py.submit(
            (EVAL, "1/0"),
            (GET, 0, "real"),
            (EVAL, "7"),
            inner(VALUE, [Ext("slot", 1)]),
            outputs=(0, 0, 1, 0, 2, 0, 3, 0),
        )
        outputs = py.outputs(number)
        self.assertEqual([kind for kind, _ in outputs], [2, 2, 0, 2])
        ids = {value.operands[1]["id"] for kind, value in outputs if kind == 2}
        self.assertEqual(len(ids), 1, "dependents report the same error")
        self.assertEqual(outputs[2], (0, 7))

    def test_modes(self) -> None:
        py = self.py
        self.assertEqual(py.run((EVAL, "5"), mode=REF).operands[0], "ref")
        self.assertIsNone(py.run((EVAL, "[5]"), mode=NONE))
        self.assertEqual(
            py.run((EVAL, "__import__('collections').Counter('aab')"), mode=COPY), {"a": 2, "b": 1}
        )
        self.assertEqual(py.fail((EVAL, "{'a': [1, len]}"), mode=PORTABLE).operands[1], "ERR_NOT_CONVERTIBLE")
        self.assertIn("value['a'][1]", py.fail((EVAL, "{'a': [1, len]}"), mode=PORTABLE).operands[2])
        self.assertEqual(py.fail((EVAL, "len"), mode=COPY).operands[1], "ERR_NOT_CONVERTIBLE")

    def test_cast(self) -> None:
        py = self.py
        self.assertEqual(py.run((EVAL, "200"), (CAST, 0, ("uint8",))), 200)
        self.assertEqual(py.fail((EVAL, "300"), (CAST, 0, ("uint8",)))["name"], "OverflowError")
        error = py.fail((EVAL, "{'a': ['x']}"), (CAST, 0, ("dict", ("string",), ("list", ("int32",)))))
        self.assertEqual(error["name"], "TypeError")
        self.assertIn("value['a'][0]", error["message"])
        kept = py.run((EVAL, "5"), (CAST, 0, ("handle",)))
        self.assertEqual(kept.operands[0], "ref")
        self.assertEqual(py.run((EVAL, "str"), inner(CALLS, 0, (Ext("ref", kept.operands[1]),))), "5")
        self.assertEqual(py.run((EVAL, "[5]"), (CAST, 0, ("list", ("handle",))))[0].operands[0], "ref")

    def test_malformed_programs_are_protocol_errors(self) -> None:
        py = self.py
        for bad in [
            (99, 0),
            (GET, 7, "x"),
            (GET, 0),
            (CALLS, 0, "no"),
            (IMPORT, 5),
            ("x",),
            (),
            (GET, "s", "x"),
            (EVAL, 5),
            (NEXT, 0),
        ]:
            with self.subTest(bad=bad):
                error = py.fail((EVAL, "len"), bad)
                self.assertEqual(error.operands[:2], ("engine_error", "ERR_PROTOCOL"))
        number = py.submit((EVAL, "1"), outputs=(5, 0, 0, 6, 0, 0))
        self.assertEqual([kind for kind, _ in py.outputs(number)], [2, 2, 0])

    def test_an_unknown_context_is_refused(self) -> None:
        self.assertEqual(self.py.fail((EVAL, "1"), context=77).operands[1], "ERR_CLOSED")

    def test_exits_of_user_code_are_replies(self) -> None:
        for source, name in (
            ("exit_(3)", "SystemExit"),
            ("raise_(KeyboardInterrupt)", "KeyboardInterrupt"),
            ("raise_(GeneratorExit)", "GeneratorExit"),
        ):
            self.py.run((EXEC, "import sys\nexit_ = sys.exit\ndef raise_(e): raise e"))
            self.assertEqual(self.py.fail((EVAL, source))["name"], name)
        self.assertEqual(self.py.fail((EVAL, "exit_(3)"))["extra"], {"code": 3})
        self.assertEqual(self.py.run((EVAL, "1 + 1")), 2)


if __name__ == "__main__":
    unittest.main()
