"""Arrow data: every layout, sliced and in chunks; every struct released exactly once, whatever goes wrong."""

from __future__ import annotations

import struct
import unittest
from contextlib import nullcontext
from typing import Any

from _isopy.arrow import arrow_data
from _isopy.arrow_columns import table_copy
from _isopy.errors import EngineError
from _isopy.flatbuffers import Structs, Table, Vector, finished
from _isopy.marker import Extension
from arrow_producer import Producer, Spec


def pack(fmt: str, *numbers: float) -> bytes:
    return struct.pack(f"={len(numbers)}{fmt}", *numbers)


def table(*columns: Spec, length: int, offset: int = 0) -> Spec:
    return Spec("+s", (None,), length, offset=offset, children=columns, flags=0)


def numbers(name: str = "n", offset: int = 0) -> Spec:
    return Spec("i", (None, pack("i", 1, 2, 3, 4)), 4 - offset, name=name, offset=offset)


def words(name: str = "w") -> Spec:
    return Spec("u", (b"\x0d", pack("i", 0, 1, 1, 3, 6), "aé漢".encode()), 4, name=name, nulls=1)


def plain(value: Any) -> Any:
    if isinstance(value, Extension):
        tag, *operands = value.operands
        fmt, data = (
            (operands[0], operands[1])
            if tag == "buffer"
            else ("q" if operands[0] == "int64" else "?", operands[2])
        )
        return list(memoryview(data).cast(fmt))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


class Releases(unittest.TestCase):
    def released_once(self, producer: Producer) -> None:
        self.assertEqual(producer.released, producer.made)
        self.assertTrue(all(count == 1 for kind, count in producer.released.items() if kind != "array"))

    def test_everything_is_released_once(self) -> None:
        for forgetful in (False, True):
            for form in ("ipc", "buffers"):
                producer = Producer(
                    table(numbers(), length=4), table(numbers(), length=4), forgetful=forgetful
                )
                arrow_data(producer, form)
                self.assertEqual(producer.released, {"stream": 1, "schema": 1, "array": 2})

    def test_also_when_the_producer_fails_half_way(self) -> None:
        producer = Producer(table(numbers(), length=4), table(numbers(), length=4), fail_at=1)
        with self.assertRaisesRegex(EngineError, "the disk is full"):
            arrow_data(producer, "ipc")
        self.released_once(producer)
        self.assertEqual(producer.released["array"], 1)

    def test_also_when_the_type_does_not_cross(self) -> None:
        producer = Producer(table(Spec("+us:0", (b"",), 0, name="u"), length=0))
        with self.assertRaisesRegex(EngineError, r"'u' has the Arrow type '\+us:0'"):
            arrow_data(producer, "ipc")
        self.released_once(producer)

    def test_also_when_the_data_is_malformed(self) -> None:
        lost = Spec("i", (None, None), 4, name="n")
        short = Spec("i", (None, pack("i", 1)), 1, name="n")
        backwards = Spec("u", (None, pack("i", 0, 5, 2), b"abcde"), 2, name="w")
        below = Spec("u", (None, pack("i", 3, 4, 2), b"abcde"), 2, name="w")
        negative = Spec("i", (None, pack("i", 1)), -1, name="n")
        bare = Spec("+l", (None, pack("i", 0, 1)), 1, name="l")
        codes = Spec("c", (None, b"\x07"), 1, name="d", dictionary=words(""))
        for name, column, rows in [
            ("a missing buffer", lost, 4), ("a short child", short, 4), ("an offset that goes back", below, 2),
            ("a negative length", negative, 1), ("a list without items", bare, 1),
        ]:  # fmt: skip
            for form in (lambda p: arrow_data(p, "ipc"), table_copy):
                with self.subTest(name):
                    producer = Producer(table(column, length=rows))
                    with self.assertRaises(EngineError):
                        form(producer)
                    self.released_once(producer)
        for column, rows in ((codes, 1), (backwards, 2)):
            producer = Producer(table(column, length=rows))
            with self.subTest(column.fmt):
                with self.assertRaises(EngineError) if column is codes else nullcontext():
                    table_copy(producer)
                self.released_once(producer)

    def test_a_capsule_is_consumed_once(self) -> None:
        producer = Producer(table(numbers(), length=4))
        capsule = producer.__arrow_c_stream__()

        class Same:
            def __arrow_c_stream__(self, requested_schema: object = None) -> object:
                return capsule

        arrow_data(Same(), "ipc")
        with self.assertRaisesRegex(EngineError, "consumed already"):
            arrow_data(Same(), "ipc")
        self.released_once(producer)

    def test_what_is_no_capsule_is_refused(self) -> None:
        class Liar:
            def __arrow_c_stream__(self, requested_schema: object = None) -> object:
                return 5

        with self.assertRaisesRegex(EngineError, "no capsule named arrow_array_stream"):
            arrow_data(Liar(), "ipc")
        with self.assertRaisesRegex(TypeError, "__arrow_c_stream__"):
            arrow_data(5, "ipc")


class Columns(unittest.TestCase):
    def columns(self, *chunks: Spec) -> Any:
        return plain(table_copy(Producer(*chunks)))

    def test_numbers_text_and_missing_values(self) -> None:
        found = self.columns(table(numbers(), words(), length=4))
        self.assertEqual(found, {"n": [1, 2, 3, 4], "w": ["a", None, "é", "漢"]})

    def test_offsets_of_the_table_and_of_its_columns_add_up(self) -> None:
        found = self.columns(table(numbers(offset=1), words(), length=2, offset=1))
        self.assertEqual(found, {"n": [3, 4], "w": [None, "é"]})

    def test_chunks_are_joined(self) -> None:
        found = self.columns(
            table(numbers(), length=4), table(numbers(), length=0), table(numbers(), length=1, offset=3)
        )
        self.assertEqual(found, {"n": [1, 2, 3, 4, 4]})

    def test_no_rows(self) -> None:
        empty = Spec("u", (None, None, None), 0, name="w")
        self.assertEqual(
            self.columns(table(empty, Spec("b", (None, None), 0, name="b"), length=0)), {"w": [], "b": []}
        )

    def test_lists_structs_and_dictionaries(self) -> None:
        items = Spec("s", (None, pack("h", 1, 2, 3)), 3, name="item")
        lists = Spec("+l", (b"\x05", pack("i", 0, 2, 2, 3)), 3, name="l", nulls=1, children=(items,))
        pairs = Spec(
            "+s",
            (None,),
            3,
            name="s",
            children=(Spec("b", (None, b"\x05"), 3, name="b"), Spec("n", (), 3, name="n")),
        )
        coded = Spec("c", (b"\x03", b"\x02\x00\x00"), 3, name="d", nulls=1, dictionary=words(""))
        found = self.columns(table(lists, pairs, coded, length=3))
        self.assertEqual(found["l"], [[1, 2], None, [3]])
        self.assertEqual(found["s"], [{"b": flag, "n": None} for flag in (True, False, True)])
        self.assertEqual(
            found["d"], {"codes": [2, 0, -1], "categories": ["a", None, "é", "漢"], "ordered": False}
        )

    def test_times_keep_unit_and_zone(self) -> None:
        moments = Spec("tsu:Europe/Berlin", (b"\x01", pack("q", 7, 8)), 2, name="t", nulls=1)
        days = Spec("tdD", (None, pack("i", 3, -1)), 2, name="d")
        copied = table_copy(Producer(table(moments, days, length=2)))
        self.assertEqual(plain(copied), {"t": [7, -(2**63)], "d": [3, -1]})
        self.assertEqual(
            copied["t"].operands[4], {"unit": "us", "kind": "datetime64", "timeZone": "Europe/Berlin"}
        )

    def test_text_in_views(self) -> None:
        long = b"a text that is long"
        views = struct.pack("=i12s", 2, b"ab") + struct.pack("=i4sii", len(long), long[:4], 0, 0)
        column = Spec("vu", (None, views, long, pack("q", len(long))), 2, name="v")
        self.assertEqual(self.columns(table(column, length=2)), {"v": ["ab", long.decode()]})

    def test_repeated_names_become_pairs(self) -> None:
        self.assertEqual(
            [pair[0] for pair in table_copy(Producer(table(numbers("a"), numbers("a"), length=4)))],
            ["a", "a"],
        )

    def test_a_bare_column_is_its_values(self) -> None:
        self.assertEqual(plain(table_copy(Producer(numbers()))), [1, 2, 3, 4])


class Buffers(unittest.TestCase):
    def test_offsets_are_taken_away(self) -> None:
        found = arrow_data(Producer(table(words(), length=2, offset=2)), "buffers")
        column = found["batches"][0]["columns"][0]
        self.assertEqual(column["nullCount"], 0)
        self.assertEqual(column["buffers"], [None, pack("i", 0, 2, 5), "é漢".encode()])

    def test_extension_metadata_is_kept(self) -> None:
        meta = {"ARROW:extension:name": "my.uuid", "ARROW:extension:metadata": "{}"}
        column = Spec("w:2", (None, b"abcd"), 2, name="u", metadata=meta)
        found = arrow_data(Producer(table(column, length=2)), "buffers")
        self.assertEqual(found["fields"][0]["metadata"], meta)


class Ipc(unittest.TestCase):
    def test_messages_are_aligned_and_the_stream_ends(self) -> None:
        data = arrow_data(Producer(table(numbers(), words(), length=4)), "ipc")
        at, kinds = 0, []
        while data[at + 4 : at + 8] != bytes(4):
            mark, size = struct.unpack_from("<Ii", data, at)
            self.assertEqual((mark, size % 8), (0xFFFFFFFF, 0))
            root = at + 8 + struct.unpack_from("<I", data, at + 8)[0]
            places = root - struct.unpack_from("<i", data, root)[0]
            version, kind, _, body = struct.unpack_from("<4H", data, places + 4)
            self.assertEqual(struct.unpack_from("<h", data, root + version)[0], 4)
            kinds.append(data[root + kind])
            at += 8 + size + struct.unpack_from("<q", data, root + body)[0]
            self.assertEqual(at % 8, 0)
        self.assertEqual(kinds, [1, 3])
        self.assertEqual(data[at:], b"\xff\xff\xff\xff\0\0\0\0")

    def test_a_dictionary_is_sent_before_its_batch_and_again_when_it_changes(self) -> None:
        def coded(values: Spec) -> Spec:
            return table(Spec("c", (None, b"\0"), 1, name="d", dictionary=values), length=1)

        other = Spec("u", (None, pack("i", 0, 1), b"z"), 1)
        same = arrow_data(Producer(coded(words("")), coded(words(""))), "ipc")
        changed = arrow_data(Producer(coded(words("")), coded(other)), "ipc")
        self.assertGreater(len(changed), len(same))

    def test_the_bytes_are_what_pyarrow_reads(self) -> None:
        try:
            import pyarrow  # type: ignore[import-not-found]
        except ImportError:
            self.skipTest("needs pyarrow")
        read = pyarrow.ipc.open_stream(
            arrow_data(Producer(table(numbers(), words(), length=4)), "ipc")
        ).read_all()
        read.validate(full=True)
        self.assertEqual(read.to_pydict(), {"n": [1, 2, 3, 4], "w": ["a", None, "é", "漢"]})


class FlatBuffers(unittest.TestCase):
    def test_everything_is_where_its_alignment_wants_it(self) -> None:
        data = finished(
            Table(("B", 1), "text", ("q", 2), None, Structs("<qq", [(3, 4)]), Vector(["a", Table()]))
        )
        root = struct.unpack_from("<I", data)[0]
        self.assertEqual(root % 8, 0)
        places = struct.unpack_from("<6H", data, root - struct.unpack_from("<i", data, root)[0] + 4)
        self.assertEqual(places[3], 0)
        self.assertEqual(places[2] % 8, 0)
        self.assertEqual(struct.unpack_from("<q", data, root + places[2])[0], 2)
        structs = root + places[4] + struct.unpack_from("<I", data, root + places[4])[0]
        self.assertEqual((structs + 4) % 8, 0)
        self.assertEqual(struct.unpack_from("<Iqq", data, structs), (1, 3, 4))


if __name__ == "__main__":
    unittest.main()
