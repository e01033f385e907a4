"""_candidate.py - a Python function as a candidate: it is verified as a kernel in C is.

    def conv(problem, x, w, bias=None): ...                     returns y
    print(convref.verify(conv))                                 forward, channels first, f32, 1-D to 3-D
    convref.verify(convref.Candidate(conv, kinds="standard pointwise", ranks=2))        says what it computes

The arrays lie in the verifier's memory, between guard pages: nothing is copied on the way in, so that a library that
reads beyond an array, or writes to it, is caught.  The result is checked for its shape and type, then copied out.  An
exception is a finding.
Everything runs in a forked copy of this process (docs/peers.md says what that means for libraries with threads).
Not here: frameworks (peers/), verdicts as text (_verdict.py).
"""
import ctypes
import functools
import importlib
import inspect
import mmap
import os
import pickle
import signal
import sys
import threading
import warnings

import numpy as np

from ._library import lib, new, raise_error, structs
from ._problem import OPERANDS, Problem
from ._verdict import verification, verify_options

KINDS = [lib.conv_kind_name(i).decode() for i in range(7)]
PASSES = ["forward", "backward_data", "backward_weights"]
LAYOUTS, TYPES = ["first", "last"], ["f32", "f64"]
_THREADED = "torch", "tensorflow", "jax", "onnxruntime", "openvino", "ai_edge_litert"   # a fork loses their threads
_BIG = 1 << 30                           # bytes of an input that isn't asked of Python, see _scratch_bytes()

_Applies = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_Bytes = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int)
_Progress = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64)
_Run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def _listed(words, allowed, what):
    """"forward backward_data", or a list of them, as a list; None is all."""
    listed = allowed if words is None else words.split() if isinstance(words, str) else list(words)
    for word in listed:
        if word not in allowed:
            raise ValueError(f"{what} has {word!r}, expected some of {', '.join(allowed)}")
    return list(listed)


def accuracy_of_name(name):
    """The number of a class of accuracy."""
    found = lib.conv_accuracy_of_name(name.encode())
    if found == lib.conv_accuracy_of_name(b""):
        raise ValueError(f"accuracy is {name!r}, expected a class of docs/exactness.md, such as 'direct'")
    return found


def _bits(listed, allowed):
    return sum(1 << allowed.index(word) for word in set(listed))


# ---- threads -------------------------------------------------------------------------------------------------------

_thread = threading.local()


def _keep_thread():
    """The verifier calls from a thread that Python hasn't made.  Python would forget it after each call; libraries
    that remember its state, as pybind11 does, would crash in the next."""
    if not hasattr(_thread, "kept"):
        _thread.kept = ctypes.pythonapi.PyGILState_Ensure()      # and never released


# ---- arrays in the verifier's memory -------------------------------------------------------------------------------

@functools.lru_cache(maxsize=64)
def _problem_of(struct):
    kept = ctypes.create_string_buffer(struct, len(struct))
    return Problem._copy_of(ctypes.addressof(kept))


def _problem_at(address):
    return _problem_of(ctypes.string_at(address, lib.conv_problem_size()))


class _At:
    """NumPy's way to look at memory that it doesn't own."""

    def __init__(self, address, shape, dtype):
        self.__array_interface__ = {"data": (address, False), "shape": shape, "typestr": dtype.str, "version": 3}


def _is_big(problem):
    largest = max(np.prod(shape, dtype=float) for shape in problem.shapes.values()) * problem.dtype.itemsize
    return largest > _BIG


def _array_at(address, shape, dtype):
    return np.asarray(_At(address, shape, dtype)) if address else np.empty(shape, dtype)


def _arrays_at(problem, operands_at, names):
    pointers = (ctypes.c_void_p * len(OPERANDS)).from_address(operands_at)
    return {name: _array_at(pointers[problem._index[name]], problem.shapes[name], problem.dtype) for name in names}


# ---- what the function returned ------------------------------------------------------------------------------------

class WrongResult(Exception):
    """Not an array of the right shape and type; str() says what would be right."""


def _pairs(problem, result):
    """The outputs' names, and what was returned for each."""
    names = problem.outputs
    if len(names) == 1:
        return [(names[0], result)]
    if not isinstance(result, (tuple, list)) or len(result) != len(names):
        raise WrongResult(f"it returned {type(result).__name__}, expected a tuple ({', '.join(names)})")
    return list(zip(names, result))


def _checked_result(problem, name, value):
    wanted = f"{name} as {problem.dtype} {problem.shapes[name]}"
    if value is None:
        raise WrongResult(f"it returned None, expected {wanted}")
    array = np.asarray(value)
    if array.dtype != problem.dtype or array.shape != problem.shapes[name]:
        raise WrongResult(f"it returned {array.dtype} {array.shape}, expected {wanted}")
    return array


def _words(error, function):
    """An exception as the last line of its traceback, with the line of the function in which it happened."""
    if isinstance(error, WrongResult):
        return str(error)
    code = getattr(inspect.unwrap(function), "__code__", None)
    place, at = "", error.__traceback__
    while at:
        if code and at.tb_frame.f_code.co_filename == code.co_filename:
            place = f" ({os.path.basename(code.co_filename)}, line {at.tb_lineno})"
        at = at.tb_next
    lines = (f"{type(error).__name__}: {error}".splitlines() or [""])
    return " ".join(lines[0].split()) + place


# ---- the candidate -------------------------------------------------------------------------------------------------

class Candidate:
    """A function with what it computes.

    function   called as function(problem, x=x, w=w, bias=bias) and so on, with the arrays of the problem's pass by
               name (problem.inputs), it returns y, or dx, or dw, or (dw, dbias).  Or a dict: pass -> function
    name       of the function, unless given
    passes     "forward", or the keys of the dict
    kinds      "standard pointwise grouped depthwise" unless given; there are "separable", "transposed" and
               "inverted_residual", too
    layouts    "first", "last" (of the channels);   types   "f32", "f64";   ranks   1, 2, 3, or several
    applies    a function of a problem: None or True if it is computed, else False, or why not, in words
    accuracy   "direct": each product once, in the problem's own type; or another class of docs/exactness.md, "tf32" say

    Words may be one string with spaces between, or a list.
    """

    def __init__(self, function, name=None, passes=None, kinds="standard pointwise grouped depthwise",
                 layouts="first", types="f32", ranks=(1, 2, 3), applies=None, repro=None, accuracy="direct"):
        self.functions = dict(function) if isinstance(function, dict) else None
        self.function = function
        default = list(self.functions) if self.functions else "forward"
        self.passes = _listed(default if passes is None else passes, PASSES, "passes")
        self.kinds, self.layouts = _listed(kinds, KINDS, "kinds"), _listed(layouts, LAYOUTS, "layouts")
        self.types = _listed(types, TYPES, "types")
        self.ranks = (ranks,) if isinstance(ranks, int) else tuple(ranks)
        self.applies, self.repro, self.accuracy = applies, repro, accuracy
        self._accuracy = accuracy_of_name(accuracy)
        one = next(iter(self.functions.values())) if self.functions else function
        self.name = name or getattr(one, "__name__", type(one).__name__)
        self.imports = ()                   # modules that the function imports itself, slowly: see _verify()
        self._said = {}                     # words, kept alive for the library
        self._asked, self._declined = None, None    # see _declines()

    def only(self, **facts):
        """The same candidate with other facts: only(passes="backward_data")."""
        keys = "function name passes kinds layouts types ranks applies repro accuracy".split()
        same = {key: getattr(self, key) for key in keys}
        made = Candidate(**{**same, **facts})
        made.imports = self.imports
        return made

    def refuses(self, problem):
        """Why it doesn't compute this problem, in words, or None.  The sets are the library's business."""
        if len(problem.in_) not in self.ranks:
            return f"it doesn't know {len(problem.in_)}-D"
        answer = self.applies(problem) if self.applies else None
        return None if answer is None or answer is True else answer or "it doesn't compute it"

    def __call__(self, problem, **arrays):
        """Call the function, and return its outputs by name, checked."""
        function = self.functions[problem.pass_] if self.functions else self.function
        return {name: _checked_result(problem, name, value)
                for name, value in _pairs(problem, function(problem, **arrays))}

    # ---- as a struct conv_kernel; the callbacks must outlive it

    def _applies(self, problem_at):
        _keep_thread()
        try:
            words = self.refuses(_problem_at(problem_at))
        except Exception:
            words = None                    # run() meets it again, and says so
        if words is None and self._asked is not None:
            words = self._declines(_problem_at(problem_at))
        if words is None:
            return None
        return ctypes.addressof(self._said.setdefault(words, ctypes.create_string_buffer(words.encode())))

    def _ask(self):
        """From now on the function is asked of each problem whether it computes it; True if that is new.

        Whether it does shows when it is called.  A verification that ends with NotImplementedError is begun anew, and
        the function called once more for each problem, beforehand: those that never raise it pay nothing.
        """
        new_here, self._asked = self._asked is None, self._asked or {}
        if new_here:
            self._declined = mmap.mmap(-1, 256)      # the first words, from the copies of this process
        return new_here

    def _declines(self, problem):
        """The words of NotImplementedError, of a call with zeros, or None.  Other errors are met again in _run()."""
        key = str(problem)
        if key not in self._asked and not _is_big(problem):
            self._asked[key] = None
            try:
                self(problem, **{name: np.zeros(problem.shapes[name], problem.dtype) for name in problem.inputs})
            except NotImplementedError as error:
                function = self.functions[problem.pass_] if self.functions else self.function
                self._asked[key] = _words(error, function)
                if not self._declined[0]:
                    words = self._asked[key].encode()[:255]
                    self._declined[:len(words)] = words
            except BaseException:
                pass
        return self._asked.get(key)

    def _computes_nothing(self, in_process):
        """Does it decline every problem of a set that has every kind?  The checks' sets have millions to ask."""
        from ._examine import problems       # which needs this file

        def ask():
            listed = problems("covering", kinds=self.kinds, passes=self.passes, layouts=self.layouts,
                              types=self.types, ranks=self.ranks)
            return not any(self.refuses(problem) is None and self._declines(problem) is None for problem in listed)

        return ask() if in_process else in_fork(ask)

    def _declined_words(self):
        return bytes(self._declined).rstrip(b"\0").decode(errors="replace") if self._declined else ""

    def _scratch_bytes(self, problem_at, threads):
        """Inputs of gigabytes are mapped, not there, and Python copies them: asking for so much declines them."""
        return 2 * _BIG if _is_big(_problem_at(problem_at)) else 0

    def _run(self, problem_at, operands_at, workspace_at):
        _keep_thread()
        try:
            problem = _problem_at(problem_at)
            if self.applies:
                self.applies(problem)
            places = _arrays_at(problem, operands_at, problem.outputs)
            for name, array in self(problem, **_arrays_at(problem, operands_at, problem.inputs)).items():
                places[name][...] = array
        except BaseException as error:       # SystemExit too: nothing may pass through the library
            function = self.functions[problem.pass_] if self.functions else self.function
            words = _words(error, function).encode()[:255] + b"\0"
            failure = structs["conv_workspace"].from_address(workspace_at).failure
            ctypes.memmove(failure, words, len(words))

    def _kernel(self):
        self._kept = (_Applies(self._applies), _Bytes(self._scratch_bytes), _Run(self._run),
                      ctypes.create_string_buffer(self.name.encode()[:200]))
        applies, scratch, run, name = (ctypes.cast(one, ctypes.c_void_p) for one in self._kept)
        return new("conv_kernel", name=name, title=name, kinds=_bits(self.kinds, KINDS),
                   passes=_bits(self.passes, PASSES), layouts=_bits(self.layouts, LAYOUTS),
                   types=_bits(self.types, TYPES), accuracy=self._accuracy, applies=applies,
                   scratch_bytes=scratch, run=run)

    # ---- the verdict

    def verify(self, problem=None, seed=1, time_limit=600, check=None, in_process=False):
        """Run the verifier's checks.  Returns a Verification.

        problem      one, or a list: nothing but these; left out, the checks' own
        check        one check, or a list of several; left out, all
        in_process   don't fork: for a library that has already used its threads here, in a notebook.  Then a crash,
                     an endless loop or too much memory is this process's own
        """
        names = [None] if check is None else [check] if isinstance(check, str) else list(check)
        results = []
        for one in names:
            found = self._verify(problem, one, in_process, seed=seed, time_limit=time_limit)
            if _is_not_implemented(found.finding) and self._ask():
                if problem is None and self._computes_nothing(in_process):
                    found = found._replace(verdict="SKIPPED", finding=None, checks={})
                else:
                    found = self._verify(problem, one, in_process, seed=seed, time_limit=time_limit)
            results.append(self._with_declined(found))
            if results[-1].verdict in ("REJECT", "INCONCLUSIVE"):
                break
        return _merged(results)

    def _with_declined(self, found):
        """An ACCEPT says what was left out; where nothing was computed, nothing is known."""
        words = self._declined_words()
        if not words or found.verdict == "REJECT":
            return found
        if found.verdict == "SKIPPED":
            return found._replace(verdict="INCONCLUSIVE", reason=f"it computes none of the problems: {words}")
        return found._replace(notes={**found.notes, "left out": f"problems that it doesn't compute: {words}"})

    def _verify(self, problem, check, in_process, **fields):
        options = verify_options(problem, check, in_process=in_process, progress=_progress(self.name), **fields)
        kernel = self._kernel()

        def call():
            for one in self.imports:         # here, unused: or every attempt to shrink a crash would import it anew
                one() if callable(one) else importlib.import_module(one)
            result, error = new("conv_verification"), new("conv_error")
            status = lib.conv_verify_kernel(ctypes.byref(result), ctypes.byref(kernel), ctypes.byref(options),
                                            ctypes.byref(error))
            return status, bytes(result), bytes(error)

        status, result, error = call() if in_process else in_fork(call)
        if options.progress:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
        raise_error(status, structs["conv_error"].from_buffer_copy(error))
        found = verification(structs["conv_verification"].from_buffer_copy(result))
        if found.finding:
            found.finding["repro"] = self._repro(found.finding)
        return found if in_process else _without_threads(found)

    def _repro(self, finding):
        problem = "" if finding["needs_others"] else f'"{finding["problem"]}"'
        if self.repro:
            return f"{self.repro} --seed {finding['seed']} --check {finding['check']} {problem}".rstrip()
        return (f"convref.verify({self.name}, {problem + ', ' if problem else ''}check=\"{finding['check']}\", "
                f"seed={finding['seed']})")


def _is_not_implemented(finding):
    return bool(finding) and finding["where"].startswith("NotImplementedError")


def _progress(name):
    """The address of a function that shows on a terminal how far a check is, or None."""
    if not sys.stderr.isatty():
        return None

    def show(check, done, total):
        how_far = f" {done}/{total}" if total > 0 else ""
        sys.stderr.write(f"\r\033[K{name:.30}: {check.decode()}{how_far}")
        sys.stderr.flush()

    _progress.kept = _Progress(show)         # outlives the pointer to it
    return ctypes.cast(_progress.kept, ctypes.c_void_p)


def as_candidate(what):
    """A Candidate, or a function, or a module that has one."""
    if isinstance(what, Candidate):
        return what
    return what.candidate if hasattr(what, "candidate") else Candidate(what, repro=_command_of(what))


def _command_of(function):
    """`python3 -m convref FILE:NAME`, if the function can be found so."""
    name, path = getattr(function, "__qualname__", ""), None
    try:
        path = inspect.getsourcefile(function)
    except TypeError:
        pass
    if not name.isidentifier() or not path or not os.path.exists(path):
        return None
    path = os.path.relpath(path) if not os.path.relpath(path).startswith("..") else path
    return f"python3 -m convref {path}:{name}"


def _merged(results):
    """Several checks, one after the other: the last verdict, and the evidence of all."""
    worst = [one for one in results if one.verdict in ("REJECT", "INCONCLUSIVE")]
    last = (worst or [one for one in results if one.verdict == "ACCEPT"] or results)[-1]
    checks = {name: row for one in results for name, row in one.checks.items()}
    notes = {name: note for one in results for name, note in one.notes.items()}
    named = next((one.arithmetic for one in results if one.arithmetic), "")
    return last._replace(checks=checks, notes=notes, arithmetic=named)


def _without_threads(found):
    """A hang says nothing of a library whose threads the fork has lost."""
    loaded = [name for name in _THREADED if name in sys.modules]
    if not loaded or not found.finding or found.finding["fault"] != "hang":
        return found
    return found._replace(verdict="INCONCLUSIVE", finding=None, reason=(
        f"a call hung in a forked copy of this process, which has none of the threads of {' and '.join(loaded)}, if "
        "used here before; `python3 -m convref FILE:FUNCTION` takes a new process, in_process=True no fork"))


def in_fork(body):
    """body() in a forked copy of this process; what it returns comes back.  An interrupt ends it."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")      # of threads that the copy doesn't have: see the top
        child = os.fork()
    if child == 0:
        try:
            os.close(read)
            with os.fdopen(write, "wb") as pipe:
                pipe.write(pickle.dumps(body()))
        finally:
            os._exit(0)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if not data:
        raise RuntimeError(f"the verification ended without a result, with status {status}")
    return pickle.loads(data)
