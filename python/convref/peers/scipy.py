"""scipy.py - SciPy: scipy.signal.correlate(mode="valid", method="direct"), channel by channel.

It has neither strides (outputs are left out afterwards), groups, batches nor channels: loops.  No dilation: a filter
with zeros between its taps would multiply them, and 0 times infinity isn't 0.  The method is named because "auto" may
choose an FFT, whose errors are another class.  Forward only.   Read next: numpy.py
"""
import numpy as np

from . import _shared
from ._shared import from_first, to_first

install = "apt install python3-scipy   or   pip install scipy"


def version():
    return _shared.version("scipy")


def forward(problem, x, w, bias=None):
    from scipy.signal import correlate
    x = np.pad(to_first(problem, x), [(0, 0), (0, 0), *problem.pad])
    y = np.zeros((problem.n, problem.k, *problem.out), x.dtype)
    steps = tuple(slice(0, (out - 1) * stride + 1, stride) for out, stride in zip(problem.out, problem.stride))
    channels, filters = w.shape[1], problem.k // problem.groups
    for n, k in np.ndindex(problem.n, problem.k):
        for c in range(channels):
            image = x[n, k // filters * channels + c]
            y[n, k] += correlate(image, w[k, c], mode="valid", method="direct")[steps]
    if bias is not None:
        y += bias.reshape(-1, *[1] * len(problem.out))
    if problem.act != "none":
        y = np.clip(y, 0, 6 if problem.act == "relu6" else np.inf)
    return from_first(problem, y)


def _applies(problem):
    return "it has no dilation" if max(problem.dilation) > 1 else None


candidate = _shared.candidate("scipy", {"forward": forward}, layouts="first last", types="f32 f64", applies=_applies,
                              imports=["scipy.signal"])
