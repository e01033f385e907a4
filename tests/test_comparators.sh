#!/bin/sh
# test_comparators.sh - would anybody notice if the verifier's comparison were wrong?
#
# The comparison is changed in one place after the other, as a slip of the pen would, and the program linked again with it.
# For each change a planted fault or a correct kernel is named whose verdict must then be another one, so that
# `convref verify --self` and tests/test_faults and test_accept fail.  A change that nobody notices would mean that the
# proof has a hole.   Not here: mistakes in the kernels (tools/mutate).
set -eu

suite=test_comparators   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

compiler=${NEW_KERNEL_CC:-cc -std=gnu11 -O2}
libraries=${NEW_KERNEL_LIBS:--ljansson -lhwloc -lm -fopenmp}
if [ -n "${SANITIZED:-}" ] || [ ! -f "$start/.libs/libconvref.a" ]; then
    skip comparators "a sanitizer, or no static library"
    finish
fi

# notices NAME FILE SED KERNEL CHECK VERDICT CHANGED: the verdict of CHECK on KERNEL is VERDICT, and CHANGED after SED.
notices()
{
    provider=$start/verify/faults.so
    case $4 in awkward_*) provider=$start/verify/awkward.so ;; esac
    sed "$3" "$source_top/verify/engine/$2" > "$2"
    if cmp -s "$2" "$source_top/verify/engine/$2"; then
        fail "$1" "sed '$3' $2" "the line that it changes isn't there" ""
        return
    fi
    run "$compiler -fvisibility=hidden -I$source_top/include -I$source_top -c $2 -o changed.o &&
        $compiler -rdynamic changed.o $start/verify/program/convref.o $start/.libs/libverbs.a \
            $start/.libs/libconvref.a $libraries -o bin/changed"
    same "$1-builds" 'the status of the compiler' 0 "$status"
    for program in convref changed; do
        run "$program verify --provider $provider -k $4 --check=$5 --jobs=1 --format=tsv | tail -n 1 | cut -f 2"
        same "$1-$program" "the verdict on $4" "$([ $program = convref ] && echo "$6" || echo "$7")" "$(cat out)"
    done
}

# an error of NaN isn't above any bound
notices bound_negated judge.c 's/return fabs(got - expected) <= bound;/return !(fabs(got - expected) > bound);/' \
    fault_onednn1583_long_sums_are_nan real REJECT ACCEPT
notices nan_accepted judge.c 's/if (isnan(expected))/if (isnan(expected) || isnan(got))/' \
    fault_onednn1583_long_sums_are_nan real REJECT ACCEPT
notices bound_times_1000 judge.c 's/fabs(got - expected) <= bound/fabs(got - expected) <= 1000 * bound/' \
    fault_pt24172_small_terms real REJECT ACCEPT
notices bound_by_10 judge.c 's/fabs(got - expected) <= bound/fabs(got - expected) <= bound \/ 10/' \
    awkward_bias_first real ACCEPT REJECT
# of integers, by a check that uses no checksum: that is a second comparison, which sees these faults, too
notices tolerance_for_integers judge.c 's/return got == expected;/return fabs(got - expected) <= 8;/' \
    fault_ov34101_no_bias turns REJECT ACCEPT
notices first_element_only judge.c 's/i < truth->count; i++) {/i < 1 \&\& i < truth->count; i++) {/' \
    fault_bz005_group_lost turns REJECT ACCEPT
notices guard_not_looked_at place.c 's/!guarded_intact(checker->scratch)/false/' \
    fault_bz100_whole_vectors small REJECT ACCEPT
# a changed input is seen by its hash, and because its page can't be written to: both are taken away
notices inputs_not_watched place.c \
    's/!= hashes\[operand\])/!= hashes[operand] \&\& false)/; s/= input && placement->read_only;/= false;/' \
    fault_tinydnn298_input_as_memory small REJECT ACCEPT
notices second_call_not_made careful.c 's/> (double)large ? 1 : 2;/> (double)large ? 1 : 1;/' \
    fault_nnlib114_every_second_call small REJECT ACCEPT
finish
