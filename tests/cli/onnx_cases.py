#!/usr/bin/env python3
"""onnx_cases.py - ONNX models that are small enough to be counted by hand, with what was counted.

Usage: onnx_cases.py MAKE-ONNX.PY FOLDER     writes FOLDER/*.onnx and FOLDER/cases.tsv

A row of cases.tsv: name, exit status, options, totals as KEY=NUMBER with spaces between, and a regular expression for
the note or, where the status is 4, for the message; - is nothing.  Each case is a kind of thing that exporters write.
Not here: files that are wrong (bad-input.tsv), the operators one by one (test_onnx_operators.py).
"""
import pathlib
import runpy
import sys

make = runpy.run_path(sys.argv[1])
node, tensor, zeros, value, model, Graph, field = (make[name] for name in ("node", "tensor", "zeros", "value", "model",
                                                                          "Graph", "field"))
folder = pathlib.Path(sys.argv[2])
rows = []


def ints(name, numbers, dims=None):
    return tensor(name, [len(numbers)] if dims is None else dims, numbers, 7)


def case(name, nodes, initializers, inputs, totals, status=0, options="", words="-", infos=(), opset=18):
    (folder / f"{name}.onnx").write_bytes(model(nodes, initializers, inputs, [value("y", ["a"])], opset, infos))
    rows.append("\t".join([name, str(status), options or "-",
                           " ".join(f"{key}={number}" for key, number in totals.items()) or "-", words]))


class Broken(Graph):
    """An attribute that says it is a graph, and bytes that are none: a node that is longer than they are."""

    def __init__(self):
        super().__init__([], [])
        self.message = b"\x0a\x7f"


def again(name, of, totals, status=0, options="", words="-"):
    """The same model with other options."""
    (folder / f"{name}.onnx").write_bytes((folder / f"{of}.onnx").read_bytes())
    rows.append("\t".join([name, str(status), options or "-",
                           " ".join(f"{key}={number}" for key, number in totals.items()) or "-", words]))


X = value("x", [1, 4, 8, 8])
POINT = zeros("w", [5, 4, 1, 1])                  # 20 weights, 20 MACs a position
PADS = [1, 1, 1, 1]


# ---- parameters: by tensor -----------------------------------------------------------------------------------------
case("shared_conv", [node("Conv", ["x", "w"], ["a"], pads=PADS), node("Relu", ["a"], ["b"]),
                     node("Conv", ["b", "w"], ["y"], pads=PADS)],
     [zeros("w", [4, 4, 3, 3])], [X], {"params": 144, "macs_conv": 2 * 144 * 64, "conv_layers": 2})
case("shared_through_identity", [node("Identity", ["w"], ["v"]), node("Conv", ["x", "w"], ["a"], pads=PADS),
                                 node("Conv", ["a", "v"], ["y"], pads=PADS)],
     [zeros("w", [4, 4, 3, 3])], [X], {"params": 144, "macs_conv": 2 * 144 * 64})
case("tied_embedding", [node("Gather", ["table", "x"], ["a"]), node("Transpose", ["table"], ["t"]),
                        node("MatMul", ["a", "t"], ["y"])],
     [zeros("table", [10, 4])], [value("x", [1, 3], 7)], {"params": 40, "macs_fc": 3 * 4 * 10, "other_params": 40})
case("shared_bias", [node("Conv", ["x", "w", "b"], ["a"]), node("Conv", ["a", "v", "b"], ["y"])],
     [zeros("w", [4, 4, 1, 1]), zeros("v", [4, 4, 1, 1]), zeros("b", [4])], [X],
     {"params": 36, "bias_adds": 2 * 4 * 64})
case("weight_norm", [node("Mul", ["g", "v"], ["w"]), node("Conv", ["x", "w"], ["y"])],
     [zeros("g", [5, 1, 1, 1]), zeros("v", [5, 4, 1, 1])], [X], {"params": 25, "macs_conv": 1280})
case("weight_in_constant_node", [node("Constant", [], ["w"], value=zeros("", [4, 3, 3, 3])),
                                 node("Conv", ["x", "w"], ["y"], pads=PADS)],
     [], [value("x", [1, 3, 8, 8])], {"params": 108, "macs_conv": 108 * 64})
case("weights_are_inputs", [node("Conv", ["x", "w"], ["y"])], [], [X, value("w", [5, 4, 3, 3])],
     {"params": 180, "macs_conv": 180 * 36})
case("linear_weights_are_inputs", [node("Gemm", ["x", "w", "b"], ["a"], transB=1), node("MatMul", ["a", "v"], ["c"]),
                                   node("Add", ["c", "d"], ["y"])],
     [], [value("x", [2, 4]), value("w", [5, 4]), value("b", [5]), value("v", [5, 3]), value("d", [3])],
     {"params": 25 + 18, "macs_fc": 2 * (20 + 15), "bias_adds": 16})
case("two_data_inputs", [node("MatMul", ["x", "z"], ["y"])], [], [value("x", [2, 3, 4]), value("z", [2, 4, 5])],
     {"params": 0, "macs_products": 2 * 3 * 4 * 5, "macs_fc": 0})
case("folded_constants", [node("Add", ["x", "onnx::Add_7"], ["a"]), node("Mul", ["a", "layer_scale"], ["b"]),
                          node("Range", ["0", "8", "1"], ["r"]), node("Add", ["b", "r"], ["c"]),
                          node("Conv", ["c", "w"], ["y"])],
     [zeros("onnx::Add_7", [8, 8]), zeros("layer_scale", [4, 1, 1]), tensor("0", [], [0.0]), tensor("8", [], [8.0]),
      tensor("1", [], [1.0]), POINT], [X], {"params": 24, "buffers": 64, "other_params": 4, "macs_conv": 1280})
case("batch_norm", [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])],
     [zeros(name, [4]) for name in "sbmv"], [X], {"params": 8, "buffers": 8})
case("class_token", [node("Expand", ["token", "shape"], ["t"]), node("Concat", ["t", "x"], ["y"], axis=1)],
     [zeros("token", [1, 1, 6]), ints("shape", [2, 1, 6])], [value("x", [2, 4, 6])], {"params": 6})
case("class_token_of_a_batch", [node("Shape", ["x"], ["s"]), node("Slice", ["s", "0", "1"], ["n"]),
                                node("Concat", ["n", "rest"], ["shape"], axis=0),
                                node("Expand", ["token", "shape"], ["t"]),
                                node("Concat", ["t", "x"], ["y"], axis=1)],
     [zeros("token", [1, 1, 6]), ints("0", [0]), ints("1", [1]), ints("rest", [1, 6])], [value("x", [2, 4, 6])],
     {"params": 6})

# ---- shapes that a graph computes ----------------------------------------------------------------------------------
case("pad_from_constants", [  # as PyTorch exports F.pad
    node("ConstantOfShape", ["n"], ["z"], value=ints("", [0])), node("Concat", ["p", "z"], ["c"], axis=0),
    node("Reshape", ["c", "m12"], ["r"]), node("Slice", ["r", "m1", "big", "zero", "m1"], ["s"]),
    node("Transpose", ["s"], ["t"], perm=[1, 0]), node("Reshape", ["t", "m1"], ["u"]),
    node("Cast", ["u"], ["q"], to=7), node("Pad", ["x", "q"], ["xp"]), node("Conv", ["xp", "w"], ["y"])],
    [ints("n", [4]), ints("p", [1, 1, 1, 1]), ints("m12", [-1, 2]), ints("m1", [-1]), ints("big", [-2**63 + 1]),
     ints("zero", [0]), zeros("w", [4, 4, 3, 3])], [X], {"params": 144, "macs_conv": 144 * 64})
case("pad_with_axes", [node("Pad", ["x", "p", "", "ax"], ["a"]), node("Conv", ["a", "w"], ["y"])],
     [ints("p", [1, 2]), ints("ax", [3]), POINT], [X], {"macs_conv": 20 * 8 * 11})
case("range_symbol", [node("Range", ["0", "8", "1"], ["r"]), node("Concat", ["r", "r"], ["r2"], axis=0),
                      node("Concat", ["x", "x"], ["x2"], axis=3), node("Add", ["x2", "r2"], ["b"]),
                      node("Conv", ["b", "w"], ["y"])],
     [tensor("0", [], [0.0]), tensor("8", [], [8.0]), tensor("1", [], [1.0]), POINT], [X],
     {"params": 20, "macs_conv": 2560}, infos=[value("r", ["some_width"])])
case("where_mask", [node("Equal", ["x", "z"], ["m"]), node("Where", ["m", "z", "x"], ["b"]),
                    node("Conv", ["b", "w"], ["y"])], [tensor("z", [], [0.0]), POINT], [X], {"macs_conv": 1280})
case("interpolate", [  # sizes in float and back, as F.interpolate(scale_factor=1.3) is exported: floor(8 * 1.3) = 10
    node("Shape", ["x"], ["s"]), node("Slice", ["s", "2", "4"], ["hw"]), node("Cast", ["hw"], ["f"], to=1),
    node("Mul", ["f", "scale"], ["g"]), node("Floor", ["g"], ["h"]), node("Cast", ["h"], ["i"], to=7),
    node("Slice", ["s", "0", "2"], ["nc"]), node("Concat", ["nc", "i"], ["to"], axis=0),
    node("Resize", ["x", "", "", "to"], ["a"]), node("Conv", ["a", "w"], ["y"])],
    [ints("0", [0]), ints("2", [2]), ints("4", [4]), tensor("scale", [1], [1.3]), POINT], [X], {"macs_conv": 2000})
case("empty_scales", [node("Resize", ["x", "", "none", "to"], ["a"]), node("Conv", ["a", "w"], ["y"])],
     [tensor("none", [0], []), ints("to", [1, 4, 3, 3]), POINT], [X], {"macs_conv": 180})
case("where_of_shapes", [  # torch's expand: -1 keeps what is there
    node("Equal", ["want", "minus"], ["m"]), node("Where", ["m", "ones", "want"], ["e"]),
    node("Expand", ["x", "e"], ["a"]), node("Conv", ["a", "w"], ["y"])],
    [ints("want", [3, -1, -1, -1]), ints("minus", [-1]), ints("ones", [1, 1, 1, 1]), POINT], [X],
    {"macs_conv": 3 * 1280})
case("arithmetic", [  # 8 // 3 = 2, min(2, 7) = 2, 2 * 2 + 1 = 5
    node("Shape", ["x"], ["s"]), node("Gather", ["s", "2"], ["h"]), node("Div", ["h", "3"], ["a"]),
    node("Min", ["a", "7"], ["b"]), node("Mul", ["b", "b"], ["c"]), node("Add", ["c", "1"], ["d"]),
    node("Unsqueeze", ["d", "axis"], ["e"]), node("Concat", ["ones", "e"], ["f"], axis=0),
    node("Tile", ["x", "f"], ["g"]), node("Conv", ["g", "w"], ["y"])],
    [ints("2", [2], []), ints("3", [3], []), ints("7", [7], []), ints("1", [1], []), ints("axis", [0]),
     ints("ones", [1, 1, 1]), POINT], [X], {"macs_conv": 5 * 1280})
case("unknown_with_value_info", [node("Whirl", ["x"], ["a"], "whirl"), node("Conv", ["a", "w"], ["y"])],
     [POINT], [X], {"macs_conv": 320, "unknown": 1}, 3, words="not understood: 'whirl' \\(Whirl\\): convref doesn't",
     infos=[value("a", [1, 4, 4, 4])])
case("value_info_of_the_inputs_sizes", [node("Whirl", ["x"], ["a"], "whirl"), node("Conv", ["a", "w"], ["y"])],
     [POINT], [value("x", ["n", 4, "h", "w"])], {"macs_conv": 20 * 6 * 7, "unknown": 1}, 3, "--in 6x7",
     words="the batch of 'x', which is open, is taken as 1; not understood: 'whirl'",
     infos=[value("a", ["n", 4, "h", "w"])])
case("value_info_that_is_open", [node("Whirl", ["x"], ["a"], "whirl"), node("Conv", ["a", "w"], ["y"], "conv")],
     [POINT], [X], {"macs_conv": 0, "params": 20, "unknown": 2}, 3,
     words="'conv' \\(Conv\\): the size of its input isn't known: it comes behind 'whirl' \\(Whirl\\)",
     infos=[value("a", ["b", 4, 4, 4])])
case("data_dependent", [  # nothing that multiplies comes behind it
    node("Conv", ["x", "w"], ["a"]), node("NonZero", ["a"], ["b"]), node("Transpose", ["b"], ["c"], perm=[1, 0]),
    node("Sigmoid", ["c"], ["y"])], [POINT], [X], {"macs_conv": 1280, "unknown": 0})
case("nonzero_of_ones", [node("ConstantOfShape", ["s"], ["o"], value=ints("", [1])), node("NonZero", ["o"], ["i"]),
                         node("Squeeze", ["i", "0"], ["j"]), node("Gather", ["x", "j"], ["a"], axis=2),
                         node("Conv", ["a", "w"], ["y"])],
     [ints("s", [3]), ints("0", [0]), POINT], [X], {"macs_conv": 20 * 3 * 8})
# ---- graphs within -------------------------------------------------------------------------------------------------
def conv(x, w, y):
    return node("Conv", [x, w], [y])


SIX = zeros("w6", [6, 4, 1, 1])                   # 24 weights
FLAG = value("c", [], 9)
BRANCHES = {"then_branch": Graph([conv("x", "w", "a")], ["a"]),
            "else_branch": Graph([conv("x", "w6", "a")], ["a"], [SIX])}
case("if_known", [node("Shape", ["x"], ["s"]), node("Gather", ["s", "2"], ["h"]), node("Equal", ["h", "8"], ["c"]),
                  node("If", ["c"], ["y"], "branch", **BRANCHES)],
     [POINT, ints("2", [2], []), ints("8", [8], [])], [X], {"params": 20, "macs_conv": 1280, "unknown": 0})
again("if_known_otherwise", "if_known", {}, 4, "--in 9x9", "its inputs leave no sizes open")
case("if_not", [node("If", ["f"], ["b"], "branch", **BRANCHES), conv("b", "v", "y")],
     [POINT, tensor("f", [], [False], 9), zeros("v", [2, 6, 1, 1])], [X],
     {"params": 24 + 12, "macs_conv": 64 * (24 + 12), "unknown": 0})
case("if_unknown", [node("If", ["c"], ["y"], "branch", **BRANCHES)], [POINT], [X, FLAG],
     {"params": 44, "macs_conv": 0, "unknown": 1}, 3,
     words="'branch' \\(If\\): its condition isn't known .*; the branch that is taken if it holds has 1280 "
           "multiply-adds, the other 1536 multiply-adds")
again("if_given", "if_unknown", {"params": 24, "macs_conv": 1536, "unknown": 0}, 0, "--in c:=0")
again("if_given_true", "if_unknown", {"params": 20, "macs_conv": 1280, "unknown": 0}, 0, "--in c:=1")
again("if_given_no_number", "if_unknown", {}, 4, "--in c:=yes", "--in says 'c:=yes'")
again("a_number_for_many", "if_unknown", {}, 4, "--in x:=1", "--in says 'x:=1'")
again("half_a_flag", "if_unknown", {}, 4, "--in c:=0.5", "--in says 'c:=0.5'")
case("if_whichever", [node("If", ["c"], ["b"],
                           then_branch=Graph([conv("x", "w", "a"), node("Relu", ["a"], ["b"])], ["b"]),
                           else_branch=Graph([conv("x", "u", "b")], ["b"], [zeros("u", [5, 4, 1, 1])])),
                      conv("b", "v", "y")], [POINT, zeros("v", [2, 5, 1, 1])], [X, FLAG],
     {"params": 20 + 20 + 10, "macs_conv": 64 * 30, "unknown": 0})
case("if_that_cannot_be", [node("If", ["c"], ["b"], "branch", then_branch=Graph([conv("x", "w", "b")], ["b"]),
                                else_branch=Graph([conv("x", "u", "b")], ["b"], [zeros("u", [5, 3, 1, 1])]))],
     [POINT], [X, FLAG], {"macs_conv": 0, "unknown": 1}, 3,
     words="'branch' .* holds has 1280 multiply-adds, the other nodes that these sizes don't fit")
again("if_that_runs", "if_that_cannot_be", {"macs_conv": 1280, "unknown": 0}, 0, "--in c:=1")
again("if_that_fails", "if_that_cannot_be", {}, 4, "--in c:=0", "\\(Conv\\)")
case("if_of_sizes", [node("If", ["c"], ["b"], then_branch=Graph([node("Relu", ["x"], ["b"])], ["b"]),
                          else_branch=Graph([node("Concat", ["x", "x"], ["b"], axis=3)], ["b"])),
                     conv("b", "w", "y")],
     [POINT], [X, FLAG], {"macs_conv": 0, "unknown": 1}, 3,
     words="the size of its input isn't known: it comes behind")
case("if_hides_a_name", [node("Relu", ["x"], ["a"]), node("If", ["f"], ["b"], "branch", **BRANCHES),
                         node("Concat", ["a", "b"], ["e"], axis=1), conv("e", "v", "y")],
     [POINT, tensor("f", [], [True], 9), zeros("v", [1, 9, 1, 1])], [X], {"macs_conv": 64 * (20 + 9), "unknown": 0})
case("if_within_if", [node("If", ["c"], ["y"], "outer",
                           then_branch=Graph([node("If", ["f"], ["i"], **BRANCHES)], ["i"]),
                           else_branch=Graph([conv("x", "w", "j")], ["j"]))],
     [POINT, tensor("f", [], [True], 9)], [X, FLAG], {"params": 20, "macs_conv": 1280, "unknown": 0})

TURN = [value("i", [], 7), value("on", [], 9), value("h", [])]
BODY = Graph([conv("h", "q", "k"), node("Identity", ["on"], ["still"]), node("Relu", ["k"], ["part"])],
             ["still", "k", "part"], [zeros("q", [4, 4, 1, 1])], TURN)
case("loop", [node("Loop", ["three", "f", "x"], ["last", "parts"], "turns", body=BODY), conv("last", "w", "b"),
              node("Reshape", ["parts", "flat"], ["p"]), conv("p", "v", "y")],
     [POINT, ints("three", [3], []), tensor("f", [], [True], 9), ints("flat", [1, 12, 8, 8]),
      zeros("v", [1, 12, 1, 1])], [X], {"params": 16 + 20 + 12, "macs_conv": 64 * (3 * 16 + 20 + 12), "unknown": 0})
case("loop_that_grows", [node("Loop", ["three", "", "x"], ["y"], body=Graph(
    [conv("h", "w1", "k"), node("Concat", ["k", "h"], ["m"], axis=2), node("Less", ["i", "one"], ["on2"])],
    ["on2", "m"], [zeros("w1", [4, 4, 1, 1]), ints("one", [1], [])], TURN))],   # the second turn ends it
     [ints("three", [3], [])], [X], {"params": 16, "macs_conv": 16 * 64 * (1 + 2), "unknown": 0})
case("loop_no_turn", [node("Loop", ["zero", "f", "x"], ["last", "parts"], body=BODY), conv("last", "w", "y")],
     [POINT, ints("zero", [0], []), tensor("f", [], [True], 9)], [X], {"macs_conv": 1280, "unknown": 0})
case("loop_unknown", [node("Loop", ["n", "f", "x"], ["last", "parts"], "turns", body=BODY), conv("last", "w", "y")],
     [POINT, tensor("f", [], [True], 9)], [X, value("n", [], 7)], {"params": 36, "macs_conv": 1280, "unknown": 1}, 3,
     words="'turns' \\(Loop\\): how often it turns depends on data; one turn has 1024 multiply-adds")
case("loop_without_work", [node("Loop", ["n", "f", "x"], ["last"], body=Graph(
    [node("Relu", ["h"], ["k"]), node("Identity", ["on"], ["still"])], ["still", "k"], (), TURN)),
    conv("last", "w", "y")], [POINT, tensor("f", [], [True], 9)], [X, value("n", [], 7)], {"macs_conv": 1280, "unknown": 0})
case("loop_too_long", [node("Loop", ["many", "f", "x"], ["last", "parts"], "turns", body=BODY)],
     [ints("many", [10**9], []), tensor("f", [], [True], 9)], [X], {"unknown": 1}, 3, words="it turns too often")
# no number of the turn is known where it isn't known how many there are: of two branches, neither is taken
EVERY_OTHER = Graph([node("Equal", ["i", "zero"], ["c1"]),
                     node("If", ["c1"], ["k"], "odd", then_branch=Graph([node("Identity", ["h"], ["a"])], ["a"]),
                          else_branch=Graph([conv("h", "q", "a")], ["a"], [zeros("q", [4, 4, 1, 1])])),
                     node("Identity", ["on"], ["still"])], ["still", "k"], [ints("zero", [0], [])], TURN)
case("loop_unknown_if", [node("Loop", ["n", "f", "x"], ["last"], "turns", body=EVERY_OTHER), conv("last", "w", "y")],
     [POINT, tensor("f", [], [True], 9)], [X, value("n", [], 7)], {"params": 36, "macs_conv": 1280, "unknown": 2}, 3,
     words="'odd' \\(If\\): its condition isn't known")
again("loop_if_given", "loop_unknown_if", {"macs_conv": 1280 + 2 * 1024, "unknown": 0}, 0, "--in n:=3")
# a size that one turn changes isn't known in the next: the convolution behind it has none
case("loop_unknown_that_grows", [node("Loop", ["n", "f", "x"], ["last"], "turns", body=Graph(
    [node("Concat", ["h", "h"], ["k"], axis=2), node("Identity", ["on"], ["still"])], ["still", "k"], (), TURN)),
    conv("last", "w", "y")], [POINT, tensor("f", [], [True], 9)], [X, value("n", [], 7)], {"unknown": 1}, 3,
     words="the size of its input isn't known: it comes behind")
# parameters are the file's: a Constant in the body has the same in each turn
case("loop_of_constants", [node("Loop", ["three", "f", "x"], ["y"], body=Graph(
    [node("Constant", [], ["q"], value=zeros("t", [4, 4, 1, 1])), conv("h", "q", "k"),
     node("Identity", ["on"], ["still"])], ["still", "k"], (), TURN))],
     [ints("three", [3], []), tensor("f", [], [True], 9)], [X], {"params": 16, "macs_conv": 3 * 16 * 64, "unknown": 0})
# nodes of graphs within turns are walked in every turn, and so are values that are carried
MANY = Graph([node("Identity", ["h"], [f"a{i}"]) for i in range(3000)], ["a0"])
case("loop_of_a_long_branch", [node("Loop", ["many", "f", "x"], ["y"], "turns", body=Graph(
    [node("If", ["on"], ["k"], then_branch=MANY, else_branch=MANY), conv("k", "q", "l"),
     node("Identity", ["on"], ["still"])], ["still", "l"], [zeros("q", [4, 4, 1, 1])], TURN))],
     [ints("many", [30000], []), tensor("f", [], [True], 9)], [X], {"unknown": 1, "params": 16}, 3,
     words="'turns' \\(Loop\\): it turns too often to be followed; one turn has 1024 multiply-adds")
case("loop_that_carries_much", [node("Loop", ["many", "f"] + ["x"] * 3000, [f"y{i}" for i in range(3000)], "turns",
                                     body=Graph([node("Identity", ["on"], ["still"]), conv("h0", "q", "k")],
                                                ["still", "k"] + [f"h{i}" for i in range(1, 3000)],
                                                [zeros("q", [4, 4, 1, 1])],
                                                TURN[:2] + [value(f"h{i}", []) for i in range(3000)]))],
     [ints("many", [30000], []), tensor("f", [], [True], 9)], [X], {"unknown": 1}, 3,
     words="'turns' \\(Loop\\): it turns too often to be followed; one turn has 1024 multiply-adds")


def nested(depth):
    """The convolution in so many graphs."""
    inner = Graph([conv("x", "w", f"a{depth}")], [f"a{depth}"])
    for level in range(depth - 1, 0, -1):
        inner = Graph([node("If", ["f"], [f"a{level}"], "if", then_branch=inner, else_branch=inner)], [f"a{level}"])
    return [node("If", ["f"], ["y"], "if", then_branch=inner, else_branch=inner)]


case("eight_graphs_deep", nested(8), [POINT, tensor("f", [], [True], 9)], [X], {"macs_conv": 1280, "unknown": 0})
case("nine_graphs_deep", nested(9), [POINT, tensor("f", [], [True], 9)], [X], {"macs_conv": 0, "unknown": 1}, 3,
     words="it stands in more than 8 graphs")
# of a branch that may never run, sizes may not fit; the rest has to be right
case("branch_that_is_wrong", [node("If", ["c"], ["b"], then_branch=Graph([conv("x", "w", "b")], ["b"]),
                                   else_branch=Graph([node("Relu", ["x"], ["a"]), conv("nowhere", "w", "b")], ["b"]))],
     [POINT], [X, FLAG], {}, 4, words="nothing before it computes 'nowhere'")
# a graph that can't be unpacked, of which a second turn would ask again
case("branch_that_is_no_graph", [node("Loop", ["three", "f", "x"], ["y"], body=Graph(
    [node("Relu", ["h"], ["k"]), node("If", ["c"], ["z"], then_branch=Broken(), else_branch=Broken()),
     node("Identity", ["on"], ["still"])], ["still", "k"], (), TURN))],
     [ints("three", [3], []), tensor("f", [], [True], 9)], [X, FLAG], {}, 4, words="-")
again("a_number_too_large", "loop_unknown", {}, 4, "--in n:=1e300", "up to 2\\^53")
case("if_without_a_graph", [node("If", ["c"], ["y"])], [], [X, FLAG], {}, 4, words="it lacks a graph")
case("if_of_other_outputs", [node("If", ["c"], ["y", "z"], **BRANCHES)], [POINT], [X, FLAG], {}, 4,
     words="differ in the number of outputs")
case("branch_of_nothing", [node("If", ["f"], ["y"], then_branch=Graph([], ["nowhere"]),
                                else_branch=Graph([], ["x"]))],
     [tensor("f", [], [True], 9)], [X], {}, 4, words="nothing in its graph computes 'nowhere'")
case("loop_of_other_inputs", [node("Loop", ["n", "f", "x", "x"], ["y", "z"], body=BODY)],
     [tensor("f", [], [True], 9)], [X, value("n", [], 7)], {}, 4, words="its body has not the inputs and outputs")

# ---- products ------------------------------------------------------------------------------------------------------
case("attention_then_conv", [node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]), node("MatMul", ["x", "t"], ["q"]),
                             node("Softmax", ["q"], ["s"]), node("Conv", ["s", "w"], ["y"])],
     [POINT], [X], {"macs_conv": 1280, "macs_products": 2048, "macs": 3328, "params": 20})
case("matmul_left_const", [node("MatMul", ["w", "x"], ["y"])], [zeros("w", [5, 6])], [value("x", [1, 6, 4])],
     {"macs_fc": 120, "params": 30})
case("matmul_vectors", [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["a", "x"], ["b"])],
     [zeros("w", [6, 6])], [value("x", [6])], {"macs_fc": 36, "macs_products": 6})
case("matmul_vector_of_weights", [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["v", "x"], ["b"])],
     [zeros("w", [6]), zeros("v", [4])], [value("x", [2, 4, 6])], {"macs_fc": 48 + 48, "params": 10})
case("matmul_stack_of_weights", [node("MatMul", ["x", "w"], ["y"])], [zeros("w", [3, 4, 5])],
     [value("x", [2, 3, 7, 4])], {"macs_fc": 2 * 3 * 7 * 4 * 5, "params": 60})
case("matmul_broadcast", [node("MatMul", ["x", "z"], ["y"])], [], [value("x", [2, 1, 7, 4]), value("z", [3, 4, 5])],
     {"macs_products": 2 * 3 * 7 * 4 * 5})
case("gemm_left_const", [node("Gemm", ["w", "x"], ["y"], transB=1)], [zeros("w", [5, 6])], [value("x", [4, 6])],
     {"macs_fc": 120, "params": 30})
case("gemm_of_computed", [node("Gemm", ["x", "x"], ["y"], transB=1)], [], [value("x", [4, 6])],
     {"macs_products": 96, "macs_fc": 0})
case("bias_behind_matmul", [node("MatMul", ["x", "w"], ["a"]), node("Add", ["b", "a"], ["y"])],
     [zeros("w", [6, 5]), zeros("b", [5])], [value("x", [2, 3, 6])],
     {"params": 35, "fc_params": 35, "macs_fc": 180, "bias_adds": 30})
case("einsum_attention", [node("Einsum", ["x", "z"], ["y"], equation="bhid,bhjd->bhij")], [],
     [value("x", [2, 3, 7, 4]), value("z", [2, 3, 5, 4])], {"macs_products": 2 * 3 * 7 * 5 * 4})
case("einsum_weights", [node("Einsum", ["x", "w"], ["a"], equation="...d,dk->...k"),
                        node("Einsum", ["a", "v"], ["b"], equation="bnk, hkq -> bhnq"),
                        node("MatMul", ["b", "z"], ["y"])],
     [zeros("w", [4, 6]), zeros("v", [2, 6, 3]), zeros("z", [3, 1])], [value("x", [2, 5, 4])],
     {"params": 24 + 36 + 3, "macs_fc": 2 * 5 * 24 + 2 * 5 * 36 + 2 * 2 * 5 * 3, "macs_products": 0})
case("einsum_without_arrow", [node("Einsum", ["x", "z"], ["a"], equation="ij,jk"), node("MatMul", ["a", "w"], ["y"])],
     [zeros("w", [5, 2])], [value("x", [3, 4]), value("z", [4, 5])], {"macs_products": 60, "macs_fc": 30})
case("attention_operator", [node("Attention", ["q", "k", "v"], ["y"], q_num_heads=4, kv_num_heads=2)], [],
     [value("q", [2, 7, 32]), value("k", [2, 5, 16]), value("v", [2, 5, 12])],
     {"macs_products": 2 * 4 * 7 * 5 * (8 + 6)}, opset=23)

# ---- ai.onnx.ml: what scikit-learn's exporter writes around its networks ---------------------------------------------
ML = field(7, "ai.onnx.ml")
case("scaler", [node("Scaler", ["x"], ["a"], scale=[1.0, 2.0], offset=[0.0, 0.0]) + ML,
                node("Cast", ["a"], ["b"], to=1), node("MatMul", ["b", "w"], ["y"])],
     [zeros("w", [2, 5])], [value("x", [3, 2], 7)], {"macs_fc": 30, "params": 10})
case("trees", [node("MatMul", ["x", "w"], ["a"]), node("TreeEnsembleClassifier", ["a"], ["y", "p"]) + ML,
               node("ZipMap", ["p"], ["z"]) + ML],
     [zeros("w", [2, 5])], [value("x", [3, 2])], {"macs_fc": 30, "params": 10})
case("product_behind_trees", [node("TreeEnsembleRegressor", ["x"], ["a"], "forest") + ML,
                              node("MatMul", ["a", "w"], ["y"])],
     [zeros("w", [2, 5])], [value("x", [3, 2])], {"macs_fc": 0, "unknown": 1}, 3,
     words="it comes behind 'forest' \\(TreeEnsembleRegressor\\)")
case("linear_in_attributes", [node("LinearRegressor", ["x"], ["y"], coefficients=[1.0, 2.0]) + ML],
     [], [value("x", [3, 2])], {"unknown": 1}, 3, words="\\(LinearRegressor\\): convref doesn't know the operator")

# ---- recurrent layers ----------------------------------------------------------------------------------------------
case("lstm_then_matmul", [node("LSTM", ["x", "W", "R"], ["a"], hidden_size=6), node("Squeeze", ["a", "one"], ["b"]),
                          node("MatMul", ["b", "w"], ["y"])],
     [zeros("W", [1, 24, 5]), zeros("R", [1, 24, 6]), ints("one", [1]), zeros("w", [6, 3])],
     [value("x", [10, 1, 5])], {"macs_fc": 180, "macs_recurrent": 10 * 24 * 11, "params": 24 * 11 + 18})
case("lstm_last_state", [node("LSTM", ["x", "W", "R", "B"], ["", "h"], hidden_size=6, direction="bidirectional"),
                         node("Squeeze", ["h", "zero"], ["b"]), node("MatMul", ["h", "w"], ["y"])],
     [zeros("W", [2, 24, 5]), zeros("R", [2, 24, 6]), zeros("B", [2, 48]), ints("zero", [1]), zeros("w", [6, 3])],
     [value("x", [10, 1, 5])], {"macs_fc": 36, "macs_recurrent": 10 * 2 * 24 * 11, "params": 2 * (24 * 11 + 48) + 18})
case("lstm_quantised", [  # ONNX Runtime's: W and R transposed, scales and zero points behind the inputs of LSTM
    node("DynamicQuantizeLSTM", ["x", "W", "R", "B", "", "", "", "", "s", "z", "s", "z"], ["a"], hidden_size=6)
    + field(7, "com.microsoft"), node("MatMul", ["a", "w"], ["y"])],
     [zeros("W", [1, 5, 24], 2), zeros("R", [1, 6, 24], 2), zeros("B", [1, 48]), zeros("s", [1]), zeros("z", [1], 2),
      zeros("w", [6, 3])], [value("x", [10, 1, 5])],
     {"macs_fc": 180, "macs_recurrent": 10 * 24 * 11, "params": 24 * 11 + 48 + 18})
case("lstm_quantised_as_lstm", [
    node("DynamicQuantizeLSTM", ["x", "W", "R"], ["y"], hidden_size=6) + field(7, "com.microsoft")],
     [zeros("W", [1, 24, 5], 2), zeros("R", [1, 24, 6], 2)], [value("x", [10, 1, 5])], {}, 4,
     words="X, W and R don't fit together")
case("lstm_quantised_without_domain", [node("DynamicQuantizeLSTM", ["x", "W", "R"], ["y"], hidden_size=6)],
     [zeros("W", [1, 5, 24], 2), zeros("R", [1, 6, 24], 2)], [value("x", [10, 1, 5])], {"unknown": 1}, 3,
     words="convref doesn't know the operator")
case("gru_batch_first", [node("GRU", ["x", "W", "R"], ["a"], hidden_size=6, layout=1),
                         node("MatMul", ["a", "w"], ["y"])],
     [zeros("W", [1, 18, 5]), zeros("R", [1, 18, 6]), zeros("w", [6, 3])], [value("x", [2, 10, 5])],
     {"macs_fc": 20 * 18, "macs_recurrent": 20 * 18 * 11, "params": 18 * 11 + 18})
case("rnn", [node("RNN", ["x", "W", "R"], ["y"], hidden_size=6)], [zeros("W", [1, 6, 5]), zeros("R", [1, 6, 6])],
     [value("x", [10, 2, 5])], {"macs_recurrent": 20 * 6 * 11, "params": 66})

# ---- quantised operators -------------------------------------------------------------------------------------------
SCALES = [tensor("s", [], [0.1]), tensor("z", [], [128], 2), tensor("ws", [], [0.01]), tensor("wz", [], [0], 3)]
case("qdq_conv", [node("QuantizeLinear", ["x", "s", "z"], ["xq"]), node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
                  node("DequantizeLinear", ["wq", "ws"], ["w"]), node("Conv", ["xd", "w"], ["y"])],
     [*SCALES, zeros("wq", [5, 4, 3, 3], 3)], [X], {"macs_conv": 180 * 36, "params": 180, "buffers": 0})
case("qdq_per_channel", [node("DequantizeLinear", ["wq", "ws"], ["w"], axis=0),
                         node("DequantizeLinear", ["bq", "bs"], ["b"], axis=0), node("Conv", ["x", "w", "b"], ["y"])],
     [zeros("ws", [5]), zeros("wq", [5, 4, 3, 3], 3), zeros("bs", [5]), zeros("bq", [5], 6)], [X],
     {"macs_conv": 180 * 36, "params": 185})
case("qlinear_conv", [node("QLinearConv", ["x", "s", "z", "w", "ws", "wz", "s", "z", "b"], ["a"], pads=PADS),
                      node("ConvInteger", ["a", "v"], ["y"])],
     [*SCALES, zeros("w", [5, 4, 3, 3], 3), zeros("b", [5], 6), zeros("v", [2, 5, 1, 1], 3)],
     [value("x", [1, 4, 8, 8], 2)], {"macs_conv": 180 * 64 + 10 * 64, "params": 195, "bias_adds": 320})
case("quantised_products", [node("MatMulInteger", ["x", "w"], ["a"]),
                            node("QLinearMatMul", ["x", "s", "z", "v", "ws", "wz", "s", "z"], ["b"]),
                            node("Cast", ["a"], ["c"], to=1)],
     [*SCALES, zeros("w", [6, 5], 3), zeros("v", [6, 3], 3)], [value("x", [2, 6], 2)],
     {"macs_fc": 2 * 48, "params": 48})
case("dynamic_quantisation", [node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
                              node("MatMulInteger", ["q", "w", "qz"], ["y"])],
     [zeros("w", [6, 5], 3)], [value("x", [2, 6])], {"macs_fc": 60, "params": 30})

# ---- transposed convolutions, SAME (F08): in * stride where the taps reach so far ---------------------------------
for same in ("SAME_UPPER", "SAME_LOWER"):
    for filter_, out in ((2, 11), (3, 12), (5, 12)):
        case(f"transposed_{same.lower()}_{filter_}", [
            node("ConvTranspose", ["x", "w"], ["t"], auto_pad=same, strides=[3, 3]), node("Conv", ["t", "v"], ["y"])],
            [zeros("w", [2, 3, filter_, filter_]), zeros("v", [5, 3, 1, 1])], [value("x", [1, 2, 4, 4])],
            {"macs_conv": 6 * filter_ * filter_ * 16 + 15 * out * out})
case("transposed_same_output_padding", [
    node("ConvTranspose", ["x", "w"], ["t"], auto_pad="SAME_UPPER", strides=[3], output_padding=[1]),
    node("Conv", ["t", "v"], ["y"])],
    [zeros("w", [2, 3, 2]), zeros("v", [1, 3, 1])], [value("x", [1, 2, 4])], {"macs_conv": 48 + 3 * 12})

# ---- sizes that are open -------------------------------------------------------------------------------------------
case("audio", [node("Unsqueeze", ["x", "one"], ["u"]), node("Conv", ["u", "w"], ["y"], strides=[4])],
     [ints("one", [1]), zeros("w", [2, 1, 8])], [value("x", ["batch", "samples"])], {"macs_conv": 240}, 0, "--in 64",
     words="the batch of 'x', which is open, is taken as 1")
again("audio_whole", "audio", {"macs_conv": 480}, 0, "--in x=2x64", "-")
again("audio_plain_whole", "audio", {"macs_conv": 480}, 0, "--in 2x64", "-")
again("audio_by_name", "audio", {"macs_conv": 720}, 0, "--in samples=64 --in batch=3", "-")
again("audio_open", "audio", {}, 4, "", "input 'x' leaves sizes open: it is batch x samples")
again("audio_too_many", "audio", {}, 4, "--in 1x2x3", "input 'x' is batch x samples, and --in says '1x2x3'")
again("audio_nobody", "audio", {}, 4, "--in 64 --in y=3",
      "--in names 'y', which is no input and no open size; it has x")
again("audio_no_number", "audio", {}, 4, "--in x=1xmany", "input 'x' is batch x samples, and --in says 'x=1xmany'")
case("open_channels", [node("GlobalAveragePool", ["x"], ["a"]), node("Flatten", ["a"], ["b"]),
                       node("Gemm", ["b", "w"], ["y"])],
     [zeros("w", [12, 10])], [value("x", ["n", "c", "h", 8])], {"macs_fc": 120}, 0, "--in x=1x12x8x8")
again("open_channels_by_name", "open_channels", {"macs_fc": 120}, 0, "--in c=12 --in h=8")
again("open_channels_unsaid", "open_channels", {}, 4, "--in 8x8", "input 'x' is n x c x h x 8, and --in says '8x8'")
again("fixed_size_differs", "open_channels", {}, 4, "--in x=1x12x8x9", "input 'x' is n x c x h x 8, and --in says")
case("two_inputs_of_one_size", [node("Add", ["x", "z"], ["a"]), node("MatMul", ["a", "w"], ["y"])],
     [zeros("w", [4, 5])], [value("x", ["n", "seq", 4]), value("z", ["n", "seq", 4])], {"macs_fc": 20 * 7}, 0,
     "--in seq=7")
again("two_inputs_in_one_word", "two_inputs_of_one_size", {"macs_fc": 20 * 7}, 0, "--in x=1x7x4")
again("two_sizes_of_one_name", "two_inputs_of_one_size", {}, 4, "--in x=1x7x4 --in z=1x8x4",
      "input 'z' is n x seq x 4, and --in says 'z=1x8x4'")
case("sizes_without_names", [node("Conv", ["x", "w"], ["y"])], [POINT], [value("x", ["?", 4, "?", "?"])],
     {"macs_conv": 20 * 6 * 7}, 0, "--in x=1x4x6x7")
again("sizes_without_names_in_short", "sizes_without_names", {"macs_conv": 20 * 6 * 7}, 0, "--in 6x7")
case("vector_input", [node("Unsqueeze", ["x", "axes"], ["u"]), node("Conv", ["u", "w"], ["y"])],
     [ints("axes", [0, 1]), zeros("w", [2, 1, 3])], [value("x", ["samples"])], {}, 4, "",
     "input 'x' leaves sizes open: it is samples")
again("vector_input_given", "vector_input", {"macs_conv": 6 * 14}, 0, "--in 16")
case("unsized_input", [node("Conv", ["x", "w"], ["y"], "conv")], [POINT], [make["field"](1, "x")], {"unknown": 1}, 3,
     words="'conv' \\(Conv\\): the size of its input isn't known: the model doesn't give that of 'x'")
again("unsized_input_given", "unsized_input", {"macs_conv": 1280}, 0, "--in x=1x4x8x8")

(folder / "cases.tsv").write_text("\n".join(rows) + "\n")
