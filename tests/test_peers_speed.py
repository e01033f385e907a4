"""test_peers_speed.py - peers beside our kernels: the ratios, the fixed costs and the rule, on a clock that is ours.

Nothing here depends on how fast this machine is: calls move the clock on by what they are said to take.
Not here: what a peer computes (test_peers.py).   Read next: case.py, python/convref/peers/_turns.py
"""
import os
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

import case

try:
    import numpy as np
except ImportError:
    case.skip_all("NumPy is missing (Debian: python3-numpy)")
import convref
from convref.peers import _shared, _speed, _turns

DW = convref.Problem("c=4 in=6x6 k=4 filter=3x3 groups=4 pad=1")
STRIDED = convref.Problem("c=4 in=6x6 k=8 filter=3x3 stride=2 pad=1 bias=1 act=relu6")


class Clock:
    """Stands still but for sleep()."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


# ---- turns ---------------------------------------------------------------------------------------------------------

class Turns(unittest.TestCase):
    def test_a_ratio(self):
        clock = Clock()
        turns = _turns.take_turns([lambda: clock.sleep(0.001), lambda: clock.sleep(0.003)], 5, 0.02, clock)
        self.assertEqual([len(mine) for mine in turns], [5, 5])
        ratio = _turns.ratio_of(turns[1], turns[0])
        self.assertEqual(ratio.rounds, 5)
        for value in ratio[:3]:
            self.assertAlmostEqual(value, 3, delta=1e-9)

    def test_what_disturbs_a_round_drops_out(self):
        clock, rounds = Clock(), []

        def slower_next_time():                                  # the last of a round: twice, once to warm up
            rounds.append(1)
            clock.sleep(1)
        calls = [lambda: clock.sleep(0.001 * (1 + len(rounds))), lambda: clock.sleep(0.002 * (1 + len(rounds))),
                 slower_next_time]
        turns = _turns.take_turns(calls, 9, 0.5, clock)
        self.assertAlmostEqual(max(turns[0]), 17 * min(turns[0]), delta=1e-9)
        for value in _turns.ratio_of(turns[1], turns[0])[:3]:
            self.assertAlmostEqual(value, 2, delta=1e-9)

    def test_one_call_is_enough_if_it_is_long(self):
        clock, calls = Clock(), []
        _turns.take_turns([lambda: (calls.append(1), clock.sleep(5))], 3, 0.02, clock)
        self.assertEqual(len(calls), 6)                          # one to warm up, one that is timed
        calls.clear()
        _turns.take_turns([lambda: (calls.append(1), clock.sleep(0.005))], 3, 0.0199, clock)
        self.assertEqual(len(calls), 15)                         # and as many as fit

    def test_fixed_costs(self):
        ours, theirs = _turns.net([11, 21], 1), _turns.net([85, 165], 5, layers=8)
        self.assertEqual((ours, theirs), ([10, 20], [10, 20]))
        self.assertEqual(_turns.ratio_of(theirs, ours), (1, 1, 1, 2))
        self.assertEqual(_turns.ratio_of([1, -1], [2, 2]).rounds, 1)

    def test_the_rule(self):
        def words(median=1.0, p10=1.0, p90=1.0, rounds=7, roofs=(100, 100), parts=(0, 0)):
            return _turns.distrust(_turns.Ratio(median, p10, p90, rounds), roofs, parts)
        self.assertIsNone(words())
        self.assertIsNone(words(p90=1.25, roofs=(110, 100), parts=(0.5, 0.1), rounds=3))
        self.assertEqual(words(p90=1.26), "p90/p10 is 1.26, above 1.25")
        self.assertEqual(words(p10=float("nan")), "p90/p10 is nan, above 1.25")
        self.assertEqual(words(roofs=(100, 111)), "the roof moved by 11 %")
        self.assertEqual(words(roofs=(120, 100)), "the roof moved by 20 %")
        self.assertEqual(words(parts=(0.1, 0.51)), "51 % of a call is its fixed cost")
        self.assertEqual(words(rounds=2), "2 rounds, fewer than 3")
        for limit in ("1.25", "10 %", "50 %", "3 rounds"):
            self.assertIn(limit, _turns.RULE)

    def test_geometric_mean(self):
        self.assertAlmostEqual(_turns.geometric_mean([0.5, 2, 8]), 2)


# ---- a peer that takes what it is told to --------------------------------------------------------------------------

FIXED, A_MAC, EXTRA = 0.5e-6, 1e-9, 1e-6     # of the fake peer, seconds; ours takes a third of the first two


def peer_of(clock, spoil=lambda y: y, layers=1, fixed=FIXED, calls=None, extra=0):
    """An adapter: right but for spoil(), and slow by the clock alone.  extra: of a layer that isn't empty."""
    def prepare(problem, threads, **arrays):
        if layers > 1 and not _shared.chains(problem):
            return None
        y, macs = arrays["x"], convref.count(problem)["macs"]
        for _ in range(layers):
            y = convref.run(problem, **dict(arrays, x=y))
        y = spoil(y)

        def run():
            clock.sleep(fixed + layers * A_MAC * macs + (extra if macs > 1 else 0))
            if calls is not None:
                calls.append(problem)
        return _shared.Call(run, lambda: y, layers, "fake")
    alone = prepare if layers == 1 else peer_of(clock, extra=EXTRA).speed["alone"]
    return types.SimpleNamespace(version=lambda: "1.0", candidate=convref.Candidate(lambda problem, x, w: None),
                                 speed={"alone": alone} if layers == 1 else {"alone": alone, "chain": prepare},
                                 plain={"first": alone})


def timed(clock, problem, fixed=FIXED / 3, roofs=(100e9, 100e9), plain=False, **peers):
    """The Bench of one layer, on the clock."""
    real = _speed.prepare_ours

    def prepare_ours(kernel, problem, threads, **arrays):
        call, macs = real(kernel, problem, threads, **arrays), convref.count(problem)["macs"]

        def run():
            call.run()
            clock.sleep(fixed + A_MAC / 3 * macs)
        return call._replace(run=run)
    made = _speed.Bench(peers, _speed.Options(1, 5, 0.0001, plain), clock=clock)
    with mock.patch.object(_speed, "prepare_ours", prepare_ours):
        moments = iter(roofs)
        made.layer(_speed.Layer("one", problem, 1), [(_speed.default_kernel(problem), problem)],
                   lambda problem: next(moments))
    return made


class Fake(unittest.TestCase):
    def test_the_figures(self):
        for problem in (DW, STRIDED):
            clock = Clock()
            row, = timed(clock, problem, fake=peer_of(clock)).rows
            macs = convref.count(problem)["macs"]
            self.assertAlmostEqual(float(row.peer_fixed_us), 1e6 * (FIXED + A_MAC), delta=0.01)
            self.assertAlmostEqual(float(row.peer_ms), 1e3 * (FIXED + A_MAC * macs), delta=1e-5)
            self.assertAlmostEqual(float(row.peer_net_ms), 1e3 * A_MAC * (macs - 1), delta=2e-5)
            self.assertAlmostEqual(float(row.fixed_us), 1e6 * (FIXED + A_MAC) / 3, delta=0.01)
            for value in (row.ratio, row.ratio_p10, row.ratio_p90):
                self.assertAlmostEqual(float(value), 3, delta=0.002)
            self.assertEqual((row.rounds, row.peer, row.version, row.implementation, row.kind),
                             (5, "fake", "1.0", "fake", problem.kind))

    def test_a_chain_is_counted_by_layer(self):
        clock = Clock()
        row, = timed(clock, DW, fake=peer_of(clock, layers=8, fixed=FIXED)).rows
        macs = convref.count(DW)["macs"]
        self.assertEqual(row.variant, "chain")                   # the fixed cost of one call is that of eight layers
        self.assertAlmostEqual(float(row.peer_ms), 1e3 * (FIXED / 8 + A_MAC * macs), delta=1e-5)
        self.assertAlmostEqual(float(row.ratio), 3, delta=0.01)
        clock = Clock()
        row, = timed(clock, STRIDED, fake=peer_of(clock, layers=8)).rows
        self.assertEqual(row.variant, "alone")

    def test_channels_first_for_everybody(self):
        clock = Clock()
        row, = timed(clock, DW, plain=True, fake=peer_of(clock, layers=8)).rows
        self.assertEqual(row.variant, "first")                   # the chain would have been the faster one
        self.assertAlmostEqual(float(row.peer_net_ms), 1e3 * (A_MAC * (convref.count(DW)["macs"] - 1) + EXTRA),
                               delta=2e-5)

    def test_a_variant_that_is_not_for_the_empty_problem(self):
        clock = Clock()
        peer, quick = peer_of(clock, extra=EXTRA), peer_of(clock).speed["alone"]
        peer.speed["quick"] = lambda problem, threads, **arrays: (
            quick(problem, threads, **arrays) if problem.c > 1 else None)
        row, = timed(clock, DW, fake=peer).rows
        self.assertEqual(row.variant, "quick")
        self.assertAlmostEqual(float(row.peer_fixed_us), 1e6 * (FIXED + A_MAC), delta=0.01)
        self.assertAlmostEqual(float(row.ratio), 3, delta=0.002)

    def test_a_wrong_one_is_not_timed(self):
        def nan(y):
            y[0, -1, -1, -1] = np.nan
            return y

        def off(y):
            y[0, 1, 2, 1] += 1e-4
            return y
        for spoil, words in ((nan, "its outputs are wrong: 1 of "), (off, "y[0, 1, 2, 1] is "),
                             (lambda y: y[:, :2], "its output has shape (1, 2, ")):
            clock, calls = Clock(), []
            made = timed(clock, DW, wrong=peer_of(clock, spoil, calls=calls), right=peer_of(clock))
            self.assertEqual([row.peer for row in made.rows], ["right"])
            self.assertEqual(len(made.dropped), 1)
            self.assertIn("one: wrong alone: not timed: ", made.dropped[0])
            self.assertIn(words, made.dropped[0])
            self.assertEqual(calls, [DW])                        # once, and no turn

    def test_a_wrong_chain_is_not_timed(self):
        clock = Clock()
        peer = peer_of(clock, layers=8)
        peer.speed["chain"] = peer_of(clock, spoil=lambda y: y + (np.arange(y.size) == 5).reshape(y.shape),
                                      layers=8).speed["chain"]
        made = timed(clock, DW, fake=peer)
        self.assertEqual([row.variant for row in made.rows], ["alone"])
        self.assertIn("one: fake chain: not timed: ArithmeticError: its outputs are wrong: 1 of 144", made.dropped[0])

    def test_a_chain_of_another_length_is_seen(self):
        for problem in (DW, convref.Problem("c=16 in=7x7 k=16 filter=1x1"),
                        convref.Problem("c=6 in=7x7 k=6 filter=3x3 pad=1")):
            arrays, y = _speed._chain_arrays(problem), None
            for layers in range(1, 10):
                y = convref.run(problem, **dict(arrays, x=arrays["x"] if y is None else y))
                words = _speed._chain_faults(problem, _shared.Call(None, lambda: y, 8), arrays)
                self.assertEqual(words is None, layers == 8, (problem, layers, words))
            self.assertLess(np.abs(y).max(), 1 << 24)            # exact in f32

    def test_what_fails_is_said_and_the_others_are_timed(self):
        def broken(problem, threads, **arrays):
            raise RuntimeError("no kernel for this")
        clock = Clock()
        peer = peer_of(clock)
        peer.speed["alone"] = broken
        made = timed(clock, DW, broken=peer, right=peer_of(clock))
        self.assertEqual([row.peer for row in made.rows], ["right"])
        self.assertEqual(made.dropped, ["one: broken alone: not timed: RuntimeError: no kernel for this"])
        peer = peer_of(clock)
        peer.candidate = convref.Candidate(lambda problem, x, w: None, kinds="pointwise")
        self.assertEqual(timed(clock, DW, fake=peer).dropped,
                         ["one: fake: not timed: it doesn't know depthwise, only pointwise"])

    def test_rows_are_dropped(self):
        clock = Clock()
        made = timed(clock, DW, roofs=(100e9, 80e9), fake=peer_of(clock))
        self.assertEqual((made.rows, made.dropped), ([], ["one: fake alone: dropped: the roof moved by 25 %"]))
        made = timed(clock, DW, fake=peer_of(clock, fixed=5e-6))
        self.assertEqual(made.dropped, ["one: fake alone: dropped: 79 % of a call is its fixed cost"])

    def test_means(self):
        clock = Clock()
        made = timed(clock, DW, fake=peer_of(clock), other=peer_of(clock))
        self.assertEqual(list(_speed.means(made)), [
            f"# depthwise, {peer} / ours: geometric mean 3.00, worst 3.00, 1 layer"
            for peer in ("best peer", "fake", "other")])
        made.doubtful.append((DW, "direct", 2.0))                # somebody who seemed to be faster was dropped
        self.assertEqual(next(_speed.means(made)), "# depthwise, best peer / ours: no layer")
        made.doubtful[0] = DW, "direct", 4.0
        self.assertIn("mean 3.00", next(_speed.means(made)))


# ---- what it stands on ---------------------------------------------------------------------------------------------

class Parts(unittest.TestCase):
    def test_layers(self):
        layers = _speed.layers_of("mobilenet_v1")
        counts = {kind: sum(one.repeats for one in layers if one.problem.kind == kind)
                  for kind in ("standard", "depthwise", "pointwise", "separable")}
        self.assertEqual(counts, {"standard": 1, "depthwise": 13, "pointwise": 13, "separable": 13})
        self.assertEqual(len(layers), 28)
        block = next(one for one in layers if one.label == "Conv2d_2_depthwise+Conv2d_2_pointwise")
        self.assertEqual(str(block.problem), "op=separable c=64 in=112x112 k=128 filter=3x3 stride=2 pad=0:1x0:1")
        same = _speed.layers_of(problems=[str(DW), str(DW) + " layout=nhwc"])
        self.assertEqual([(one.problem, one.repeats) for one in same], [(DW, 2)])

    def test_our_best(self):
        for text in ("c=8 in=9x9 k=8 filter=3x3 pad=1 groups=8", "op=separable c=8 in=6x6 k=4 filter=3x3"):
            best = _speed.our_best(convref.Problem(text), 1)
            self.assertTrue(1 <= len(best) <= _speed.MOST_OURS)
            for kernel, problem in best:
                self.assertIsNone(kernel.refuses(problem))
                self.assertFalse(kernel.name.startswith("ref_"), kernel)
                self.assertEqual(_speed._plain(problem), convref.Problem(text))

        first = _speed.our_best(convref.Problem("c=8 in=9x9 k=8 filter=3x3 pad=1 groups=8"), 1, plain=True)
        self.assertTrue(first)
        self.assertEqual({problem.layout for _, problem in first}, {"nchw"})

        steps = _speed._last_steps(DW)
        self.assertLessEqual({"dw", "grp"}, {kernel.ladder for kernel in steps})
        self.assertFalse([kernel.name for kernel in steps if kernel.name.startswith("ref_")])

    def test_a_plan(self):
        for problem in (DW, STRIDED, convref.Problem("op=separable c=3 in=5x5 k=4 filter=3x3 layout=nhwc bias=1")):
            arrays = convref.fill(problem)
            plan = convref.Plan(problem, **arrays)
            self.assertTrue(np.isnan(plan.outputs["y"]).all())
            self.assertGreater(plan.run(), 0)
            np.testing.assert_array_equal(plan.outputs["y"], convref.run(problem, **arrays))
        with self.assertRaises(convref.NotApplicable):
            convref.Plan(STRIDED, "dw_01_direct", **convref.fill(STRIDED))
        with self.assertRaisesRegex(TypeError, "w is missing"):
            convref.Plan(DW, x=convref.fill(DW, "x"))

    def test_bounds_of_a_class(self):
        problem = convref.Problem("c=5 in=8x8 k=3 filter=3x3 pad=1")
        arrays = convref.fill(problem, kind="uniform")
        direct, winograd = (convref.truth(problem, accuracy=name, **arrays) for name in ("direct", "winograd6"))
        n, u = direct.taps + 1, 2.0**-24
        expected = n * u / (1 - n * u) * direct.magnitude + u * np.abs(direct.value) + n * 2.0**-149
        np.testing.assert_allclose(direct.bound, expected, rtol=1e-6)
        self.assertGreater(winograd.bound.min(), 10 * direct.bound.max())
        with self.assertRaisesRegex(ValueError, "accuracy is 'exact'"):
            convref.truth(problem, accuracy="exact", **arrays)


# ---- from the shell ------------------------------------------------------------------------------------------------

def shell(*words):
    ran = subprocess.run([sys.executable, "-m", "convref.peers", "--bench", *words], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


class Shell(unittest.TestCase):
    def test_wrong_usage(self):
        for words, expected in ((), "expected --network NAME, or problems"), (
                ["c=1 in=1", "--peers", "caffe"], "'caffe' can't be timed; expected some of torch,"), (
                ["c=1 in=1", "--rounds", "2"], "number, 3 or more"), (["c=1"], "convref: "), (
                ["c=1 in=1", "--layout", "nchw", "--peers", "litert"], "'litert' can't be timed in nchw; expected"):
            status, _, text = shell(*words)
            self.assertEqual(status, 2, text)
            self.assertIn(expected, text)
        self.assertEqual(shell("--network", "nowhere.net")[0], 4)

    def test_a_table(self):
        names = [name for name, peer in convref.peers.ALL.items() if hasattr(peer, "speed") and peer.version()]
        if not names:
            self.skipTest("no peer that can be timed is installed: pip install onnxruntime")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "speed.tsv")
            status, out, text = shell(str(STRIDED), "--peers", names[0], "--rounds", "3", "--turn", "1", "--output",
                                      path)
            self.assertEqual((status, out), (0, ""), text)
            with open(path) as file:
                lines = file.read().splitlines()
            self.assertEqual(os.listdir(folder), ["speed.tsv"])
        self.assertIn(f"{names[0]} {convref.peers.ALL[names[0]].version()}; 1 thread,", lines[1])
        self.assertEqual(lines[4].split("\t"), list(_speed.COLUMNS))
        for line in lines[5:]:                                   # what this machine did just now is its own affair
            self.assertTrue(line.startswith("# ") or len(line.split("\t")) == len(_speed.COLUMNS), line)
        self.assertGreater(len(lines), 5)


if __name__ == "__main__":
    case.main()
