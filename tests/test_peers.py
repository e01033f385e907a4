"""test_peers.py - Python functions as candidates: right ones are accepted, wrong ones rejected, with evidence.

The wrong ones are what people write: each is the right one with one mistake.  Then the peers that are installed, by
the checks that take seconds.  Not here: kernels in C (test_verify.c).   Read next: case.py, results/peers.tsv
"""
import os
import pty
import re
import shutil
import subprocess
import sys
import time
import unittest

import case

try:
    import numpy as np
except ImportError:
    case.skip_all("NumPy is missing (Debian: python3-numpy)")
import convref

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)


# ---- a right one ---------------------------------------------------------------------------------------------------

def conv(problem, x, w, bias=None, pad=None, flipped=False):
    """y[n][k] = bias + SUM over channels of k's group and taps; one matrix product for each tap."""
    x = np.pad(x, [(0, 0), (0, 0), *(problem.pad if pad is None else pad)])
    n, groups, out = x.shape[0], problem.groups, problem.out
    x = x.reshape(n, groups, problem.c // groups, *x.shape[2:])
    w = w.reshape(groups, problem.k // groups, *w.shape[1:])
    y = np.zeros((n, groups, w.shape[1], int(np.prod(out))), x.dtype)
    for tap in np.ndindex(*problem.filter):
        seen = tuple(slice(t * d, t * d + (o - 1) * s + 1, s)
                     for t, d, o, s in zip(tap, problem.dilation, out, problem.stride))
        part = x[(..., *seen)]
        part = part.reshape(*part.shape[:3], y.shape[3])
        y += np.ascontiguousarray(w[(..., *(-1 - t for t in tap))] if flipped else w[(..., *tap)]) @ part
    y = y.reshape(n, problem.k, *out)
    if bias is not None:
        y += bias.reshape(-1, *[1] * len(out))
    return y if problem.act == "none" else np.clip(y, 0, 6 if problem.act == "relu6" else np.inf)


# ---- wrong ones ----------------------------------------------------------------------------------------------------

def pads_one_too_late(problem, x, w, bias=None):
    moved = [(begin - 1, end + 1) if begin > 0 else (begin, end) for begin, end in problem.pad]
    return conv(problem, x, w, bias, pad=moved)


def flips(problem, x, w, bias=None):
    return conv(problem, x, w, bias, flipped=True)


def returns_double(problem, x, w, bias=None):
    return conv(problem, x, w, bias).astype(np.float64)


def drops_the_batch(problem, x, w, bias=None):
    return conv(problem, x, w, bias)[0]


def has_no_groups(problem, x, w, bias=None):
    if problem.groups > 1:
        raise NotImplementedError(f"{problem.groups} groups")
    return conv(problem, x, w, bias)


def fears_groups(problem, x, w, bias=None):
    if problem.groups > 1:
        raise ValueError(f"{problem.groups} groups")
    return conv(problem, x, w, bias)


def computes_nothing(problem, x, w, bias=None):
    raise NotImplementedError("not yet")


def has_no_groups_and_no_padding(problem, x, w, bias=None):
    if problem.groups > 1:
        raise NotImplementedError("groups")
    return conv(problem, x, w, bias) if not any(map(any, problem.pad)) else np.zeros(problem.shapes["y"], np.float32)


def is_narrow(problem, x, w, bias=None):
    return conv(problem, x.astype(np.float16).astype(x.dtype), w, bias)


def changes_w(problem, x, w, bias=None):
    y = conv(problem, x, w, bias)
    w *= 2
    return y


def keeps_the_last(problem, x, w, bias=None, kept={}):
    return kept.setdefault((problem, x.shape), conv(problem, x, w, bias))


def returns_nothing(problem, x, w, bias=None):
    pass


def ends(problem, x, w, bias=None):
    os._exit(3)


def leaves(problem, x, w, bias=None):
    sys.exit("enough")


def sleeps(problem, x, w, bias=None):
    time.sleep(1000)


def gradient_of_turned_weights(problem, x, dy):
    """dw with rows and columns exchanged: right for filters of one row and one column, or square images."""
    dw = convref.peers.numpy.backward_weights(problem, x, dy)
    return np.ascontiguousarray(dw.swapaxes(2, 3)).reshape(dw.shape)


def forgets_dbias(problem, x, dy):
    dw = convref.peers.numpy.backward_weights(problem, x, dy)
    return dw[0] if problem.bias else dw


class WrongOnes(unittest.TestCase):
    def rejected(self, candidate, fault, where, problem=None, **options):
        found = convref.verify(candidate, **options)
        self.assertEqual(found.verdict, "REJECT", found)
        self.assertEqual(found.finding["fault"], fault, found)
        self.assertIn(where, found.finding["where"], found)
        if problem:
            self.assertEqual(str(found.finding["problem"]), problem, found)
        return found.finding

    def test_padding(self):
        finding = self.rejected(pads_one_too_late, "wrong values", "")
        self.assertEqual((finding["check"], finding["operand"]), ("small", "y"))
        self.assertEqual(finding["wrong"], len(finding["first"]))
        for index, expected, got, bound in finding["first"]:
            self.assertEqual(bound, 0)
            self.assertNotEqual(expected, got)
        self.assertRegex(str(finding["problem"]), "pad=")
        self.assertLessEqual(convref.count(finding["problem"])["macs"], 4)

    def test_the_guess_is_that_of_the_library(self):
        finding = self.rejected(flips, "wrong values", "", check="covering")
        self.assertRegex(finding["guess"], "rotated|flipped|turned|180")
        self.assertLessEqual(finding["elements"], 4)

    def test_types_and_shapes(self):
        self.rejected(returns_double, "the kernel reports a failure",
                      "it returned float64 (1, 1, 1), expected y as float32 (1, 1, 1)", "c=1 in=1 k=1 filter=1")
        self.rejected(drops_the_batch, "the kernel reports a failure",
                      "it returned float32 (1, 1), expected y as float32 (1, 1, 1)", "c=1 in=1 k=1 filter=1")
        self.rejected(returns_nothing, "the kernel reports a failure", "it returned None, expected y as float32")
        self.rejected(convref.Candidate(forgets_dbias, passes="backward_weights"), "the kernel reports a failure",
                      "it returned ndarray, expected a tuple (dw, dbias)")

    def test_exceptions(self):
        finding = self.rejected(fears_groups, "the kernel reports a failure", "ValueError: 2 groups "
                                "(test_peers.py, line ", "c=2 in=1 k=2 filter=1 groups=2")
        line = int(re.search(r"line (\d+)", finding["where"]).group(1))
        with open(__file__) as file:
            self.assertIn("raise ValueError", file.read().split("\n")[line - 1])
        self.rejected(leaves, "the kernel reports a failure", "SystemExit: enough")
        self.rejected(lambda problem, x: x, "the kernel reports a failure", "TypeError: ")

    def test_not_implemented_is_no_answer(self):
        two = ["c=2 in=3 k=2 filter=2", "c=2 in=3 k=2 filter=2 groups=2"]
        whole, part = (convref.verify(one, two) for one in (conv, has_no_groups))
        self.assertEqual((whole.verdict, part.verdict), ("ACCEPT", "ACCEPT"), part)
        compared = [sum(row[0] for row in found.checks.values()) for found in (whole, part)]
        self.assertTrue(0 < compared[1] < compared[0], compared)
        self.assertNotIn("left out", whole.notes)
        self.assertRegex(part.notes["left out"],
                         r"doesn't compute: NotImplementedError: 2 groups \(test_peers.py, line \d+\)")
        for found in (convref.verify(has_no_groups, "c=2 in=1 k=2 filter=1 groups=2"),
                      convref.verify(computes_nothing, check=["small", "covering"])):
            self.assertEqual(found.verdict, "INCONCLUSIVE", found)
            self.assertIn("it computes none of the problems: NotImplementedError", found.reason)
        found = convref.verify(has_no_groups_and_no_padding, two + ["c=1 in=3 k=1 filter=2 pad=1"])
        self.assertEqual((found.verdict, found.finding and found.finding["fault"]), ("REJECT", "wrong values"), found)
        found = convref.examine(has_no_groups, two)
        self.assertEqual([row.verdict for row in found.rows], ["ACCEPT", "SKIPPED"], found)
        self.assertIn("2 groups", found.rows[1].words)

    def test_progress_is_for_a_terminal(self):
        code = ("import sys; sys.path.insert(0, sys.argv[1]); import convref, test_peers\n"
                "convref.verify(convref.Candidate(test_peers.conv, kinds='pointwise', ranks=1), check='covering')")
        command = [sys.executable, "-c", code, os.path.dirname(os.path.abspath(__file__))]
        self.assertEqual(subprocess.run(command, stderr=subprocess.PIPE, check=True, timeout=100).stderr, b"")
        controller, terminal = pty.openpty()
        with subprocess.Popen(command, stderr=terminal) as process:
            os.close(terminal)
            seen = b""
            try:
                while piece := os.read(controller, 65536):
                    seen += piece
            except OSError:             # the other end is closed
                pass
            self.assertEqual(process.wait(), 0)
        os.close(controller)
        self.assertRegex(seen, rb"conv: covering")

    def test_precision(self):
        finding = self.rejected(is_narrow, "wrong values", "", check="probes")
        self.assertEqual((finding["elements"], finding["wrong"], finding["first"][0][3]), (1, 1, 0))
        _, expected, got, _ = finding["first"][0]
        self.assertLess(abs(got - expected), abs(expected) / 1000)     # 11 bits are right
        found = convref.verify(is_narrow, check="covering")
        self.assertEqual((found.verdict, found.checks["covering"][0]), ("ACCEPT", 1740))   # small integers fit

    def test_what_it_does_to_the_arrays(self):
        self.rejected(changes_w, "an input changed", "the input was written to", "c=1 in=1 k=1 filter=1")
        finding = self.rejected(keeps_the_last, "two calls differ", "", check="turns")
        self.assertIn("kept from one call to the next", finding["guess"])
        self.assertRegex(finding["repro"], "^python3 -m convref .*py:keeps_the_last --seed [0-9]+ --check turns \"c=1 in=1x1 k=1 filter=1x1\"$")

    def test_gradients(self):
        finding = self.rejected(convref.Candidate(gradient_of_turned_weights, passes="backward_weights", ranks=2),
                                "wrong values", "", check="covering")
        self.assertEqual(finding["operand"], "dw")
        self.assertEqual(finding["problem"].pass_, "backward_weights")
        self.assertGreater(min(finding["problem"].filter), 1)

    def test_what_ends_the_process(self):
        self.rejected(ends, "the process was ended", "_exit(3)")
        self.rejected(sleeps, "hang", "2 seconds", problem=None, time_limit=2)


class RightOnes(unittest.TestCase):
    def test_accepted(self):
        found = convref.verify(conv, check=["covering", "turns", "real", "probes", "special"])
        self.assertEqual(found.verdict, "ACCEPT", found)
        self.assertEqual({name: row[0] for name, row in found.checks.items()},
                         {"covering": 1740, "turns": 40, "real": 12, "probes": 65, "special": 190})
        self.assertLess(found.checks["real"][2], 1)
        self.assertIn("f32", found.arithmetic)
        self.assertIn("infinity times padding", str(found))

    def test_declarations(self):
        two = convref.Candidate(conv, kinds="standard pointwise", ranks=2,
                                applies=lambda problem: "no strides" if max(problem.stride) > 1 else None)
        self.assertLess(two.verify(check="covering").checks["covering"][0], 1000)
        self.assertEqual(two.verify("c=3 in=8x8 k=4 filter=3x3 stride=2").verdict, "SKIPPED")
        self.assertEqual(two.verify("c=3 in=8 k=4 filter=3").verdict, "SKIPPED")
        self.assertEqual(two.refuses(convref.Problem("c=3 in=8 k=4 filter=3")), "it doesn't know 1-D")
        self.assertEqual(two.verify(["c=3 in=8x8 k=4 filter=3x3", "c=3 in=7x9 k=4 filter=1x1"]).checks["real"][0], 2)
        for facts in ({"kinds": "normal"}, {"passes": "backwards"}, {"layouts": "nchw"}, {"types": "f16"}):
            with self.assertRaisesRegex(ValueError, "expected some of"):
                convref.Candidate(conv, **facts)

    def test_an_exception_in_applies_is_a_finding(self):
        def applies(problem):
            raise KeyError("oops")
        found = convref.Candidate(conv, applies=applies).verify("c=3 in=8x8 k=4 filter=3x3")
        self.assertEqual(found.verdict, "REJECT")
        self.assertIn("KeyError", found.finding["where"])

    def test_without_a_fork(self):
        problem = "c=3 in=8x8 k=4 filter=3x3"
        self.assertEqual(convref.verify(conv, problem, in_process=True).verdict, "ACCEPT")
        self.assertEqual(convref.verify(flips, problem, in_process=True).verdict, "REJECT")


# ---- from the shell ------------------------------------------------------------------------------------------------

def shell(line):
    ran = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return ran.returncode, ran.stdout.decode() + ran.stderr.decode()


class Shell(unittest.TestCase):
    def test_a_function_in_a_file(self):
        run = f"'{sys.executable}' -m convref '{HERE}/test_peers.py'"
        self.assertEqual(shell(run + ":conv 'c=3 in=8x8 k=4 filter=3x3'")[0], 0)
        status, text = shell(run + ":flips 'c=3 in=8x8 k=4 filter=3x3'")
        self.assertEqual(status, 1)
        self.assertRegex(text, "REJECT +flips")
        self.assertRegex(text, r"first +n=0 k=0.*: expected -?[0-9.e-]+, got -?[0-9.e-]+")
        repro = re.search("repro +python3 (.*)", text).group(1)
        self.assertEqual(shell(f"'{sys.executable}' {repro}")[0], 1)
        self.assertEqual(shell(run + ":conv 'op=transposed c=3 in=8x8 k=4 filter=3x3'")[0], 77)
        self.assertIn("has no 'nothing'", shell(run + ":nothing")[1])

    def test_list(self):
        status, text = shell(f"'{sys.executable}' -m convref.peers --list")
        self.assertEqual(status, 0)
        self.assertEqual([line.split()[0] for line in text.strip().split("\n")], list(convref.peers.ALL))
        for line in text.strip().split("\n"):
            self.assertRegex(line, r"\d+\.\d+|unknown version|not installed: .*install")


# ---- peers ---------------------------------------------------------------------------------------------------------

# By the quick checks; what TensorFlow, JAX and oneDNN are rejected for is in docs/peers.md.
QUICK = {"numpy": {"covering": 6367, "turns": 258, "real": 168, "probes": 1064, "special": 2160},
         "torch": {"turns": 258, "real": 168, "probes": 1064, "special": 2160},
         "openvino": {"real": 15}, "onednn": {"turns": 104, "real": 30}, "ncnn": {"turns": 40, "real": 13}, "scipy": {"turns": 80},
         "onnxruntime": {"covering": 3354, "turns": 57, "real": 16, "probes": 116},
         "tensorflow": {"turns": None}, "litert": {"turns": 108, "real": 30}, "jax": {"turns": 258}}


class Peers(unittest.TestCase):
    """A test for each peer, below."""

    def peer(self, name):
        peer = convref.peers.ALL[name]
        if not peer.version():
            self.skipTest(f"{name} is not installed: {peer.install}")
        found = peer.candidate.verify(check=list(QUICK[name]))
        self.assertEqual(found.verdict, "ACCEPT", found)
        for check, problems in QUICK[name].items():
            self.assertEqual(found.checks[check][0], problems or found.checks[check][0], check)
        self.assertLess(max(row[2] for row in found.checks.values()), 1)

    def test_onednn_in_c(self):
        compiler = shutil.which("cc")
        if not compiler or shell("echo '#include <dnnl.h>' | cc -E - | grep dnnl_convolution_desc_t")[0]:
            self.skipTest("oneDNN 2 is not installed: apt install libdnnl-dev")
        status, text = shell(f"cc -O2 -Wall -Wextra -Werror -shared -fPIC -I'{SOURCE}/include' "
                             f"'{SOURCE}/examples/provider_onednn.c' -ldnnl -o tests/modules/onednn.so")
        self.assertEqual((status, text), (0, ""))
        for check, problems in (("turns", 204),):
            status, text = shell("./convref verify --provider tests/modules/onednn.so --kernel onednn "
                                 f"--check {check}")
            self.assertEqual(status, 0, text)
            self.assertRegex(text, f"^ACCEPT +onednn +{check} {problems} ")


for one in QUICK:
    setattr(Peers, f"test_{one}", lambda self, name=one: self.peer(name))


if __name__ == "__main__":
    case.main()
