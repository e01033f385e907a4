"""_problem.py - one convolution, and where its arrays belong.

A Problem is a line of text that the library has understood.  Everything derived (kind, output sizes, shapes of the
operands) comes from the library; nothing is computed a second time here.   Read next: _compute.py
"""
import ctypes
import json
import math

import numpy as np

from ._library import checked, lib, new, owned_text

OPERANDS = range(8)                 # enum conv_operand: x, w, bias, pw, pw_bias, y, ew, ew_bias
_INPUT, _OUTPUT = 1, 2              # enum conv_role
_DTYPES = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}
_FACTS = ("op kind n c in k out filter groups stride pad dilation output_pad mult bias act mid_act expand "
          "residual layout type pass").split()


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


class Problem:
    """A convolution, from a line such as "c=32 in=112x112 k=64 filter=3x3 pad=1", or from a dict of the same keys.

    str(problem) is the canonical text.  Attributes are the keys of the text (in_ and pass_, because Python has other
    uses for `in` and `pass`), and what follows from them: kind, out, dtype, and

    rank       spatial axes: 1, 2 or 3, the length of in_, out, filter and so on
    extent     along each axis, from the first to the last input of one window
    fan_in     the most products that one output of the pass has
    shapes     name -> shape of every array that the problem's pass reads or writes
    inputs     the names of those that it reads:  x, w, bias forward; w, dy for backward_data; ...
    outputs    and of those that it writes:       y;                  dx;                     dw, dbias
    """

    def __init__(self, text):
        self._struct = (ctypes.c_uint64 * ((lib.conv_problem_size() + 7) // 8))()
        if isinstance(text, dict):
            checked(lib.conv_problem_from_json, self._struct, json.dumps(text).encode())
        else:
            checked(lib.conv_problem_parse, self._struct, str(text).encode())
        self._describe()

    @classmethod
    def _copy_of(cls, address):
        """A problem inside another struct, which need not outlive the copy."""
        self = cls.__new__(cls)
        self._struct = (ctypes.c_uint64 * ((lib.conv_problem_size() + 7) // 8))()
        ctypes.memmove(self._struct, address, lib.conv_problem_size())
        self._describe()
        return self

    def _describe(self):
        text = ctypes.create_string_buffer(512)
        self._text = lib.conv_problem_print(text, self._struct).decode()
        self._json = json.loads(owned_text(lib.conv_problem_to_json(self._struct)))
        self.dtype = _DTYPES[self._json["type"]]
        self.rank, self.fan_in = len(self._json["in"]), lib.conv_fan_in(self._struct)
        self.extent = tuple((taps - 1) * dilation + 1 for taps, dilation in zip(self.filter, self.dilation))
        self.shapes, self.inputs, self.outputs, self._index = {}, [], [], {}
        for operand in OPERANDS:
            role = lib.conv_operand_role(self._struct, operand)
            if role in (_INPUT, _OUTPUT):
                dims = (ctypes.c_int64 * 8)()
                rank = lib.conv_operand_shape(dims, self._struct, operand)
                name = lib.conv_operand_name(self._struct, operand).decode()
                self.shapes[name], self._index[name] = tuple(dims[:rank]), operand
                (self.inputs if role == _INPUT else self.outputs).append(name)

    def __getattr__(self, name):
        key = name.rstrip("_")
        if key not in _FACTS or name.startswith("_"):
            raise AttributeError(f"a Problem has no {name!r}")
        return _tuples(self._json.get(key))

    def to_dict(self):
        """The problem as the JSON that the library reads and writes."""
        return json.loads(json.dumps(self._json))

    def replace(self, **keys):
        """The same problem with other keys: replace(groups=32, pass_="backward_data")."""
        facts = {key: value for key, value in self._json.items() if key not in ("kind", "out")}
        facts.update((key.rstrip("_"), value) for key, value in keys.items())
        return Problem(facts)

    def __str__(self):
        return self._text

    def __repr__(self):
        return f'convref.Problem("{self._text}")'

    def __eq__(self, other):
        return isinstance(other, Problem) and self._text == other._text

    def __hash__(self):
        return hash(self._text)


def as_problem(problem):
    return problem if isinstance(problem, Problem) else Problem(problem)


# ---- arrays --------------------------------------------------------------------------------------------------------

_LINE = 64                          # bytes of a cache line


def aligned(shape, dtype):
    """An array that begins with a cache line, as the library's own do; NumPy's begin anywhere.  Vectors across two
    lines cost up to twice as much (docs/ladder-depthwise.md), and that must not fall to chance.  Not filled."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin:begin + size].view(dtype).reshape(shape)


def aligned_copy(array):
    """The array in C order, in a copy that begins with a cache line."""
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


def _checked_array(problem, name, array):
    """The array in C order, or a ValueError that says what was expected."""
    array = np.asarray(array)
    shape = problem.shapes[name]
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape} for {problem}")
    if array.dtype != problem.dtype:
        raise ValueError(f"{name} has dtype {array.dtype}, expected {problem.dtype}; "
                         f"{name}.astype(np.{problem.dtype}) converts it")
    return array if array.flags.c_contiguous else aligned_copy(array)


def operands(problem, arrays, wanted):
    """Check the arrays.  Returns them by name, and the struct conv_operands (a pointer for each) that points into
    them; they must outlive it."""
    unknown = [name for name in arrays if name not in wanted]
    missing = [name for name in wanted if arrays.get(name) is None]
    if unknown or missing:
        faults = [f"{name} is missing" for name in missing] + [f"{name} is not one" for name in unknown]
        raise TypeError(f"{problem} takes the arrays {', '.join(wanted)}; {'; '.join(faults)}")
    kept = {name: _checked_array(problem, name, arrays[name]) for name in wanted}
    pointers = (ctypes.c_void_p * len(OPERANDS))()
    for name, array in kept.items():
        pointers[problem._index[name]] = array.ctypes.data
    return kept, pointers


def fill(problem, operand=None, kind="integers", seed=1, range=None, impulse=0):
    """Generated data.  Element i depends on the seed, the operand's name and i alone: C and Python see the same.

    operand   a name; left out, the result is a dict of all inputs, so that run(p, **fill(p)) works
    kind      integers    -range .. range without 0; by default the largest range with which every sum stays exact
              uniform     -range .. range, by default 1
              constant    range, by default 1
              impulse     range at element `impulse`, 0 elsewhere
    """
    problem = as_problem(problem)
    if operand is None:
        return {name: fill(problem, name, kind, seed, range, impulse) for name in problem.inputs}
    kinds = ("integers", "uniform", "constant", "impulse")
    if kind not in kinds:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(kinds)}")
    if operand not in problem.shapes:
        raise ValueError(f"operand is {operand!r}, expected one of {', '.join(problem.shapes)}")
    if range is None:
        range = (lib.conv_exact_range(problem._struct) or 1) if kind == "integers" else 1
    if kind == "integers" and not (range == int(range) and range >= 1):
        raise ValueError(f"range is {range}, expected a whole number, 1 or more")
    how = new("conv_fill", kind=kinds.index(kind), seed=seed, range=range, impulse=impulse)
    array = aligned(problem.shapes[operand], problem.dtype)
    kind_of_element = list(_DTYPES).index(problem.type)
    lib.conv_fill(kind_of_element, array.ctypes.data, array.size, operand.encode(), ctypes.byref(how))
    return array
