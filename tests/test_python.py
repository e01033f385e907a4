"""test_python.py - the Python module: the same numbers as NumPy, and errors in words.

The convolutions that the library is compared with are written here once more, from the formula, with slices and
einsum; data are integers whose sums are exact, so that every comparison is of bits.   Read next: case.py
"""
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import case

try:
    import numpy as np
except ImportError:
    case.skip_all("NumPy is missing (Debian: python3-numpy)")
import convref


# ---- the formula once more -----------------------------------------------------------------------------------------

def channels_first(problem, array):
    return np.moveaxis(array, -1, 1) if problem.layout[-1] == "c" else array


def windows(problem, x, tap):
    """What tap (t, r, s) of every output reads: x, padded, from the tap on, by steps of the stride."""
    padded = np.pad(x, ((0, 0), (0, 0)) + problem.pad)
    cuts = [slice(one * dilation, one * dilation + (out - 1) * stride + 1, stride)
            for one, dilation, out, stride in zip(tap, problem.dilation, problem.out, problem.stride)]
    return padded[(slice(None), slice(None), *cuts)]


def taps_of(problem):
    return itertools.product(*map(range, problem.filter))


def by_channels(vector, rank):
    return vector.reshape((1, -1) + (1,) * rank)


def convolve(problem, x, w, bias=None):
    """The formula, group by group, a sum over taps.  In float64; exact on these integers."""
    x, w = channels_first(problem, x).astype(float), w.astype(float)
    per_group, outputs = w.shape[1], w.shape[0] // problem.groups
    groups = []
    for g in range(problem.groups):
        part, filters = x[:, g * per_group:(g + 1) * per_group], w[g * outputs:(g + 1) * outputs]
        groups.append(sum(np.einsum("nc...,kc->nk...", windows(problem, part, tap), filters[(..., *tap)])
                          for tap in taps_of(problem)))
    y = np.concatenate(groups, axis=1)
    return y if bias is None else y + by_channels(bias, len(problem.out))


def backward_weights(problem, x, dy):
    """dw[k][c][tap] is the sum over images and positions of dy times what the tap reads.  One group."""
    dw = np.zeros(problem.shapes["dw"])
    flat = dy.astype(float).reshape(*dy.shape[:2], -1)
    for tap in taps_of(problem):
        read = windows(problem, x.astype(float), tap)
        dw[(..., *tap)] = np.einsum("nki,nci->kc", flat, read.reshape(*read.shape[:2], -1))
    return dw


def backward_data(problem, w, dy):
    """Every output hands its gradient back to what it read.  One group."""
    inner = problem.in_
    sizes = [size + sum(pad) for size, pad in zip(inner, problem.pad)]
    dx = np.zeros(problem.shapes["dx"][:2] + tuple(sizes))
    for tap in taps_of(problem):
        cuts = [slice(one * d, one * d + (out - 1) * stride + 1, stride)
                for one, d, out, stride in zip(tap, problem.dilation, problem.out, problem.stride)]
        dx[(slice(None), slice(None), *cuts)] += np.einsum("nk...,kc->nc...", dy.astype(float),
                                                           w.astype(float)[(..., *tap)])
    return dx[(slice(None), slice(None), *(slice(begin, begin + size)
                                           for (begin, end), size in zip(problem.pad, inner)))]


# ---- the same numbers ----------------------------------------------------------------------------------------------

FORWARD = """
c=3 in=9x11 k=5 filter=3x3
n=2 c=4 in=8x8 k=6 filter=3x3 pad=1 bias=1
c=4 in=13x10 k=3 filter=3x2 stride=2x3 dilation=2x1 pad=1:2x0:1 bias=1
c=6 in=7x7 k=9 filter=3x3 groups=3 pad=1
c=8 in=12x12 k=8 filter=3x3 groups=8 pad=1 bias=1
c=4 in=9x9 k=8 filter=5x5 groups=4 stride=2 pad=2
c=7 in=6x5 k=4 filter=1x1 bias=1
c=5 in=40 k=4 filter=7 stride=2 pad=3
c=8 in=30 k=8 filter=3 groups=8 pad=1 type=f64
c=3 in=5x6x7 k=4 filter=3x2x3 pad=1 bias=1
c=4 in=4x5x6 k=4 filter=3x3x3 groups=4 pad=1
n=2 c=8 in=9x9 k=8 filter=3x3 groups=8 pad=1 layout=nhwc
n=2 c=4 in=9x9 k=6 filter=3x3 pad=1 bias=1 layout=nhwc
c=3 in=9x9 k=4 filter=3x3 pad=1 type=f64
""".split("\n")[1:-1]


class SameNumbers(unittest.TestCase):
    def assert_same(self, got, expected, where):
        self.assertEqual(got.shape, expected.shape, where)
        self.assertTrue(np.array_equal(got, expected), where)

    def test_what_follows_from_the_sizes(self):
        problem = convref.Problem("c=4 in=9x8 k=6 filter=3x2 groups=2 dilation=2x1")
        self.assertEqual((problem.rank, problem.extent, problem.fan_in), (2, (5, 2), 12))
        self.assertEqual(convref.Problem("c=3 in=5 k=2 filter=3 pass=backward_weights n=2").fan_in, 6)
        self.assertEqual(convref.Problem("op=separable c=2 in=4x4x4 k=2 filter=3x3x3").rank, 3)

    def test_forward_by_every_kernel(self):
        ran = 0
        for text in FORWARD:
            problem = convref.Problem(text)
            arrays = convref.fill(problem, seed=7)
            expected = convolve(problem, **arrays)
            self.assert_same(channels_first(problem, convref.reference(problem, **arrays)), expected, text)
            for kernel in convref.kernels(problem):
                y = channels_first(problem, convref.run(problem, kernel, threads=2, **arrays))
                self.assert_same(y, expected, f"{text} by {kernel}")
                ran += 1
        self.assertGreater(ran, 40)

    def test_activation(self):
        problem = convref.Problem("c=3 in=9x9 k=4 filter=3x3 act=relu6")
        arrays = convref.fill(problem)
        self.assert_same(convref.run(problem, **arrays), convolve(problem, **arrays).clip(0, 6), "relu6")

    def test_separable(self):
        for text in ("op=separable c=6 in=10x12 k=5 filter=3x3 pad=1 bias=1",
                     "op=separable c=4 in=9x9 k=7 filter=3x3 mult=2 stride=2 mid_act=relu"):
            problem = convref.Problem(text)
            a = convref.fill(problem)
            middle = problem.c * problem.mult
            stage = convref.Problem({"c": problem.c, "in": problem.in_, "k": middle, "filter": problem.filter,
                                     "groups": problem.c, "stride": problem.stride, "pad": problem.pad})
            mid = convolve(stage, a["x"], a["w"], a.get("bias"))
            mid = mid.clip(0) if problem.mid_act == "relu" else mid
            y = np.einsum("nchw,kc->nkhw", mid, a["pw"].astype(float)[:, :, 0, 0])
            y = y + by_channels(a["pw_bias"], 2) if "pw_bias" in a else y
            self.assert_same(convref.reference(problem, **a), y, text)
            for kernel in convref.kernels(problem):
                self.assert_same(convref.run(problem, kernel, **a), y, f"{text} by {kernel}")

    def test_transposed_is_the_gradient_of_its_convolution(self):
        forward = convref.Problem("c=4 in=11x8 k=6 filter=4x3 stride=2 pad=1")
        transposed = convref.Problem("op=transposed c=6 in=5x4 k=4 filter=4x3 stride=2 pad=1 output_pad=1")
        self.assertEqual(transposed.out, forward.in_)
        a = convref.fill(transposed)
        self.assertEqual(a["w"].shape, forward.shapes["w"])
        back = forward.replace(pass_="backward_data")
        expected = backward_data(back, a["w"], a["x"])
        self.assert_same(convref.run(transposed, **a), expected, "transposed")

    def test_backward(self):
        for text in ("c=4 in=9x8 k=6 filter=3x3 pad=1 bias=1", "n=3 c=2 in=20 k=3 filter=5 stride=2 pad=2 bias=1",
                     "c=3 in=7x7 k=4 filter=3x2 stride=2x1 dilation=1x2 pad=1:0x0:2"):
            problem = convref.Problem(text)
            data, weights = (problem.replace(pass_=name) for name in ("backward_data", "backward_weights"))
            self.assertEqual(data.outputs, ["dx"])
            a = convref.fill(data)
            self.assert_same(convref.run(data, **a), backward_data(data, **a), text)
            a = convref.fill(weights)
            got = convref.run(weights, **a)
            dw = got.dw if problem.bias else got
            self.assert_same(dw, backward_weights(weights, **a), text)
            if problem.bias:
                axes = (0,) + tuple(range(2, 2 + len(problem.out)))
                self.assert_same(got.dbias, a["dy"].astype(float).sum(axis=axes), text)
                self.assert_same(convref.reference(weights, **a).dbias, got.dbias, text)

    def test_what_is_not_contiguous_is_copied(self):
        problem = convref.Problem("c=3 in=8x9 k=4 filter=3x3")
        a = convref.fill(problem)
        expected = convref.run(problem, **a)
        turned = np.asfortranarray(a["x"])
        every_second = np.repeat(a["w"], 2, axis=0)[::2]
        self.assertFalse(turned.flags.c_contiguous or every_second.flags.c_contiguous)
        self.assert_same(convref.run(problem, x=turned, w=every_second), expected, "strided")

    def test_truth_has_its_evidence(self):
        problem = convref.Problem("c=2 in=5x5 k=3 filter=3x3 pad=1 layout=nhwc")
        a = convref.fill(problem, kind="uniform")
        found = convref.truth(problem, **a)
        self.assertEqual(found.taps[0, :, :, 0].tolist(), [[8, 12, 12, 12, 8]] + [[12, 18, 18, 18, 12]] * 3
                         + [[8, 12, 12, 12, 8]])
        self.assertEqual(found.products, convref.count(problem)["macs_inside"])
        self.assertTrue((abs(convref.run(problem, **a) - found.value) <= found.bound).all())
        self.assertTrue((found.magnitude >= abs(found.value)).all())

    def test_arrays_begin_with_a_cache_line(self):
        problem = convref.Problem("c=3 in=5x5 k=5 filter=3x3")
        made = [convref.fill(problem, name) for name in 20 * problem.inputs]
        plan = convref.Plan(problem, x=made[0][..., ::-1], w=made[1])     # x isn't contiguous: it is copied
        made += [plan._kept["x"], plan.outputs["y"], convref.run(problem, x=made[0], w=made[1])]
        self.assertEqual({array.ctypes.data % 64 for array in made}, {0})
        self.assertEqual(plan._kept["x"].tolist(), made[0][..., ::-1].tolist())

    def test_fill_is_the_documented_stream(self):
        problem = convref.Problem("c=3 in=4x4 k=2 filter=3x3")
        stream = 0xcbf29ce484222325
        for letter in b"x":
            stream = (stream ^ letter) * 0x100000001b3 % 2**64
        z = (1 ^ stream) + 6 * 0x9e3779b97f4a7c15
        for shift, factor in ((30, 0xbf58476d1ce4e5b9), (27, 0x94d049bb133111eb)):
            z = ((z % 2**64) ^ (z % 2**64 >> shift)) * factor % 2**64
        z ^= z >> 31
        value = 1 + (z >> 1) % 8
        self.assertEqual(convref.fill(problem, "x", range=8).flat[5], -value if z & 1 else value)
        self.assertEqual(np.flatnonzero(convref.fill(problem, "w", "impulse", impulse=7)).tolist(), [7])
        self.assertEqual(set(convref.fill(problem, "x", "constant", range=3).flat), {3})


# ---- problems and errors -------------------------------------------------------------------------------------------

class Problems(unittest.TestCase):
    def test_text_attributes_and_shapes(self):
        problem = convref.Problem("k=64 filter=3x3 c=32 in=112x112 pad=1 stride=1")
        self.assertEqual(str(problem), "c=32 in=112x112 k=64 filter=3x3 pad=1")
        self.assertEqual((problem.kind, problem.n, problem.c, problem.k, problem.groups), ("standard", 1, 32, 64, 1))
        self.assertEqual((problem.in_, problem.out, problem.pad), ((112, 112), (112, 112), ((1, 1), (1, 1))))
        self.assertEqual((problem.dtype, problem.pass_, problem.bias), (np.dtype("f4"), "forward", False))
        self.assertEqual(problem.shapes, {"x": (1, 32, 112, 112), "w": (64, 32, 3, 3), "y": (1, 64, 112, 112)})
        self.assertEqual(problem.replace(groups=32).kind, "depthwise")
        self.assertEqual(convref.Problem(problem.to_dict()), problem)
        self.assertEqual(len({problem, convref.Problem(str(problem))}), 1)
        self.assertEqual(convref.Problem("g32ic32ih9oc32oh9kh3ph1").kind, "depthwise")
        with self.assertRaises(AttributeError):
            problem.colour

    def test_errors_carry_the_words_of_the_library(self):
        with self.assertRaisesRegex(ValueError, "filtre.*did you mean filter") as caught:
            convref.Problem("c=3 in=8x8 k=4 filtre=3x3")
        self.assertIsInstance(caught.exception, convref.BadInput)
        self.assertEqual(caught.exception.position, 15)
        for text in ("", "c=3", "c=0 in=8x8 k=4 filter=3x3", "c=8 in=8x8 k=8 filter=3x3 groups=3", "c=3 in=8x8 k=4 "
                     "filter=99x99", "\u00e9=1"):
            with self.assertRaises(convref.Error, msg=text):
                convref.Problem(text)
        with self.assertRaises(convref.BadInput):
            convref.Problem({"c": 3, "in": [8, 8], "k": 4, "filter": [3, 3], "colour": 1})

    def test_arrays_that_do_not_fit(self):
        problem = convref.Problem("c=3 in=8x8 k=4 filter=3x3")
        x, w = convref.fill(problem).values()
        for arrays, error, words in (
                ({"x": x, "w": w.astype(float)}, ValueError, r"w has dtype float64, expected float32"),
                ({"x": x[0], "w": w}, ValueError, r"x has shape \(3, 8, 8\), expected \(1, 3, 8, 8\)"),
                ({"x": x}, TypeError, "w is missing"),
                ({"x": x, "w": w, "bias": w}, TypeError, "bias is not one"),
                ({"x": x, "w": "filters"}, ValueError, r"w has shape \(\)")):
            with self.assertRaisesRegex(error, words):
                convref.run(problem, **arrays)
            with self.assertRaisesRegex(error, words):
                convref.reference(problem, **arrays)

    def test_kernels_that_do_not_apply(self):
        problem = convref.Problem("c=3 in=8x8 k=4 filter=3x3")
        with self.assertRaisesRegex(convref.NotApplicable, "does not compute standard"):
            convref.run(problem, "dw_01_direct", **convref.fill(problem))
        with self.assertRaisesRegex(ValueError, "no kernel 'dw_99'"):
            convref.run(problem, "dw_99", **convref.fill(problem))
        with self.assertRaisesRegex(ValueError, "does not compute standard"):
            convref.bench(problem, ["dw_01_direct"])

    def test_fill_refuses_nonsense(self):
        for arguments in ({"kind": "random"}, {"operand": "z"}, {"operand": "x", "range": 0}, {"operand": "x",
                                                                                              "range": 1.5}):
            with self.assertRaises(ValueError):
                convref.fill("c=3 in=8x8 k=4 filter=3x3", **arguments)

    def test_files_that_can_not_be_read(self):
        with self.assertRaises(convref.BadFile):
            convref.Network("no_such_network")
        with tempfile.NamedTemporaryFile(suffix=".so") as file, self.assertRaises(convref.BadFile):
            convref.load(file.name)


# ---- the table, counts, verdicts, times ----------------------------------------------------------------------------

class Library(unittest.TestCase):
    def test_the_table_is_that_of_the_program(self):
        names = [str(kernel) for kernel in convref.kernels()]
        self.assertEqual(len(set(names)), len(names))
        if os.access("./convref", os.X_OK):
            listed = json.loads(subprocess.run(["./convref", "list", "--format=json"], stdout=subprocess.PIPE,
                                               check=True).stdout)
            listed = listed if isinstance(listed, list) else listed["kernels"]
            self.assertEqual(names, [row["kernel" if "kernel" in row else "name"] for row in listed])
        ladder = convref.kernels(ladder="dw")
        self.assertEqual(str(ladder[0]), "dw_01_direct")
        self.assertEqual(ladder[1].from_, str(ladder[0]))
        self.assertEqual(ladder[0].source, "optimized/depthwise/dw_01_direct.c")
        self.assertTrue(all(kernel.title for kernel in convref.kernels()))

    def test_counts(self):
        standard = convref.count("c=8 in=128x128 k=64 filter=3x3 bias=1")
        separable = convref.count("op=separable c=8 in=128x128 k=64 filter=3x3 bias=1")
        self.assertEqual((standard["params"], separable["params"]), (4672, 656))
        self.assertEqual((standard["weights"], standard["biases"]), (4608, 64))
        self.assertEqual((standard["macs"], separable["macs"]), (8 * 9 * 64 * 126**2, (8 * 9 + 8 * 64) * 126**2))
        with open(pathlib.Path(__file__).resolve().parents[1] / "docs/count.schema.json", encoding="utf-8") as file:
            keys = json.load(file)["$defs"]["problem"]["required"]
        self.assertEqual(list(standard), [key for key in keys if key not in ("convref", "problem", "kind")])
        padded = convref.count("c=1 in=4x4 k=1 filter=3x3 pad=1")
        self.assertEqual((padded["macs"], padded["macs_inside"]), (16 * 9, 100))
        self.assertEqual(padded["bytes"], 4 * (16 + 9 + 16))
        self.assertEqual(padded["intensity"], 2 * 100 / padded["bytes"])

    def test_networks(self):
        network = convref.Network("mobilenet_v1")
        self.assertEqual(convref.count(network)["macs_conv_fc"], 568740352)
        self.assertEqual(convref.count(network)["params"], 4231976)
        convs = [node for node in network.layers if node.kind != "fc"]
        self.assertEqual(sum(convref.count(node.problem)["macs"] for node in convs), network.totals["macs_conv"])
        self.assertEqual(sum(node.problem.kind == "depthwise" for node in convs), 13)

    def test_verify(self):
        good = convref.verify("dw_04_rows_in_registers", "c=8 in=9x9 k=8 filter=3x3 groups=8 pad=1")
        self.assertEqual((good.verdict, good.kernel, good.finding), ("ACCEPT", "dw_04_rows_in_registers", None))
        self.assertGreater(sum(problems for problems, *_ in good.checks.values()), 0)
        self.assertEqual(convref.verify("dw_01_direct", "c=3 in=8x8 k=4 filter=3x3").verdict, "SKIPPED")

    def test_problems_of_a_set(self):
        some = dict(kinds="depthwise", passes="forward", ranks=2, layouts="first", types="f32", max_stride=2,
                    max_filter=3)
        drawn = list(itertools.islice(convref.problems("routes", seed=7, **some), 50))
        self.assertEqual(len(drawn), 50)
        for one in drawn:
            self.assertEqual((one.kind, one.pass_, one.type), ("depthwise", "forward", "f32"))
            self.assertEqual(len(one.in_), 2)
            self.assertLessEqual(max(one.stride), 2)
            self.assertLessEqual(max(one.filter), 3)
        self.assertEqual(drawn, list(itertools.islice(convref.problems("routes", seed=7, **some), 50)))
        self.assertNotEqual(drawn, list(itertools.islice(convref.problems("routes", seed=8, **some), 50)))
        with self.assertRaisesRegex(convref.BadInput, "did you mean routes"):
            convref.problems("route")
        with self.assertRaisesRegex(ValueError, "ranks is 4"):
            convref.problems("small", ranks=4)

    def test_examine(self):
        listed = ["c=8 in=9x9 k=8 filter=3x3 groups=8 pad=1", "c=3 in=8x8 k=4 filter=3x3",
                  "c=4 in=9 k=4 filter=3 groups=4"]
        found = convref.examine("dw_01_direct", listed)
        self.assertEqual([row.verdict for row in found.rows], ["ACCEPT", "SKIPPED", "ACCEPT"])
        self.assertEqual(found.verdicts, {"ACCEPT": 2, "REJECT": 0, "INCONCLUSIVE": 0, "SKIPPED": 1})
        self.assertEqual(found.findings, {})

    def test_examine_a_function(self):
        def moody(problem, x, w, bias=None):
            if problem.k == 3:
                os._exit(5)
            if problem.k == 4:
                raise ValueError("four is too many")
            y = convolve(problem, x, w, bias).astype(x.dtype)
            y[0, 0, 0] += problem.k == 2
            return y

        found = convref.examine(moody, [f"c=3 in=9 k={k} filter=3" for k in (1, 2, 3, 4, 5)])
        self.assertEqual([row.verdict for row in found.rows], ["ACCEPT", "REJECT", "REJECT", "REJECT", "ACCEPT"])
        self.assertEqual([row.fault for row in found.rows], ["", "wrong values", "the process was ended",
                                                             "the kernel reports a failure", ""])
        wrong = found.rows[1]
        self.assertEqual((wrong.wrong, wrong.elements, len(wrong.first)), (1, 14, 1))
        index, expected, got, _ = wrong.first[0]
        self.assertEqual((index, got - expected), ("n=0 k=0 q=0", 1))
        self.assertIn("four is too many", found.rows[3].words)
        self.assertEqual(str(found.findings["wrong values"]["problem"]), "c=1 in=1 k=2 filter=1")
        self.assertEqual(set(found.findings), {"wrong values", "the process was ended",
                                               "the kernel reports a failure"})
        self.assertTrue(str(found).startswith("ACCEPT 2  REJECT 3"))

    def test_the_example_with_strides_prints_what_the_document_says(self):
        top = pathlib.Path(__file__).resolve().parents[1]
        ran = subprocess.run([sys.executable, top / "examples" / "strides.py"], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertIn("```text\n" + ran.stdout + "```\n", (top / "docs" / "peers.md").read_text())

    def test_judge(self):
        problem = convref.Problem("c=3 in=8x8 k=4 filter=3x3 pad=1")
        a = convref.fill(problem)
        y = convref.run(problem, **a)
        self.assertEqual(convref.judge(problem, y=y, **a).verdict, "ACCEPT")
        for spoilt in (np.nan, y[0, 2, 3, 4] + 1):
            wrong = y.copy()
            wrong[0, 2, 3, 4] = spoilt
            found = convref.judge(problem, y=wrong, **a)
            self.assertEqual((found.verdict, found.finding["wrong"]), ("REJECT", 1))
            self.assertIn("k = 2", found.finding["where"])
        nothing = convref.judge(problem, x=a["x"] * 0, w=a["w"], y=y * 0)
        self.assertEqual(nothing.verdict, "INCONCLUSIVE")
        self.assertIn("are zero", nothing.reason)
        none = convref.Problem("n=0 c=3 in=8x8 k=4 filter=3x3 pad=1")
        empty = {name: np.zeros(none.shapes[name], "f4") for name in ("x", "y")}
        self.assertEqual(convref.judge(none, w=a["w"], **empty).verdict, "ACCEPT")
        flipped = convref.run(problem, x=a["x"], w=a["w"][:, :, ::-1, ::-1])
        found = convref.judge(problem, y=flipped, **a)
        self.assertEqual(found.verdict, "REJECT")
        self.assertNotEqual(found.finding["guess"], "")

    def test_bench_verifies_then_times(self):
        problem = convref.Problem("c=8 in=12x12 k=8 filter=3x3 groups=8 pad=1")
        timings = convref.bench(problem, ["dw_01_direct", "dw_04_rows_in_registers"], rounds=3, turn=0.001,
                                patience=0.02)
        self.assertEqual([one.kernel for one in timings], ["dw_01_direct", "dw_04_rows_in_registers"])
        for one in timings:
            self.assertTrue(one.verified)
            self.assertTrue(0 < one.p10 <= one.median <= one.p90)
            self.assertEqual(one.macs_per_second, convref.count(problem)["macs_inside"] / one.median)
        self.assertEqual(timings[0].speedup, 1)

    def test_machine(self):
        machine = convref.machine()
        self.assertGreaterEqual(machine["cores"], 1)
        self.assertEqual(list(machine["bytes"]), ["L1", "L2", "L3", "DRAM"])
        self.assertIn(machine["isa"], ("baseline", "avx2", "avx512"))

    def test_a_library_that_is_not_there_is_an_import_error(self):
        for path, words in (("/nowhere/libconvref.so", "no such file"), ("libc.so.6", "has no conv_version()")):
            run = subprocess.run([sys.executable, "-c", "import convref"], env=dict(os.environ, CONVREF_LIBRARY=path),
                                 stderr=subprocess.PIPE)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr.decode())
            self.assertIn("ImportError", run.stderr.decode())


if __name__ == "__main__":
    case.main()
