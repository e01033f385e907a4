"""test_onnx_operators.py - the ONNX specification's list of operators, and its examples, against convref's table.

1. Every operator of the default domain is known, and at least 150 have a rule for their shape.
2. Every example that the specification runs its operators with is counted: whatever size convref says of an output is
   the one that the example has.  To each output a chain is appended for every axis that turns the size of that axis
   into the multiply-adds of a convolution of one weight, so that a size is read as a count.
Skipped without the Python package onnx.   Not here: totals of networks (test_onnx_count.sh).
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

import case

try:
    import numpy
    import onnx
    from onnx import helper, numpy_helper
    from onnx.backend.test.case.node import collect_testcases
except ImportError as error:
    case.skip_all(f"{error.name} is missing (pip install onnx)")

CONVREF = os.environ.get("CONVREF", "./convref")

LEAST_RULES = 150


def count(path):
    """The exit status, the totals and layers as JSON shows them, and the message."""
    run = subprocess.run([CONVREF, "count", str(path), "--format", "json"], capture_output=True, text=True)
    return run.returncode, (json.loads(run.stdout) if run.returncode in (0, 3) else {}), run.stderr


def save(path, nodes, inputs):
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("end", 1, None)])
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)],
                                       ir_version=9).SerializeToString())


def walk_list(folder):
    """How many have a rule, the names of those whose size isn't known, and of those that aren't in the table.

    A node without inputs is enough: an operator that isn't in the table is unknown before anything is read, one
    without a rule loses the size for what comes behind it, and others miss their inputs."""
    known, unsized, missing = 0, [], []
    x = helper.make_tensor_value_info("x", 1, [1])
    for schema in onnx.defs.get_all_schemas():
        if schema.domain:
            continue
        path = folder / "operator.onnx"
        save(path, [helper.make_node(schema.name, [], ["y"], name="asked"),
                    helper.make_node("Reshape", ["y", "y"], ["z"]),
                    helper.make_node("Conv", ["z", "z"], ["end"])], [x])
        _, seen, said = count(path)
        words = seen.get("note", "") + said
        if "doesn't know the operator" in words:
            missing.append(schema.name)
        elif "it comes behind 'asked'" in words or "graph of its own" in words:
            unsized.append(schema.name)
        else:
            known += 1
    return known, unsized, missing


def as_array(data):
    return numpy_helper.to_array(data) if isinstance(data, onnx.TensorProto) else data


def sizes_of(example):
    """Names and shapes of an example's outputs, without those that are no tensors or that are empty."""
    _, outputs = example.data_sets[0]
    for info, data in zip(example.model.graph.output, outputs):
        array = as_array(data)
        if info.type.HasField("tensor_type") and hasattr(array, "shape") and 0 not in array.shape and array.ndim <= 8:
            yield info.name, array.shape


def give_constants(model, example):
    """Short inputs become initializers, as an exporter has sizes and axes; others have the size that they have."""
    inputs, _ = example.data_sets[0]
    given = []
    sizes = {"Range", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "ConstantOfShape"}
    for number, (info, data) in enumerate(zip(list(model.graph.input), inputs)):
        array = as_array(data)
        if not hasattr(array, "dtype") or not info.type.HasField("tensor_type"):
            given.append(info)
            continue
        info.type.tensor_type.shape.Clear()
        info.type.tensor_type.shape.SetInParent()
        for size in array.shape:
            info.type.tensor_type.shape.dim.add().dim_value = size
        if (number > 0 or model.graph.node[0].op_type in sizes) and array.size < 100 and array.dtype != object:
            model.graph.initializer.append(numpy_helper.from_array(array, info.name))
        else:
            given.append(info)
    del model.graph.input[:]
    model.graph.input.extend(given)


def append_chains(model, sizes):
    """For each axis of each output: Shape, Slice, Expand of a computed number to so many, and Conv."""
    graph = model.graph
    constants = {"chain_w": numpy.ones((1, 1, 1), numpy.float32), "chain_front": numpy.array([1, 1], numpy.int64)}
    graph.input.append(helper.make_tensor_value_info("chain_x", 1, [1, 1, 1]))
    for number, (name, shape) in enumerate(sizes):
        for axis in range(len(shape)):
            at = f"chain_{number}_{axis}"
            constants.update({f"{at}_{end}": numpy.array([end], numpy.int64) for end in (axis, axis + 1)})
            graph.node.extend([
                helper.make_node("Shape", [name], [at + "_s"]),
                helper.make_node("Slice", [at + "_s", f"{at}_{axis}", f"{at}_{axis + 1}"], [at + "_n"]),
                helper.make_node("Concat", ["chain_front", at + "_n"], [at + "_to"], axis=0),
                helper.make_node("Expand", ["chain_x", at + "_to"], [at + "_r"]),
                helper.make_node("Conv", [at + "_r", "chain_w"], [at], name=at)])
        constants["chain_first"] = numpy.array([0], numpy.int64)
        constants["chain_one"] = numpy.array([1], numpy.int64)
        at = f"chain_{number}_rank"   # the length of the shape
        graph.node.extend([
            helper.make_node("Shape", [name], [at + "_s"]), helper.make_node("Shape", [at + "_s"], [at + "_n"]),
            helper.make_node("Add", [at + "_n", "chain_one"], [at + "_n1"]),
            helper.make_node("Concat", ["chain_front", at + "_n1"], [at + "_to"], axis=0),
            helper.make_node("Expand", ["chain_x", at + "_to"], [at + "_r"]),
            helper.make_node("Conv", [at + "_r", "chain_w"], [at], name=at)])
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())


def check_example(folder, example):
    """'right', 'open' (not all sizes are known), 'left out', or 'refused: ...' and 'wrong: ...'."""
    model = onnx.ModelProto()
    model.CopyFrom(example.model)
    sizes = list(sizes_of(example))
    del model.graph.value_info[:]
    give_constants(model, example)
    empty = any(dim.dim_value == 0 for info in model.graph.input for dim in info.type.tensor_type.shape.dim)
    if not sizes or empty or any(node.domain for node in model.graph.node):
        return "left out"
    append_chains(model, sizes)
    del model.graph.output[:]
    path = folder / "example.onnx"
    path.write_bytes(model.SerializeToString())
    status, seen, said = count(path)
    if status not in (0, 3):
        return f"refused: status {status}: {said[:400]}"
    found = {layer["layer"]: layer["macs"] for layer in seen["layers"] if layer["layer"].startswith("chain_")}
    asked = {f"chain_{number}_{axis}": size for number, (_, shape) in enumerate(sizes)
             for axis, size in [*enumerate(shape), ("rank", len(shape) + 1)]}
    for at, size in asked.items():
        if found.get(at, size) != size:
            return f"wrong: {sizes} counted as {found}"
    return "right" if len(found) == len(asked) else "open"


class Operators(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def test_every_operator_of_the_specification_is_in_the_table(self):
        known, unsized, missing = walk_list(self.folder)
        print(f"onnx {onnx.__version__}: {known} operators with a rule, {len(unsized)} without: {' '.join(unsized)}")
        self.assertEqual(missing, [])
        self.assertGreaterEqual(known, LEAST_RULES)

    def test_every_example_of_the_specification_has_the_size_that_it_has(self):
        with warnings.catch_warnings():   # examples of overflow are computed as they are made
            warnings.simplefilter("ignore")
            examples = [example for example in collect_testcases(None)
                        if example.data_sets and example.model.opset_import[0].version >= 13]
        tally, wrong = {}, []
        for example in examples:
            result = check_example(self.folder, example)
            kind = result.split(":")[0]
            tally[kind] = tally.get(kind, 0) + 1
            if kind in ("wrong", "refused"):
                wrong.append(f"{example.name}: {result}")
        print("examples:", ", ".join(f"{tally[kind]} {kind}" for kind in sorted(tally)))
        self.assertEqual(wrong, [])
        self.assertGreater(tally["right"], 1500)


if __name__ == "__main__":
    case.main()
