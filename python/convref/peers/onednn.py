"""onednn.py - oneDNN 3, by its C interface: a direct convolution, the activation fused, weights reordered beforehand.

Timed in the layout that it likes best ("any": x and y lie in it, nothing is reordered in a call), and channels last.
A separable layer is two primitives, or three, each in the layout in which the one before leaves its output; x is added
by the last one.
Forward only.  In C, for version 2 and all passes: examples/provider_onednn.c.   Numbers are those of its header
dnnl_types.h, version 3.2.   Read next: docs/peers.md
"""
import ctypes
import ctypes.util
import functools
import os
import sys

import numpy as np

from . import _shared

install = "pip install onednn-cpu-gomp"

_CPU, _IN_ORDER, _F32, _ANY, _INFERENCE, _DIRECT, _RELU, _CLIP = 1, 1, 3, 1, 96, 1, 0x20, 0x2e
_SRC, _SRC_1, _DST, _WEIGHTS, _BIAS, _POST_OP = 1, 2, 17, 33, 41, 32768   # arguments of a primitive
_BINARY_ADD = 0x1fff0
_MD_SRC, _MD_WEIGHTS, _MD_DST, _NAME = 129, 131, 133, 8               # what can be asked of its descriptor

_KINDS = "engine", "stream", "memory_desc", "memory", "primitive_desc", "primitive_attr", "primitive", "post_ops"


class _Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


class _Argument(ctypes.Structure):
    _fields_ = [("name", ctypes.c_int), ("memory", ctypes.c_void_p)]


@functools.lru_cache(maxsize=1)
def _library():
    """The library of the Python environment, or the system's; None unless it is version 3."""
    for path in (os.path.join(sys.prefix, "lib", "libdnnl.so.3"), ctypes.util.find_library("dnnl")):
        try:
            lib = ctypes.CDLL(path) if path else None
        except OSError:
            continue
        if lib:
            lib.dnnl_version.restype = ctypes.POINTER(_Version)
            if lib.dnnl_version().contents.major == 3:
                lib.dnnl_primitive_desc_query_md.restype = ctypes.c_void_p
                return lib
    return None


def version():
    if not _library():
        return None
    found = _library().dnnl_version().contents
    return f"{found.major}.{found.minor}.{found.patch}"


def _checked(function, *arguments):
    status = getattr(_library(), function)(*arguments)
    if status:
        raise RuntimeError(f"{function}() returns status {status}")


class _Handle(ctypes.c_void_p):
    """An object of oneDNN's, destroyed with this one."""
    destroy = None

    def __del__(self):
        if self and self.destroy:
            self.destroy(self)


def _made(function, *arguments):
    """What a function writes to its first argument."""
    made = _Handle()
    _checked(function, ctypes.byref(made), *arguments)
    kind = next(kind for kind in _KINDS if f"{kind}_create" in function)
    made.destroy = getattr(_library(), f"dnnl_{kind}_destroy")
    return made


@functools.lru_cache(maxsize=1)
def _engine():
    engine = _made("dnnl_engine_create", _CPU, ctypes.c_size_t(0))
    return engine, _made("dnnl_stream_create", engine, _IN_ORDER)


# ---- memory --------------------------------------------------------------------------------------------------------

def _sizes(values):
    return (ctypes.c_int64 * 12)(*values)                             # dnnl_dims_t


def _plain(array, shape=None):
    """A description of an array as it lies."""
    shape, strides = shape or array.shape, [step // array.itemsize for step in array.strides]
    if len(shape) != len(strides):                                    # grouped weights: K/G of G
        strides = [strides[0] * shape[1], *strides]
    return _made("dnnl_memory_desc_create_with_strides", len(shape), _sizes(shape), _F32, _sizes(strides))


def _any(shape):
    return _made("dnnl_memory_desc_create_with_tag", len(shape), _sizes(shape), _F32, _ANY)


def _memory(desc, at):
    return _made("dnnl_memory_create", desc, _engine()[0], ctypes.c_void_p(at))


def _execute(primitive, arguments):
    """The function that runs it, its arguments ready; they live as long as it."""
    given = (_Argument * len(arguments))(*((name, memory.value) for name, memory in arguments.items()))
    execute, wait, stream = _library().dnnl_primitive_execute, _library().dnnl_stream_wait, _engine()[1]
    count = ctypes.c_int(len(arguments))

    def run(kept=arguments):
        execute(primitive, stream, count, given)
        wait(stream)
    return run


def _reorder(has, source, wants, target):
    engine = _engine()[0]
    desc = _made("dnnl_reorder_primitive_desc_create", has, engine, wants, engine, None)
    _execute(_made("dnnl_primitive_create", desc), {_SRC: source, _DST: target})()


def _wanted(primitive, what):
    return ctypes.c_void_p(_library().dnnl_primitive_desc_query_md(primitive, what, 0))


def _inside(desc, has, at):
    """Memory of oneDNN's own, with a copy of what lies at an address."""
    made = _memory(desc, ctypes.c_size_t(-1).value)
    if at:
        _reorder(has, _memory(has, at), desc, made)
    return made


# ---- a layer -------------------------------------------------------------------------------------------------------

def _attributes(act, added):
    """added: the description of what is added behind the activation, or None."""
    attributes, after = _made("dnnl_primitive_attr_create"), _made("dnnl_post_ops_create")
    if act != "none":
        kind, upper = (_RELU, 0) if act == "relu" else (_CLIP, 6)
        _checked("dnnl_post_ops_append_eltwise", after, kind, ctypes.c_float(0), ctypes.c_float(upper))
    if added:
        _checked("dnnl_post_ops_append_binary", after, _BINARY_ADD, added)
    if act != "none" or added:
        _checked("dnnl_primitive_attr_set_post_ops", attributes, after)
    return attributes


def _first(shape, last):
    """The shape of x or y in oneDNN's order: channels second, wherever they lie."""
    return (shape[0], shape[-1], *shape[1:-1]) if last else shape


def _describe(problem, x, w, y, bias, added):
    """A primitive's descriptor: the implementation is chosen here."""
    axes = [problem.stride, [step - 1 for step in problem.dilation],
            [begin for begin, _ in problem.pad], [end for _, end in problem.pad]]
    vector = None
    if bias:
        vector = _made("dnnl_memory_desc_create_with_strides", 1, _sizes([problem.k]), _F32, _sizes([1]))
    return _made("dnnl_convolution_forward_primitive_desc_create", _engine()[0], _INFERENCE, _DIRECT, x, w, vector, y,
                 *map(_sizes, axes), _attributes(problem.act, added))


class _Layer:
    """One convolution.  image: how x and y lie, a description of their shape.  x: the description and the memory
    that the layer before has left, or None.  added: the same of what is added to its output, or None."""

    def __init__(self, problem, w, bias, image, x=None, added=None):
        groups, shape = problem.groups, w.shape
        if groups > 1:
            shape = (groups, shape[0] // groups, *shape[1:])
        sizes = {name: _first(problem.shapes[name], problem.layout[-1] == "c") for name in "xy"}
        self.desc = _describe(problem, x[0] if x else image(sizes["x"]), _any(shape), image(sizes["y"]),
                              bias is not None, added and added[0])
        weights = _inside(_wanted(self.desc, _MD_WEIGHTS), _plain(w, shape), w.ctypes.data)
        self.x = x[1] if x else _inside(_wanted(self.desc, _MD_SRC), None, None)
        self.y = _inside(_wanted(self.desc, _MD_DST), None, None)
        arguments = {_SRC: self.x, _WEIGHTS: weights, _DST: self.y}
        if bias is not None:
            self.kept = np.ascontiguousarray(bias)
            arguments[_BIAS] = _memory(_plain(self.kept), self.kept.ctypes.data)
        if added:
            arguments[_POST_OP * (1 + (problem.act != "none")) | _SRC_1] = added[1]
        self.run = _execute(_made("dnnl_primitive_create", self.desc), arguments)

    def took(self):
        return _wanted(self.desc, _MD_SRC), self.x

    def left(self):
        return _wanted(self.desc, _MD_DST), self.y

    def chosen(self):
        name = ctypes.c_char_p()
        _checked("dnnl_primitive_desc_query", self.desc, _NAME, 0, ctypes.byref(name))
        return name.value.decode()


def _lying(shape, order):
    """The axes in `order`, the densest first."""
    strides, step = [0] * len(shape), 1
    for i in order:
        strides[i], step = step, step * shape[i]
    return _made("dnnl_memory_desc_create_with_strides", len(shape), _sizes(shape), _F32, _sizes(strides))


def _channels_last(shape):
    return _lying(shape, [1, *range(len(shape) - 1, 1, -1), 0])


def _channels_first(shape):
    return _lying(shape, range(len(shape) - 1, -1, -1))


def _threads(count):
    """oneDNN asks OpenMP, whose number is this thread's."""
    ctypes.CDLL("libgomp.so.1").omp_set_num_threads(count)


def _layers(problem, weights, image):
    stages = _shared.stages(problem) if problem.op == "separable" else [(problem, "w", "bias")]
    layers = []
    for number, (stage, w, bias) in enumerate(stages, 1):
        adds = problem.residual and number == len(stages)
        layers.append(_Layer(stage, weights[w], weights.get(bias), image, layers[-1].left() if layers else None,
                             layers[0].took() if adds else None))
    return layers


def _prepare(problem, threads, x, image=_any, **weights):
    _threads(threads)
    layers = _layers(problem, weights, image)
    given = _shared.to_first(problem, x)
    _reorder(_plain(given), _memory(_plain(given), given.ctypes.data), _wanted(layers[0].desc, _MD_SRC), layers[0].x)

    def run():
        for layer in layers:
            layer.run()

    def result():
        y = np.empty(problem.shapes["y"], problem.dtype)
        seen = _shared.to_first(problem, y)
        _reorder(layers[-1].left()[0], layers[-1].y, _plain(seen), _memory(_plain(seen), seen.ctypes.data))
        return y
    return _shared.Call(layers[0].run if len(layers) == 1 else run, result,
                        chosen="+".join(layer.chosen() for layer in layers))


def _applies(problem):
    if problem.n == 0:
        return "it has no batch of no images"
    return None


speed = {"any": _prepare, "nhwc": functools.partial(_prepare, image=_channels_last)}
plain = {"nchw": functools.partial(_prepare, image=_channels_first)}
candidate = _shared.candidate("onednn", {"forward": _shared.once(_prepare)}, layouts="first last",
                              kinds="standard pointwise grouped depthwise separable inverted_residual",
                              applies=_applies)
