#!/bin/sh
# test_internal_failures.sh - the verifier's own calls fail, one at a time: memory, pages, processes, files.
#
# A call that fails must not become a verdict.  A wrong kernel is never accepted; a right one only with the evidence of the
# undisturbed run, and never rejected; the program never crashes; and what it writes is complete or not there.
# Each place that makes a call, with those that called it, fails once; of many, some are taken, spread evenly.
#
# Read next: tests/providers/inject.c
set -eu

suite=test_internal_failures   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

inject=$modules/inject.so
faults=$start/verify/faults.so

# Text without seconds; of the first line of a verdict only: what follows is explanation.
comparable() { sed -nE 's/[0-9]+\.[0-9]+ s *//; /^(ACCEPT|REJECT|INCONCLUSIVE|SKIPPED)/p' "$1"; }

# places MOST ARGUMENT...: the undisturbed run, its status, and the calls that shall fail, in the file `calls`.
places()
{
    most=$1
    shift
    rm -f log
    status=0
    LD_PRELOAD=$inject INJECT_LOG=$work/log convref "$@" > whole 2> err || status=$?
    awk '!seen[$3]++ { print $1 ":" $2 }' log > all
    awk -v most="$most" -v count="$(wc -l < all)" \
        'count <= most || int(NR * most / count) > int((NR - 1) * most / count)' all > calls
}

# disturbed CALL ARGUMENT...: leaves `status` and out.
disturbed()
{
    INJECT=$1
    shift
    status=0
    timeout 60 env LD_PRELOAD="$inject" INJECT="$INJECT" convref "$@" > out 2> err || status=$?
}

# judged NAME: pass unless `wrong` says what is wrong.
judged() { if [ -z "$wrong" ]; then pass "$1"; else fail "$1" "INJECT=$call convref $command" "$wrong" "$(head -n 3 out err)"; fi; }

# verdicts NAME MOST STATUS ARGUMENT...: the undisturbed run ends with STATUS; a disturbed one with it, or with 3 or 4.
verdicts()
{
    name=$1 most=$2 expected=$3
    shift 3
    command="$*" wrong= call=none
    places "$most" "$@"
    cp whole out
    [ "$status" = "$expected" ] || wrong="undisturbed it ends with $status"
    [ "$(wc -l < calls)" -ge 5 ] || wrong="nothing was disturbed"
    comparable whole > whole.verdict
    while [ -z "$wrong" ] && read -r call; do
        disturbed "$call" "$@" < /dev/null
        comparable out > verdict
        case $status in
        "$expected") [ "$expected" = 1 ] || cmp -s verdict whole.verdict || wrong="accepted without all of its evidence" ;;
        3 | 4) ;;
        *) wrong="it ended with $status" ;;
        esac
        if [ "$status" != "$expected" ] && [ ! -s err ] && ! grep -q INCONCLUSIVE out; then
            wrong="it doesn't say why"
        fi
    done < calls
    judged "$name: $(wc -l < calls) of $(wc -l < all) places"
}

# Both ways to judge, the reference's and the checksum's.
small="c=2 in=5 k=3 filter=3 pad=1 bias=1 act=relu" large="c=8 in=12x12 k=8 filter=3x3 pad=1 act=relu"
verdicts right 45 0 verify -k std_01_direct "$small" "$large"
verdicts separable 12 0 verify -k sep_01_two_passes "op=separable c=3 in=6x6 k=4 filter=3x3 bias=1 mid_act=relu" --check layers
verdicts turns 12 0 verify -k std_01_direct --check turns
verdicts covering 12 0 verify -k std_01_direct --check covering
verdicts wrong 25 1 verify -p "$faults" -k fault_bz040_padding_not_zero "$small" "$large" --check layers
verdicts crashing 12 1 verify -p "$faults" -k fault_bz096_reads_past_row "$small" --check layers
verdicts narrow 12 1 verify -p "$faults" -k fault_tt43229_bf16_inputs "$small" --check real

# A folder is as it was before, or has all that the undisturbed run writes.
# files NAME MOST BEFORE ARGUMENT...: BEFORE makes what lies in it at first.
files()
{
    name=$1 most=$2 before=$3
    shift 3
    command="$*" wrong= call=none
    rm -rf there && mkdir there && eval "$before"
    places "$most" "$@"
    [ "$status" = 0 ] || wrong="undisturbed it ends with $status"
    rm -rf complete untouched && cp -r there complete
    mkdir untouched && rm -rf there && mkdir there && eval "$before" && cp -r there/. untouched
    while [ -z "$wrong" ] && read -r call; do
        rm -rf there && cp -r untouched there
        disturbed "$call" "$@" < /dev/null
        case $status in
        0) unlike complete && wrong="it ended with 0, and its files differ" ;;
        3 | 4) for one in there/* there/.[!.]*; do
                   [ ! -e "$one" ] || is_whole "${one#there/}" || wrong="it left a part of ${one#there/}"
               done ;;
        *) wrong="it ended with $status" ;;
        esac
    done < calls
    judged "$name: $(wc -l < calls) of $(wc -l < all) places"
}

without_seconds() { sed -E 's/"seconds": *[0-9.e-]+//g' "$1"; }
same_text() { [ -e "$1" ] && [ -e "$2" ] && [ "$(without_seconds "$1" | cksum)" = "$(without_seconds "$2" | cksum)" ]; }
alike() { if [ -d "$1" ]; then diff -r "$1" "$2" > differences; else same_text "$1" "$2"; fi; }
unlike() { for one in "$1"/*; do alike "$one" "there/${one##*/}" || return 0; done; return 1; }
# a report of a run that came to no end is whole if it is JSON
is_whole()
{
    alike "there/$1" "complete/$1" || { [ -e "untouched/$1" ] && alike "there/$1" "untouched/$1"; } \
        || { [ "$1" = verdicts.json ] && tail -c 2 "there/$1" | grep -q '[]}]' && grep -q INCONCLUSIVE "there/$1"; }
}

files json 15 'echo old > there/verdicts.json' verify -k std_01_direct "$small" --check layers -f json -o there/verdicts.json
files npy 20 'echo old > there/y.npy' run "$small" --y there/y.npy
files golden 25 : golden there/vectors "$small" --data integers
finish
