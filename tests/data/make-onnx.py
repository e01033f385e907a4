#!/usr/bin/env python3
"""make-onnx.py - the small ONNX models of tests/data and of the fuzz corpus, byte by byte.

Usage: make-onnx.py FOLDER      writes FOLDER/*.onnx

Protocol buffers are written here by hand, by the field numbers of onnx/onnx.proto, so that nothing needs to be
installed and the bytes never change; what is in tests/data was written by this.
Not here: models that are wrong on purpose (tests/cli/onnx_files.sh).
"""
import pathlib
import struct
import sys


def varint(value):
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A field: a number, or text and bytes, or a message made of fields."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


KINDS = {1: "f", 2: "B", 3: "b", 6: "i", 7: "q", 9: "?"}   # TensorProto.DataType as struct packs it


def tensor(name, dims, values=None, kind=1):
    data = b"" if values is None else struct.pack("<%d%s" % (len(values), KINDS[kind]), *values)
    return b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + field(9, data)


def zeros(name, dims, kind=1):
    count = 1
    for d in dims:
        count *= d
    return tensor(name, dims, [0] * count, kind)


def value(name, dims, kind=1):
    shape = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


class Graph:
    """A graph as an attribute: its nodes, initializers, inputs, and the names of its outputs."""

    def __init__(self, nodes, outputs, initializers=(), inputs=()):
        self.message = (b"".join(field(1, n) for n in nodes) + field(2, "g")
                        + b"".join(field(5, t) for t in initializers) + b"".join(field(11, i) for i in inputs)
                        + b"".join(field(12, field(1, o)) for o in outputs))


def attribute(name, what):
    if isinstance(what, Graph):
        return field(1, name) + field(6, what.message) + field(20, 5)
    if isinstance(what, bytes):
        return field(1, name) + field(5, what) + field(20, 4)
    if isinstance(what, str):
        return field(1, name) + field(4, what) + field(20, 3)
    if isinstance(what, int):
        return field(1, name) + field(3, what) + field(20, 2)
    if isinstance(what, float):
        return field(1, name) + field(2, what) + field(20, 1)
    if what and isinstance(what[0], float):
        return field(1, name) + b"".join(field(7, f) for f in what) + field(20, 6)
    return field(1, name) + b"".join(field(8, i) for i in what) + field(20, 7)


def node(op, inputs, outputs, name="", **attributes):
    return (b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
            + (field(3, name) if name else b"") + field(4, op)
            + b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))


def model(nodes, initializers, inputs, outputs, opset=13, infos=()):
    graph = (b"".join(field(1, n) for n in nodes) + field(2, "g") + b"".join(field(5, t) for t in initializers)
             + b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
             + b"".join(field(13, i) for i in infos))
    return field(1, 7) + field(7, graph) + field(8, field(2, opset))


def small():
    """A separable block and a classifier: 3x3 depthwise with stride 2, 1x1, global mean, fc.

    params: 8*1*9 + 2*8 (bn) + 16*8 + 16 + 10*16 + 10 = 402; buffers 2*8
    out 4x4: MACs 8*9*16 + 16*8*16 = 3200; fc 160"""
    return model(
        [node("Conv", ["x", "dw"], ["a"], "depthwise", group=8, strides=[2, 2], pads=[1, 1, 1, 1]),
         node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"]),
         node("Clip", ["b", "zero", "six"], ["c"]),
         node("Conv", ["c", "pw", "pb"], ["d"], "pointwise"),
         node("Relu", ["d"], ["e"]),
         node("GlobalAveragePool", ["e"], ["f"]),
         node("Flatten", ["f"], ["h"]),
         node("Gemm", ["h", "fw", "fb"], ["y"], "classifier", transB=1)],
        [zeros("dw", [8, 1, 3, 3]), *(zeros(name, [8]) for name in ("scale", "shift", "mean", "variance")),
         tensor("zero", [], [0.0]), tensor("six", [], [6.0]),
         zeros("pw", [16, 8, 1, 1]), zeros("pb", [16]), zeros("fw", [10, 16]), zeros("fb", [10])],
        [value("x", ["n", 8, "h", "w"])], [value("y", ["n", 10])])


def strange():
    """An operator that nobody knows between two convolutions, weights of ConstantOfShape, a MatMul with its bias.

    Known: the first Conv, 4*3*9 = 108 weights and 108*64 = 6912 MACs.  The second is behind the unknown."""
    return model(
        [node("ConstantOfShape", ["shape"], ["w"]),
         node("Conv", ["x", "w"], ["a"], "first", auto_pad="SAME_UPPER"),
         node("Whirl", ["a", "turn"], ["b"], "whirl"),
         node("Conv", ["b", "w2"], ["y"], "second")],
        [tensor("shape", [4], [4, 3, 3, 3], 7), zeros("turn", [5]), zeros("w2", [2, 4, 1, 1])],
        [value("x", [1, 3, 8, 8])], [value("y", ["n", "c", "h", "w"])])


def shuffled():
    """A channel shuffle that computes its own shape, pooling, an addition, a concatenation, a MatMul with bias.

    conv 8*2*1 (4 groups) = 16 weights, 16*36 = 576 MACs; MatMul 16*5 + 5 = 85 parameters, 80 MACs"""
    return model(
        [node("Conv", ["x", "w"], ["a"], "grouped", group=4),
         node("Shape", ["a"], ["sa"]),
         node("Gather", ["sa", "first"], ["n"]),
         node("Concat", ["n", "groups"], ["s5"], axis=0),
         node("Reshape", ["a", "s5"], ["b"]),
         node("Transpose", ["b"], ["c"], perm=[0, 2, 1, 3, 4]),
         node("Reshape", ["c", "sa"], ["d"]),
         node("MaxPool", ["d"], ["e"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
         node("AveragePool", ["d"], ["f"], kernel_shape=[2, 2], strides=[2, 2]),
         node("Slice", ["f", "zeros", "threes", "axes"], ["f2"]),
         node("Concat", ["e", "f2"], ["h"], axis=1),
         node("ReduceMean", ["h"], ["i"], axes=[2, 3], keepdims=0),
         node("MatMul", ["i", "m"], ["j"], "matrix"),
         node("Add", ["j", "mb"], ["y"])],
        [zeros("w", [8, 2, 1, 1]), tensor("first", [1], [0], 7), tensor("groups", [4], [4, 2, 6, 6], 7),
         tensor("zeros", [2], [0, 0], 7), tensor("threes", [2], [3, 3], 7), tensor("axes", [2], [2, 3], 7),
         zeros("m", [16, 5]), zeros("mb", [5])],
        [value("x", [1, 8, 6, 6])], [value("y", [1, 5])])


def main():
    folder = pathlib.Path(sys.argv[1])
    for make in (small, strange, shuffled):
        (folder / (make.__name__ + ".onnx")).write_bytes(make())


if __name__ == "__main__":
    main()
