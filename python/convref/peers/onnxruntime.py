"""onnxruntime.py - ONNX Runtime on a CPU: models of one Conv or ConvTranspose, or of two Conv for a separable layer.

Each problem and its weights are a model and a session of their own; the runtime may prepare the weights (in its
blocked layout), and fuses activations.  Forward only, channels first only: that is what the operators have.
Timed alone, where x and y are moved to the blocked layout and back in every call, and, where a layer can stand behind
itself, as the eighth part of eight, which has most of that behind it.   Read next: _onnx.py
"""
import functools
import os
import tempfile

import numpy as np

from . import _onnx, _shared
from .._problem import aligned

install = "pip install onnxruntime"


def version():
    return _shared.version("onnxruntime")


@functools.lru_cache(maxsize=4)
def _session(problem, weights):
    """One thread: a thread pool for each of thousands of sessions would be slow."""
    arrays = {name: np.frombuffer(data, problem.dtype).reshape(problem.shapes[name]) for name, data in weights}
    return _opened(_onnx.conv_model(problem, arrays), 1)


def _opened(model, threads, written_to=""):
    """A session.  written_to: where the model goes as the runtime has changed it."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.optimized_model_filepath = written_to
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def forward(problem, x, **weights):
    session = _session(problem, tuple((name, array.tobytes()) for name, array in weights.items()))
    return session.run(None, {"x": x})[0]


# ---- for a timing --------------------------------------------------------------------------------------------------

def _chosen(model, threads):
    """Does the optimised model have the operators of the blocked layout?"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        _opened(model, threads, path)
        with open(path, "rb") as file:
            return "nchwc" if b"com.microsoft.nchwc" in file.read() else "nchw"


def _prepare(problem, threads, x, layers=1, **weights):
    """Inputs and outputs stay where they are (IO binding): nothing is allocated or copied in a call."""
    model = _onnx.conv_model(problem, weights, layers)
    session, y = _opened(model, threads), aligned(problem.shapes["y"], problem.dtype)
    binding = session.io_binding()
    for bind, name, array in ((binding.bind_input, "x", x), (binding.bind_output, "y", y)):
        bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
    return _shared.Call(functools.partial(session.run_with_iobinding, binding), lambda: y, layers,
                        _chosen(model, threads), note=_onnx.note(layers))


def _eight(problem, threads, **arrays):
    return _prepare(problem, threads, layers=8, **arrays) if _shared.chains(problem) else None


speed = {"alone": _prepare, "chain8": _eight}
plain = {"alone": _prepare}


def _applies(problem):
    """ONNX allows an output_padding below the stride or the dilation; the runtime demands less than the stride."""
    if any(more >= stride for more, stride in zip(problem.output_pad or [], problem.stride)):
        return "output_pad isn't below the stride"
    return None


candidate = _shared.candidate("onnxruntime", {"forward": forward}, kinds=_shared.ALL_KINDS, applies=_applies,
                              imports=["onnxruntime"])
