"""torch.py - PyTorch on a CPU: conv1d, conv2d, conv3d and their transposed forms; both gradients by autograd.

Padding that differs at the two ends is not in PyTorch's convolutions: F.pad comes before (a transposed convolution is
computed without padding, and cut).  Channels last is a view of the same memory with other strides, which is PyTorch's
own way.  A separable layer is two calls.   Read next: tensorflow.py
"""
import functools

from . import _shared
from ._shared import from_first, is_symmetric, to_first

install = "apt install python3-torch   or   pip install torch"


def version():
    return _shared.version("torch")


def _activated(y, act):
    import torch
    return y if act == "none" else torch.relu(y) if act == "relu" else torch.nn.functional.relu6(y)


def _transposed(problem, x, w, bias):
    import torch
    conv = getattr(torch.nn.functional, f"conv_transpose{len(problem.in_)}d")
    rest = problem.output_pad, problem.groups, problem.dilation
    if is_symmetric(problem):
        return conv(x, w, bias, problem.stride, tuple(begin for begin, _ in problem.pad), *rest)
    y = conv(x, w, bias, problem.stride, 0, *rest)
    return y[(..., *(slice(begin, begin + size) for (begin, _), size in zip(problem.pad, problem.out)))]


def _conv(problem, x, w, bias=None):
    """On tensors, channels first."""
    import torch
    if problem.op == "transposed":
        return _activated(_transposed(problem, x, w, bias), problem.act)
    conv = getattr(torch.nn.functional, f"conv{len(problem.in_)}d")
    padding = tuple(begin for begin, _ in problem.pad)
    if not is_symmetric(problem):
        x = torch.nn.functional.pad(x, [size for pair in reversed(problem.pad) for size in pair])
        padding = 0
    return _activated(conv(x, w, bias, problem.stride, padding, problem.dilation, problem.groups), problem.act)


def _tensors(problem, arrays):
    import torch
    return {name: torch.from_numpy(to_first(problem, array) if name in ("x", "dy") else array)
            for name, array in arrays.items()}


def forward(problem, **arrays):
    import torch
    conv = _shared.separable(_conv) if problem.op == "separable" else _conv
    with torch.no_grad():
        return from_first(problem, conv(problem, **_tensors(problem, arrays)).numpy())


def backward_data(problem, w, dy):
    import torch
    given = _tensors(problem, {"w": w, "dy": dy})
    x = torch.zeros((problem.n, problem.c, *problem.in_), dtype=given["w"].dtype, requires_grad=True)
    dx, = torch.autograd.grad(_conv(problem, x, given["w"]), x, given["dy"])
    return from_first(problem, dx.numpy())


def backward_weights(problem, x, dy):
    import torch
    given = _tensors(problem, {"x": x, "dy": dy})
    zeros = [torch.zeros(problem.shapes[name], dtype=given["x"].dtype, requires_grad=True)
             for name in problem.outputs]
    gradients = torch.autograd.grad(_conv(problem, given["x"], *zeros), zeros, given["dy"])
    return tuple(one.numpy() for one in gradients) if problem.bias else gradients[0].numpy()


def _prepare(problem, threads, x, last=True, **weights):
    """Eager, channels last or first; what oneDNN reorders behind it can't be done before."""
    import torch
    torch.set_num_threads(threads)
    forms = {2: torch.channels_last, 3: torch.channels_last_3d} if last else {}
    form = forms.get(len(problem.in_), torch.contiguous_format)
    given = {name: one.contiguous(memory_format=form) if one.dim() == len(problem.in_) + 2 else one
             for name, one in _tensors(problem, {"x": x, **weights}).items()}
    conv, kept = _shared.separable(_conv) if problem.op == "separable" else _conv, []

    def run():
        with torch.no_grad():
            kept[:] = [conv(problem, **given)]
    return _shared.Call(run, lambda: from_first(problem, kept[0].contiguous().numpy()), note="weights not packed")


speed = {"channels_last": _prepare}
plain = {"contiguous": functools.partial(_prepare, last=False)}
candidate = _shared.candidate(
    "torch", {"forward": forward, "backward_data": backward_data, "backward_weights": backward_weights},
    kinds=_shared.ALL_KINDS, layouts="first last", types="f32 f64", imports=["torch"])
