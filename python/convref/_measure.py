"""_measure.py - is it right, and how fast is it?   Verdicts, times and the machine's roof, as the library finds them.

Read next: docs/exactness.md, docs/measuring.md
"""
import collections
import ctypes

from ._candidate import Candidate, accuracy_of_name, as_candidate
from ._compute import as_kernel, kernels as all_kernels
from ._count import count
from ._library import checked, lib, new, numbers, structs
from ._problem import as_problem, operands
from ._verdict import verification, verify_options

_LEVELS = range(4)         # enum conv_level: L1, L2, L3, DRAM


# ---- verdicts ------------------------------------------------------------------------------------------------------

def verify(kernel, problem=None, seed=1, time_limit=600, check=None, threads=0, **options):
    """Verify a kernel, by name, or a Python function: on the checks' own problems, or on one problem only.

    A function is called as function(problem, x=x, w=w, bias=bias) and returns an array; what else it may declare, and
    further options, are those of convref.Candidate and its verify().  print() shows the result as the program does.
    """
    if callable(kernel) or hasattr(kernel, "candidate") or isinstance(kernel, Candidate):
        if threads:
            raise TypeError("a Python function isn't told a number of threads")
        return as_candidate(kernel).verify(problem, seed=seed, time_limit=time_limit, check=check, **options)
    if options:
        raise TypeError(f"a kernel has no option {', '.join(options)}")
    made = verify_options(problem, seed=seed, time_limit=time_limit, check=check, threads=threads)
    result = new("conv_verification")
    checked(lib.conv_verify_kernel, ctypes.byref(result), as_kernel(kernel)._address, ctypes.byref(made))
    return verification(result)


def judge(problem, accuracy="direct", **arrays):
    """Judge outputs that somebody else computed: judge(p, x=x, w=w, y=y).  Inputs that are integers whose sums are
    exact are compared bit for bit, others against the bound of their class of accuracy ("tf32", "winograd4", ...).
    Where the data can't tell, as zeros can't, the verdict is INCONCLUSIVE."""
    problem = as_problem(problem)
    kept, pointers = operands(problem, arrays, problem.inputs + problem.outputs)
    result = new("conv_verification")
    checked(lib.conv_sensitivity_verify, ctypes.byref(result), None, problem._struct, pointers,
            accuracy_of_name(accuracy))
    return verification(result)


# ---- the machine ---------------------------------------------------------------------------------------------------

def machine():
    """What this machine is: cpu, system, compiler, flags, cores, isa, and bytes, the sizes of L1, L2, L3 and DRAM."""
    found = new("conv_machine")
    lib.conv_machine_read(ctypes.byref(found))
    facts = {name: getattr(found, name).decode() for name in ("cpu", "system", "compiler", "flags")}
    sizes = numbers(found.bytes, ctypes.c_int64)
    return dict(facts, cores=found.cores, isa=lib.conv_isa_name(found.isa).decode(),
                bytes={lib.conv_level_name(level).decode(): sizes[level] for level in _LEVELS})


class Roof:
    """The machine's ceilings, measured when this is created (up to about 3 seconds).

    peak[m]        multiply-adds of f32 a second, m = 0: one thread, m = 1: `threads` threads
    bandwidth[m]   level -> bytes read a second; "L1", "L2", "L3", "DRAM"
    """

    def __init__(self, threads=0):
        self._machine, self._roof = new("conv_machine"), new("conv_roof")
        lib.conv_machine_read(ctypes.byref(self._machine))
        lib.conv_roof_measure(ctypes.byref(self._roof), ctypes.byref(self._machine), threads)
        macs, bandwidth = (numbers(array, ctypes.c_double) for array in (self._roof.macs, self._roof.bandwidth))
        self.threads = self._roof.threads
        self.peak = macs[2 * self._machine.isa:][:2]
        self.bandwidth = [{lib.conv_level_name(level).decode(): bandwidth[2 * level + many] for level in _LEVELS
                           if bandwidth[2 * level + many] > 0} for many in (0, 1)]

    def level(self, problem):
        """The fastest level of the memory that holds all arrays of the problem."""
        level = lib.conv_machine_level(ctypes.byref(self._machine), count(problem)["bytes"])
        return lib.conv_level_name(level).decode()

    def ceiling(self, problem, threads=1):
        """Multiply-adds a second that nothing can exceed: min(peak, bandwidth * macs_inside / bytes)."""
        counted = count(problem)
        level = lib.conv_machine_level(ctypes.byref(self._machine), counted["bytes"])
        return lib.conv_roof_macs(ctypes.byref(self._roof), self._machine.isa, level, counted["macs_inside"],
                                  counted["bytes"], threads > 1)


# ---- times ---------------------------------------------------------------------------------------------------------

Timing = collections.namedtuple("Timing", "kernel verified median p10 p90 speedup macs_per_second turns calls "
                                          "threads scratch_bytes packed_bytes pack_seconds rounds speedup_low speedup_high "
                                          "others why")
Timing.__doc__ = """What one kernel took on one problem.

verified             right on this problem in every call that was looked at; if not, the numbers are 0
why                  it wasn't timed: its outputs were wrong, it crashed, it didn't return
median, p10, p90     seconds of one call
speedup              over the first kernel, the median of the ratios of their turns; speedup_low and speedup_high are
                     its spread, rounds the number of ratios: 1 proves little
macs_per_second      macs_inside / median
others               cores that other programs used meanwhile; negative: not known
"""


def bench(problem, kernels=None, threads=1, rounds=7, turn=0.02, patience=1.0, cold=False, seed=1, time_limit=60):
    """Time kernels that take turns on one problem; each is verified on it, before and meanwhile.  Returns a list of Timing.

    kernels    names or Kernels; speed-ups are over the first.  Left out: all that compute the problem
    turn       seconds of one turn;   patience: seconds that one kernel may take in all its turns
    cold       sweep the caches before every call
    time_limit seconds of one call; one that takes longer is a hang

    Kernels run in a process of their own: one that crashes costs its own Timing.
    """
    problem = as_problem(problem)
    rows = all_kernels(problem) if kernels is None else [as_kernel(kernel) for kernel in kernels]
    for row in rows:
        if row.refuses(problem):
            raise ValueError(f"{row} doesn't compute {problem}: {row.refuses(problem)}")
    options = new("conv_bench_options", threads=threads, cold=cold, rounds=rounds, turn_seconds=turn,
                  patience=patience, seed=seed, time_limit=time_limit)
    pointers = (ctypes.c_void_p * len(rows))(*(row._address for row in rows))
    timings = (structs["conv_timing"] * len(rows))()
    checked(lib.conv_bench_kernels, timings, pointers, len(rows), problem._struct, ctypes.byref(options))
    macs = count(problem)["macs_inside"]
    return [Timing(row.name, one.verified, one.median, one.p10, one.p90, one.speedup,
                   macs / one.median if one.median > 0 else 0, one.turns, one.calls, one.threads, one.scratch_bytes,
                   one.packed_bytes, one.pack_seconds, one.shared_rounds, one.speedup_low, one.speedup_high,
                   one.others, one.why.decode()) for row, one in zip(rows, timings)]
