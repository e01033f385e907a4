#!/bin/sh
# test_hostile.sh - runs every row of hostile.tsv: a file that somebody made to do harm is refused, and cheaply.
#
# A row passes if the exit status is exactly the one given, standard error has all pieces of the message, standard output
# is empty, it took less than 10 seconds - and if memory was never the reason: the program may have 64 MiB of address
# space more than it needs to say its version; an allocation beyond that fails, and the status is another one.  A
# sanitizer takes terabytes of addresses; there no single allocation may be larger than 64 MiB.
# Not here: files that are only wrong (bad-input.tsv).   Read next: tests/hostile.tsv
set -eu

suite=test_hostile   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"
# shellcheck source=tests/cli/tensor_files.sh
. "$source_top/tests/cli/tensor_files.sh"

read_problem=$start/tests/read_problem
p='c=1 in=4 k=1 filter=1'            # x is 1x1x4
h="'descr': '<f4', 'fortran_order': False"
method='' flags='' size='' crc=''    # of archive members
manifest='"schema": "convref-golden-1", "seed": 1, "format": "npy", "requantise": "shifts", "lanes": 1'
export p read_problem

# nul COUNT, repeat COUNT TEXT: so many zeros; a text many times over, made of doublings so that it is quick
nul() { head -c "$1" /dev/zero; }
repeat() { awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) printf "%s", text }'; }

# st HEADER BYTES, sidecar JSON: bad.safetensors and bad.raw; case_of JSON: g/manifest.json with one case
st() { safetensors bad "$1" "$2"; }
sidecar() { raw bad "$1" "${2:-16}"; }
case_of() { mkdir -p g; printf '{%s, "cases": [%s]}' "$manifest" "$1" > g/manifest.json; }
in_zip() { archive bad.npz x.npy "$1"; }

# The address space that the program needs for nothing, in KiB, to the next MiB.
needed()
{
    low=1 high=4096
    while [ $((high - low)) -gt 1 ]; do
        middle=$(((low + high) / 2))
        if (ulimit -v $((middle * 1024)) && exec convref --version) > /dev/null 2>&1; then high=$middle; else low=$middle; fi
    done
    echo $((high * 1024))
}

limit=unlimited
if [ -z "${SANITIZED:-}" ]; then
    limit=$(($(needed) + 65536))
else
    ASAN_OPTIONS=max_allocation_size_mb=64:$ASAN_OPTIONS
fi
echo "address space: $limit KiB"

# check NAME RECIPE COMMAND STATUS TEXT
check()
{
    rm -rf bad bad.* g
    eval "$2" || { fail "$1" "$2" "the recipe failed" ""; return; }
    seen=0
    (ulimit -v "$limit" && exec timeout 10 sh -c "$3") > ../out 2> ../err < /dev/null || seen=$?
    wrong=
    [ "$seen" = "$4" ] || wrong="exit status $seen, expected $4"
    [ ! -s ../out ] || wrong="$wrong; standard output is not empty"
    message=$(cat ../err)
    rest="$5 && "
    while [ -n "$rest" ]; do
        piece=${rest%%" && "*}
        rest=${rest#*" && "}
        case $message in *"$piece"*) ;; *) wrong="$wrong; the message lacks: $piece" ;; esac
    done
    if [ -z "$wrong" ]; then pass "$1"; else fail "$1" "$2; $3" "${wrong#; }" "$message"; fi
}

mkdir files && cd files
npy good.npy 1 "{$h, 'shape': (1, 1, 4)}" 16
reads_npz=$(archive bad.npz x.npy good.npy && convref run "$p" --x bad.npz > /dev/null 2>&1 && echo yes) || :
hashes=$(convref golden g "$p" > ../out 2>&1 && echo yes) || :
if [ -n "$reads_npz" ]; then   # the good ones are read under the same limit, so that it isn't what refuses
    (ulimit -v "$limit" && exec convref run "$p" --x bad.npz > /dev/null) || fail good_npz run "the limit refuses" ""
fi
command='n=20000000'
(ulimit -v "$limit" && exec convref run 'n=20000000 c=1 in=4 k=1 filter=1') > ../out 2>&1 && seen=0 || seen=$?
same the_limit_is_one 'the status of 320 MB' 3 "$seen"
tab=$(printf '\t')
while IFS="$tab" read -r name recipe command status says; do
    case $name in '#'* | name) continue ;; esac
    case $command in
    *.npz*) [ -n "$reads_npz" ] || { skip "$name" "no libzip"; continue; } ;;
    *--golden* | *" golden "*) [ -n "$hashes" ] || { skip "$name" "no nettle"; continue; } ;;
    *read_problem*) [ -x "$read_problem" ] || { skip "$name" "no tests/read_problem"; continue; } ;;
    esac
    check "$name" "$recipe" "$command" "$status" "$says"
done < "$data/hostile.tsv"
finish
