"""convref from Python: the shared library libconvref, with NumPy arrays in and out.

    import convref
    p = convref.Problem("c=32 in=112x112 k=64 filter=3x3 pad=1")
    y = convref.run(p, x=x, w=w)                     the last step of the ladder, or kernel="std_01_direct"
    convref.reference(p, x=x, w=w)                   the truth, in double
    print(convref.verify(my_function))               is this Python function right?  A verdict, with evidence
    print(convref.examine(my_function, convref.problems("small", ranks=1, max_stride=2)))     a verdict for each of them
    convref.judge(p, x=x, w=w, y=mine).verdict       ACCEPT or REJECT, of an array that you computed
    convref.count(p)["macs"]                         counts; convref.Network("mobilenet_v1").totals
    convref.bench(p)                                 times of all kernels that compute it

No build step: ctypes calls the library.  It is found through $CONVREF_LIBRARY, in build/ of the source tree, or where
`make install` put it.  Nothing is computed in Python.  convref.peers has NumPy, PyTorch and others as candidates.
Read next: _problem.py, _candidate.py, notebooks/01-why-separable.ipynb
"""
from ._library import BadFile, BadInput, Error, NoMemory, NotApplicable, PATH as library_path, TooLarge, lib as _lib
from ._problem import Problem, fill
from ._compute import Kernel, Plan, Truth, kernels, load, reference, run, truth
from ._count import Network, Node, count
from ._candidate import Candidate
from ._measure import Roof, Timing, bench, judge, machine, verify
from ._verdict import Verification
from ._examine import Examination, Examined, examine, problems
from . import peers

__version__ = _lib.conv_version().decode()

__all__ = ["BadFile", "BadInput", "Candidate", "Error", "Examination", "Examined", "Kernel", "Network",
           "NoMemory", "Node", "NotApplicable", "Plan", "Problem", "Roof", "Timing", "TooLarge", "Truth",
           "Verification", "bench", "count", "examine", "fill", "judge", "kernels", "library_path", "load", "machine",
           "peers", "problems", "reference", "run", "truth", "verify"]
