"""strides.py - where is a function wrong?   A verdict for each of many problems, counted by the column stride.

    python3 examples/strides.py

The function forgets the stride of the columns, and is right wherever that doesn't matter.
Explained in docs/peers.md.
"""
import collections
import itertools
import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import convref                                   # noqa: E402  (the source tree's, if no other is installed)


def conv(problem, x, w):
    """Rows are taken by their stride; of the columns the first ones are kept."""
    windows = np.lib.stride_tricks.sliding_window_view(x, problem.filter, axis=(2, 3))
    y = np.einsum("nchwrs,kcrs->nkhw", windows[:, :, ::problem.stride[0]], w, dtype=x.dtype)
    return y[..., :problem.out[1]]


def refuses(problem):
    plain = not np.any(problem.pad) and max(problem.dilation) == 1 and not problem.bias and problem.act == "none"
    return None if plain else "it has no padding, no dilation, no bias and no activation"


able = convref.Candidate(conv, kinds="standard pointwise", ranks=2, applies=refuses)
walk = convref.problems("small", kinds="standard pointwise", ranks=2, layouts="first", types="f32", passes="forward",
                        max_dilation=1)
plain = (problem for problem in walk if refuses(problem) is None)
found = convref.examine(able, itertools.islice(plain, 1000))
counts = collections.Counter((row.problem.stride[1], row.verdict) for row in found.rows)
for (stride, verdict), count in sorted(counts.items()):
    print(f"column stride {stride}: {verdict} {count}")
print("smallest:", found.findings["wrong values"]["problem"])
