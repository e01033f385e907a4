"""_onnx.py - an ONNX model of one convolution, written without the onnx package: protobuf by hand, in 40 lines.

The weights are constants of the model, as in real ones, so that a runtime may prepare them; relu and relu6 are nodes
behind, which it may fuse.
A protobuf message is a list of fields, each a number, then a whole number of 7 bits a byte, or a length and bytes.
The numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
Not here: anything that reads a model.   Read next: onnxruntime.py
"""
import numpy as np

from . import _shared

FLOAT, DOUBLE = 1, 11
_ELEMENTS = {"float32": FLOAT, "float64": DOUBLE}
_IR_VERSION, _OPSET = 8, 13


def _varint(number):
    number &= (1 << 64) - 1                 # negative numbers are 64 bits wide
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes(data + bytes([number]))


def _field(number, value):
    """One field: a whole number, or bytes (text, another message)."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _attribute(name, value):
    if isinstance(value, (list, tuple)):
        return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, 7)
    return _field(1, name) + _field(3, value) + _field(20, 2)


def node(operator, inputs, output, **attributes):
    """One operator; attributes are whole numbers, or lists of them."""
    return (b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operator)
            + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items()))


def _constant(name, array):
    return (b"".join(_field(1, size) for size in array.shape) + _field(2, _ELEMENTS[str(array.dtype)])
            + _field(8, name) + _field(9, array.tobytes()))


def _value(name, shape, dtype):
    dims = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _ELEMENTS[str(dtype)]) + _field(2, dims)))


def model(nodes, constants, inputs, outputs):
    """A model's bytes.  constants: name -> array; inputs and outputs: name -> (shape, dtype)."""
    graph = (b"".join(_field(1, one) for one in nodes) + _field(2, "conv")
             + b"".join(_field(5, _constant(name, array)) for name, array in constants.items())
             + b"".join(_field(11, _value(name, *one)) for name, one in inputs.items())
             + b"".join(_field(12, _value(name, *one)) for name, one in outputs.items()))
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(1, "") + _field(2, _OPSET))


# ---- a convolution -------------------------------------------------------------------------------------------------

def _pads(problem):
    return [begin for begin, _ in problem.pad] + [end for _, end in problem.pad]


def _layer(problem, names, output):
    """The convolution, then its activation."""
    options = {"strides": problem.stride, "pads": _pads(problem), "dilations": problem.dilation,
               "group": problem.groups, "kernel_shape": problem.filter}
    if problem.op == "transposed":
        options["output_padding"] = problem.output_pad
    operator = "ConvTranspose" if problem.op == "transposed" else "Conv"
    last = {"none": [], "relu": [("Relu", [])], "relu6": [("Clip", ["zero", "six"])]}[problem.act]
    yield node(operator, names, output + "_sum" if last else output, **options)
    for activation, limits in last:
        yield node(activation, [output + "_sum", *limits], output)


def _separable(problem):
    """A layer for each stage, and an addition if x is added."""
    x, stages = "x", _shared.stages(problem)
    for number, (stage, w, bias) in enumerate(stages, 1):
        y = f"mid{number}" if number < len(stages) else "sum" if problem.residual else "y"
        yield from _layer(stage, [x, w, *([bias] if problem.bias else [])], y)
        x = y
    if problem.residual:
        yield node("Add", [x, "x"], "y")


def conv_model(problem, arrays, layers=1):
    """A model's bytes: input x, output y, the other arrays inside.  layers: so many equal ones behind each other."""
    constants = {**arrays, "zero": np.zeros((), problem.dtype), "six": np.full((), 6, problem.dtype)}
    if problem.op == "separable":
        nodes = list(_separable(problem))
    else:
        names = ["x", *(f"y{i}" for i in range(1, layers)), "y"]
        nodes = [one for x, y in zip(names, names[1:]) for one in _layer(problem, [x, *arrays], y)]
    return model(nodes, constants, {"x": (problem.shapes["x"], problem.dtype)},
                 {"y": (problem.shapes["y"], problem.dtype)})


def note(layers):
    """What a timing has in it: runtimes have a layout of their own."""
    return "x and y moved to its own layout in each call" if layers == 1 else ""
