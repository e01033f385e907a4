"""exec_numpy.py - a convolution in NumPy, for `convref verify --exec`: the forward pass, in 40 lines.

    convref verify --exec 'python3 examples/exec_numpy.py {dir}'

Put your own framework's call in the place of conv().  In the folder are problem.json and the inputs; y.npy is left
there.  A problem that isn't computed here ends with status 77: it isn't counted.   Not here: gradients, speed.
"""
import json
import pathlib
import sys

import numpy as np


def conv(problem, x, w, bias):
    """y[n,k,p..] = bias[k] + SUM x[n,c,p*stride - pad + r*dilation..] * w[k,c,r..], over the channels of k's group."""
    x = np.pad(x, [(0, 0), (0, 0)] + problem["pad"])
    groups, out = problem["groups"], problem["out"]
    y = np.zeros((x.shape[0], w.shape[0], *out), x.dtype)
    for xg, wg, yg in zip(np.split(x, groups, 1), np.split(w, groups, 0), np.split(y, groups, 1)):
        for tap in np.ndindex(*w.shape[2:]):
            seen = tuple(slice(t * d, t * d + (o - 1) * s + 1, s)
                         for t, d, o, s in zip(tap, problem["dilation"], out, problem["stride"]))
            yg += np.einsum("nc...,kc->nk...", xg[(..., *seen)], wg[(..., *tap)])
    if bias is not None:
        y += bias.reshape(-1, *[1] * len(out))
    return np.clip(y, -np.inf if problem["act"] == "none" else 0, 6 if problem["act"] == "relu6" else np.inf)


def main(folder):
    problem = json.loads((folder / "problem.json").read_text())
    if problem["op"] != "conv" or problem["pass"] != "forward":
        sys.exit(77)
    x, w = np.load(folder / "x.npy"), np.load(folder / "w.npy")
    bias = np.load(folder / "bias.npy") if problem["bias"] else None
    last = problem["layout"].endswith("c")
    y = conv(problem, np.moveaxis(x, -1, 1) if last else x, w, bias)
    np.save(folder / "y.npy", np.ascontiguousarray(np.moveaxis(y, 1, -1) if last else y))


main(pathlib.Path(sys.argv[1]))
