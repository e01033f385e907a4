"""__main__.py - verify a Python function from the shell, in a process of its own.

    python3 -m convref mine.py:conv                             all checks
    python3 -m convref mine.py:conv "c=3 in=8x8 k=4 filter=3x3" --seed 7

mine.py:conv is a function, or a convref.Candidate, in a file.  The exit status is that of `convref verify`: 0
accepted, 1 rejected, 3 inconclusive, 77 skipped.
Not here: peers (python3 -m convref.peers), kernels in C (convref verify).
"""
import argparse
import importlib.util
import os
import sys

from ._candidate import as_candidate

EXIT = {"ACCEPT": 0, "REJECT": 1, "INCONCLUSIVE": 3, "SKIPPED": 77}


def options(parser):
    """What peers have too."""
    parser.add_argument("problem", nargs="*", help="look at these alone, \"c=3 in=8x8 k=4 filter=3x3\"")
    parser.add_argument("--seed", type=int, default=1, help="of all data [1]")
    parser.add_argument("--check", action="append", metavar="NAME", help="only this check (may be given again)")
    parser.add_argument("--time-limit", type=float, default=600, metavar="SECONDS", help="for all of it [600]")


def verified(candidate, arguments):
    return candidate.verify(arguments.problem or None, seed=arguments.seed, check=arguments.check,
                            time_limit=arguments.time_limit)


def find(text):
    """The candidate that FILE:NAME names."""
    path, _, name = text.rpartition(":")
    if not path or not os.path.exists(path):
        sys.exit(f"convref: {text!r} names no file; expected FILE:FUNCTION, such as mine.py:conv")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        sys.exit(f"convref: {path} has no {name!r}")
    return as_candidate(getattr(module, name)).only(repro=f"python3 -m convref {text}")


def main():
    parser = argparse.ArgumentParser(prog="python3 -m convref", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("function", metavar="FILE:FUNCTION")
    options(parser)
    arguments = parser.parse_intermixed_args()     # problems may stand behind options
    found = verified(find(arguments.function), arguments)
    print(found)
    sys.exit(EXIT[found.verdict])


if __name__ == "__main__":
    main()
