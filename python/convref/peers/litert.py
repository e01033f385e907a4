"""litert.py - LiteRT (TensorFlow Lite): a model of one CONV_2D, DEPTHWISE_CONV_2D or TRANSPOSE_CONV, or of two.

The model is written with the schema that comes with the package; no converter is needed.  Padding is written into the
image first, since the operators know SAME and VALID only; a transposed layer is computed without padding, and cut.
1-D is 2-D of one row.  Channels last, f32, forward: the rest is not in it.   Read next: tensorflow.py
"""
import functools

import numpy as np

from . import _shared
from ._shared import from_last, to_last

install = "pip install ai-edge-litert flatbuffers"


def version():
    return _shared.version("ai_edge_litert", ["ai-edge-litert"])


class _Model:
    """Tensors, constants and operators, as the schema's objects."""

    def __init__(self):
        from ai_edge_litert import schema_py_generated as schema
        self.schema = schema
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model = schema.ModelT()
        self.model.version, self.model.operatorCodes, self.model.subgraphs = 3, [], [self.graph]
        self.model.buffers = [schema.BufferT()]          # the first one is empty, for what is no constant

    def tensor(self, shape, values=None):
        tensor = self.schema.TensorT()
        tensor.shape, tensor.name = list(shape), f"t{len(self.graph.tensors)}"
        tensor.type = self.schema.TensorType.FLOAT32
        if values is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            if values.dtype == np.int32:
                tensor.type = self.schema.TensorType.INT32
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, values):
        return self.tensor(values.shape, values)

    def operator(self, name, options, inputs, output, version=1):
        """name is that of schema.BuiltinOperator; options its options, an object."""
        code = self.schema.OperatorCodeT()
        code.builtinCode = getattr(self.schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        self.model.operatorCodes.append(code)
        made = self.schema.OperatorT()
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.builtinOptionsType = getattr(self.schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions, made.inputs, made.outputs = options, inputs, [output]
        self.graph.operators.append(made)

    def bytes(self, inputs, outputs):
        import flatbuffers
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _two(values):
    return [1, *values] if len(values) == 1 else list(values)


def _fused(schema, act):
    return {"none": schema.ActivationFunctionType.NONE, "relu": schema.ActivationFunctionType.RELU,
            "relu6": schema.ActivationFunctionType.RELU6}[act]


def _weights(problem, w):
    """Filters x rows x columns x channels; of a depthwise layer 1 x rows x columns x filters."""
    w = w[:, :, None] if w.ndim == 3 else w
    if problem.op == "transposed":
        return w.transpose(1, 2, 3, 0)
    return w.transpose(1, 2, 3, 0) if problem.kind == "depthwise" else w.transpose(0, 2, 3, 1)


def _options(schema, problem, options):
    options.padding = schema.Padding.VALID
    options.strideH, options.strideW = _two(problem.stride)
    options.fusedActivationFunction = _fused(schema, problem.act)
    if problem.op != "transposed":
        options.dilationHFactor, options.dilationWFactor = _two(problem.dilation)
    return options


def _add(model, problem, x, w, bias):
    """One layer; returns its output's tensor."""
    schema = model.schema
    weights = model.constant(_weights(problem, w).astype(np.float32))
    biases = model.constant(np.zeros(problem.k, np.float32) if bias is None else bias)
    if problem.op == "transposed":
        full = [size + begin + end for size, (begin, end) in zip(problem.out, problem.pad)]
        y = model.tensor([problem.n, *_two(full), problem.k])
        shape = model.constant(np.array([problem.n, *_two(full), problem.k], np.int32))
        model.operator("TRANSPOSE_CONV", _options(schema, problem, schema.TransposeConvOptionsT()),
                       [shape, weights, x, biases], y, version=4)
        return y
    y = model.tensor([problem.n, *_two(problem.out), problem.k])
    if problem.kind == "depthwise":
        options = _options(schema, problem, schema.DepthwiseConv2DOptionsT())
        options.depthMultiplier = problem.k // problem.c
        model.operator("DEPTHWISE_CONV_2D", options, [x, weights, biases], y, version=2)
    else:
        model.operator("CONV_2D", _options(schema, problem, schema.Conv2DOptionsT()), [x, weights, biases], y)
    return y


def _between(model, stage, x):
    """Padding in the middle of a model is an operator of its own, which the runtime may make part of the layer."""
    if not any(map(sum, stage.pad)):
        return x
    pads = np.array([(0, 0), *[(0, 0)] * (2 - len(stage.pad)), *stage.pad, (0, 0)], np.int32)
    y = model.tensor([stage.n, *_two(_padded(stage)), stage.c])
    model.operator("PAD", model.schema.PadOptionsT(), [x, model.constant(pads)], y)
    return y


def _stages(model, problem, x, given):
    """A layer for each stage, and an addition if x is added."""
    y = x
    for number, (stage, w, bias) in enumerate(_shared.stages(problem)):
        y = _add(model, stage, _between(model, stage, y) if number else y, given[w], given.get(bias))
    if problem.residual:
        last, options = y, model.schema.AddOptionsT()
        y = model.tensor([problem.n, *_two(problem.out), problem.k])
        model.operator("ADD", options, [last, x], y)
    return y


def _pads_x(problem):
    """Is it x that is padded?"""
    return problem.op != "transposed" and not problem.expand


def _padded(problem):
    return [size + begin + end for size, (begin, end) in zip(problem.in_, problem.pad)]


@functools.lru_cache(maxsize=4)
def _interpreter(problem, weights):
    given = {name: np.frombuffer(data, problem.dtype).reshape(problem.shapes[name]) for name, data in weights}
    return _opened(problem, given, 1)


def _opened(problem, given, threads):
    """The interpreter of a model, and its tensors x and y."""
    from ai_edge_litert.interpreter import Interpreter
    model = _Model()
    inner = _padded(problem) if _pads_x(problem) else problem.in_
    x = model.tensor([problem.n, *_two(inner), problem.c])
    if problem.op == "separable":
        y = _stages(model, problem, x, given)
    else:
        y = _add(model, problem, x, given["w"], given.get("bias"))
    interpreter = Interpreter(model_content=model.bytes([x], [y]), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter, x, y


def _given(problem, x):
    """x as the model wants it: channels last, with its padding."""
    x = to_last(problem, x)
    if _pads_x(problem):
        x = np.pad(x, [(0, 0), *problem.pad, (0, 0)])
    return np.ascontiguousarray(x[:, None] if len(problem.in_) == 1 else x)


def _returned(problem, y):
    y = y[:, 0] if len(problem.in_) == 1 else y
    if problem.op == "transposed":
        y = y[(slice(None), *(slice(begin, begin + size) for (begin, _), size in zip(problem.pad, problem.out)))]
    return from_last(problem, y)


def forward(problem, x, **weights):
    interpreter, at_x, at_y = _interpreter(problem, tuple((name, one.tobytes()) for name, one in weights.items()))
    interpreter.set_tensor(at_x, _given(problem, x))
    interpreter.invoke()
    return _returned(problem, interpreter.get_tensor(at_y))


def _prepare(problem, threads, x, **weights):
    interpreter, at_x, at_y = _opened(problem, weights, threads)
    interpreter.set_tensor(at_x, _given(problem, x))
    padded = _pads_x(problem) and any(map(sum, problem.pad))
    return _shared.Call(interpreter.invoke, lambda: _returned(problem, interpreter.get_tensor(at_y)),
                        note="the padding was written before" if padded else "")


def _applies(problem):
    if problem.n == 0:
        return "it has no batch of no images"
    if problem.residual and not problem.expand:
        return "its x is padded before, and can't be added"
    if problem.op == "transposed":
        if problem.groups > 1 or max(problem.dilation) > 1 or any(problem.output_pad or []):
            return "its transposed layers have no groups, dilations and output_pad"
    return None


speed = {"nhwc": _prepare}
candidate = _shared.candidate("litert", {"forward": forward}, kinds=_shared.ALL_KINDS, layouts="first last",
                              ranks=(1, 2), applies=_applies, imports=["ai_edge_litert.interpreter"])
