#!/usr/bin/env python3
"""make.py - makes cases.json: small convolutions and their gradients, computed by PyTorch and not by convref.

    python3 make.py > cases.json          needs PyTorch; cases.json here is from Debian's python3-torch 1.13.1+dfsg-4

Every case is computed in float64 by torch.nn.functional, gradients by autograd from a given dy.  Asymmetric padding is
F.pad before a convolution without padding.  Data of an "exact" case are integers from -4 to 4 without 0, so that every
sum is an integer far below 2^24 and its bits don't depend on the order of summation; the others are multiples of 2^-20
in (-1, 1), which f32 and f64 hold exactly.  Arrays are flat, channels first, in the shapes of convref's operands.

Not here: large shapes, and anything that convref's own data would do as well.   Read next: ../test_golden.c
"""
import json
import random
import sys

import torch
import torch.nn.functional as F

CONV = [None, F.conv1d, F.conv2d, F.conv3d]
TRANSPOSED = [None, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d]
ACTIVATION = {"none": lambda y: y, "relu": F.relu, "relu6": F.relu6}

# name, sizes; what is left out has the default of a problem.  pads are (begin, end) for each axis, or "same".
CASES = [
    ("one_axis", dict(n=2, c=3, size=[9], k=4, filter=[3], bias=1)),
    ("one_axis_strided", dict(c=2, size=[11], k=3, filter=[4], stride=[3], pad=[(2, 2)])),
    ("one_axis_dilated", dict(c=2, size=[12], k=2, filter=[3], dilation=[4], pad=[(3, 3)], bias=1)),
    ("one_axis_asymmetric", dict(c=2, size=[7], k=3, filter=[3], pad=[(0, 2)])),
    ("one_axis_same_even", dict(c=2, size=[8], k=2, filter=[4], pad="same")),
    ("one_axis_depthwise", dict(n=2, c=4, size=[10], k=4, filter=[5], groups=4, pad=[(2, 2)], bias=1)),
    ("one_axis_grouped", dict(c=6, size=[6], k=4, filter=[2], groups=2, stride=[2])),
    ("plain", dict(n=2, c=3, size=[6, 5], k=4, filter=[3, 3], bias=1)),
    ("padded", dict(c=2, size=[5, 7], k=3, filter=[3, 3], pad=[(1, 1), (1, 1)])),
    ("strided", dict(c=3, size=[9, 8], k=2, filter=[3, 3], stride=[2, 2], pad=[(1, 1), (1, 1)], bias=1)),
    ("strides_differ", dict(c=2, size=[7, 9], k=2, filter=[2, 3], stride=[1, 3])),
    ("dilated", dict(c=2, size=[8, 9], k=2, filter=[3, 3], dilation=[2, 2], pad=[(2, 2), (2, 2)])),
    ("dilations_differ", dict(c=2, size=[7, 9], k=2, filter=[3, 2], dilation=[1, 3], pad=[(1, 1), (0, 0)], bias=1)),
    ("asymmetric", dict(c=2, size=[6, 6], k=3, filter=[3, 3], stride=[2, 2], pad=[(0, 1), (0, 1)], bias=1)),
    ("all_pads_differ", dict(c=2, size=[5, 4], k=2, filter=[3, 4], pad=[(2, 0), (1, 3)])),
    ("same_odd_zero_at_the_end", dict(c=2, size=[5, 6], k=2, filter=[2, 4], pad="same")),
    ("same_dilated", dict(c=2, size=[7, 7], k=2, filter=[3, 3], dilation=[2, 1], pad="same", bias=1)),
    ("pad_as_large_as_filter", dict(c=1, size=[3, 3], k=2, filter=[2, 2], pad=[(2, 2), (2, 2)])),
    ("pointwise", dict(n=2, c=5, size=[4, 4], k=6, filter=[1, 1], bias=1)),
    ("pointwise_strided", dict(c=4, size=[5, 5], k=3, filter=[1, 1], stride=[2, 2])),
    ("grouped", dict(n=2, c=6, size=[5, 5], k=9, filter=[3, 3], groups=3, pad=[(1, 1), (1, 1)], bias=1)),
    ("grouped_strided", dict(c=4, size=[7, 6], k=8, filter=[3, 2], groups=2, stride=[2, 1])),
    ("depthwise", dict(n=2, c=5, size=[6, 6], k=5, filter=[3, 3], groups=5, pad=[(1, 1), (1, 1)], bias=1)),
    ("depthwise_strided", dict(c=4, size=[8, 9], k=4, filter=[3, 3], groups=4, stride=[2, 2], pad=[(1, 1), (1, 1)])),
    ("depthwise_multiplier", dict(c=3, size=[5, 6], k=6, filter=[3, 3], groups=3, pad=[(1, 1), (1, 1)], bias=1)),
    ("depthwise_dilated", dict(c=3, size=[9, 9], k=3, filter=[3, 3], groups=3, dilation=[3, 2], pad=[(3, 3), (2, 2)])),
    ("relu", dict(c=2, size=[5, 5], k=3, filter=[3, 3], bias=1, act="relu")),
    ("relu6", dict(c=2, size=[5, 5], k=3, filter=[3, 3], pad=[(1, 1), (1, 1)], act="relu6")),
    ("three_axes", dict(c=2, size=[4, 5, 4], k=3, filter=[3, 3, 3], pad=[(1, 1), (1, 1), (1, 1)], bias=1)),
    ("three_axes_strided", dict(c=2, size=[5, 4, 6], k=2, filter=[2, 1, 3], stride=[2, 1, 2], pad=[(0, 0), (1, 0), (1, 2)])),
    ("three_axes_depthwise", dict(c=3, size=[4, 4, 5], k=3, filter=[3, 3, 3], groups=3, dilation=[1, 1, 2],
                                  pad=[(1, 1), (1, 1), (2, 2)], bias=1)),
    ("transposed_one_axis", dict(op="transposed", c=3, size=[5], k=2, filter=[4], stride=[2], pad=[(1, 1)], bias=1)),
    ("transposed", dict(op="transposed", n=2, c=3, size=[4, 3], k=4, filter=[3, 3], stride=[2, 2], pad=[(1, 1), (1, 1)])),
    ("transposed_output_pad", dict(op="transposed", c=2, size=[4, 4], k=3, filter=[3, 3], stride=[2, 2],
                                   pad=[(1, 1), (1, 1)], output_pad=[1, 1], bias=1)),
    ("transposed_output_pads_differ", dict(op="transposed", c=2, size=[3, 4], k=2, filter=[3, 2], stride=[3, 2],
                                           dilation=[2, 1], pad=[(1, 1), (0, 0)], output_pad=[2, 0])),
    ("transposed_grouped", dict(op="transposed", c=4, size=[4, 4], k=6, filter=[2, 3], groups=2, stride=[2, 1], bias=1)),
    ("transposed_three_axes", dict(op="transposed", c=2, size=[3, 2, 3], k=2, filter=[2, 2, 3], stride=[2, 1, 2])),
    ("separable", dict(op="separable", n=2, c=3, size=[6, 6], k=5, filter=[3, 3], pad=[(1, 1), (1, 1)], bias=1)),
    ("separable_multiplier", dict(op="separable", c=3, size=[7, 5], k=4, filter=[3, 3], stride=[2, 1], mult=2)),
    ("separable_mid_act", dict(op="separable", c=3, size=[5, 5], k=4, filter=[3, 3], pad=[(1, 1), (1, 1)], bias=1,
                               mid_act="relu", act="relu6")),
]
REAL = ["one_axis", "strided", "asymmetric", "depthwise_multiplier", "grouped", "three_axes", "transposed_output_pad",
        "separable"]
DEFAULTS = dict(op="conv", n=1, groups=1, mult=1, bias=0, act="none", mid_act="none")


def complete(given):
    """Sizes with every default filled in."""
    rank = len(given["size"])
    axes = dict(stride=[1] * rank, dilation=[1] * rank, output_pad=[0] * rank, pad=[(0, 0)] * rank)
    return {**DEFAULTS, **axes, **given, "rank": rank}


def problem_line(p):
    """The case as a problem of convref."""
    def axes(key):
        return "x".join(str(number) for number in p[key])
    pad = p["pad"] if p["pad"] == "same" else "x".join(f"{begin}:{end}" for begin, end in p["pad"])
    words = [f"op={p['op']} n={p['n']} c={p['c']} in={axes('size')} k={p['k']} filter={axes('filter')}",
             f"groups={p['groups']} stride={axes('stride')} pad={pad} dilation={axes('dilation')} bias={p['bias']}",
             f"act={p['act']}"]
    if p["op"] == "transposed":
        words.append(f"output_pad={axes('output_pad')}")
    if p["op"] == "separable":
        words.append(f"mult={p['mult']} mid_act={p['mid_act']}")
    return " ".join(words)


def draw(dice, shape, exact):
    """A tensor of seeded numbers, without zeros."""
    count = 1
    for size in shape:
        count *= size
    if exact:
        numbers = [dice.choice([-4, -3, -2, -1, 1, 2, 3, 4]) for _ in range(count)]
    else:
        numbers = [dice.choice([-1, 1]) * dice.randint(1, 2**20 - 1) / 2**20 for _ in range(count)]
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape)


def convolve(p, x, w, bias):
    """The convolution alone, in float64."""
    rank = p["rank"]
    if p["op"] == "transposed":
        return TRANSPOSED[rank](x, w, bias, stride=p["stride"], padding=[begin for begin, _ in p["pad"]],
                                output_padding=p["output_pad"], groups=p["groups"], dilation=p["dilation"])
    if p["pad"] == "same":
        return CONV[rank](x, w, bias, padding="same", dilation=p["dilation"], groups=p["groups"])
    ends = [number for pair in reversed(p["pad"]) for number in pair]
    return CONV[rank](F.pad(x, ends), w, bias, stride=p["stride"], dilation=p["dilation"], groups=p["groups"])


def operands(p, dice, exact):
    """Inputs by convref's names."""
    c, k, ones = p["c"], p["k"], [1] * p["rank"]
    made = {"x": draw(dice, [p["n"], c] + p["size"], exact)}
    if p["op"] == "separable":
        middle = c * p["mult"]
        made["w"] = draw(dice, [middle, 1] + p["filter"], exact)
        made["pw"] = draw(dice, [k, middle] + ones, exact)
        if p["bias"]:
            made["bias"] = draw(dice, [middle], exact)
            made["pw_bias"] = draw(dice, [k], exact)
        return made
    rows, columns = (c, k) if p["op"] == "transposed" else (k, c)
    made["w"] = draw(dice, [rows, columns // p["groups"]] + p["filter"], exact)
    if p["bias"]:
        made["bias"] = draw(dice, [k], exact)
    return made


def compute(p, dice, made):
    """y, and the gradients for a drawn dy where there is no activation."""
    if p["op"] == "separable":
        middle = {**p, "op": "conv", "groups": p["c"]}
        m = ACTIVATION[p["mid_act"]](convolve(middle, made["x"], made["w"], made.get("bias")))
        return {"y": ACTIVATION[p["act"]](CONV[p["rank"]](m, made["pw"], made.get("pw_bias")))}
    exact = all(float(number).is_integer() for number in made["x"].flatten())
    inputs = [made[name].requires_grad_() for name in ("x", "w", "bias") if name in made]
    plain = convolve(p, made["x"], made["w"], made.get("bias"))
    results = {"y": ACTIVATION[p["act"]](plain)}
    if p["act"] == "none":
        results["dy"] = draw(dice, list(plain.shape), exact)
        gradients = torch.autograd.grad(plain, inputs, results["dy"])
        results.update(zip(("dx", "dw", "dbias"), gradients))
    return results


def numbers_of(tensor):
    """Flat, with whole numbers as such."""
    values = tensor.detach().flatten().tolist()
    return [int(value) if value.is_integer() else value for value in values]


def case_of(name, given, exact):
    """One case as lists of numbers."""
    p = complete(given)
    dice = random.Random(name + ("" if exact else " real"))
    made = operands(p, dice, exact)
    results = compute(p, dice, made)
    case = {"name": name if exact else name + "_real", "problem": problem_line(p), "exact": exact}
    return {**case, **{key: numbers_of(value) for key, value in {**made, **results}.items()}}


def main():
    """Write all cases, an array on each line."""
    cases = [case_of(name, given, True) for name, given in CASES]
    cases += [case_of(name, given, False) for name, given in CASES if name in REAL]
    out = sys.stdout
    out.write('{"generator": "tests/golden/make.py",\n "computed_by": "PyTorch ' + torch.__version__)
    out.write(', torch.nn.functional and autograd in float64 on a CPU",\n "cases": [\n')
    for i, case in enumerate(cases):
        lines = [f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in case.items()]
        out.write(" {\n" + ",\n".join(lines) + "\n }" + ("," if i + 1 < len(cases) else "") + "\n")
    out.write(" ]\n}\n")


if __name__ == "__main__":
    main()
