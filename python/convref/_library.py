"""_library.py - finds libconvref, opens it, and turns its errors into exceptions.

The structs are not written down here: the library says itself where their fields lie (conv_layout_json), so that a
library of another version is an ImportError, never a wrong number.  Nothing here knows what a convolution is.
Read next: _problem.py
"""
import ctypes
import ctypes.util
import json
import os
import pathlib

_ROOT = pathlib.Path(__file__).resolve().parents[2]      # of the source tree, if this is one


def _candidates():
    """Where the library may be, best first."""
    if os.environ.get("CONVREF_LIBRARY"):
        yield os.environ["CONVREF_LIBRARY"]
        return                                           # asked for by name: nothing else will do
    if (_ROOT / "configure.ac").exists():
        yield from (_ROOT / "build/.libs/libconvref.so", _ROOT / ".libs/libconvref.so")
    try:
        from ._installed import LIBDIR                   # written by make, installed beside this file
        yield from sorted(pathlib.Path(LIBDIR).glob("libconvref.so*"))
    except ImportError:
        pass
    yield ctypes.util.find_library("convref") or "libconvref.so.0"


def _open():
    tried = []
    for path in map(str, _candidates()):
        if os.sep in path and not os.path.exists(path):
            tried.append(path + ": there is no such file")
            continue
        try:
            return path, ctypes.CDLL(path)
        except OSError as error:
            tried.append(str(error))
    raise ImportError("the shared library of convref was not found; build it with make, or set CONVREF_LIBRARY to "
                      "libconvref.so.\nTried:\n  " + "\n  ".join(tried))


PATH, lib = _open()
_free = ctypes.CDLL(None).free
_free.argtypes = [ctypes.c_void_p]


# ---- functions -----------------------------------------------------------------------------------------------------

_TYPES = {"i": ctypes.c_int, "I": ctypes.c_uint, "l": ctypes.c_int64, "d": ctypes.c_double, "?": ctypes.c_bool,
          "z": ctypes.c_size_t, "s": ctypes.c_char_p, "p": ctypes.c_void_p, ".": None}

# Result, then arguments.  p is any pointer: a struct by reference, an array, a struct that is only passed on.
_FUNCTIONS = """
    conv_version s               conv_layout_json p           conv_status_name sI
    conv_problem_size z          conv_problem_parse Ipsp      conv_problem_print spp       conv_problem_to_json pp
    conv_problem_from_json Ipsp  conv_kind_name sI            conv_operand_role IpI        conv_operand_shape ippI
    conv_operand_name spI        conv_type_facts pI
    conv_exact_range ip          conv_fill .Iplsp             conv_count_problem .pp
    conv_kernel_count i          conv_kernel_at pi            conv_kernel_find ps          conv_kernel_source sp
    conv_kernel_ladder spp       conv_kernel_refuses spp      conv_provider_load Isp       conv_isa_name sI
    conv_run Ippppp              conv_truth_compute IpppIpp   conv_truth_free .p           conv_truth_bounds .pppII
    conv_network_read Ipsp       conv_network_find ps         conv_network_free .p         conv_total_name sI
    conv_node_kind_name sI       conv_machine_read .p         conv_roof_measure .ppi       conv_level_name sI
    conv_roof_macs dpIIdd?       conv_machine_level Ipl       conv_bench_kernels Ippippp
    conv_verify_kernel Ipppp     conv_sensitivity_verify IppppIp  conv_verdict_name sI         conv_fault_name sI
    conv_examine Ippppipp        conv_problem_walk_open Ipslpp conv_problem_walk_next ?pp  conv_problem_walk_close .p
    conv_problem_walk_failed ?p  conv_repro_line spps         conv_wrong_print sppp        conv_sure_name sI
    conv_accuracy_of_name Is  conv_plan_create Ippppp    conv_plan_load Ippp        conv_plan_run dp
    conv_plan_failure sp      conv_plan_free .p         conv_fan_in lp
""".split()


def _declare():
    for name, types in zip(_FUNCTIONS[::2], _FUNCTIONS[1::2]):
        try:
            function = getattr(lib, name)
        except AttributeError:
            raise ImportError(f"{PATH} has no {name}(): it is not the libconvref of this module") from None
        function.restype, *function.argtypes = (_TYPES[letter] for letter in types)


_declare()


def owned_text(pointer):
    """A text that the caller frees, as str; None if there is none."""
    if not pointer:
        return None
    try:
        return ctypes.string_at(pointer).decode()
    finally:
        _free(pointer)


# ---- structs -------------------------------------------------------------------------------------------------------

_FIELDS = {"?": ctypes.c_bool, "i": ctypes.c_int, "I": ctypes.c_uint, "l": ctypes.c_long, "L": ctypes.c_ulong,
           "q": ctypes.c_longlong, "Q": ctypes.c_ulonglong, "d": ctypes.c_double, "P": ctypes.c_void_p}


def _structure(name, size, fields):
    """A ctypes.Structure with the fields that the library names; what it doesn't name is a gap."""
    members, at = [], 0
    for field, offset, length, letter in sorted(fields, key=lambda field: field[1]) + [["", size, 0, "x"]]:
        if offset > at:
            members.append((f"_gap{at}", ctypes.c_ubyte * (offset - at)))
        if field:
            plain = ctypes.c_char if letter == "s" else ctypes.c_ubyte
            members.append((field, _FIELDS.get(letter) or plain * length))
        at = offset + length
    structure = type(name, (ctypes.Structure,), {"_pack_": 1, "_layout_": "ms", "_fields_": members})
    if ctypes.sizeof(structure) != size:
        raise ImportError(f"struct {name} has {size} bytes in {PATH} and {ctypes.sizeof(structure)} here")
    return structure


_layout = json.loads(owned_text(lib.conv_layout_json()))
structs = {name: _structure(name, **row) for name, row in _layout.items()}


def new(name, /, **fields):
    """A zeroed struct with some fields set: new("conv_fill", seed=1)."""
    return structs[name](**fields)


def numbers(array, kind):
    """The elements of an array that is a field, such as new("conv_roof").bandwidth."""
    return list((kind * (ctypes.sizeof(array) // ctypes.sizeof(kind))).from_buffer_copy(array))


# ---- errors --------------------------------------------------------------------------------------------------------

class Error(Exception):
    """What the library says is wrong: str() has its message and its hint.

    message, hint, key   in its words; key is the key of the problem that is at fault
    position, length     where in the text, in bytes; -1 if nowhere
    """

    def __init__(self, error):
        self.message, self.hint, self.key = (getattr(error, name).decode() for name in ("message", "hint", "key"))
        self.position, self.length = error.position, error.length
        super().__init__(self.message + (f"; {self.hint}" if self.hint else ""))


class BadInput(Error, ValueError):
    """A text, a shape or a value that can't be."""


class BadFile(Error, OSError):
    """A file that can't be read, or isn't what it should be."""


class TooLarge(Error, ValueError):
    """A size that doesn't fit."""


class NotApplicable(Error):
    """This kernel doesn't compute this problem, or not on this machine."""


class NoMemory(Error, MemoryError):
    """Not enough memory."""


_CLASSES = {"bad input": BadInput, "bad file": BadFile, "too large": TooLarge, "not applicable": NotApplicable,
            "out of memory": NoMemory}


def raise_error(status, error):
    """Raise what a struct conv_error says, unless all is well."""
    if status:
        raise _CLASSES.get(lib.conv_status_name(status).decode(), Error)(error)


def checked(function, *arguments):
    """Call a function whose last argument is a struct conv_error, and raise what it reports."""
    error = new("conv_error")
    raise_error(function(*arguments, ctypes.byref(error)), error)
