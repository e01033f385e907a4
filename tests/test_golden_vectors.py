"""test_golden_vectors.py - the numbers of convref golden, computed once more in NumPy from its files alone.

Nothing of convref is used but the program that writes the folder: problems are parsed here, sums are made here, and the
8-bit outputs are rounded here, in whole numbers.   Not here: the other formats and the verdicts (test_cli_golden.sh).
"""
import hashlib
import itertools
import json
import math
import os
import subprocess
import tempfile
import unittest

import case
import numpy as np

CONVREF = os.environ.get("CONVREF", "./convref")
SLACK = 12          # more zeros than any tap of the set reaches behind the padding


def numbers(text, rank):
    """ "2x3" -> [2, 3]; one number holds for every axis """
    parts = text.split("x")
    return parts * rank if len(parts) == 1 else parts


class Problem:
    """A problem line, with the defaults of docs/problem.md, as three axes."""

    def __init__(self, line):
        keys = dict(word.split("=") for word in line.split())
        rank = len(keys["in"].split("x"))

        def axes(key, default):
            return [int(default)] * (3 - rank) + [int(n) for n in numbers(keys.get(key, default), rank)]
        self.op, self.layout = keys.get("op", "conv"), keys.get("layout", "n")
        self.act, self.mid_act = keys.get("act", "none"), keys.get("mid_act", "none")
        self.groups, self.bias = int(keys.get("groups", 1)), keys.get("bias") == "1"
        self.rank, self.size, self.stride = rank, axes("in", "1"), axes("stride", "1")
        self.dilation, self.output_pad = axes("dilation", "1"), axes("output_pad", "0")
        pads = [p.split(":") for p in numbers(keys.get("pad", "0"), rank)]
        self.pad = [(0, 0)] * (3 - rank) + [(int(p[0]), int(p[-1])) for p in pads]

    def first(self, array):
        """channels first, five axes"""
        if self.layout.endswith("c"):
            array = np.moveaxis(array, -1, 1)
        return array.reshape(array.shape[:2] + (1,) * (3 - self.rank) + array.shape[2:])

    def activate(self, name, y):
        return {"none": y, "relu": np.maximum(y, 0), "relu6": np.clip(y, 0, 6)}[name]


def tap_views(problem, image, filters, outputs, value=0.0):
    """For each tap: its index, and the padded image at the places that it meets."""
    padded = np.pad(image, [(0, 0), (0, 0)] + [(b, e + SLACK) for b, e in problem.pad], constant_values=value)
    for tap in itertools.product(*map(range, filters)):
        places = tuple(slice(t * d, t * d + (o - 1) * s + 1, s)
                       for t, d, s, o in zip(tap, problem.dilation, problem.stride, outputs))
        yield tap, padded, (slice(None), slice(None)) + places


def forward(problem, x, w, outputs, groups):
    y = np.zeros((x.shape[0], w.shape[0]) + tuple(outputs))
    k, c = w.shape[0] // groups, w.shape[1]
    for tap, padded, at in tap_views(problem, x, w.shape[2:], outputs):
        for g in range(groups):
            y[:, g * k:(g + 1) * k] += np.einsum("nc...,kc->nk...", padded[at][:, g * c:(g + 1) * c],
                                                 w[(slice(g * k, (g + 1) * k), slice(None)) + tap])
    return y


def backward_data(problem, dy, w, shape, groups):
    dx = np.zeros(shape)
    k, c = w.shape[0] // groups, w.shape[1]
    total = np.pad(dx, [(0, 0), (0, 0)] + [(b, e + SLACK) for b, e in problem.pad])
    for tap, _, at in tap_views(problem, dx, w.shape[2:], dy.shape[2:]):
        for g in range(groups):
            place = (at[0], slice(g * c, (g + 1) * c)) + at[2:]
            total[place] += np.einsum("nk...,kc->nc...", dy[:, g * k:(g + 1) * k],
                                      w[(slice(g * k, (g + 1) * k), slice(None)) + tap])
    inside = tuple(slice(b, b + n) for (b, _), n in zip(problem.pad, shape[2:]))
    return total[(slice(None), slice(None)) + inside]


def backward_weights(problem, x, dy, shape, groups):
    dw = np.zeros(shape)
    k, c = shape[0] // groups, shape[1]
    for tap, padded, at in tap_views(problem, x, shape[2:], dy.shape[2:]):
        for g in range(groups):
            dw[(slice(g * k, (g + 1) * k), slice(None)) + tap] = np.einsum(
                "nkzpq,nczpq->kc", dy[:, g * k:(g + 1) * k], padded[at][:, g * c:(g + 1) * c])
    return dw


def outputs_of(problem, arrays):
    """All outputs of a case, channels first, in double."""
    bias = arrays["bias"].reshape(-1, 1, 1, 1) if "bias" in arrays else 0.0
    w = arrays["w"].reshape(arrays["w"].shape[:2] + (1,) * (3 - problem.rank) + arrays["w"].shape[2:])
    x, y = problem.first(arrays["x"]), problem.first(arrays["y"])
    if problem.op == "separable":
        spatial = [(n + b + e - (t - 1) * d - 1) // s + 1 for n, (b, e), t, d, s in
                   zip(x.shape[2:], problem.pad, w.shape[2:], problem.dilation, problem.stride)]
        middle = problem.activate(problem.mid_act, forward(problem, x, w, spatial, x.shape[1]) + bias)
        pw = arrays["pw"].reshape(arrays["pw"].shape[:2])
        last = arrays["pw_bias"].reshape(-1, 1, 1, 1) if "pw_bias" in arrays else 0.0
        return {"y": problem.activate(problem.act, np.einsum("nc...,kc->nk...", middle, pw) + last)}
    transposed = problem.op == "transposed"
    if transposed:
        result = {"y": problem.activate(problem.act, backward_data(problem, x, w, y.shape, problem.groups) + bias)}
    else:
        result = {"y": problem.activate(problem.act, forward(problem, x, w, y.shape[2:], problem.groups) + bias)}
    if "dy" not in arrays:
        return result
    dy = problem.first(arrays["dy"])
    if transposed:
        result["dx"] = forward(problem, dy, w, x.shape[2:], problem.groups)
        result["dw"] = backward_weights(problem, dy, x, w.shape, problem.groups)
    else:
        result["dx"] = backward_data(problem, dy, w, x.shape, problem.groups)
        result["dw"] = backward_weights(problem, x, dy, w.shape, problem.groups)
    result["dbias"] = dy.sum((0, 2, 3, 4))
    return result


def gemmlowp_double(accumulator, multiplier, shift):
    """In whole numbers: ties up, then away from zero."""
    high = (accumulator * multiplier + (1 << 30)) >> 31
    half = 1 << -shift >> 1
    return (high + half) >> -shift if high >= 0 else -((-high + half) >> -shift)


class GoldenVectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = os.path.join(cls.temporary.name, "vectors")
        run = subprocess.run([CONVREF, "golden", cls.folder], capture_output=True, text=True)
        if run.returncode == 77:
            case.skip_all(run.stderr)
        with open(os.path.join(cls.folder, "manifest.json")) as file:
            cls.manifest = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def load(self, entry):
        arrays = {}
        for array in entry["arrays"]:
            loaded = np.load(os.path.join(self.folder, array["file"]))
            self.assertEqual(list(loaded.shape), array["shape"], array["file"])
            arrays[array["name"]] = loaded.astype(np.float64)
        return arrays

    def test_every_kind_is_there(self):
        kinds = {entry["kind"] for entry in self.manifest["cases"]}
        self.assertEqual(kinds, {"standard", "pointwise", "grouped", "depthwise", "separable", "transposed"})
        data = {entry["data"] for entry in self.manifest["cases"]}
        self.assertEqual(data, {"integers", "real", "f16", "bf16", "s8", "u8", "s8-pow2", "s8-ties"})
        layouts = {Problem(entry["problem"]).layout for entry in self.manifest["cases"]}
        self.assertEqual(layouts, {"n", "nwc", "nhwc", "ndhwc"})

    def test_hashes(self):
        files = [file for entry in self.manifest["cases"] for file in entry["files"]]
        self.assertGreater(len(files), 200)
        for file in files:
            with open(os.path.join(self.folder, file["path"]), "rb") as opened:
                content = opened.read()
            self.assertEqual(hashlib.sha256(content).hexdigest(), file["sha256"], file["path"])
            self.assertEqual(len(content), file["bytes"], file["path"])

    def test_inputs_are_what_they_claim(self):
        for entry in self.manifest["cases"]:
            for name, array in self.load(entry).items():
                if entry["data"] == "integers":
                    self.assertTrue(np.array_equal(array, np.rint(array)), (entry["name"], name))
                if entry["data"] in ("f16", "bf16") and name in ("x", "w", "bias", "dy"):
                    bits = array.astype(np.float32).view(np.uint32)
                    narrow = (array.astype(np.float16) == array) if entry["data"] == "f16" else bits & 0xffff == 0
                    self.assertTrue(narrow.all(), (entry["name"], name))

    def test_real_and_integer_outputs(self):
        compared = 0
        for entry in self.manifest["cases"]:
            if "quantisation" in entry:
                continue
            problem, arrays = Problem(entry["problem"]), self.load(entry)
            unit = 2.0 ** -24 if "f64" not in entry["problem"] else 2.0 ** -45   # NumPy's own sums are in double
            for name, expected in outputs_of(problem, arrays).items():
                if name not in arrays:
                    continue
                got = arrays[name] if name in ("dw", "dbias") else problem.first(arrays[name])
                got = got.reshape(expected.shape)
                if entry["rule"] == "exact":
                    self.assertTrue(np.array_equal(got, expected), (entry["name"], name))
                else:
                    off = np.abs(got - expected) <= unit * np.abs(expected) + 1e-13
                    self.assertTrue(off.all(), (entry["name"], name))
                compared += 1
        self.assertGreater(compared, 100)

    def test_quantised_outputs(self):
        for entry in self.manifest["cases"]:
            if "quantisation" not in entry:
                continue
            problem, arrays, facts = Problem(entry["problem"]), self.load(entry), entry["quantisation"]
            arrays["x"] = arrays["x"] - facts["x_zero_point"]
            act, problem.act = problem.act, "none"
            acc = outputs_of(problem, arrays)["y"]
            self.assertTrue(np.array_equal(acc, problem.first(arrays["acc"])), entry["name"])
            lowest = 0 if entry["data"] == "u8" else -128
            self.assertEqual(facts["least"], facts["y_zero_point"] if act == "relu" else lowest)
            for index, got in np.ndenumerate(problem.first(arrays["y"])):
                k = index[1]
                value = gemmlowp_double(int(acc[index]), int(arrays["multiplier"][k]), int(arrays["shift"][k]))
                value = max(facts["least"], min(facts["most"], value + facts["y_zero_point"]))
                self.assertEqual(value, int(got), (entry["name"], index))
            for scale, multiplier, shift in zip(arrays["scale"], arrays["multiplier"], arrays["shift"]):
                self.assertAlmostEqual(scale, math.ldexp(multiplier, int(shift) - 31), delta=scale * 2.0 ** -31)


if __name__ == "__main__":
    case.main()
