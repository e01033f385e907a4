"""test_photo.py - the example with the photograph: equalities hold, counts are right, the picture is there."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import case

try:
    import matplotlib                       # noqa: F401
    import numpy                            # noqa: F401
except ImportError as error:
    case.skip_all(f"{error.name} is missing (Debian: python3-matplotlib)")

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"

COUNTS = {                                  # by hand: weights, multiply-adds at each of 240x360 positions
    "depthwise: outlines": (3 * 9, 3 * 9),
    "separable: blur": (3 * 25 + 9, 3 * 25 + 9),
    "standard: the same": (9 * 25, 9 * 25),
    "standard: the direction": (9 * 9, 9 * 9),
    "separable: the nearest": (3 * 9 + 9, 3 * 9 + 9),
    "separable: the same": (6 * 9 + 3 * 6, 6 * 9 + 3 * 6),
}


class Photo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            picture = os.path.join(folder, "photo.png")
            run = subprocess.run([sys.executable, str(EXAMPLES / "photo.py"), "-o", picture], stdout=subprocess.PIPE,
                                 env=dict(os.environ, MPLCONFIGDIR=folder))
            cls.status, cls.lines = run.returncode, run.stdout.decode().splitlines()
            cls.picture = open(picture, "rb").read() if os.path.exists(picture) else b""

    def test_what_is_claimed_holds(self):
        self.assertEqual(self.status, 0, self.lines)
        self.assertEqual(sum(line.endswith(": holds") for line in self.lines), 3)
        self.assertFalse([line for line in self.lines if "NOT HOLD" in line])

    def test_counts(self):
        for name, (weights, macs) in COUNTS.items():
            line, = (line for line in self.lines if line.startswith(name))
            self.assertEqual(line.split()[-4:], [str(weights), "weights", str(macs * 240 * 360), "MACs"], name)

    def test_the_picture_is_a_png_of_some_size(self):
        self.assertEqual(self.picture[:8], b"\x89PNG\r\n\x1a\n")
        width, height = (int.from_bytes(self.picture[at:at + 4], "big") for at in (16, 20))
        self.assertGreater(min(width, height), 600)

    def test_the_photograph_names_its_licence(self):
        readme = (EXAMPLES / "data/README.md").read_text()
        self.assertIn("coffee.jpg", readme)
        self.assertIn("CC0", readme)
        self.assertLess((EXAMPLES / "data/coffee.jpg").stat().st_size, 60 << 10)


if __name__ == "__main__":
    case.main()
