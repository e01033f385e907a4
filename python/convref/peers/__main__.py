"""__main__.py - verify a peer from the shell, or time peers beside our kernels.

    python3 -m convref.peers --list                 which are installed, and how to install those that aren't
    python3 -m convref.peers torch                  all that the adapter declares, by all checks
    python3 -m convref.peers torch --pass forward --pass backward_data --check covering
    python3 -m convref.peers torch "c=3 in=8x8 k=4 filter=3x3"
    python3 -m convref.peers --bench --network mobilenet_v1 --output FILE.tsv
    python3 -m convref.peers --bench "c=64 in=14x14 k=64 filter=3x3 pad=1" --peers onednn,onnxruntime

The exit status is that of `convref verify`; a peer that isn't installed is 77.   Read next: docs/peers.md
"""
import argparse
import os
import sys

from . import ALL, _speed, _turns
from ..__main__ import EXIT, options, verified
from .._library import Error


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


# ---- times ---------------------------------------------------------------------------------------------------------

def _at_least(least):
    def number(text):
        value = int(text)
        if value < least:
            raise ValueError
        return value
    number.__name__ = f"number, {least} or more"          # what argparse says that it expected
    return number


def bench_options():
    able = {name: peer for name, peer in ALL.items() if hasattr(peer, "speed")}
    parser = argparse.ArgumentParser(
        prog="python3 -m convref.peers --bench", description="Time peers and our best kernels, which take turns.",
        epilog=f"What is timed is verified first. {_turns.RULE[0].upper()}{_turns.RULE[1:]}. docs/peers.md explains "
               "the columns.")
    parser.add_argument("problem", nargs="*", help="\"c=3 in=8x8 k=4 filter=3x3\"; forward, in anybody's best layout")
    parser.add_argument("--network", metavar="NAME", help="the layers and the separable blocks of a network")
    parser.add_argument("--peers", metavar="A,B", help=f"only these, of {','.join(able)} [all that are installed]")
    parser.add_argument("--layout", choices=("best", "nchw"), default="best",
                        help="of x and y around a call: everybody's best, or channels first for all [best]")
    parser.add_argument("--threads", type=_at_least(1), default=1, help="of everybody [1]")
    parser.add_argument("--rounds", type=_at_least(_turns.LEAST_ROUNDS), default=7, help="turns of everybody [7]")
    parser.add_argument("--turn", type=_at_least(1), default=20, metavar="MS", help="of one turn [20]")
    parser.add_argument("--output", metavar="FILE", help="write to FILE, which is complete or not there")
    return parser, able


def bench_peers(parser, able, wanted, plain):
    """The peers that are asked for; one that isn't installed is an error if it was named, and is said if not.  plain:
    those that take x and y channels first."""
    able = [name for name, peer in able.items() if hasattr(peer, "plain") or not plain]
    chosen = {}
    for name in wanted.split(",") if wanted else able:
        if name not in able:
            where = " in nchw" if plain else ""
            parser.error(f"--peers: {name!r} can't be timed{where}; expected some of {','.join(able)}")
        if ALL[name].version():
            chosen[name] = ALL[name]
        elif wanted:
            print(f"skipped: {name} is not installed: {ALL[name].install}")
            sys.exit(EXIT["SKIPPED"])
        else:
            print(f"{name} is not installed: {ALL[name].install}", file=sys.stderr)
    return chosen


def write_whole(path, lines):
    with open(path + ".part", "w") as file:
        file.writelines(line + "\n" for line in lines)
    os.replace(path + ".part", path)


def bench(words):
    parser, able = bench_options()
    arguments = parser.parse_intermixed_args(words)
    if not arguments.network and not arguments.problem:
        parser.error("expected --network NAME, or problems")
    plain = arguments.layout == "nchw"
    peers = bench_peers(parser, able, arguments.peers, plain)
    lines, options = [], _speed.Options(arguments.threads, arguments.rounds, arguments.turn / 1000, plain)

    def say(line):
        lines.append(line)
        print(line, file=sys.stderr if arguments.output else sys.stdout, flush=True)

    try:
        layers = _speed.layers_of(arguments.network, arguments.problem)
    except Error as error:
        print(f"convref: {error}", file=sys.stderr)
        sys.exit(4 if isinstance(error, OSError) else 2)
    for line in _speed.header(peers, options):
        say(line)
    print(f"choosing our kernels for {len(layers)} layers", file=sys.stderr, flush=True)
    made = _speed.measure(peers, layers, options, say)
    for line in _speed.means(made):
        say(line)
    if arguments.output:
        write_whole(arguments.output, lines)


def main():
    if "--bench" in sys.argv[1:]:
        bench([word for word in sys.argv[1:] if word != "--bench"])
        return
    parser = argparse.ArgumentParser(prog="python3 -m convref.peers", description="Verify a peer.")
    parser.add_argument("peer", nargs="?", choices=list(ALL))
    parser.add_argument("--list", action="store_true", help="which peers are installed")
    parser.add_argument("--bench", action="store_true", help="time peers beside our kernels; --bench --help says how")
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
