"""jax.py - JAX on a CPU: lax.conv_general_dilated, and both gradients by vjp.

It has everything: padding at either end, dilation of the input (which is a transposed convolution, with the filter
turned round), groups, both layouts.  Each function is compiled for each problem, once.  precision=HIGHEST asks for
the type's own arithmetic on every device.   Read next: torch.py
"""
import functools

from . import _shared
from ._shared import extents

install = "pip install jax"


def version():
    return _shared.version("jax")


def _turned(problem, w):
    """The filter of the convolution that a transposed one is: taps turned round, channels exchanged in each group."""
    import jax.numpy as jnp
    rank, groups = len(problem.in_), problem.groups
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    w = w.reshape(w.shape[0] * w.shape[1], *w.shape[2:])
    return jnp.flip(w, range(2, 2 + rank))


def _conv(problem, x, w, bias=None):
    import jax
    rank, last = len(problem.in_), problem.layout[-1] == "c"
    axes = "DHW"[3 - rank:]
    image = f"N{axes}C" if last else f"NC{axes}"
    options = {"window_strides": problem.stride, "padding": problem.pad}
    if problem.op == "transposed":
        w = _turned(problem, w)
        padding = [(extent - 1 - begin, extent - 1 - end + more) for extent, (begin, end), more
                   in zip(extents(problem), problem.pad, problem.output_pad)]
        options = {"window_strides": [1] * rank, "padding": padding, "lhs_dilation": problem.stride}
    y = jax.lax.conv_general_dilated(x, w, rhs_dilation=problem.dilation, feature_group_count=problem.groups,
                                     dimension_numbers=(image, f"OI{axes}", image),
                                     precision=jax.lax.Precision.HIGHEST, **options)
    if bias is not None:
        y = y + (bias if last else bias.reshape(-1, *[1] * rank))
    return y if problem.act == "none" else jax.nn.relu(y) if problem.act == "relu" else jax.nn.relu6(y)


def _forward(problem, arrays):
    conv = _shared.separable(_conv) if problem.op == "separable" else _conv
    return conv(problem, **arrays)


def _backward_data(problem, arrays):
    import jax
    import jax.numpy as jnp
    x = jnp.zeros(problem.shapes["dx"], arrays["dy"].dtype)
    return jax.vjp(lambda x: _conv(problem, x, arrays["w"]), x)[1](arrays["dy"])[0]


def _backward_weights(problem, arrays):
    import jax
    import jax.numpy as jnp
    zeros = [jnp.zeros(problem.shapes[name], arrays["x"].dtype) for name in problem.outputs]
    gradients = jax.vjp(lambda *given: _conv(problem, arrays["x"], *given), *zeros)[1](arrays["dy"])
    return gradients if problem.bias else gradients[0]


@functools.lru_cache(maxsize=8)
def _compiled(function, problem):
    import jax
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    return jax.jit(functools.partial(function, problem))


def _called(function):
    def call(problem, **arrays):
        return _compiled(function, problem)(arrays)
    return call


candidate = _shared.candidate(
    "jax", {"forward": _called(_forward), "backward_data": _called(_backward_data),
            "backward_weights": _called(_backward_weights)},
    kinds=_shared.ALL_KINDS, layouts="first last", types="f32 f64",
    imports=["jax"], checks=["covering", "turns", "real", "probes", "special"])     # small: 76,000 compilations
