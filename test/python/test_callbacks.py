"""What JavaScript lends: every protocol of the proxies, counting, answers that come later."""

from __future__ import annotations

import gc
import unittest
from typing import Any

from scripted import CALL, EVAL, EXEC, Ext, Scripted, Thrown, inner

FUNCTION, CLASS, ITERABLE, ASYNC_ITERABLE, THENABLE, ERROR = 1, 2, 4, 8, 16, 32
ASYNC, ITERATOR, SIZED = 256, 512, 1024


class Recorder:
    """Answers from a table by (op, …operands), recording what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[Any, Any] = {}

    def __call__(self, target: int, op: int, *operands: Any) -> Any:
        self.calls.append((target, op, *operands))
        answer = self.answers.get(op, None)
        if isinstance(answer, BaseException):
            raise answer
        return answer(*operands) if callable(answer) else answer


class Callbacks(unittest.TestCase):
    def setUp(self) -> None:
        self.js = Recorder()
        self.py = Scripted(self.js)
        self.addCleanup(self.py.close)

    def test_a_function_is_called_with_arguments_and_keywords(self) -> None:
        self.js.answers[0] = lambda args, kwargs: [args, kwargs]
        value = self.py.evaluate("f(1, 'a', key=[2])", f=Ext("js", 7, FUNCTION, "f"))
        self.assertEqual(value, [(1, "a"), {"key": [2]}])
        self.assertEqual(self.js.calls[0][:2], (7, 0))

    def test_a_dropped_callback_leaves_nothing_behind(self) -> None:
        self.py.evaluate("f(1)", f=Ext("js", 7, FUNCTION, "f"))
        gc.collect()
        self.assertEqual(self.py.engine.callbacks._live, {})

    def test_attributes_and_methods(self) -> None:
        box = Ext("js", 3, 0, "Box")
        self.js.answers[1] = lambda name: Ext("js", 8, FUNCTION, name) if name == "m" else name
        self.js.answers[5] = lambda name, args, kwargs: ("called", name, args)
        self.assertEqual(self.py.evaluate("(b.x, b.class_, b.new_)", b=box), ("x", "class", "new"))
        self.assertEqual(self.py.evaluate("b.m(1)", b=box), ("called", "m", (1,)))
        self.py.run(inner(EXEC, "b.x = 5\ndel b.y", ("b",), (box,)))
        self.assertIn((3, 2, "x", 5), self.js.calls)
        self.assertIn((3, 3, "y"), self.js.calls)
        self.assertEqual(self.py.evaluate("hasattr(b, '__array_interface__')", b=box), False)

    def test_a_method_goes_back_as_the_function(self) -> None:
        self.js.answers[1] = lambda name: Ext("js", 8, FUNCTION, name)
        self.assertEqual(self.py.evaluate("b.m", b=Ext("js", 3, 0, "Box")), Ext("js", 8))

    def test_a_missing_attribute_is_an_attribute_error(self) -> None:
        self.js.answers[1] = Thrown("AttributeError", "no x", None, None)
        box = Ext("js", 3, 0, "Box")
        self.assertEqual(self.py.evaluate("getattr(b, 'x', 'default')", b=box), "default")
        self.assertEqual(self.py.evaluate("hasattr(b, 'x')", b=box), False)

    def test_items_and_length(self) -> None:
        self.js.answers.update({10: lambda key: {"a": 1}[key], 9: 4, 13: True, 17: False, 15: "text"})
        box = Ext("js", 3, SIZED | ITERABLE, "Box")
        self.assertEqual(
            self.py.evaluate("(b['a'], len(b), 'k' in b, bool(b), str(b))", b=box),
            (1, 4, True, False, "text"),
        )
        self.js.answers[10] = Thrown("KeyError", "gone", None, None)
        self.assertEqual(self.py.fail(inner(EVAL, "b['zz']", ("b",), (box,)))["name"], "JsKeyError")
        self.py.run(inner(EXEC, "b[1] = 2\ndel b['q']", ("b",), (box,)))
        self.assertIn((3, 11, 1, 2), self.js.calls)
        self.assertIn((3, 12, "q"), self.js.calls)

    def test_iteration(self) -> None:
        items = [(False, [1], None), (False, [2], None), (True, [], "r")]
        self.js.answers.update({6: Ext("js", 9, ITERATOR, "it"), 7: lambda n: items.pop(0)})
        self.assertEqual(self.py.evaluate("[x for x in b]", b=Ext("js", 3, ITERABLE, "Box")), [1, 2])
        self.py.evaluate("it.close()", it=Ext("js", 9, ITERATOR, "it"))
        self.assertIn((9, 8), self.js.calls)

    def test_identity_equality_and_hash(self) -> None:
        two = self.py.evaluate(
            "(a is b, a == b, hash(a) == hash(b), a == 1, a in {b})",
            a=Ext("js", 3, 0, ""),
            b=Ext("js", 3, 0, ""),
        )
        self.assertEqual(two, (True, True, True, False, True))
        self.assertEqual(
            self.py.evaluate("[a, {'k': a}]", a=Ext("js", 3, 0, "")), [Ext("js", 3), {"k": Ext("js", 3)}]
        )

    def test_new_and_classes(self) -> None:
        self.js.answers[4] = lambda args, kwargs: ["made", args]
        self.assertEqual(
            self.py.evaluate("(C.new(1), C(2))", C=Ext("js", 5, FUNCTION | CLASS, "C")),
            (["made", (1,)], ["made", (2,)]),
        )

    def test_dropped_proxies_are_forgotten_with_their_count(self) -> None:
        self.py.evaluate("None", a=Ext("js", 3, 0, ""), b=Ext("js", 3, 0, ""))
        self.py.run((EVAL, "None"))
        gc.collect()
        self.py.run((EVAL, "None"))
        self.assertEqual(self.py.host.wait(lambda: self.py.host.forgotten().get(3)), 2)
        self.assertEqual(len(self.py.engine.callbacks), 0)

    def test_a_kept_callback_is_not_forgotten(self) -> None:
        self.py.run(inner(EXEC, "kept = [f]", ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.py.run((EVAL, "None"))
        self.assertNotIn(4, self.py.host.forgotten())
        self.py.run((EXEC, "del kept"))
        self.py.run((EVAL, "None"))
        self.assertEqual(self.py.host.wait(lambda: self.py.host.forgotten().get(4)), 1)

    def test_a_failed_call_does_not_keep_its_callback(self) -> None:
        error = self.py.fail(inner(EVAL, "(lambda g: 1/0)(f)", ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.assertEqual(error["name"], "ZeroDivisionError")
        self.py.run((EVAL, "None"))
        self.assertEqual(self.py.host.wait(lambda: self.py.host.forgotten().get(4)), 1)

    def test_what_javascript_throws_is_raised_with_its_class(self) -> None:
        self.js.answers[0] = Thrown("TypeError", "bad", "at f", Ext("js", 11, ERROR, "TypeError"))
        source = "e = None\ntry:\n    f()\nexcept TypeError as error:\n    e = [type(error).__name__, error.message, error.stack, error.name]"
        self.py.run(inner(EXEC, source.replace("e =", "seen ="), ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.assertEqual(self.py.evaluate("seen"), ["JsTypeError", "bad", "at f", "TypeError"])
        error = self.py.fail(inner(EVAL, "f()", ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.assertEqual((error["message"], error["js"]), ("bad", Ext("js", 11)))
        self.assertIn("builtins" not in error["mro"] and "TypeError", error["mro"])

    def test_an_exception_comes_back_as_itself(self) -> None:
        self.py.run((EXEC, "class Mine(Exception): pass\nkept = Mine('x')\ndef boom(): raise kept"))
        error = self.py.fail((EVAL, "boom()"))
        self.js.answers[0] = Thrown("Mine", "x", None, Ext("exception", error["id"]))
        source = "try:\n    f()\nexcept Mine as error:\n    same = error is kept"
        self.py.run(inner(EXEC, source, ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.assertIs(self.py.evaluate("same"), True)
        again = self.py.fail(inner(EVAL, "f()", ("f",), (Ext("js", 4, FUNCTION, "f"),)))
        self.assertEqual(again["id"], error["id"])

    def test_promises_are_awaitable_and_never_block(self) -> None:
        self.js.answers[16] = lambda: "settled"
        promise = Ext("js", 6, THENABLE, "Promise")
        self.assertEqual(self.py.evaluate("p", p=promise), "settled")
        self.assertEqual(self.py.evaluate("await p", p=promise), "settled")
        self.js.answers[16] = Thrown("RangeError", "far", None, None)
        self.assertEqual(self.py.fail(inner(EVAL, "await p", ("p",), (promise,)))["name"], "JsRangeError")

    def test_async_functions_work_without_waiting(self) -> None:
        self.py.host.can_ask = False
        self.js.answers[0] = lambda args, kwargs: args[0] * 2
        self.assertEqual(self.py.evaluate("await f(4)", f=Ext("js", 2, FUNCTION | ASYNC, "f")), 8)
        error = self.py.fail(inner(EVAL, "f(4)", ("f",), (Ext("js", 2, FUNCTION, "f"),)))
        self.assertEqual(error.operands[1], "ERR_UNSUPPORTED")
        self.assertIn("async: true", error.operands[3])

    def test_async_iteration(self) -> None:
        items = [(False, [b"a"], None), (False, [b"b"], None), (True, [], None)]
        self.js.answers.update({6: Ext("js", 9, ITERATOR, "it"), 7: lambda n: items.pop(0)})
        self.assertEqual(
            self.py.evaluate("[x async for x in s]", s=Ext("js", 3, ASYNC_ITERABLE, "Stream")), [b"a", b"b"]
        )

    def test_the_origin_of_a_call_is_its_program(self) -> None:
        self.py.run((EXEC, "import asyncio\nasync def later(f):\n    await asyncio.sleep(0)\n    return f()"))
        f = Ext("js", 4, FUNCTION, "f")
        first = self.py.submit(inner(EVAL, "f()", ("f",), (f,)))
        self.py.outputs(first)
        second = self.py.submit(inner(EVAL, "later(f)", ("f",), (f,)))
        self.py.outputs(second)
        origins = [call[1] for kind, call in self.py.host.frames if kind == CALL]
        self.assertEqual(origins, [first, second])

    def test_a_callback_may_call_python_again(self) -> None:
        handle = self.py.handle("lambda x: x + 1")
        engine = self.py.engine

        def nested(args: Any, kwargs: Any) -> Any:
            return self.py.outputs(self.py.submit((3, -handle, (args[0],))))[0][1]

        self.js.answers[0] = nested
        py = self.py
        py.host.wake = lambda: None  # type: ignore[method-assign]
        real = py.outputs

        # The thread that waits serves what comes meanwhile.
        def serving(number: int) -> Any:
            engine.work()
            return py.host.wait(lambda: py.host.replies().get(number))

        py.outputs = serving  # type: ignore[method-assign]
        self.assertEqual(py.evaluate("f(1) + f(2)", f=Ext("js", 4, FUNCTION, "f")), 5)
        py.outputs = real  # type: ignore[method-assign]


class Handles(unittest.TestCase):
    def setUp(self) -> None:
        self.py = Scripted()
        self.addCleanup(self.py.close)

    def test_one_object_has_one_handle_while_it_lives(self) -> None:
        py = self.py
        py.run((EXEC, "o = object()"))
        self.assertEqual(py.handle("o"), py.handle("o"))
        a = py.handle("o")
        self.assertIs(py.evaluate("x is o", x=Ext("ref", a)), True)

    def test_a_released_handle_never_names_another_object(self) -> None:
        from scripted import RELEASE, stream

        py = self.py
        seen = set()
        for _ in range(50):
            handle = py.handle("object()")
            self.assertNotIn(handle, seen)
            self.assertLess(handle, 2**53)
            seen.add(handle)
            py.engine.receive(RELEASE, stream([handle, 1]))
            self.assertEqual(py.fail((1, -handle, "x")).operands[1], "ERR_HANDLE_DISPOSED")
        self.assertEqual(len(py.engine.handles), 0)

    def test_releases_are_counted(self) -> None:
        from scripted import RELEASE, stream

        py = self.py
        py.run((EXEC, "o = object()"))
        handle = py.handle("o")
        py.handle("o")
        py.engine.receive(RELEASE, stream([handle, 1]))
        self.assertIs(py.evaluate("x is o", x=Ext("ref", handle)), True)
        py.engine.receive(RELEASE, stream([handle, 5, 999, 1, -3, 1]))
        self.assertEqual(py.fail((1, -handle, "x")).operands[1], "ERR_HANDLE_DISPOSED")

    def test_a_release_may_run_code_that_releases_and_introduces(self) -> None:
        from scripted import RELEASE, stream

        py = self.py
        other = py.handle("object()")

        class Dies:
            def __del__(self) -> None:
                py.engine.handles.release([(other, 1)])
                py.engine.handles.introduce(self)

        handle = py.engine.handles.introduce(Dies())
        py.engine.receive(RELEASE, stream([handle, 1]))
        self.assertEqual(len(py.engine.handles), 1)

    def test_a_slot_is_retired_before_its_generation_wraps(self) -> None:
        from _isopy.handles import LAST_GENERATION, HandleTable

        table = HandleTable()
        handle = table.introduce(object())
        table._generations[handle & 0xFFFFFF] = LAST_GENERATION
        table.release([(handle, 1)])
        other = table.introduce(object())
        self.assertNotEqual(other & 0xFFFFFF, handle & 0xFFFFFF)

    def test_bound_methods_of_one_function_and_object_share_a_handle(self) -> None:
        from _isopy.handles import HandleTable

        class Thing:
            def one(self) -> None: ...

            def two(self) -> None: ...

        table, thing, words = HandleTable(), Thing(), ["a"]
        first = table.introduce(thing.one)
        self.assertEqual(table.introduce(thing.one), first)
        self.assertEqual(table.introduce(words.append), table.introduce(words.append))
        self.assertEqual(
            len({first, *map(table.introduce, (thing.two, Thing().one, words.index, ["a"].append))}), 5
        )
        self.assertEqual(table.get(first), thing.one)
        table.release([(first, 2)])
        self.assertNotEqual(table.introduce(thing.one), first)

    def test_unawaited_coroutines_end_quietly(self) -> None:
        import warnings

        from scripted import RAW, RELEASE, stream

        py = self.py
        py.run((EXEC, "async def f(): pass"))
        value = py.run((EVAL, "f()"), mode=RAW)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            py.engine.receive(RELEASE, stream([value.operands[1], 1]))
        self.assertEqual(py.host.events(), [])


if __name__ == "__main__":
    unittest.main()
