"""_compute.py - kernels, how they are run, and the truth that they are judged by.

Not here: any arithmetic of convolutions; all of it is the library's.   Read next: _measure.py
"""
import collections
import ctypes
import functools

import numpy as np

from ._candidate import accuracy_of_name
from ._library import checked, lib, new, structs
from ._problem import aligned, as_problem, operands

_FORWARD_OPERANDS = ("x", "w", "bias", "pw", "pw_bias", "y", "ew", "ew_bias")    # by enum conv_operand


# ---- the table of kernels ------------------------------------------------------------------------------------------

class Kernel:
    """One way to compute some convolutions: a row of the library's table.  str(kernel) is its name.

    title    what this step of its ladder changes
    from_    the step that it grew out of, or None
    ladder   "dw" for dw_04_rows_in_registers
    source   the file that it came from
    """

    def __init__(self, address):
        row = structs["conv_kernel"].from_address(address)
        self._address, self.threaded = address, row.threaded
        self.name, self.title, self.from_ = (ctypes.string_at(text).decode() if text else None
                                             for text in (row.name, row.title, getattr(row, "from")))
        self.ladder = lib.conv_kernel_ladder(ctypes.create_string_buffer(32), address).decode()
        self.source = lib.conv_kernel_source(address).decode()
        self.isa = lib.conv_isa_name(row.isa).decode()

    def refuses(self, problem):
        """Why this kernel doesn't compute the problem on this machine, in words; None if it does."""
        words = lib.conv_kernel_refuses(self._address, as_problem(problem)._struct)
        return words.decode() if words else None

    def __str__(self):
        return self.name

    def __repr__(self):
        return f"<convref kernel {self.name}: {self.title}>"


def kernels(for_problem=None, ladder=None):
    """All kernels in the order in which to read them; or those that compute a problem; or those of one ladder."""
    rows = [Kernel(lib.conv_kernel_at(i)) for i in range(lib.conv_kernel_count())]
    problem = None if for_problem is None else as_problem(for_problem)
    return [row for row in rows if (ladder is None or row.ladder == ladder)
            and (problem is None or row.refuses(problem) is None)]


def as_kernel(kernel):
    if isinstance(kernel, Kernel):
        return kernel
    address = lib.conv_kernel_find(str(kernel).encode())
    if not address:
        raise ValueError(f"there is no kernel {str(kernel)!r}; convref.kernels() lists those that there are")
    return Kernel(address)


_OWN_KERNELS = lib.conv_kernel_count()          # read before any provider can be loaded


def default_kernel(problem):
    """The library's last step that computes the problem.  Kernels of providers are run when asked for, not by
    default."""
    able = [row for row in kernels()[:_OWN_KERNELS] if row.refuses(problem) is None]
    if not able:
        raise ValueError(f"no kernel computes {problem} on this machine")
    return able[-1]


def load(path):
    """Add the kernels of a provider, a shared object, and return them."""
    before = lib.conv_kernel_count()
    checked(lib.conv_provider_load, str(path).encode())
    return kernels()[before:]


# ---- running -------------------------------------------------------------------------------------------------------

def _result(problem, arrays):
    """One array as it is; dw and dbias as a named pair."""
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    return collections.namedtuple("Gradients", arrays)(**arrays)


def _outputs(problem):
    """Arrays for what the pass writes, NaN until it has."""
    arrays = {name: aligned(problem.shapes[name], problem.dtype) for name in problem.outputs}
    for array in arrays.values():
        array.fill(np.nan)
    return arrays


def run(problem, kernel=None, threads=1, **arrays):
    """Run a kernel once and return its output: y, or dx, or dw, or (dw, dbias) if the problem has a bias.

    The arrays are the problem's inputs, by name: run(p, x=x, w=w), or for backward_data w=w, dy=dy.  Shapes and types
    must be the problem's; arrays that aren't contiguous are copied.  Without a kernel the last step of the library's
    ladders that computes the problem is run.  Raises NotApplicable if the kernel refuses.
    """
    problem = as_problem(problem)
    kernel = default_kernel(problem) if kernel is None else as_kernel(kernel)
    kept, pointers = operands(problem, arrays, problem.inputs)
    outputs = _outputs(problem)
    for name, array in outputs.items():
        pointers[problem._index[name]] = array.ctypes.data
    options = new("conv_plan_options", threads=threads)
    checked(lib.conv_run, pointers, kernel._address, problem._struct, ctypes.byref(options))
    return _result(problem, outputs)


class Plan:
    """A kernel bound to a problem and its arrays, its weights packed: what is timed, if not by convref.bench.

        plan = Plan(p, kernel, threads=1, x=x, w=w)
        plan.run()               seconds, by the library's clock; negative if it failed.  Allocates nothing
        plan.outputs["y"]        what the last run wrote
    """

    def __init__(self, problem, kernel=None, threads=1, **arrays):
        problem = as_problem(problem)
        kernel = default_kernel(problem) if kernel is None else as_kernel(kernel)
        self._kept, self._pointers = operands(problem, arrays, problem.inputs)
        self.outputs = _outputs(problem)
        for name, array in self.outputs.items():
            self._pointers[problem._index[name]] = array.ctypes.data
        self._plan, options = ctypes.c_void_p(), new("conv_plan_options", threads=threads)
        checked(lib.conv_plan_create, ctypes.byref(self._plan), kernel._address, problem._struct,
                ctypes.byref(options))
        self.run = functools.partial(lib.conv_plan_run, self._plan)
        checked(lib.conv_plan_load, self._plan, self._pointers)

    def failure(self):
        """Why the last run failed, in the kernel's words."""
        return lib.conv_plan_failure(self._plan).decode()

    def __del__(self):
        if getattr(self, "_plan", None):
            lib.conv_plan_free(self._plan)


# ---- the truth -----------------------------------------------------------------------------------------------------

Truth = collections.namedtuple("Truth", "value magnitude taps bound products")


def _copied(pointer, dtype, problem, name):
    """A C array of the truth, channels first, in the problem's layout."""
    shape = problem.shapes[name]
    last = problem.layout[-1] == "c" and _FORWARD_OPERANDS[problem._index[name]] in ("x", "y")
    first = (shape[0], shape[-1]) + shape[1:-1] if last else shape
    array = np.empty(first, dtype)
    ctypes.memmove(array.ctypes.data, pointer, array.nbytes)
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if last else array


def truth(problem, output=None, accuracy="direct", **arrays):
    """What an output of the problem is in truth, computed in double by the reference (long double for f64).

    Returns a named tuple, each but the last an array of the output's shape:
    value      the sum, after the activation
    magnitude  the sum of absolute values of what was added
    taps       how many products were added, padding left out
    bound      how far a correct kernel of this class of accuracy may be from `value` (docs/exactness.md)
    products   multiplications that the reference did, counted one by one
    """
    problem = as_problem(problem)
    name = problem.outputs[0] if output is None else output
    if name not in problem.outputs:
        raise ValueError(f"output is {name!r}, expected one of {', '.join(problem.outputs)}")
    return _truth(problem, name, arrays, accuracy_of_name(accuracy))


def _bound(found, problem, name, accuracy):
    bounds = np.empty(found.count)
    lib.conv_truth_bounds(bounds.ctypes.data, ctypes.byref(found), problem._struct, problem._index[name], accuracy)
    return _copied(bounds.ctypes.data, np.float64, problem, name)


def _truth(problem, name, arrays, accuracy=None):
    """accuracy: the number of the class that the bound is for; None is no bound."""
    kept, pointers = operands(problem, arrays, problem.inputs)
    found, products = new("conv_truth"), ctypes.c_int64()
    checked(lib.conv_truth_compute, ctypes.byref(found), ctypes.byref(products), problem._struct,
            problem._index[name], pointers)
    try:
        value, magnitude = (_copied(pointer, np.float64, problem, name) for pointer in (found.value, found.magnitude))
        return Truth(value, magnitude, _copied(found.taps, np.int64, problem, name),
                     None if accuracy is None else _bound(found, problem, name, accuracy), products.value)
    finally:
        lib.conv_truth_free(ctypes.byref(found))


def reference(problem, **arrays):
    """What run() should return, by the reference: in double, not rounded to the problem's type."""
    problem = as_problem(problem)
    return _result(problem, {name: _truth(problem, name, arrays).value for name in problem.outputs})
