"""_shared.py - what several adapters need: layouts, a call that can be timed, which version is installed.

Not here: any convolution.   Read next: torch.py
"""
import collections
import importlib.metadata
import importlib.util

import numpy as np

from .._candidate import Candidate

Call = collections.namedtuple("Call", "run result layers chosen accuracy note", defaults=(1, "", "direct", ""))
Call.__doc__ = """A problem that is ready to be computed again and again, its weights packed: what _speed.py times.

run        a function without arguments, the one that is timed
result     another one: the last run's y, in the problem's layout
layers     how many equal layers a run computes, one behind the other, each with the output of the one before
chosen     the implementation that the library took, in its own words, if it can be asked
accuracy   its class of docs/exactness.md
note       what a reader of the table must know, such as what isn't timed
"""

ALL_KINDS = "standard pointwise grouped depthwise separable transposed inverted_residual"


def version(module, distributions=()):
    """The version of an installed package; None if there is none."""
    if importlib.util.find_spec(module) is None:
        return None
    for name in (*distributions, module):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return "of unknown version"


def candidate(name, functions, checks=None, imports=(), **facts):
    """A Candidate that can be shown again from the shell.  `checks`: those that it is verified by, if not all."""
    made = Candidate(functions, name=name, repro=f"python3 -m convref.peers {name}", **facts)
    made.checks, made.imports = checks, imports
    return made


def to_first(problem, array):
    """x, y or their gradients with the channels first: another view, nothing is moved."""
    return np.moveaxis(array, -1, 1) if problem.layout[-1] == "c" else array


def to_last(problem, array):
    return array if problem.layout[-1] == "c" else np.moveaxis(array, 1, -1)


def from_first(problem, array):
    return np.moveaxis(array, 1, -1) if problem.layout[-1] == "c" else array


def from_last(problem, array):
    return array if problem.layout[-1] == "c" else np.moveaxis(array, -1, 1)


def is_symmetric(problem):
    return all(begin == end for begin, end in problem.pad)


def extents(problem):
    return [(taps - 1) * step + 1 for taps, step in zip(problem.filter, problem.dilation)]


def stages(problem):
    """The convolutions of a separable problem, each with the names of its weights and its bias: two, or three of an
    inverted residual that expands."""
    shared = {"n": problem.n, "layout": problem.layout, "type": problem.type, "bias": problem.bias}
    ones, wide = [1] * len(problem.in_), problem.expand or problem.c
    middle = wide * problem.mult
    around = type(problem)({**shared, "c": wide, "in": problem.in_, "k": middle, "filter": problem.filter,
                            "groups": wide, "stride": problem.stride, "pad": problem.pad,
                            "dilation": problem.dilation, "act": problem.mid_act})
    last = type(problem)({**shared, "c": middle, "in": around.out, "k": problem.k, "filter": ones,
                          "act": problem.act})
    made = [(around, "w", "bias"), (last, "pw", "pw_bias")]
    if problem.expand:
        made.insert(0, (type(problem)({**shared, "c": problem.c, "in": problem.in_, "k": wide, "filter": ones,
                                       "act": problem.mid_act}), "ew", "ew_bias"))
    return made


def chains(problem):
    """Can the layer stand behind itself?"""
    return problem.op == "conv" and problem.shapes["x"] == problem.shapes["y"]


def once(prepare):
    """A function for a Candidate: everything prepared for a single run."""
    def forward(problem, **arrays):
        call = prepare(problem, 1, **arrays)
        call.run()
        return call.result()
    return forward


def separable(conv):
    """Two calls of a function that computes convolutions, or three; and what a residual adds."""
    def all_stages(problem, x, **weights):
        y = x
        for stage, w, bias in stages(problem):
            y = conv(stage, y, weights[w], weights.get(bias))
        return y + x if problem.residual else y
    return all_stages
