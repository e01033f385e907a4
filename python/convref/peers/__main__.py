"""__main__.py - verify a peer from the shell.

    python3 -m convref.peers --list                 which are installed, and how to install those that aren't
    python3 -m convref.peers torch                  all that the adapter declares, by all checks
    python3 -m convref.peers torch --pass forward --pass backward_data --check covering
    python3 -m convref.peers torch "c=3 in=8x8 k=4 filter=3x3"

The exit status is that of `convref verify`; a peer that isn't installed is 77.   Read next: docs/peers.md
"""
import argparse
import sys

from . import ALL
from ..__main__ import EXIT, options, verified


def listed():
    for name, peer in ALL.items():
        found = peer.version()
        print(f"{name:<12} {found}" if found else f"{name:<12} not installed: {peer.install}")


def chosen(candidate, arguments):
    facts = {key: value for key, value in (("passes", arguments.passes), ("kinds", arguments.kind),
                                           ("layouts", arguments.layout), ("types", arguments.type)) if value}
    if arguments.checks and not arguments.check and not arguments.problem:
        arguments.check = arguments.checks
    return candidate.only(**facts)


def main():
    parser = argparse.ArgumentParser(prog="python3 -m convref.peers", description="Verify a peer.")
    parser.add_argument("peer", nargs="?", choices=list(ALL))
    parser.add_argument("--list", action="store_true", help="which peers are installed")
    parser.add_argument("--pass", dest="passes", action="append", help="only this pass (may be given again)")
    for name in ("kind", "layout", "type"):
        parser.add_argument(f"--{name}", action="append", help=f"only this {name} (may be given again)")
    options(parser)
    arguments = parser.parse_intermixed_args()     # problems may stand behind options
    if arguments.list or not arguments.peer:
        listed()
        return
    peer = ALL[arguments.peer]
    if not peer.version():
        print(f"skipped: {arguments.peer} is not installed: {peer.install}")
        sys.exit(EXIT["SKIPPED"])
    arguments.checks = peer.candidate.checks
    found = verified(chosen(peer.candidate, arguments), arguments)
    print(found)
    sys.exit(EXIT[found.verdict])


if __name__ == "__main__":
    main()
