"""_speed.py - peers and our own kernels, layer by layer, taking turns in one process.

    python3 -m convref.peers --bench --network mobilenet_v1 --output FILE.tsv

A peer is an adapter with `speed`, a table: variant -> prepare(problem, threads, x=..., w=..., ...), which returns a
_shared.Call or None; and, if it has some, `plain`, those of which x and y lie channels first.  What is timed is
verified first, by the reference and the bound of its class.  Of each peer, and of our own kernels, the variant with
the lowest median counts.
Not here: the clock and the statistics (_turns.py).   Read next: docs/peers.md
"""
import collections
import datetime
import math

import numpy as np

from . import _shared, _turns
from .._compute import Plan, default_kernel, kernels, run as run_once, truth
from .._count import Network
from .._library import lib
from .._measure import Roof, bench, machine
from .._problem import Problem, fill

OURS = "convref"
LAST_STEPS, NEAR, MOST_OURS = 3, 1.2, 4       # which of our kernels may be the best
CHAIN_RANGE, CHAIN_TAPS = 4, 3                # the data of a chain: see _chain_arrays()

COLUMNS = ("layer kind kernel isa ms fixed_us net_ms peer version variant implementation accuracy peer_ms "
           "peer_fixed_us peer_net_ms ratio ratio_p10 ratio_p90 rounds roof_gmacs repeats note problem").split()

Options = collections.namedtuple("Options", "threads rounds turn plain", defaults=(1, 7, 0.02, False))
Layer = collections.namedtuple("Layer", "label problem repeats")
Entry = collections.namedtuple("Entry", "name variant call fixed arrays")       # arrays: they must outlive the call
Row = collections.namedtuple("Row", COLUMNS)


# ---- what is timed -------------------------------------------------------------------------------------------------

def _plain(problem):
    """The same problem, forward, channels first: how the arrays lie that everybody moves to his own layout before."""
    facts = {key: value for key, value in problem.to_dict().items() if key not in ("kind", "out", "layout", "pass")}
    return Problem(facts)


def _block(first, second):
    """A depthwise layer and the pointwise one behind it, as one problem; None if they are no separable block."""
    a, b = first.problem, second.problem
    plain = {b.stride, b.dilation, b.filter} == {(1,) * len(b.in_)} and not any(map(sum, b.pad))
    if a.kind != "depthwise" or b.kind != "pointwise" or not plain or (b.c, b.in_) != (a.k, a.out):
        return None
    facts = {name: a.to_dict()[name] for name in ("n", "c", "in", "filter", "stride", "pad", "dilation", "bias")}
    return Problem({**facts, "op": "separable", "k": b.k, "mult": a.k // a.c})


def _layers_and_blocks(network):
    """(label, problem) of a network's layers and of its separable blocks, behind their second layer."""
    last, touching = None, False             # is there nothing but bn and act behind the last layer?
    for node in Network(network).nodes:
        if not node.problem:
            touching = touching and node.kind in ("bn", "act")
            continue
        if node.kind in ("linear", "fc"):    # matrix products
            touching = False
            continue
        yield node.label, node.problem
        block = _block(last, node) if touching else None
        if block:
            yield f"{last.label}+{node.label}", block
        last, touching = node, True


def layers_of(network=None, problems=()):
    """Layers without repetitions, each under its first label, and how often it comes."""
    given = list(_layers_and_blocks(network)) if network else []
    given += [(str(i + 1), Problem(text)) for i, text in enumerate(problems)]
    found = {}
    for label, problem in given:
        problem = _plain(problem)
        label, repeats = found.get(problem, (label, 0))
        found[problem] = label, repeats + 1
    return [Layer(label, problem, repeats) for problem, (label, repeats) in found.items()]


def _channels_last(problem):
    return problem.replace(layout={1: "nwc", 2: "nhwc", 3: "ndhwc"}[len(problem.in_)])


def _last_steps(problem):
    """The last steps of each ladder that computes the problem; of the references only if there is no ladder."""
    ladders = collections.defaultdict(list)
    for kernel in kernels(problem):
        ladders[kernel.ladder].append(kernel)
    climbed = {name: rows for name, rows in ladders.items() if not rows[0].name.startswith("ref_")}
    return [kernel for rows in (climbed or ladders).values() for kernel in rows[-LAST_STEPS:]]


def our_best(problem, threads, plain=False):
    """(kernel, problem in its layout) of those that may be the fastest, by a short measurement that verifies them.
    Their lowest times are compared: what is disturbed here isn't seen again.  plain: channels first alone."""
    timed = []
    for one in [problem] if plain else [problem, _channels_last(problem)]:
        rows = _last_steps(one)
        if rows:
            timings = bench(one, rows, threads, rounds=5, turn=0.005, patience=0.2)
            timed += [(timing.p10, kernel, one) for timing, kernel in zip(timings, rows) if timing.verified]
    if not timed:
        raise ValueError(f"no kernel computes {problem} on this machine")
    timed.sort(key=lambda row: row[0])
    return [row[1:] for row in timed[:MOST_OURS] if row[0] <= NEAR * timed[0][0]]


def prepare_ours(kernel, problem, threads, **arrays):
    """One of our kernels as a Call; arrays are channels first."""
    last = problem.layout[-1] == "c"
    plan = Plan(problem, kernel, threads, **dict(arrays, x=np.moveaxis(arrays["x"], 1, -1) if last else arrays["x"]))
    return _shared.Call(plan.run, lambda: _shared.to_first(problem, plan.outputs["y"]), chosen=kernel.isa)


# ---- is it right? --------------------------------------------------------------------------------------------------

class Judge:
    """The truth of a problem's data, computed once for each class of accuracy that is asked for."""

    def __init__(self, problem, arrays):
        self.problem, self.arrays, self._truths = problem, arrays, {}

    def faults(self, y, accuracy):
        """What is wrong with an output, in words; None if it is right."""
        if accuracy not in self._truths:
            self._truths[accuracy] = truth(self.problem, accuracy=accuracy, **self.arrays)
        expected = self._truths[accuracy]
        return _faults(y, expected.value, expected.bound)


def _faults(y, expected, bound):
    if y.shape != expected.shape:
        return f"its output has shape {y.shape}, expected {expected.shape}"
    right = np.abs(y - expected) <= bound                       # NaN is wrong
    if right.all():
        return None
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    return (f"its outputs are wrong: {np.count_nonzero(~right)} of {right.size}, y{list(first)} is {y[first]:.9g}, "
            f"expected {expected[first]:.9g}")


def _chain_arrays(problem):
    """Small integers, and filters with few taps: eight layers behind each other stay exact, so that a chain can be
    compared bit for bit (or, of a transform, to the nearest integer)."""
    arrays = {name: fill(problem, name, range=CHAIN_RANGE) for name in problem.inputs}
    w = arrays["w"].reshape(problem.k, -1)
    kept = np.zeros_like(w)
    for tap in range(CHAIN_TAPS):
        at = (np.arange(problem.k) * 7 + tap * (w.shape[1] // CHAIN_TAPS + 1)) % w.shape[1]
        kept[np.arange(problem.k), at] = np.sign(w[np.arange(problem.k), at])
    return dict(arrays, w=kept.reshape(arrays["w"].shape))


def _chain_faults(problem, call, arrays):
    x, kernel = arrays["x"], default_kernel(problem)
    for _ in range(call.layers):
        x = run_once(problem, kernel, **dict(arrays, x=x))
    return _faults(call.result(), x, 0.25 if call.accuracy != "direct" else 0)


# ---- fixed costs ---------------------------------------------------------------------------------------------------

def empty(problem):
    """The same operator on one element: what is left of it is the cost of a call."""
    ones = [1] * len(problem.in_)
    facts = {"c": 1, "k": 1, "in": ones, "filter": ones, "bias": problem.bias, "act": problem.act}
    if problem.op == "separable":
        facts.update(op="separable", mid_act=problem.mid_act, expand=1 if problem.expand else 0,
                     residual=bool(problem.residual))
    return Problem(facts)


class FixedCosts:
    """Seconds of a call on an empty problem, measured once for each variant and operator."""

    def __init__(self, options, **how):
        self._options, self._how, self._known = options, how, {}

    def of(self, key, prepares, problem):
        """key: what is prepared;  prepares: the first that is for an empty problem is taken."""
        small = empty(problem)
        if (key, small) not in self._known:
            arrays = fill(small)
            calls = (prepare(small, self._options.threads, **arrays) for prepare in prepares)
            call = next(call for call in calls if call)
            turns = _turns.take_turns([call.run], 5, self._options.turn / 4, **self._how)[0]
            self._known[key, small] = _turns.quantile(turns, 0.5)
        return self._known[key, small]


def _ours_on(problem, threads, **arrays):
    return prepare_ours(default_kernel(problem), problem, threads, **arrays)


# ---- a layer -------------------------------------------------------------------------------------------------------

class Bench:
    """Layers, one after the other.

    peers      name -> adapter.   say(line): called with every row and every dropped one.   how: `clock`, for tests
    rows       those that count;  dropped: in words, what doesn't, and why
    doubtful   (problem, accuracy, ratio) of those that were timed and don't count
    """

    def __init__(self, peers, options=Options(), say=lambda line: None, **how):
        self.peers, self.options, self._say, self._how = peers, options, say, how
        self.rows, self.dropped, self.doubtful, self._fixed = [], [], [], FixedCosts(options, **how)

    def drop(self, *words):
        self.dropped.append(": ".join(filter(None, words)))
        self._say(f"# {self.dropped[-1]}")

    def layer(self, layer, best, roof):
        """Verify and time one.  best: our_best() of it;  roof(problem): multiply-adds a second, of the moment."""
        arrays = fill(layer.problem, kind="uniform")
        judge = Judge(layer.problem, arrays)
        ours = list(self._ours(layer, best, arrays, judge))
        theirs = [entry for name in self.peers for entry in self._of_peer(layer, name, arrays, judge)]
        before = roof(layer.problem)
        turns = _turns.take_turns([entry.call.run for entry in ours + theirs], self.options.rounds,
                                  self.options.turn, **self._how)
        roofs = before, roof(layer.problem)
        timed = [_Timed(entry, mine) for entry, mine in zip(ours + theirs, turns)]
        first = min(timed[:len(ours)], key=lambda one: one.median)
        for one in _best_of_each(timed[len(ours):]):
            self._row(layer, first, one, roofs)

    def _ours(self, layer, best, arrays, judge):
        """Our kernels.  A wrong one ends it all."""
        cost = self._fixed.of(OURS, [_ours_on], layer.problem)
        for kernel, problem in best:
            call = prepare_ours(kernel, problem, self.options.threads, **arrays)
            call.run()
            words = judge.faults(call.result(), call.accuracy)
            if words:
                raise ValueError(f"{kernel} on {problem}: {words}")
            yield Entry(OURS, kernel.name, call, cost, arrays)

    def _variants(self, name):
        """Of a peer, those that are asked for."""
        return self.peers[name].plain if self.options.plain else self.peers[name].speed

    def _of_peer(self, layer, name, arrays, judge):
        """A peer's variants that are right."""
        peer = self.peers[name]
        refusal = _refusal(peer.candidate, layer.problem)
        if refusal:
            self.drop(layer.label, name, "not timed", refusal)
            return
        for variant in self._variants(name):
            try:
                entry = self._prepared(layer, name, variant, arrays, judge)
            except Exception as error:       # whatever a framework raises: the others are still timed
                self.drop(layer.label, f"{name} {variant}", "not timed", f"{type(error).__name__}: {error}")
                continue
            if entry:
                yield entry

    def _prepared(self, layer, name, variant, arrays, judge):
        """A verified Entry; None if the variant isn't for this problem.  A chain gets data of its own, and what it
        costs to call is what a single layer of the first variant costs."""
        speed, problem = self._variants(name), layer.problem
        prepare = speed[variant]
        call = prepare(problem, self.options.threads, **arrays)
        if call and call.layers > 1:
            arrays = _chain_arrays(problem)
            call = prepare(problem, self.options.threads, **arrays)
        if not call:
            return None
        call.run()
        words = (_chain_faults(problem, call, arrays) if call.layers > 1
                 else judge.faults(call.result(), call.accuracy))
        if words:
            raise ArithmeticError(words)
        first = next(iter(speed))
        base = variant if call.layers == 1 else first
        return Entry(name, variant, call, self._fixed.of((name, base), [speed[base], speed[first]], problem), arrays)

    def _row(self, layer, ours, theirs, roofs):
        ratio = _turns.ratio_of(theirs.net, ours.net)
        words = _turns.distrust(ratio, roofs, (ours.fixed_part, theirs.fixed_part))
        if words:
            self.doubtful.append((layer.problem, theirs.entry.call.accuracy, ratio.median))
            self.drop(layer.label, f"{theirs.entry.name} {theirs.entry.variant}", "dropped", words)
            return
        call, peer = theirs.entry.call, self.peers[theirs.entry.name]
        row = Row(layer.label, layer.problem.kind, ours.entry.variant, ours.entry.call.chosen, *ours.figures(),
                  theirs.entry.name, peer.version(), theirs.entry.variant, call.chosen, call.accuracy,
                  *theirs.figures(), *(f"{value:.3f}" for value in ratio[:3]), ratio.rounds, f"{roofs[1] / 1e9:.1f}",
                  layer.repeats, call.note, layer.problem)
        self.rows.append(row)
        self._say("\t".join(map(str, row)))


def _refusal(candidate, problem):
    """Why a peer doesn't compute a problem, in words; None if it does."""
    for mine, known in ((problem.kind, candidate.kinds), (problem.type, candidate.types)):
        if mine not in known:
            return f"it doesn't know {mine}, only {', '.join(known)}"
    return candidate.refuses(problem)


class _Timed:
    """An Entry and what it took: seconds of one layer, in every round."""

    def __init__(self, entry, turns):
        self.entry, layers = entry, entry.call.layers
        self.gross = _turns.net(turns, 0, layers)
        self.net = _turns.net(turns, entry.fixed, layers)
        self.median = _turns.quantile(self.net, 0.5)
        self.fixed_part = entry.fixed / _turns.quantile(turns, 0.5)

    def figures(self):
        """Gross ms of a layer, the fixed cost of a call in us, net ms."""
        return (f"{1e3 * _turns.quantile(self.gross, 0.5):.5f}", f"{1e6 * self.entry.fixed:.2f}",
                f"{1e3 * self.median:.5f}")


def _best_of_each(timed):
    """Of each peer, and of each class of accuracy that it has, the variant with the lowest median."""
    best = {}
    for one in timed:
        key = one.entry.name, one.entry.call.accuracy
        if key not in best or one.median < best[key].median:
            best[key] = one
    return best.values()


# ---- a table -------------------------------------------------------------------------------------------------------

def header(peers, options):
    """The comments above a table, and its columns."""
    facts = machine()
    versions = ", ".join(f"{name} {peer.version()}" for name, peer in peers.items())
    yield (f"# {facts['cpu']}, {facts['cores']} cores, {facts['system']}, {facts['compiler']} {facts['flags']}, "
           f"up to {facts['isa']}, convref {lib.conv_version().decode()}, {datetime.date.today()}")
    yield (f"# {versions}; {options.threads} thread{'s' * (options.threads > 1)}, warm, weights packed before"
           + ", everybody's x and y channels first" * options.plain)
    yield (f"# ms and peer_ms: one layer, the whole call; net: without fixed_us, a call on an empty problem; ratio: "
           f"peer_net_ms / net_ms round by round, above 1 ours is faster; {options.rounds} rounds, turns of "
           f"{1e3 * options.turn:g} ms")
    yield f"# {_turns.RULE}"
    yield "\t".join(COLUMNS)


def means(made):
    """Lines: for each kind of layer, and then for each peer of it, the geometric mean and the worst ratio.

    A layer counts for the best peer only if none was dropped that looked better still.
    """
    kinds = collections.defaultdict(list)
    for row in made.rows:
        kinds[row.kind, row.accuracy].append(row)
    for (kind, accuracy), rows in kinds.items():
        name = kind if accuracy == "direct" else f"{kind}, {accuracy}"
        best = collections.defaultdict(lambda: math.inf)
        for row in rows:
            best[row.problem] = min(best[row.problem], float(row.ratio))
        unsure = {problem for problem, theirs, ratio in made.doubtful
                  if theirs == accuracy and not ratio >= best[problem]}
        yield _mean(name, "best peer", [ratio for problem, ratio in best.items() if problem not in unsure])
        for peer in dict.fromkeys(row.peer for row in rows):
            yield _mean(name, peer, [float(row.ratio) for row in rows if row.peer == peer])


def _mean(kind, peer, ratios):
    if not ratios:
        return f"# {kind}, {peer} / ours: no layer"
    return (f"# {kind}, {peer} / ours: geometric mean {_turns.geometric_mean(ratios):.2f}, worst {min(ratios):.2f}, "
            f"{len(ratios)} layer{'s' * (len(ratios) > 1)}")


def roof_of(threads):
    """A function that measures the roof of a problem, of the moment."""
    return lambda problem: Roof(threads).ceiling(problem, threads)


def measure(peers, layers, options, say):
    """All layers, as a Bench.  The choice of our kernels forks, so it is made before a framework has threads."""
    best = {layer: our_best(layer.problem, options.threads, options.plain) for layer in layers}
    made = Bench(peers, options, say)
    for layer in layers:
        made.layer(layer, best[layer], roof_of(options.threads))
    return made
