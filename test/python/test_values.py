"""Values in both directions: what crosses as what, shared, cyclic and deep values, limits."""

from __future__ import annotations

import math
import unittest

from scripted import COPY, EVAL, EXEC, PORTABLE, VALUE, Ext, Scripted, inner, read, stream


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


class Values(unittest.TestCase):
    py: Scripted

    @classmethod
    def setUpClass(cls) -> None:
        cls.py = Scripted()
        cls.addClassCleanup(cls.py.close)

    def out(self, source: str, mode: int = 0) -> object:
        return self.py.run((EVAL, source), mode=mode)

    def test_scalars_are_themselves(self) -> None:
        for value in (
            None,
            True,
            False,
            0,
            -1,
            2**53,
            -(2**70),
            10**5000,
            0.5,
            -0.0,
            1e308,
            "",
            "é\0\ud800",
            b"",
            b"\xff",
        ):
            with self.subTest(value=str(type(value))):
                found = self.py.run(inner(VALUE, value))
                self.assertIs(type(found), type(value))
                self.assertEqual(found, value)
        self.assertEqual(math.copysign(1, self.out("-0.0")), -1)
        self.assertTrue(math.isnan(self.out("float('nan')")))

    def test_exact_containers_are_copied(self) -> None:
        for source in (
            "[1, [2], (3,), {'a': {1, 2}}]",
            "{1: 2, None: 3, True: 4, 'x': 5}",
            "frozenset([1, (2, 3)])",
            "bytearray(b'ab')",
            "[bytearray(), b'', set(), (), {}]",
        ):
            with self.subTest(source=source):
                found = self.out(source)
                self.assertEqual(found, eval(source))
                self.assertIs(type(found), type(eval(source)))

    def test_sharing_and_cycles(self) -> None:
        value = self.out("[a := [1], a]")
        self.assertIs(value[0], value[1])
        self.py.run((EXEC, "cycle = [1]; cycle.append({'me': cycle, 'tuple': (cycle,)})"))
        cycle = self.out("cycle")
        self.assertIs(cycle[1]["me"], cycle)
        self.assertIs(cycle[1]["tuple"][0], cycle)
        self.py.run((EXEC, "mixed = [len, 1]; mixed.append(mixed)"))
        mixed = self.out("mixed")
        self.assertIs(mixed[2], mixed)

    def test_a_shared_tree_is_not_exponential(self) -> None:
        self.py.run((EXEC, "tree = [0]\nfor _ in range(90): tree = [tree, tree]"))
        value = self.out("tree")
        self.assertIs(value[0], value[1])

    def test_deep_values_go_both_ways(self) -> None:
        self.py.run(
            (
                EXEC,
                "deep = []\nfor _ in range(5000): deep = [deep, len] if _ == 4000 else (deep,) if _ % 2 else {'k': deep}",
            )
        )
        value = self.out("deep")
        depth = 0
        while value:
            value = value["k"] if isinstance(value, dict) else value[0]
            depth += 1
        self.assertEqual(depth, 5000)
        self.py.run((EXEC, "def depth(x):\n    n = 0\n    while x: x = x[0]; n += 1\n    return n"))
        # Written by hand: Python's own pickler cannot write this deep.
        data = b"\x80\x05](" + b"](" * 8000 + b"e" * 8000 + b"e."
        self.assertEqual(self.py.engine.decode(data)[0][0][:0], [])

    def test_values_with_rules(self) -> None:
        cases = {
            "1+2j": ("complex", 1.0, 2.0),
            "range(1, 10, 2)": ("range", 1, 10, 2),
            "slice(1, None, 2)": ("slice", 1, None, 2),
            "...": ("ellipsis",),
            "NotImplemented": ("notimplemented",),
            "__import__('decimal').Decimal('1.10')": ("decimal", "1.10"),
            "__import__('decimal').Decimal('sNaN12')": ("decimal", "sNaN12"),
            "__import__('fractions').Fraction(1, 3)": ("fraction", 1, 3),
            "__import__('datetime').date(2020, 2, 3)": ("date", 2020, 2, 3),
            "__import__('datetime').time(1, 2, 3, 4)": ("time", 1, 2, 3, 4),
            "__import__('datetime').datetime(2020, 2, 3, 4, 5, 6, 7)": ("datetime", 2020, 2, 3, 4, 5, 6, 7),
            "__import__('datetime').timedelta(seconds=-1)": ("timedelta", -1, 86399, 0),
            "__import__('datetime').datetime(2020, 2, 3, tzinfo=__import__('datetime').timezone.utc)": (
                "zoned",
                2020,
                2,
                3,
                0,
                0,
                0,
                0,
                0,
                None,
            ),
            "__import__('collections').OrderedDict(b=1, a=2)": ("odict", (("b", 1), ("a", 2))),
        }
        for source, operands in cases.items():
            with self.subTest(source=source):
                found = self.out(source)
                self.assertEqual(found.operands, operands)
                same = f"__import__('operator').eq(x, {source}) and type(x) is type({source})"
                if "sNaN" in source:
                    same = "x.is_snan()"
                self.assertIs(self.py.evaluate(same, x=found), True)
                self.assertEqual(self.out(f"[{source}]")[0].operands, operands)

    def test_zones_keep_the_instant_and_the_fold(self) -> None:
        try:
            import zoneinfo

            zoneinfo.ZoneInfo("Europe/Berlin")
        except Exception:
            self.skipTest("no time zone data here")
        for fold, offset in ((0, 7200), (1, 3600)):
            source = f"__import__('datetime').datetime(2021, 10, 31, 2, 30, fold={fold}, tzinfo=__import__('zoneinfo').ZoneInfo('Europe/Berlin'))"
            found = self.out(source)
            self.assertEqual(
                found.operands, ("zoned", 2021, 10, 31, 2, 30, 0, 0, offset * 1_000_000, "Europe/Berlin")
            )
            self.assertEqual(self.py.evaluate("x.fold", x=found), fold)

    def test_subclasses_and_strangers_are_handles(self) -> None:
        self.py.run(
            (
                EXEC,
                "class I(int): pass\nclass L(list): pass\nclass Bad:\n    __repr__ = __str__ = None\n    __class__ = property(lambda s: 1/0)",
            )
        )
        for source in ("I(5)", "L()", "Bad()", "len", "int", "object()", "iter([])", "memoryview(b'x')", "__import__('collections').defaultdict(list)",
                       "__import__('uuid').UUID(int=1)", "__import__('datetime').time(1, tzinfo=__import__('datetime').timezone.utc)", "__import__('sys')"):  # fmt: skip
            with self.subTest(source=source):
                self.assertEqual(self.out(source).operands[0], "ref")
                self.assertEqual(self.out(f"[{source}]")[0].operands[0], "ref")

    def test_named_tuples(self) -> None:
        self.py.run(
            (
                EXEC,
                "from collections import namedtuple\nfrom typing import NamedTuple\nP = namedtuple('P', 'x y')\nclass Q(NamedTuple):\n    a: int\n    b: list",
            )
        )
        found = self.out("P(1, [2])")
        self.assertEqual(
            (found[0], found[2].rpartition(".")[2], found[3], found[4]),
            ("namedtuple", "P", ("x", "y"), (1, [2])),
        )
        self.assertIs(
            self.py.evaluate(
                "type(p) is P and p == P(1, [2])",
                p=Ext("namedtuple", Ext("ref", found[1][1]), "P", ("x", "y"), (1, [2])),
            ),
            True,
        )
        self.py.run((EXEC, "q = Q(1, []); q.b.append(q)"))
        found = self.out("q")
        self.assertIs(found[4][1][0][4][1], found[4][1])

    def test_enum_members(self) -> None:
        self.py.run(
            (
                EXEC,
                "import enum\nclass C(enum.Enum):\n    RED = [1]\nclass N(enum.IntEnum):\n    ONE = 1\nclass F(enum.Flag):\n    A = 1\n    B = 2",
            )
        )
        found = self.out("C.RED")
        self.assertEqual((found[0], found[2], found[3]), ("enum", "RED", [1]))
        self.assertIs(self.py.evaluate("x is C.RED", x=Ext("enum", found[1])), True)
        self.assertEqual(self.out("N.ONE")[3], 1)
        self.assertEqual(set(self.out("F.A | F.B")[2].split("|")), {"A", "B"})

    def test_an_ordered_dict_inside_itself_ends(self) -> None:
        self.py.run((EXEC, "from collections import OrderedDict\no = OrderedDict(); o['me'] = o"))
        self.assertEqual(self.out("o")[0], "ref", "its operands can never end")
        self.py.run((EXEC, "o = OrderedDict(); o['list'] = [o]"))
        found = self.out("o")
        self.assertEqual(found[0], "odict")
        self.assertIs(found[1][0][1][0], found)

    def test_exceptions_as_values(self) -> None:
        found = self.out("[ValueError('x')]")[0]
        self.assertEqual(found[0], "error")
        self.assertEqual(found[1]["message"], "x")

    def test_buffers_from_javascript(self) -> None:
        self.assertEqual(
            self.py.evaluate("(x.tolist(), x.format, x.readonly)", x=Ext("buffer", "d", b"\0" * 16)),
            ([0.0, 0.0], "d", False),
        )
        found = self.py.evaluate("x", x=Ext("buffer", "h", bytearray(b"\1\0\2\0")))
        self.assertEqual(found[0], "ref")
        self.assertEqual(
            self.py.run((EVAL, "memoryview(b'\\1\\0\\2\\0').cast('h')"), mode=COPY).operands,
            ("buffer", "h", b"\1\0\2\0"),
        )

    def test_arrays_without_numpy_are_shaped_memoryviews(self) -> None:
        try:
            import numpy  # noqa: F401

            self.skipTest("NumPy is here")
        except ImportError:
            pass
        self.assertEqual(
            self.py.evaluate("x.tolist()", x=Ext("ndarray", "int32", [2, 2], b"\1\0\0\0" * 4, {})),
            [[1, 1], [1, 1]],
        )

    def test_copies(self) -> None:
        self.py.run(
            (
                EXEC,
                "import dataclasses, collections, array, ctypes\n@dataclasses.dataclass\nclass D:\n    a: int\n    b: list = dataclasses.field(default_factory=lambda: [D(2, [])])",
            )
        )
        self.assertEqual(self.out("D(1)", COPY), {"a": 1, "b": [{"a": 2, "b": []}]})
        self.assertEqual(self.out("collections.defaultdict(list, a=[1])", COPY), {"a": [1]})
        self.assertEqual(self.out("collections.deque([1, 2])", COPY), [1, 2])
        self.assertEqual(self.out("collections.ChainMap({'a': 1})", COPY), {"a": 1})
        self.assertEqual(self.out("array.array('d', [1.0])", COPY).operands[:2], ("buffer", "d"))
        self.assertEqual(self.out("[array.array('i', [1]), len]", COPY)[1].operands[0], "ref")
        self.assertEqual(
            self.out("((ctypes.c_uint16.__ctype_be__ * 2)(1, 2))", COPY).operands,
            ("buffer", "H", b"\1\0\2\0"),
        )
        self.assertEqual(
            self.out("memoryview(bytes(range(6))).cast('B', [2, 3])", COPY).operands[:3],
            ("ndarray", "uint8", (2, 3)),
        )
        self.assertEqual(
            self.out("memoryview(bytes(range(6)))[::-2]", COPY).operands, ("buffer", "B", b"\5\3\1")
        )
        for source in ("iter([1])", "(i for i in [])", "len", "object()"):
            self.assertEqual(self.py.fail((EVAL, source), mode=COPY).operands[1], "ERR_NOT_CONVERTIBLE")

    def test_portable_names_the_path(self) -> None:
        self.assertEqual(self.out("{'a': [1, (2, 3)]}", PORTABLE), {"a": [1, (2, 3)]})
        self.assertIn(
            "value['a'][1]['b']", self.py.fail((EVAL, "{'a': [1, {'b': len}]}"), mode=PORTABLE).operands[2]
        )

    def test_a_failed_output_gives_its_handles_back(self) -> None:
        before = len(self.py.engine.handles)
        py = Scripted(limits={"maxDepth": 10_000, "maxNodes": 50, "maxBytes": 10_000_000})
        self.addCleanup(py.close)
        self.assertEqual(py.fail((EVAL, "[object(), list(range(100))]")).operands[1], "ERR_LIMIT")
        self.assertEqual(len(py.engine.handles), 0)
        self.assertEqual(len(self.py.engine.handles), before)

    def test_limits(self) -> None:
        py = Scripted(maxDepth=200, maxNodes=1000, maxBytes=5000)
        self.addCleanup(py.close)
        py.run((EXEC, "def nest(n):\n    v = []\n    for _ in range(n): v = [v]\n    return v"))
        self.assertEqual(py.fail((EVAL, "nest(300)")).operands[1], "ERR_LIMIT")
        self.assertEqual(py.fail((EVAL, "list(range(2000))")).operands[1], "ERR_LIMIT")
        self.assertEqual(py.fail((EVAL, "'x' * 6000")).operands[1], "ERR_LIMIT")
        self.assertEqual(py.fail((EVAL, "['x' * 6000]")).operands[1], "ERR_LIMIT")
        deep = b"\x80\x05" + b"](" * 300 + b"e" * 300 + b"."
        with self.assertRaises(Exception) as caught:
            py.engine.decode(deep)
        self.assertEqual(caught.exception.code, "ERR_LIMIT")  # type: ignore[attr-defined]
        self.assertEqual(py.run((EVAL, "nest(50)")), nested(50))

    def test_a_container_that_changes_while_it_is_read(self) -> None:
        self.py.run(
            (EXEC, "d = {}\nclass Meta(type):\n    pass\nclass K:\n    def __init__(self): self.x = 1\n")
        )
        # A rule of ours never runs user code, so the change has to come from a collection: nothing to corrupt.
        self.assertEqual(self.out("[d, d]"), [{}, {}])

    def test_streams_are_symmetrical(self) -> None:
        codec = self.py.engine.codec
        for value in ([1, "a", (None, {"k": [b"x"]})], {"é": {1, 2}}, (), [[]] * 3):
            self.assertEqual(codec.decode(stream(value)), value)
            self.assertEqual(read(codec.stream(value)), value)


if __name__ == "__main__":
    unittest.main()
