"""openvino.py - OpenVINO on a CPU: the ONNX model of onnxruntime.py, compiled for one call at a time, in f32.

Forward only, channels first only: the layouts inside are the plugin's own.  Timed alone, where x and y are moved to
them and back in every call, and, where a layer can stand behind itself, as the eighth part of eight.
Read next: _onnx.py
"""
import functools

from . import _onnx, _shared
from .._problem import aligned

install = "pip install openvino"


def version():
    return _shared.version("openvino")


@functools.lru_cache(maxsize=1)
def _core():
    import openvino
    return openvino.Core()


def _chosen(compiled):
    """The names of the convolutions' implementations; none is asked of what stands round them."""
    names = {}
    for one in compiled.get_runtime_model().get_ops():
        info = dict(one.get_rt_info().items())
        kind, name = (str(getattr(info.get(key), "value", info.get(key))) for key in ("layerType", "primitiveType"))
        if kind == "Convolution":
            names[name] = True
    return "+".join(names)


def _prepare(problem, threads, x, layers=1, **weights):
    """A call is start_async() and wait(), which copy nothing; infer() would.  No stream is the caller's thread."""
    import openvino
    model = _core().read_model(_onnx.conv_model(problem, weights, layers))
    compiled = _core().compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 0 if threads == 1 else 1, "INFERENCE_PRECISION_HINT": "f32"})
    request, y = compiled.create_infer_request(), aligned(problem.shapes["y"], problem.dtype)
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    request.set_output_tensor(openvino.Tensor(y, shared_memory=True))

    def run():
        request.start_async()
        request.wait()
    return _shared.Call(run, lambda: y, layers, _chosen(compiled), note=_onnx.note(layers))


def _eight(problem, threads, **arrays):
    return _prepare(problem, threads, layers=8, **arrays) if _shared.chains(problem) else None


def _applies(problem):
    if problem.n == 0:
        return "it has no batch of no images"
    return None


speed = {"alone": _prepare, "chain8": _eight}
plain = {"alone": _prepare}
candidate = _shared.candidate("openvino", {"forward": _shared.once(_prepare)},
                              kinds="standard pointwise grouped depthwise separable inverted_residual",
                              applies=_applies,
                              checks=["turns", "real", "probes", "special"],      # each problem is compiled: slow
                              imports=["openvino"])
