"""Wheels: what is read from one, what is refused, and that placing them is all or nothing."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import unittest
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Optional
from unittest import mock

import _isopy.placing
from _isopy.importable import missing
from _isopy.placing import place
from _isopy.wheels import Failure, Wheel, hash_of, refusal


def made(name: str, files: Mapping[str, str], metadata: str = "") -> Wheel:
    out = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/METADATA", f"Name: {name}\nVersion: 1.0\n{metadata}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
    return Wheel(f"{name}-1.0-py3-none-any.whl", out.getvalue())


class Reading(unittest.TestCase):
    def cause(self, data: bytes) -> Optional[str]:
        try:
            Wheel("x-1.0-py3-none-any.whl", data)
        except Failure as failure:
            return failure.cause
        return None

    def test_a_wheel_says_its_name_its_needs_and_what_it_makes_importable(self) -> None:
        files = {
            "pkg/__init__.py": "",
            "pkg/data.txt": "",
            "single.py": "",
            "fast.cpython-314-wasm32-emscripten.so": "",
            "space/inner/code.py": "",
            "texts/readme.txt": "",
            "x-1.0.data/purelib/spread.py": "",
            "x-1.0.data/scripts/run.py": "",
        }
        wheel = made("x", files, "Requires-Dist: a>=1\nRequires-Dist: b; extra == 'more'\n")
        self.assertEqual((wheel.name, wheel.version), ("x", "1.0"))
        self.assertEqual(wheel.requires, ["a>=1", "b; extra == 'more'"])
        self.assertEqual(wheel.imports, ["fast", "pkg", "single", "space", "spread"])
        self.assertTrue(wheel.needs_resolving)
        self.assertFalse(made("y", {}, "Requires-Dist: b; extra == 'more'\n").needs_resolving)

    def test_what_is_no_wheel_is_told_apart(self) -> None:
        whole = made("x", {"x.py": "x = 1\n" * 100})
        data = whole.archive.fp.getvalue()  # type: ignore[union-attr]
        self.assertEqual(hash_of(data), whole.sha256)
        self.assertEqual(self.cause(b"\n <!DOCTYPE html><p>404"), "html")
        self.assertEqual(self.cause(data[:-30]), "truncated")
        self.assertEqual(self.cause(b"x" * 100), "invalid")
        self.assertEqual(self.cause(b""), "invalid")

    def test_a_file_that_would_leave_its_folder_is_refused(self) -> None:
        for name in ("../out.py", "/out.py", "a/../../out.py", "a\\..\\out.py"):
            with self.subTest(name), self.assertRaises(Failure):
                made("x", {name: ""})

    def test_tags_are_compared_with_this_python(self) -> None:
        own = f"cp3{sys.version_info[1]}"
        for good in ("py3-none-any", "py2.py3-none-any", f"{own}-none-any", "py32-none-any"):
            self.assertIsNone(refusal(f"x-1.0-{good}.whl"), good)
        self.assertIsNone(refusal("x-1.0-2build-py3-none-any.whl"))
        for bad in ("py2-none-any", "cp399-none-any", "py3-none-win32", "cp38-cp38-any"):
            self.assertIsNotNone(refusal(f"x-1.0-{bad}.whl"), bad)
        self.assertIsNotNone(refusal("x.zip"))


class Placing(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = Path(folder.name)
        patched = mock.patch.object(_isopy.placing.site, "getsitepackages", lambda: [folder.name])
        patched.start()
        self.addCleanup(patched.stop)

    def there(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.site)): path.read_text() if path.is_file() else ""
            for path in sorted(self.site.rglob("*"))
        }

    def test_wheels_that_share_a_folder_are_placed_together(self) -> None:
        place([made("one", {"space/one.py": "1"}), made("two", {"space/two.py": "2"})])
        found = self.there()
        self.assertEqual((found["space/one.py"], found["space/two.py"]), ("1", "2"))
        self.assertEqual(found["one-1.0.dist-info/INSTALLER"], "isopy\n")
        self.assertFalse([name for name in found if name.startswith(".isopy-")])

    def test_an_interrupt_at_any_step_puts_everything_back(self) -> None:
        (self.site / "space").mkdir()
        (self.site / "space" / "one.py").write_text("before")
        before = self.there()
        wheels = [made("one", {"space/one.py": "1", "new/deep/file.py": "2"})]
        moved = 0
        for last in range(100):
            steps = iter(range(100))
            replace = os.replace

            def interrupted(source: str, final: str, steps=steps, last=last, replace=replace) -> None:  # type: ignore[no-untyped-def]
                if next(steps) == last:
                    raise KeyboardInterrupt
                replace(source, final)

            with mock.patch.object(os, "replace", interrupted):
                try:
                    place(wheels)
                    break
                except KeyboardInterrupt:
                    moved += 1
            self.assertEqual(self.there(), before)
        self.assertGreater(moved, 5)
        self.assertEqual(self.there()["space/one.py"], "1")


class Imports(unittest.TestCase):
    def test_only_what_would_fail_is_missing(self) -> None:
        code = "import os.path, no_a.b\nfrom no_b import x\nfrom . import no_c\nawait f()\ntry:\n  import no_d\nexcept (OSError, ImportError):\n  import no_e"
        self.assertEqual(missing(code), ["no_a", "no_b", "no_e"])


if __name__ == "__main__":
    unittest.main()
