"""test_benchdnn.py - strings of oneDNN's tester, read by convref and by the second reader of tools/compare-benchdnn.

The strings are our own, one of every kind that oneDNN's inputs have, with what was worked out by hand for some; and a
wrong reading is seen.   Not here: oneDNN's own strings (results/benchdnn-strings.tsv), the grammar (test_problem.c).
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

import case

try:
    import numpy                            # noqa: F401
except ImportError as error:
    case.skip_all(f"{error.name} is missing (Debian: python3-numpy)")

import convref

TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools/compare-benchdnn"
loader = importlib.machinery.SourceFileLoader("compare_benchdnn", str(TOOL))
sys.dont_write_bytecode = True
compare = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(compare)

CONVOLUTIONS = [
    "g1mb2_ic3ih227oc96oh55kh11sh4ph0_n\"a:conv1*3\"",      # groups, underscores, a name with a weight
    "g8ic8ih9oc16oh9kh3ph1n\"multiplier 2\"",               # depthwise, two filters a channel
    "ic16iw30oc16ow15kw4sw2pw1n1d",                          # an axis
    "mb1ic4id8ih9iw10oc4kd3kh2kw1dd1dh0nx",                  # three, each of its own
    "ic4id9oc8kd3pd1n\"cube\"",                              # three, one given
    "ic5ih7oc6oh7kh3ph1_n",                                  # two, one given; an empty name
    "ic8oc8_ih4oh6kh3ph2_iw4kw1",                            # a width of its own, without a pad
    "ic8ih9sh2kh3oc8_sw1pw0dw0",                             # a width that says nothing
    "ic64ih20oc64oh20kh3dh5ph6n\"dilated\"",
    "ic3ih10oc4kh4sh3",                                      # no output: the last column isn't reached
    "ic3ih10oc4kh4sh3ph2",
    "ic3ih10oc4oh3kh4sh3ph1",                                # the padding at the end isn't that at the beginning
    "ic3ih224oc64oh112kh7sh2",                               # padding that follows: 2 in front, 3 behind
    "ic16id8ih1iw8oc6oh1kd3kh1kw3sh1pd0pw0ph0sd1sw1dd2dh0dw2n\"flat\"",
]
DECONVOLUTIONS = [
    "ic256ih7oc128oh14kh4sh2ph1",
    "g4mb1ic8ih4oc8oh8kh3sh2ph1n\"the end is cut less\"",
    "ic8ih4oc8oh9kh2sh2ph0",                                 # longer than the taps reach
    "ic8ih4oc8kh3sh2dh1",                                    # no output
    "ic8iw5oc4ow5kw3n",
    "ic6id3ih4iw5oc4od6oh4ow7kd4kh3kw3sd2sh1sw1pd1ph1pw0",
]
REFUSED = {                                                  # as convolutions
    "ic256ih7oc128oh14kh4sh2ph1": "windows outside of the image",
    "ic3ih10oc4oh9kh4sh3ph0": "windows outside of the image",
    "ic8oc8kh3": "ic, oc, ih and kh is missing",
}


class Benchdnn(unittest.TestCase):
    def test_every_kind_of_convolution_is_read_as_the_second_reader_reads_it(self):
        self.assertEqual({text: compare.judge(text, False) for text in CONVOLUTIONS},
                         dict.fromkeys(CONVOLUTIONS, "read"))

    def test_every_kind_of_deconvolution(self):
        self.assertEqual({text: compare.judge(text, True) for text in DECONVOLUTIONS},
                         dict.fromkeys(DECONVOLUTIONS, "read"))

    def test_what_is_refused_says_why(self):
        for text, words in REFUSED.items():
            self.assertIn(words, compare.judge(text, False))

    def test_the_second_reader_by_hand(self):
        read = compare.read_again("ic3ih224oc64oh112kh7sh2", False)     # 111 * 2 + 7 - 224 = 5, of which 2 in front
        self.assertEqual((read["n"], read["in"], read["out"], read["pad"]), (2, [224, 224], [112, 112], [2, 2]))
        self.assertEqual(compare.read_again("ic8ih4oc8kh3sh2dh1", True)["out"], [11, 11])   # 3 * 2 + 5
        self.assertEqual(compare.taps_inside(112, 7, 2, 1, 2, 224), 112 * 7 - 2 - 3 - 1)    # first window, last two
        self.assertEqual(compare.taps_inside(5, 3, 1, 1, 1, 5), 13)

    def test_a_wrong_reading_is_seen(self):
        right, text = "ic8ih9oc8oh9kh3ph1", "ic8ih9oc8oh9kh3ph1"
        for wrong, fault in [("ic8ih9oc8oh9kh3ph1mb1", "n 1 instead of 2"), ("ic8ih9oc4oh9kh3ph1", "k 4 instead of 8"),
                             ("ic8ih9oc8oh7kh3ph0", "pads make h 7"), ("ic8ih9oc8oh7kh5ph1", "filter "),
                             ("g2ic8ih9oc8oh9kh3ph1", "weights 288 instead of 576")]:
            faults = compare.faults_of(convref.Problem(wrong), text, False)
            self.assertTrue(any(fault in one for one in faults), (wrong, faults))
        self.assertEqual(compare.faults_of(convref.Problem(right), text, False), [])

    def test_strings_are_found_and_options_are_not(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for one in ("conv", "deconv"):
                (folder / one).mkdir()
            (folder / "conv/some").write_text(
                "# ic9ih9oc9kh1\n--reset --dt=f32,s8 \\\n  u8:s8:f32\n--mb=2 ic3ih8oc4kh3n\"a\" ic3ih8oc4kh3n\"a\"\n"
                "--attr-post-ops=add:f32:per_oc, \\\n    relu+dw:k3s1p1:s8\n--batch=more\nic3ih9oc4oh99kh3ph0\n")
            (folder / "deconv/some").write_text("ic3ih9oc4oh11kh3\n")
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                wrong = compare.table(folder, rows=False)
        lines = [line.split("\t")[:4] for line in out.getvalue().splitlines()]
        self.assertEqual(wrong, 0)
        self.assertIn(["conv", "all", "3", "2"], lines)
        self.assertIn(["conv", "read", "2", "1"], lines)
        self.assertIn(["deconv", "read", "1", "1"], lines)


if __name__ == "__main__":
    case.main()
