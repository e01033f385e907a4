"""numpy.py - NumPy: a sum over taps, each a batched matrix product.

NumPy has no convolution; this is the one that people write.  A tap of the filter meets every output at once: what it
reads is a slice of the padded image, and matmul adds over the channels of each group.  All passes follow from the
same slices.   Not here: speed.   Read next: torch.py
"""
import math

import numpy as np

from . import _shared
from ._shared import from_first, to_first

install = "apt install python3-numpy   or   pip install numpy"


def version():
    return np.__version__


def _padded_size(problem, inner):
    return [size + begin + end for size, (begin, end) in zip(inner, problem.pad)]


def _cut(problem, tap, out):
    """Where one tap reads, for all outputs."""
    return (..., *(slice(t * d, t * d + (o - 1) * s + 1, s)
                   for t, d, o, s in zip(tap, problem.dilation, out, problem.stride)))


def _grouped(array, groups, axis):
    """Axis `axis` in two: groups, and what is in each."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1:])


def _joined(array):
    """Axes 1 and 2 in one."""
    return array.reshape(array.shape[0], array.shape[1] * array.shape[2], *array.shape[3:])


def _flat(array):
    return array.reshape(*array.shape[:3], math.prod(array.shape[3:]))      # -1 can't be found out of no images


def _gather(problem, x, w, out):
    """y = SUM over taps of w[tap] @ x[where the tap reads]; channels first, no bias."""
    x = np.pad(x, [(0, 0), (0, 0), *problem.pad])
    x, w = _grouped(x, problem.groups, 1), _grouped(w, problem.groups, 0)
    y = np.zeros((*x.shape[:2], w.shape[1], math.prod(out)), x.dtype)
    for tap in np.ndindex(*problem.filter):
        y += np.ascontiguousarray(w[(..., *tap)]) @ _flat(x[_cut(problem, tap, out)])
    return _joined(y.reshape(*y.shape[:3], *out))


def _scatter(problem, y, w, inner):
    """The other way round: x += w[tap]^T @ y, where the tap reads.  The gradient, and the transposed convolution."""
    y, w = _grouped(y, problem.groups, 1), _grouped(w, problem.groups, 0)
    out = y.shape[3:]
    x = np.zeros((*y.shape[:2], w.shape[2], *_padded_size(problem, inner)), y.dtype)
    for tap in np.ndindex(*problem.filter):
        part = np.ascontiguousarray(w[(..., *tap)].swapaxes(1, 2)) @ _flat(y)
        x[_cut(problem, tap, out)] += part.reshape(*part.shape[:3], *out)
    x = _joined(x)
    return x[(..., *(slice(begin, begin + size) for (begin, _), size in zip(problem.pad, inner)))]


def _correlate(problem, x, y):
    """dw[tap] = SUM over images of y @ x[where the tap reads]^T."""
    x = _grouped(np.pad(x, [(0, 0), (0, 0), *problem.pad]), problem.groups, 1)
    y = _grouped(y, problem.groups, 1)
    dw = np.empty((*y.shape[1:3], x.shape[2], *problem.filter), x.dtype)
    for tap in np.ndindex(*problem.filter):
        dw[(..., *tap)] = (_flat(y) @ _flat(x[_cut(problem, tap, y.shape[3:])]).swapaxes(2, 3)).sum(axis=0)
    return _joined(dw[None])[0]


def _finish(problem, y, bias):
    if bias is not None:
        y = y + bias.reshape(-1, *[1] * len(problem.out))
    if problem.act != "none":
        y = np.clip(y, 0, 6 if problem.act == "relu6" else np.inf)
    return from_first(problem, y)


def _conv(problem, x, w, bias=None):
    x = to_first(problem, x)
    if problem.op == "transposed":
        return _finish(problem, _scatter(problem, x, w, problem.out), bias)
    return _finish(problem, _gather(problem, x, w, problem.out), bias)


def forward(problem, **arrays):
    with np.errstate(invalid="ignore"):
        conv = _shared.separable(_conv) if problem.op == "separable" else _conv
        return conv(problem, **arrays)


def backward_data(problem, w, dy):
    dy = to_first(problem, dy)
    with np.errstate(invalid="ignore"):
        if problem.op == "transposed":
            return from_first(problem, _gather(problem, dy, w, problem.in_))
        return from_first(problem, _scatter(problem, dy, w, problem.in_))


def backward_weights(problem, x, dy):
    x, dy = to_first(problem, x), to_first(problem, dy)
    with np.errstate(invalid="ignore"):
        dw = _correlate(problem, dy, x) if problem.op == "transposed" else _correlate(problem, x, dy)
        return (dw, dy.sum(axis=(0, *range(2, dy.ndim)), dtype=dy.dtype)) if problem.bias else dw


candidate = _shared.candidate(
    "numpy", {"forward": forward, "backward_data": backward_data, "backward_weights": backward_weights},
    kinds=_shared.ALL_KINDS, layouts="first last", types="f32 f64")
