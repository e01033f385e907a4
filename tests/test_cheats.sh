#!/bin/sh
# test_cheats.sh - providers that cheat: none is timed as right, none ends the program with status 0.
#
# Each kernel of tests/providers/cheats.c is timed, beside an honest one that must have its figures all the same, and
# verified.  Those that end the process are run as well.
# Not here: kernels that are wrong by mistake (test_cli_verify.sh, test_faults.c).
set -eu

suite=test_cheats   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

problem='n=2 c=4 in=12x12 k=4 filter=3x3'
# Under a sanitizer a process may take seconds to begin, and a call takes many times as long: a replay is only seen
# when a judged call comes after enough others.
if [ -z "${SANITIZED:-}" ]; then limit=2 quick='--rounds 3 --turn 2 --patience 50'
else limit=10 quick='--rounds 7 --turn 20 --patience 400'; fi
quick="$quick --time-limit $limit"
cheats=$(sed -n '/^#define EVERY_CHEAT/,/^$/ s/C(\([a-z_]*\))/\n\1\n/gp' "$data/providers/cheats.c" | grep '^[a-z_]*$')
same cheats 'the number of cheats' 17 "$(echo "$cheats" | wc -l | tr -d ' ')"

if [ ! -f "$modules/cheats.so" ]; then
    skip cheats "no shared objects in MODULES"
    finish
fi

# Of one row of the TSV.  field KERNEL COLUMN
field() { awk -F '\t' -v kernel="$1" -v column="$2" '/^#/ { next } !n { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
    $2 == kernel { print $n }' cheats.tsv; }

# ---- bench: all of them in one table, with an honest kernel first -------------------------------------------------------
names=$(echo "$cheats" | grep -v takes_all_memory | paste -s -d ,)   # that one is worth a test where memory is limited
expect bench 1 "convref bench '$problem' --provider '$modules/cheats.so' -k 'honest,$names,honest' $quick -f tsv -o cheats.tsv"
for cheat in $(echo "$names" | tr , ' '); do
    same "not_right_$cheat" "whether $cheat is right" NO "$(field "$cheat" verified)"
    same "no_figure_$cheat" "the milliseconds of $cheat" '' "$(field "$cheat" ms)"
    same "says_why_$cheat" "whether there is a note" yes "$(field "$cheat" note | grep -q '^NOT TIMED: .' && echo yes)"
done
same honest 'whether the honest kernel is right, twice' 'yes yes' "$(field honest verified | paste -s -d ' ')"
same honest_has_figures 'its figures' 2 "$(field honest ms | grep -c '^[0-9]')"
# why NAME WORDS
why() { same "why_$1" "the note of $1" yes "$(field "$1" note | grep -Eq "$2" && echo yes || field "$1" note)"; }
why loops_for_ever "in run\(\) it .* $limit seconds"
why stores_to_null "in run\(\) it .*${SANITIZED:+_exit|}signal 11"   # a sanitizer ends the process itself
why exits_well 'in run\(\) it .*exit.*ACCEPT'
why exits_at_once 'in run\(\) it .*_exit\(0\)'
why asks_the_reference 'it called conv_kernel_find'
why writes_late 'its outputs are wrong|goes on writing'
why wrong_when_timed 'its outputs are wrong in a call that was timed: element [0-9]+ of y is 0, expected '
why skips_what_is_no_integer 'its outputs are wrong on this problem'

# ---- run: ends are told, with the kernel and its problem -----------------------------------------------------------------
for cheat in loops_for_ever stores_to_null exits_well; do
    expect "run_$cheat" 1 "convref run '$problem' --provider '$modules/cheats.so' -k $cheat --time-limit 1 --y y.npy 2>&1" \
        "^convref run: kernel $cheat " "on \"$problem\""
    same "run_writes_nothing_$cheat" 'whether there is a file' no "$([ -e y.npy ] && echo yes || echo no)"
done
expect run_asks_the_reference 1 "convref run '$problem' --provider '$modules/cheats.so' -k asks_the_reference 2>&1" \
    'has its work done by this library'
expect run_honest 0 "convref run '$problem' --provider '$modules/cheats.so' -k honest --y y.npy" '^y 2x4x10x10: '

# ---- verify: none is accepted ----------------------------------------------------------------------------------------------
for cheat in $(echo "$cheats" | grep -v takes_all_memory); do
    limit=100   # a slow machine, or a sanitizer, needs time for the checks before the one that sees it
    [ "$cheat" = loops_for_ever ] && limit=1   # each of the smaller problems that it is tried on takes as long
    expect "verify_$cheat" 1 "convref verify --provider '$modules/cheats.so' -k $cheat --time-limit $limit" REJECT
done

# ---- code that is no kernel: the status is an error, whatever it prints ---------------------------------------------------
for end in exits_when_opened hangs_when_opened exits_in_a_thread; do
    [ "$end" = hangs_when_opened ] && [ -n "${SANITIZED:-}" ] && continue
    expect "$end" 4 "convref verify --provider '$modules/$end.so' -k honest"
done
expect exits_when_closed_bench 0 "convref bench '$problem' --provider '$modules/exits_when_closed.so' -k honest $quick" \
    '^honest +[0-9]' '!ACCEPT'
expect exits_when_closed_rejected 1 "convref verify --provider '$modules/exits_when_closed.so' -k works_once" REJECT \
    '!^mine  ACCEPT$'

finish
