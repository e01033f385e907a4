"""_count.py - parameters, multiply-adds and bytes, of one problem or of a network.   Read next: docs/counting.md"""
import ctypes
import pathlib

from ._library import checked, lib, new, numbers, owned_text, structs
from ._problem import Problem, as_problem

_SOURCE_NETWORKS = pathlib.Path(__file__).resolve().parents[2] / "networks"


class Node:
    """One line of a network: label, kind, line, and its layer as a Problem (None if it isn't one)."""

    def __init__(self, row, address):
        self.label, self.line, self.aux = row.label.decode(), row.line, row.aux
        self.kind = lib.conv_node_kind_name(row.kind).decode()
        has_problem = self.kind in ("conv", "dw", "separable", "transposed", "linear", "fc")
        self.problem = Problem._copy_of(address + structs["conv_node"].problem.offset) if has_problem else None

    def __repr__(self):
        return f"<{self.kind} {self.label}{f': {self.problem}' if self.problem else ''}>"


class Network:
    """A network file, by path, or by name ("mobilenet_v1") if it is one of convref's own.

    totals   name -> number, the totals of docs/networks.md
    nodes    its lines, in order
    layers   those that are convolutions or matrix products
    """

    def __init__(self, name):
        path = self._find(str(name))
        network = new("conv_network")
        checked(lib.conv_network_read, ctypes.byref(network), path.encode())
        try:
            self.name, self.path = network.name.decode(), path
            totals = numbers(network.totals, ctypes.c_int64)
            self.totals = {lib.conv_total_name(i).decode(): total for i, total in enumerate(totals)}
            size = ctypes.sizeof(structs["conv_node"])
            places = [network.nodes + i * size for i in range(network.node_count)]
            self.nodes = [Node(structs["conv_node"].from_address(place), place) for place in places]
        finally:
            lib.conv_network_free(ctypes.byref(network))
        self.layers = [node for node in self.nodes if node.problem]

    @staticmethod
    def _find(name):
        own = _SOURCE_NETWORKS / (name + ".net")
        return str(own) if own.exists() else owned_text(lib.conv_network_find(name.encode())) or name

    def __repr__(self):
        return f'convref.Network("{self.name}")'


def _count_problem(problem):
    count = new("conv_count")
    lib.conv_count_problem(ctypes.byref(count), problem._struct)
    return {"params": count.weights + count.biases, "weights": count.weights, "biases": count.biases,
            "macs": count.macs, "macs_inside": count.macs_inside, "flops": 2 * count.macs,
            "bias_adds": count.bias_adds, "bytes": count.bytes, "intensity": count.intensity}


def count(what):
    """Count a Problem (or its text), or a Network.  Returns a dict, with the keys of `convref count --format json`.

    A problem: params (weights and biases), weights, biases, macs (padding included, the usual convention), macs_inside
    (what must really be done), flops (2 macs), bias_adds, bytes (each array of the pass once), intensity
    (2 macs_inside / bytes).   A network: its totals, by the names of docs/networks.md.
    """
    return dict(what.totals) if isinstance(what, Network) else _count_problem(as_problem(what))
