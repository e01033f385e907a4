"""tensorflow.py - TensorFlow on a CPU: nn.convolution and nn.depthwise_conv2d, channels last; gradients by tape.

Padding is "VALID" behind tf.pad, since nn.convolution has no other for 1-D and 3-D.  Images are moved to channels
last, which is what its CPU kernels know.  1-D depthwise is 2-D of one row.  Declared is what it says that it has: no
strides together with dilations, no groups in 3-D, equal strides of a depthwise layer.   Read next: torch.py
"""
import os

import numpy as np

from . import _shared
from ._shared import from_last, to_last

install = "pip install tensorflow-cpu"


def version():
    return _shared.version("tensorflow", ["tensorflow-cpu", "tensorflow"])


def _import():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow
    return tensorflow


def _depthwise(tf, problem, x, w):
    """w is T x R x S x 1 x K; TensorFlow wants R x S x C x multiplier."""
    rank = len(problem.in_)
    stride, dilation = [*problem.stride], [*problem.dilation]
    w = tf.reshape(w, (*w.shape[:rank], problem.c, problem.k // problem.c))
    if rank == 1:
        x, w, dilation = x[:, None], w[None], [1, *dilation]
    y = tf.nn.depthwise_conv2d(x, w, [1, stride[0], stride[-1], 1], "VALID", dilations=dilation)
    return y[:, 0] if rank == 1 else y


def _transposed(tf, problem, x, w):
    """Without padding, then cut: conv_transpose knows SAME and VALID only."""
    full = [size + begin + end for size, (begin, end) in zip(problem.out, problem.pad)]
    # its filter is R x S x outputs x inputs
    y = tf.nn.conv_transpose(x, w, [problem.n, *full, problem.k], problem.stride, "VALID",
                             dilations=problem.dilation)
    return y[(slice(None), *(slice(begin, begin + size) for (begin, _), size in zip(problem.pad, problem.out)))]


def _conv(problem, x, w, bias=None):
    """On tensors, channels last; w as convref has it."""
    tf = _import()
    w = tf.transpose(w, [*range(2, 2 + len(problem.in_)), 1, 0])     # taps, inputs, outputs
    if problem.op == "transposed":
        y = _transposed(tf, problem, x, w)
    else:
        if any(map(any, problem.pad)):
            x = tf.pad(x, [(0, 0), *problem.pad, (0, 0)])
        if problem.kind == "depthwise":
            y = _depthwise(tf, problem, x, w)
        else:
            layout = "NWC", "NHWC", "NDHWC"      # named, since the gradient in 3-D fails without
            y = tf.nn.convolution(x, w, problem.stride, "VALID", layout[len(problem.in_) - 1], problem.dilation)
    if bias is not None:
        y = tf.nn.bias_add(y, bias)
    return y if problem.act == "none" else tf.nn.relu(y) if problem.act == "relu" else tf.nn.relu6(y)


def _tensors(problem, arrays):
    tf = _import()
    return {name: tf.constant(to_last(problem, array) if name in ("x", "dy") else array)
            for name, array in arrays.items()}


def forward(problem, **arrays):
    conv = _shared.separable(_conv) if problem.op == "separable" else _conv
    return from_last(problem, conv(problem, **_tensors(problem, arrays)).numpy())


def backward_data(problem, w, dy):
    tf = _import()
    given = _tensors(problem, {"w": w, "dy": dy})
    x = tf.zeros((problem.n, *problem.in_, problem.c), given["w"].dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = _conv(problem, x, given["w"])
    return from_last(problem, tape.gradient(y, x, given["dy"]).numpy())


def backward_weights(problem, x, dy):
    tf = _import()
    given = _tensors(problem, {"x": x, "dy": dy})
    zeros = [tf.zeros(problem.shapes[name], given["x"].dtype) for name in problem.outputs]
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        y = _conv(problem, given["x"], *zeros)
    gradients = [one.numpy() for one in tape.gradient(y, zeros, given["dy"])]
    return tuple(gradients) if problem.bias else gradients[0]


def _applies(problem):
    rank = len(problem.in_)
    if max(problem.stride) > 1 and max(problem.dilation) > 1:
        return "it has no strides together with dilations"
    if problem.op == "transposed":
        return _applies_transposed(problem)
    if problem.kind == "depthwise" or problem.op == "separable":
        if rank == 3:
            return "it has no depthwise layers in 3-D"
        if len(set(problem.stride)) > 1:
            return "depthwise strides must be equal"
    if problem.kind == "grouped":
        if rank == 3:
            return "it has no groups in 3-D"
        if problem.pass_ != "forward":
            return "it has no gradient of a grouped layer on a CPU"
    return None


def _applies_transposed(problem):
    if problem.groups > 1:
        return "it has no groups in a transposed layer"
    if max(problem.dilation) > 1:
        return "it has no dilations in a transposed layer"
    if any(problem.output_pad or []):
        return "its transposed layers have no output_pad"
    return None


candidate = _shared.candidate(
    "tensorflow", {"forward": forward, "backward_data": backward_data, "backward_weights": backward_weights},
    kinds=_shared.ALL_KINDS, layouts="first last", types="f32 f64", applies=_applies, imports=[_import])
