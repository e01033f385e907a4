"""_measure.py - is it right, and how fast is it?   Verdicts, times and the machine's roof, as the library finds them.

Read next: docs/exactness.md, docs/measuring.md
"""
import collections
import ctypes

from ._compute import as_kernel, kernels as all_kernels
from ._count import count
from ._library import checked, lib, new, numbers, structs
from ._problem import Problem, as_problem, operands

_LEVELS = range(4)         # enum conv_level: L1, L2, L3, DRAM


# ---- verdicts ------------------------------------------------------------------------------------------------------

Verification = collections.namedtuple("Verification", "verdict kernel reason checks finding")
Verification.__doc__ = """A verdict and its evidence.

verdict   ACCEPT, REJECT, INCONCLUSIVE (never a pass) or SKIPPED
kernel    its name; empty for arrays
reason    of INCONCLUSIVE and SKIPPED, in words
checks    name -> (problems, elements, worst error / bound, seconds)
finding   of REJECT, a dict: fault, problem, elements, wrong, where, guess, repro; else None
"""


def _finding(finding, kernel):
    repro = lib.conv_repro_line(ctypes.create_string_buffer(2048), ctypes.byref(finding), kernel) if kernel else b""
    return {"fault": lib.conv_fault_name(finding.fault).decode(), "check": finding.check.decode(),
            "problem": Problem._copy_of(ctypes.addressof(finding.problem)), "elements": finding.elements,
            "wrong": finding.wrong, "where": finding.where.decode(), "guess": finding.guess.decode(),
            "repro": repro.decode()}


def _verification(result):
    verdict = lib.conv_verdict_name(result.verdict).decode()
    row = structs["conv_evidence"]
    rows = [row.from_buffer_copy(bytes(result.evidence), i * ctypes.sizeof(row)) for i in range(result.checks)]
    checks = {one.check.decode(): (one.problems, one.elements, one.worst, one.seconds) for one in rows}
    finding = structs["conv_finding"].from_buffer_copy(bytes(result.finding)) if verdict == "REJECT" else None
    return Verification(verdict, result.kernel.decode(), result.reason.decode(), checks,
                        finding and _finding(finding, result.kernel))


def verify(kernel, problem=None, seed=1, time_limit=600, check=None, threads=0):
    """Verify a kernel: on the checks' own problems, or on one problem only."""
    options = new("conv_verify_options", seed=seed, time_limit=time_limit, threads=threads,
                  check=None if check is None else ctypes.cast(ctypes.c_char_p(check.encode()), ctypes.c_void_p))
    if problem is not None:
        problem = as_problem(problem)
        options.problems, options.problem_count = ctypes.addressof(problem._struct), 1
        options.only_problems = True
    result = new("conv_verification")
    checked(lib.conv_verify_kernel, ctypes.byref(result), as_kernel(kernel)._address, ctypes.byref(options))
    return _verification(result)


def judge(problem, **arrays):
    """Judge outputs that somebody else computed: judge(p, x=x, w=w, y=y).  Inputs that are integers whose sums are
    exact are compared bit for bit, others against the bound."""
    problem = as_problem(problem)
    kept, pointers = operands(problem, arrays, problem.inputs + problem.outputs)
    result = new("conv_verification")
    checked(lib.conv_verify_operands, ctypes.byref(result), problem._struct, pointers)
    return _verification(result)


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
                                          "threads scratch_bytes packed_bytes pack_seconds")
Timing.__doc__ = """What one kernel took on one problem.

verified             right on this problem; if it isn't, it wasn't timed and the numbers are 0
median, p10, p90     seconds of one call
speedup              over the first kernel, the median of the ratios of their turns
macs_per_second      macs_inside / median
"""


def bench(problem, kernels=None, threads=1, rounds=7, turn=0.02, patience=1.0, cold=False, seed=1):
    """Time kernels that take turns on one problem; each is verified on it first.  Returns a list of Timing.

    kernels    names or Kernels; speed-ups are over the first.  Left out: all that compute the problem
    turn       seconds of one turn;   patience: seconds that one kernel may take in all its turns
    cold       sweep the caches before every call
    """
    problem = as_problem(problem)
    rows = all_kernels(problem) if kernels is None else [as_kernel(kernel) for kernel in kernels]
    for row in rows:
        if row.refuses(problem):
            raise ValueError(f"{row} doesn't compute {problem}: {row.refuses(problem)}")
    options = new("conv_bench_options", threads=threads, cold=cold, rounds=rounds, turn_seconds=turn,
                  patience=patience, seed=seed)
    pointers = (ctypes.c_void_p * len(rows))(*(row._address for row in rows))
    timings = (structs["conv_timing"] * len(rows))()
    checked(lib.conv_bench_kernels, timings, pointers, len(rows), problem._struct, ctypes.byref(options))
    macs = count(problem)["macs_inside"]
    return [Timing(row.name, one.verified, one.median, one.p10, one.p90, one.speedup,
                   macs / one.median if one.median > 0 else 0, one.turns, one.calls, one.threads, one.scratch_bytes,
                   one.packed_bytes, one.pack_seconds) for row, one in zip(rows, timings)]
