"""_verdict.py - what a verification found: the library's struct as a named tuple, and as the text of the program.

Not here: any judgement.   Read next: _candidate.py, docs/exactness.md
"""
import collections
import ctypes

from ._library import lib, new, structs
from ._problem import Problem, as_problem

Verification = collections.namedtuple("Verification", "verdict kernel reason checks finding arithmetic warning notes",
                                      defaults=("", "", {}))
Verification.__doc__ = """A verdict and its evidence.  print() shows it as `convref verify` does.

verdict     ACCEPT, REJECT, INCONCLUSIVE (never a pass) or SKIPPED
kernel      its name; empty for arrays
reason      of INCONCLUSIVE and SKIPPED, in words
checks      name -> (problems, elements, worst error / bound, seconds)
finding     of REJECT, a dict: fault, check, problem, operand, elements, wrong, where, first, guess, seed,
            repro, needs_others, roomier;
            first is a list of the first wrong elements: (index in words, expected, got, allowed error);
            needs_others says that the problem alone doesn't show it, only its whole check;
            roomier is a larger problem that shows the pattern, a dict: problem, elements, wrong, where; or None
arithmetic  what the kernel seems to compute in, and how sure that is; may be empty
warning     what is odd but not wrong
notes       check -> what else it found out
"""


def _first(finding):
    row, text = structs["conv_wrong"], ctypes.create_string_buffer(128)
    rows = [row.from_buffer_copy(bytes(finding.first), i * ctypes.sizeof(row)) for i in range(finding.shown)]
    return [(lib.conv_wrong_print(text, ctypes.byref(finding), ctypes.byref(one)).decode(), one.expected, one.got,
             one.bound) for one in rows]


def _roomier(finding):
    if not finding.has_roomier:
        return None
    return {"problem": Problem._copy_of(ctypes.addressof(finding.roomier)), "elements": finding.roomier_elements,
            "wrong": finding.roomier_wrong, "where": finding.pattern.decode(errors="replace")}


def _finding(finding, kernel):
    problem = Problem._copy_of(ctypes.addressof(finding.problem))
    repro = lib.conv_repro_line(ctypes.create_string_buffer(2048), ctypes.byref(finding), kernel) if kernel else b""
    names = {index: name for name, index in problem._index.items()}
    return {"fault": lib.conv_fault_name(finding.fault).decode(), "check": finding.check.decode(), "problem": problem,
            "operand": names.get(finding.operand, ""), "elements": finding.elements, "wrong": finding.wrong,
            "where": finding.where.decode(errors="replace"), "first": _first(finding),
            "guess": finding.guess.decode(), "seed": finding.seed, "repro": repro.decode(),
            "needs_others": finding.needs_others, "roomier": _roomier(finding)}


def _arithmetic(result):
    named = structs["conv_arithmetic"].from_buffer_copy(bytes(result.arithmetic))
    return f"{named.words.decode()} ({lib.conv_sure_name(named.sure).decode()})" if named.words else ""


def verification(result):
    """A struct conv_verification as a Verification."""
    verdict = lib.conv_verdict_name(result.verdict).decode()
    row = structs["conv_evidence"]
    rows = [row.from_buffer_copy(bytes(result.evidence), i * ctypes.sizeof(row)) for i in range(result.checks)]
    checks = {one.check.decode(): (one.problems, one.elements, one.worst, one.seconds) for one in rows}
    finding = structs["conv_finding"].from_buffer_copy(bytes(result.finding)) if verdict == "REJECT" else None
    return Verification(verdict, result.kernel.decode(), result.reason.decode(), checks,
                        finding and _finding(finding, result.kernel), _arithmetic(result),
                        result.warning.decode(errors="replace"),
                        {one.check.decode(): one.note.decode() for one in rows if one.note})


def verify_options(problems=None, check=None, **fields):
    """A struct conv_verify_options.  With problems, one or a list, nothing but these is looked at."""
    made = new("conv_verify_options", **fields)
    if check is not None:
        made._check = ctypes.c_char_p(check.encode())      # outlives the pointer to it
        made.check = ctypes.cast(made._check, ctypes.c_void_p)
    if problems is not None:
        listed = problems if isinstance(problems, (list, tuple)) else [problems]
        made._kept = b"".join(bytes(as_problem(problem)._struct) for problem in listed)
        made._problems = ctypes.create_string_buffer(made._kept, len(made._kept))
        made.problems, made.problem_count = ctypes.addressof(made._problems), len(listed)
        made.only_problems = True
    return made


# ---- as text -------------------------------------------------------------------------------------------------------

def _finding_lines(finding):
    yield f"    what     {finding['fault']}, found by check \"{finding['check']}\""
    if finding["wrong"]:
        yield f"    how many {finding['wrong']} of {finding['elements']} elements of {finding['operand']}"
    yield f"    where    {finding['where']}"
    for i, (index, expected, got, bound) in enumerate(finding["first"]):
        allowed = f" (allowed: {bound:.3g})" if bound > 0 else ""
        yield f"    {'first' if i == 0 else '     '}    {index}: expected {expected:.9g}, got {got:.9g}{allowed}"
    if finding["guess"]:
        yield f"    guess    {finding['guess']}"
    yield f"    problem  {finding['problem']}"
    if finding["roomier"]:
        roomier = finding["roomier"]
        yield f"    pattern  of {roomier['problem']}: {roomier['wrong']} of {roomier['elements']}, {roomier['where']}"
    if finding["repro"]:
        yield f"    repro    {finding['repro']}"


def _lines(result):
    ran = [f"{name} {problems}" for name, (problems, *_) in result.checks.items() if problems]
    worst = max((worst for _, _, worst, _ in result.checks.values()), default=0)
    error = f"  worst error {worst:.2f} of the bound" if worst > 0 else ""
    seconds = sum(seconds for *_, seconds in result.checks.values())
    yield f"{result.verdict:<12} {result.kernel:<36} {' '.join(ran)}{error}  {seconds:.1f} s {result.reason}".rstrip()
    if result.warning:
        yield f"    warning  {result.warning}"
    for name, note in result.notes.items():
        yield f"    {name:<11} {note}"
    if result.arithmetic:
        yield f"    arithmetic  {result.arithmetic}"
    if result.finding:
        yield from _finding_lines(result.finding)


Verification.__str__ = lambda self: "\n".join(_lines(self))
