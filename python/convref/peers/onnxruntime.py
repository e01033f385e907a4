"""onnxruntime.py - ONNX Runtime on a CPU: models of one Conv or ConvTranspose, or of two Conv for a separable layer.

The weights are constants of the model, as in real ones, so that the runtime may prepare them (in its blocked layout);
relu and relu6 are nodes behind, which it fuses.  Each problem and its weights are a model and a session of their own.
Forward only, channels first only: that is what the operators have.   Read next: _onnx.py
"""
import functools

import numpy as np

from . import _onnx, _shared

install = "pip install onnxruntime"


def version():
    return _shared.version("onnxruntime")


def _pads(problem):
    return [begin for begin, _ in problem.pad] + [end for _, end in problem.pad]


def _nodes(problem, names, output):
    """The convolution, then its activation."""
    options = {"strides": problem.stride, "pads": _pads(problem), "dilations": problem.dilation,
               "group": problem.groups, "kernel_shape": problem.filter}
    if problem.op == "transposed":
        options["output_padding"] = problem.output_pad
    operator = "ConvTranspose" if problem.op == "transposed" else "Conv"
    last = {"none": [], "relu": [("Relu", [])], "relu6": [("Clip", ["zero", "six"])]}[problem.act]
    yield _onnx.node(operator, names, output + "_sum" if last else output, **options)
    for activation, limits in last:
        yield _onnx.node(activation, [output + "_sum", *limits], output)


@functools.lru_cache(maxsize=4)
def _session(problem, weights):
    import onnxruntime
    arrays = {name: np.frombuffer(data, problem.dtype).reshape(problem.shapes[name]) for name, data in weights}
    constants = {**arrays, "zero": np.zeros((), problem.dtype), "six": np.full((), 6, problem.dtype)}
    if problem.op == "separable":
        first, second = _shared.stages(problem)
        biases = [[name] if problem.bias else [] for name in ("bias", "pw_bias")]
        nodes = [*_nodes(first, ["x", "w", *biases[0]], "mid"), *_nodes(second, ["mid", "pw", *biases[1]], "y")]
    else:
        nodes = _nodes(problem, ["x", *arrays], "y")
    model = _onnx.model(nodes, constants, {"x": (problem.shapes["x"], problem.dtype)},
                        {"y": (problem.shapes["y"], problem.dtype)})
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1        # a thread pool for each of thousands of sessions would be slow
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def forward(problem, x, **weights):
    session = _session(problem, tuple((name, array.tobytes()) for name, array in weights.items()))
    return session.run(None, {"x": x})[0]


def _applies(problem):
    """ONNX allows an output_padding below the stride or the dilation; the runtime demands less than the stride."""
    if any(more >= stride for more, stride in zip(problem.output_pad or [], problem.stride)):
        return "output_pad isn't below the stride"
    return None


candidate = _shared.candidate("onnxruntime", {"forward": forward}, kinds=_shared.ALL_KINDS, applies=_applies,
                              imports=["onnxruntime"])
