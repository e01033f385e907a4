"""_turns.py - calls that take turns, the ratios of their turns, and which of them can be trusted.

    turns = take_turns([ours, theirs], rounds=7, seconds=0.02)       a median time for each call and round
    ratio = ratio_of(turns[1], turns[0])                             of the rounds: median, p10, p90
    words = distrust(ratio, ...)                                     why it proves nothing, or None

Numbers in, numbers out: the clock is an argument.  A round is one turn of every call, one after the other, so that
what disturbs a round disturbs both parts of its ratio.
Not here: convolutions, tables.   Read next: _speed.py; docs/measuring.md
"""
import collections
import gc
import math
import time

MOST_SPREAD = 1.25        # p90 / p10 of a ratio
MOST_ROOF = 1.10          # the roof before over the roof after, either way
MOST_FIXED = 0.5          # the part of a call that may be its fixed cost
LEAST_ROUNDS = 3

RULE = (f"a row is dropped if p90/p10 of its ratio is above {MOST_SPREAD}, if the roof moved by more than "
        f"{100 * (MOST_ROOF - 1):.0f} % meanwhile, if more than {100 * MOST_FIXED:.0f} % of a call is its fixed "
        f"cost, or if it has less than {LEAST_ROUNDS} rounds")

Ratio = collections.namedtuple("Ratio", "median p10 p90 rounds")


def quantile(values, part):
    """The value below which a part of the values lies."""
    return sorted(values)[int(part * (len(values) - 1) + 0.5)]


def one_turn(call, seconds, clock=time.perf_counter):
    """The median of as many calls as fit into the time, at least one, behind one that warms up."""
    call()
    times, begin, end = [], clock(), -math.inf
    while not times or end - begin < seconds:
        start = clock()
        call()
        end = clock()
        times.append(end - start)
    return quantile(times, 0.5)


def take_turns(calls, rounds, seconds, clock=time.perf_counter):
    """turns[i][r]: what call i took in round r, in seconds."""
    turns = [[] for _ in calls]
    collects = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for call, mine in zip(calls, turns):
                mine.append(one_turn(call, seconds, clock))
    finally:
        if collects:
            gc.enable()
    return turns


def net(turns, fixed, layers=1):
    """What one layer took in each round, without the fixed cost of a call."""
    return [(turn - fixed) / layers for turn in turns]


def ratio_of(theirs, ours):
    """Theirs over ours, round by round; above 1, ours is faster.  Rounds in which nothing is left don't count."""
    values = [their / our for their, our in zip(theirs, ours) if their > 0 and our > 0]
    if not values:
        return Ratio(math.nan, math.nan, math.nan, 0)
    return Ratio(quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9), len(values))


def distrust(ratio, roofs, fixed_parts):
    """Why a ratio proves nothing, in words; None if it does.

    roofs         the machine's roof before and after
    fixed_parts   of each of the two: its fixed cost over the whole call
    """
    if not ratio.rounds >= LEAST_ROUNDS:
        return f"{ratio.rounds} rounds, fewer than {LEAST_ROUNDS}"
    if not ratio.p90 / ratio.p10 <= MOST_SPREAD:
        return f"p90/p10 is {ratio.p90 / ratio.p10:.2f}, above {MOST_SPREAD}"
    if not max(roofs) / min(roofs) <= MOST_ROOF:
        return f"the roof moved by {100 * (max(roofs) / min(roofs) - 1):.0f} %"
    if not max(fixed_parts) <= MOST_FIXED:
        return f"{100 * max(fixed_parts):.0f} % of a call is its fixed cost"
    return None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan
