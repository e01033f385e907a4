"""_examine.py - the library's own problems, as many as you like, and a verdict for each problem of a list.

    chosen = itertools.islice(convref.problems("routes", kinds="depthwise", max_stride=2), 500)
    found = convref.examine(my_function, chosen)
    print(found)                                how many of each verdict, and the smallest of each kind of fault
    [row.problem for row in found.rows if row.verdict == "REJECT"]

Not here: the checks that need more than one problem (convref.verify).   Read next: include/convref/examine.h
"""
import collections
import ctypes
import sys

from ._candidate import _THREADED, KINDS, LAYOUTS, PASSES, TYPES, Candidate, _bits, _listed, as_candidate, in_fork
from ._compute import as_kernel
from ._library import checked, lib, new, numbers, raise_error, structs
from ._problem import Problem, as_problem
from ._verdict import _finding, _finding_lines, _first, verify_options

_VERDICTS = [lib.conv_verdict_name(i).decode() for i in range(4)]


# ---- problems ------------------------------------------------------------------------------------------------------

def problems(set, seed=1, kinds=None, passes=None, layouts=None, types=None, ranks=None, max_stride=0, max_dilation=0,
             max_filter=0, max_pad=0, max_macs=0):
    """The problems of a set, one after the other: "small", "routes", ..., see include/convref/problems.h.

    kinds, passes, layouts, types, ranks   only these: words, a list of words, numbers; left out, all
    max_...                                nothing larger; 0 is no limit.  max_macs: of one pass, padding included

    The same arguments give the same problems in the same order.
    """
    wanted = [1, 2, 3] if ranks is None else [ranks] if isinstance(ranks, int) else list(ranks)
    if not wanted or not all(rank in (1, 2, 3) for rank in wanted):
        raise ValueError(f"ranks is {ranks!r}, expected some of 1, 2, 3")
    named = {"kinds": (kinds, KINDS), "passes": (passes, PASSES), "layouts": (layouts, LAYOUTS),
             "types": (types, TYPES)}
    bits = {name: _bits(_listed(words, allowed, name), allowed) for name, (words, allowed) in named.items()}
    made = new("conv_problem_filter", **bits, ranks=sum(1 << rank for rank in {*wanted}), most_stride=max_stride,
               most_dilation=max_dilation, most_filter=max_filter, most_pad=max_pad, most_macs=max_macs)
    walk = ctypes.c_void_p()
    checked(lib.conv_problem_walk_open, ctypes.byref(walk), str(set).encode(), seed, ctypes.byref(made))
    return _walk(walk, made)


def _walk(walk, made):
    struct = (ctypes.c_uint64 * ((lib.conv_problem_size() + 7) // 8))()
    try:
        while lib.conv_problem_walk_next(walk, struct):
            yield Problem._copy_of(ctypes.addressof(struct))
        if lib.conv_problem_walk_failed(walk):
            raise MemoryError("no memory for more problems of the set")
    finally:
        lib.conv_problem_walk_close(walk)


# ---- verdicts ------------------------------------------------------------------------------------------------------

Examined = collections.namedtuple("Examined", "problem verdict fault words elements wrong first worst seconds")
Examined.__doc__ = """What came of one problem.

verdict     ACCEPT, REJECT, INCONCLUSIVE (never a pass) or SKIPPED (it isn't computed)
fault       of REJECT, its kind; else empty
words       of REJECT, where; of INCONCLUSIVE and SKIPPED, why
first       the first wrong elements: (index in words, expected, got, allowed error), of `wrong` among `elements`
worst       the largest error / bound on real numbers
"""

Examination = collections.namedtuple("Examination", "rows verdicts findings warning")
Examination.__doc__ = """A verdict for each problem.  print() sums them up.

rows        an Examined for each problem, in order
verdicts    verdict -> how many
findings    kind of fault -> the first failure of that kind made small, a dict as in Verification.finding
warning     what is odd but not wrong; or empty
"""


def _row(row, problem):
    finding = new("conv_finding", operand=row.operand, shown=row.shown, first=row.first)
    ctypes.memmove(ctypes.addressof(finding) + structs["conv_finding"].problem.offset, problem._struct,
                   lib.conv_problem_size())
    fault = lib.conv_fault_name(row.fault).decode() if row.fault else ""
    return Examined(problem, _VERDICTS[row.verdict], fault, row.words.decode(errors="replace"), row.elements,
                    row.wrong, _first(finding), row.worst, row.seconds)


def _findings(all_, name):
    counts, kind = numbers(all_.faults, ctypes.c_int), structs["conv_finding"]
    return {lib.conv_fault_name(fault).decode():
            _finding(kind.from_buffer_copy(bytes(all_.finding), fault * ctypes.sizeof(kind)), name)
            for fault, count in enumerate(counts) if count}


def _examination(rows, findings, warning):
    counts = collections.Counter(row.verdict for row in rows)
    return Examination(rows, {verdict: counts[verdict] for verdict in _VERDICTS}, findings, warning)


def _call(address, listed, options):
    """conv_examine(), as bytes: they may come from a forked copy of this process."""
    packed = b"".join(bytes(problem._struct)[:lib.conv_problem_size()] for problem in listed)
    rows, all_ = (structs["conv_examined"] * len(listed))(), new("conv_examination")
    error = new("conv_error")
    status = lib.conv_examine(rows, ctypes.byref(all_), address, packed, len(listed), ctypes.byref(options),
                              ctypes.byref(error))
    return status, bytes(rows), bytes(all_), bytes(error)


def _not_implemented(rows, count):
    """Did a call end with NotImplementedError?"""
    return any(row.words.startswith(b"NotImplementedError")
               for row in (structs["conv_examined"] * count).from_buffer_copy(rows))


def _without_hangs(row):
    """A hang says nothing of a library whose threads the fork has lost."""
    return row if row.fault != "hang" else row._replace(verdict="INCONCLUSIVE", fault="", words=(
        "a call hung in a forked copy of this process, which has none of the threads of a library that was used"))


def examine(kernel, problems, seed=1, time_limit=60, threads=0, brief=False, in_process=False):
    """A verdict for each problem, by a kernel's name, a Kernel, or a Python function (or convref.Candidate).

    problems     Problems or their texts, in any iterable
    time_limit   seconds for one problem; a call that takes half of it hangs
    brief        findings stay as large as they were found
    in_process   don't fork, as in Candidate.verify()

    No failure ends it: a crash, a hang or an exit costs its own problem.
    """
    listed = [as_problem(problem) for problem in problems]
    options = verify_options(seed=seed, time_limit=time_limit, threads=threads, brief=brief, in_process=in_process)
    python = callable(kernel) or hasattr(kernel, "candidate") or isinstance(kernel, Candidate)
    candidate = as_candidate(kernel) if python else None
    made = candidate._kernel() if python else None
    address, name = (ctypes.byref(made), b"") if python else (as_kernel(kernel)._address, str(kernel).encode())

    def run():
        return _call(address, listed, options)

    status, rows, all_, error = in_fork(run) if python and not in_process else run()
    if python and _not_implemented(rows, len(listed)) and candidate._ask():
        status, rows, all_, error = in_fork(run) if not in_process else run()
    raise_error(status, structs["conv_error"].from_buffer_copy(error))
    rows = [_row(row, problem) for row, problem in
            zip((structs["conv_examined"] * len(listed)).from_buffer_copy(rows), listed)]
    all_ = structs["conv_examination"].from_buffer_copy(all_)
    findings = _findings(all_, name)
    for finding in findings.values() if python else ():
        finding["repro"] = candidate._repro(finding)
    if python and not in_process and any(name in sys.modules for name in _THREADED):
        rows = [_without_hangs(row) for row in rows]
        findings.pop("hang", None)
    return _examination(rows, findings, all_.warning.decode(errors="replace"))


def _lines(found):
    yield "  ".join(f"{verdict} {count}" for verdict, count in found.verdicts.items() if count) or "no problems"
    if found.warning:
        yield f"    warning  {found.warning}"
    for finding in found.findings.values():
        yield from _finding_lines(finding)


Examination.__str__ = lambda self: "\n".join(_lines(self))
