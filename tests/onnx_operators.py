#!/usr/bin/env python3
"""onnx_operators.py - the ONNX specification's own list of operators, and its own examples, against convref's table.

Usage: onnx_operators.py CONVREF FOLDER      needs the Python package onnx; status 77 without it

1. Every operator of the default domain is known, and at least 150 have a rule for their shape.
2. Every example that the specification runs its operators with is counted: whatever size convref says of an output is
   the one that the example has.  To each output a chain is appended for every axis that turns the size of that axis
   into the multiply-adds of a convolution of one weight, so that a size is read as a count.
Not here: totals of networks (test_onnx_count.py).
"""
import json
import pathlib
import subprocess
import sys

try:
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"{error.name} is missing")
    sys.exit(77)

LEAST_RULES = 150


def count(convref, path, *options):
    run = subprocess.run([convref, "count", str(path), "--format", "json", *options], capture_output=True, text=True)
    return run.returncode, (json.loads(run.stdout) if run.returncode in (0, 3) else {}), run.stderr


def save(path, nodes, inputs, opset, initializers=()):
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("end", 1, None)], list(initializers))
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                       ir_version=9).SerializeToString())


def walk_list(convref, folder):
    """A node without inputs is enough: an operator that isn't in the table is called unknown before anything is read."""
    known, unsized, missing = 0, [], []
    x = helper.make_tensor_value_info("x", 1, [1])
    for schema in onnx.defs.get_all_schemas():
        if schema.domain:
            continue
        path = folder / "operator.onnx"
        save(path, [helper.make_node(schema.name, [], ["y"], name="asked"),
                    helper.make_node("Reshape", ["y", "y"], ["z"]),
                    helper.make_node("Conv", ["z", "z"], ["end"])], [x], 18)
        status, seen, said = count(convref, path)
        words = seen.get("note", "") + said
        if "doesn't know the operator" in words:
            missing.append(schema.name)
        elif "it comes behind 'asked'" in words or "graph of its own" in words:
            unsized.append(schema.name)
        else:
            known += 1
    return known, unsized, missing


def sizes_of(example):
    """The arrays of an example's outputs, by the names of the graph; None where one is no tensor."""
    for inputs, outputs in example.data_sets[:1]:
        for info, array in zip(example.model.graph.output, outputs):
            if isinstance(array, onnx.TensorProto):
                array = numpy_helper.to_array(array)
            if info.type.HasField("tensor_type") and hasattr(array, "shape"):
                yield info.name, array.shape


def give_constants(model, example):
    """What an exporter would have as constants: inputs of whole numbers, truths, and single ones become initializers."""
    inputs, _ = example.data_sets[0]
    given = []
    for info, array in zip(list(model.graph.input), inputs):
        array = numpy_helper.to_array(array) if isinstance(array, onnx.TensorProto) else array
        if not hasattr(array, "dtype") or not info.type.HasField("tensor_type"):
            given.append(info)
            continue
        del info.type.tensor_type.shape.dim[:]
        info.type.tensor_type.shape.SetInParent()
        for size in array.shape:
            info.type.tensor_type.shape.dim.add().dim_value = size
        if info is not model.graph.input[0] and array.size < 100 and array.dtype != object \
                and not (array.size == 0 and array.ndim > 1):
            model.graph.initializer.append(numpy_helper.from_array(array, info.name))
        else:
            given.append(info)
    kept = [info for info in given]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def append_chains(model, sizes):
    """For each axis: Shape, Slice, ConstantOfShape, Reshape, Conv.  Opset 13 or later, so that Slice has inputs."""
    graph, old = model.graph, []
    graph.initializer.append(numpy_helper.from_array(numpy.ones((1, 1, 1), numpy.float32), "chain_w"))
    graph.initializer.append(numpy_helper.from_array(numpy.array([1, 1, -1], numpy.int64), "chain_row"))
    for number, (name, shape) in enumerate(sizes):
        for axis in range(len(shape)):
            at = f"chain_{number}_{axis}"
            for end in (axis, axis + 1):
                graph.initializer.append(numpy_helper.from_array(numpy.array([end], numpy.int64), f"{at}_{end}"))
            graph.node.extend([
                helper.make_node("Shape", [name], [at + "_s"]),
                helper.make_node("Slice", [at + "_s", f"{at}_{axis}", f"{at}_{axis + 1}"], [at + "_n"]),
                helper.make_node("ConstantOfShape", [at + "_n"], [at + "_v"]),
                helper.make_node("Reshape", [at + "_v", "chain_row"], [at + "_r"]),
                helper.make_node("Conv", [at + "_r", "chain_w"], [at], name=at)])
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("end", 1, None))
    graph.node.append(helper.make_node("Identity", ["chain_row"], ["end"]))
    return old


def check_example(convref, folder, example):
    """'right', 'open' (not all sizes are known), 'refused', or what is wrong."""
    model = onnx.ModelProto()
    model.CopyFrom(example.model)
    sizes = [(name, shape) for name, shape in sizes_of(example) if 0 not in shape and len(shape) <= 8]
    del model.graph.value_info[:]
    give_constants(model, example)
    outputs = {info.name for info in model.graph.output}
    if not sizes or any(node.domain for node in model.graph.node) or any(i.name in outputs for i in model.graph.input):
        return "left out"
    append_chains(model, sizes)
    path = folder / "example.onnx"
    path.write_bytes(model.SerializeToString())
    status, seen, said = count(convref, path)
    if status == 4:
        return "refused: " + said.splitlines()[0].split("example.onnx: ")[-1]
    found = {layer["layer"]: layer["macs"] for layer in seen["layers"] if layer["layer"].startswith("chain_")}
    whole = True
    for number, (name, shape) in enumerate(sizes):
        for axis, size in enumerate(shape):
            at = f"chain_{number}_{axis}"
            if at in found and found[at] != size:
                return f"WRONG: axis {axis} of {name} is {size} of {shape}, counted {found[at]}"
            whole = whole and at in found
        if f"chain_{number}_{len(shape)}" in found:
            return "WRONG: too many axes"
    return "right" if whole else "open"


def main():
    convref, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    known, unsized, missing = walk_list(convref, folder)
    print(f"onnx {onnx.__version__}: {known} operators with a rule, {len(unsized)} without: {' '.join(sorted(unsized))}")
    print(f"missing: {' '.join(missing) or 'none'}")
    failed = bool(missing) or known < LEAST_RULES
    from onnx.backend.test.case.node import collect_testcases
    tally, opens = {}, {}
    for example in collect_testcases(None):
        if not example.data_sets or example.model.opset_import[0].version < 13:
            continue
        result = check_example(convref, folder, example)
        kind = result.split(":")[0]
        tally[kind] = tally.get(kind, 0) + 1
        ops = "/".join(sorted({node.op_type for node in example.model.graph.node}))
        opens.setdefault(kind, {}).setdefault(ops, []).append(example.name + (": " + result if kind in ("WRONG", "refused") else ""))
        failed = failed or kind in ("WRONG", "refused")
    print("examples:", ", ".join(f"{tally[kind]} {kind}" for kind in sorted(tally)))
    for kind in ("WRONG", "refused"):
        for ops in opens.get(kind, {}):
            for name in opens[kind][ops]:
                print("    ", ops, name)
    print("open:", ", ".join(f"{ops[:60]} {len(names)}" for ops, names in sorted(opens.get("open", {}).items())))
    return failed


if __name__ == "__main__":
    sys.exit(main())
