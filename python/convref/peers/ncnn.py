"""ncnn.py - ncnn on a CPU: a network of one Convolution or ConvolutionDepthWise, or of two, in f32.

Images one by one, 2-D, channels first; inside, channels lie in packs, into which x is moved in every call, and y
back.
Timed without Winograd, alone and, where a layer can stand behind itself, as the eighth part of eight; and with
Winograd where ncnn has one (3x3, stride 1), which is judged by that class's bound.   Read next: onnxruntime.py
"""
import functools
import os
import tempfile

import numpy as np

from . import _shared

install = "pip install ncnn"
_MAGIC = 7767517                        # the first line of a network


def version():
    return _shared.version("ncnn")


def _layer(problem, name, x, y, w, bias):
    """A line of the network, and the layer's numbers.  11 to 14 are of rows, 1 to 4 of columns."""
    (top, bottom), (left, right) = problem.pad
    facts = {0: problem.k, 1: problem.filter[1], 11: problem.filter[0], 2: problem.dilation[1],
             12: problem.dilation[0], 3: problem.stride[1], 13: problem.stride[0], 4: left, 15: right, 14: top,
             16: bottom, 5: int(bias is not None), 6: w.size, 9: {"none": 0, "relu": 1, "relu6": 3}[problem.act]}
    if problem.groups > 1:
        facts[7] = problem.groups
    words = [f"{key}={value}" for key, value in facts.items()]
    words += ["-23310=2,0,6"] if problem.act == "relu6" else []          # array 10: the activation's limits
    kind = "ConvolutionDepthWise" if problem.groups > 1 else "Convolution"
    numbers = bytes(4) + np.ascontiguousarray(w).tobytes() + (b"" if bias is None else bias.tobytes())
    return f"{kind} {name} 1 1 {x} {y} {' '.join(words)}", numbers


def _stages(problem, weights):
    """A layer for each stage; x that is added goes both ways first."""
    stages, residual = _shared.stages(problem), problem.residual
    names = ["x0" if residual else "x", *(f"mid{i}" for i in range(1, len(stages))), "sum" if residual else "y"]
    lines = [_layer(stage, f"to_{y}", x, y, weights[w], weights.get(bias))
             for (stage, w, bias), x, y in zip(stages, names, names[1:])]
    if residual:
        lines = [("Split both 1 2 x x0 x1", b""), *lines, ("BinaryOp add 2 1 sum x1 y 0=0", b"")]
    return lines


def _layers(problem, layers, **weights):
    if problem.op == "separable":
        return _stages(problem, weights)
    names = ["x", *(f"y{i}" for i in range(1, layers)), "y"]
    return [_layer(problem, f"to_{y}", x, y, weights["w"], weights.get("bias")) for x, y in zip(names, names[1:])]


def _opened(lines, threads, winograd):
    import ncnn
    net = ncnn.Net()
    net.opt.num_threads, net.opt.use_winograd_convolution = threads, winograd
    for narrow in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{narrow}", False)
    count = len(lines) + 1              # of layers; and of what lies between them, one more of a split
    between = count + any(line.startswith("Split") for line, _ in lines)
    text = "\n".join([f"{_MAGIC}", f"{count} {between}", "Input x 0 1 x", *(line for line, _ in lines)])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.bin")
        with open(path, "wb") as file:
            file.writelines(numbers for _, numbers in lines)
        if net.load_param_mem(text + "\n") or net.load_model(path):
            raise RuntimeError("ncnn can't load the network")
    return net


def _prepare(problem, threads, x, layers=1, winograd=False, **weights):
    import ncnn
    net, kept = _opened(_layers(problem, layers, **weights), threads, winograd), []
    given = ncnn.Mat(np.ascontiguousarray(x[0])).clone()

    def run():
        extractor = net.create_extractor()
        extractor.input("x", given)
        kept[:] = extractor.extract("y")
    return _shared.Call(run, lambda: np.array(kept[1]).reshape(problem.shapes["y"]), layers,
                        "" if not winograd else "winograd", "winograd6" if winograd else "direct",
                        "x and y packed in each call" if layers == 1 else "")


def _eight(problem, threads, **arrays):
    return _prepare(problem, threads, layers=8, **arrays) if _shared.chains(problem) else None


def _has_winograd(problem):
    return (problem.kind == "standard" and problem.filter == (3, 3) and {*problem.stride, *problem.dilation} == {1}
            and min(problem.c, problem.k) >= 8)


def _winograd(problem, threads, layers=1, **arrays):
    if not _has_winograd(problem) or layers > 1 and not _shared.chains(problem):
        return None
    return _prepare(problem, threads, layers=layers, winograd=True, **arrays)


def _applies(problem):
    return "it has no batches" if problem.n != 1 else None


speed = {"alone": _prepare, "chain8": _eight, "winograd": _winograd,
         "winograd chain8": functools.partial(_winograd, layers=8)}
plain = {"alone": _prepare, "winograd": _winograd}
candidate = _shared.candidate("ncnn", {"forward": _shared.once(_prepare)}, ranks=2, applies=_applies,
                              kinds="standard pointwise grouped depthwise separable inverted_residual",
                              imports=["ncnn"])
