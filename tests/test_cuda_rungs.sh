#!/bin/sh
# test_cuda_rungs.sh - every rung of CUDA is right: in the emulator, in other orders of its threads, and watched.
#
# Every step passes all checks but "routes", "seams" and "large", whose problems are many and large and take three quarters
# of the time, and those that hardly have a problem for a device ("huge", "threads", "layers").  With CONVREF_EVERY_CHECK,
# which .ci/run sets, every step passes the whole verifier.  Each passes "covering" with its threads in other orders;
# watched, none is reported.  One command verifies all of them, so that every core has work.
# Not here: what they move (test_cuda.sh), a card.
# lists of names are meant to be split
# shellcheck disable=SC2086
set -eu

suite=test_cuda_rungs   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

# shellcheck source=tests/cli/cuda_modules.sh
. "$source_top/tests/cli/cuda_modules.sh"

# ---- every rung, in the emulator ------------------------------------------------------------------------------------------
patience=1200   # seconds: all rungs, on two cores that have other tests to do
# everybody NAME ORDER MODULE RUNGS CHECK...: as many rungs at a time as there are cores; a case for each rung, which every
# check accepts that has problems for it
everybody()
{
    name=$1 order=$2 module=$3 which=$4
    shift 4
    : > verdicts
    for check; do
        run "CONVREF_CUDA_ORDER=$order convref verify --provider '$cuda/$module.so' -k '$(echo $which | tr ' ' ,)' $check"
        cat out >> verdicts
    done
    for rung in $which; do
        if [ "$(grep -cE "^(ACCEPT|SKIPPED) +$rung " verdicts)" = $# ] && grep -qE "^ACCEPT +$rung " verdicts; then
            pass "${name}_$rung"
        else
            fail "${name}_$rung" "$command" 'it is not accepted' "$(sed -n "/ $rung /,/^[A-Z]/p" verdicts | cat - err)"
        fi
    done
}
if [ -n "${CONVREF_EVERY_CHECK:-}" ]; then
    everybody emulated forward cuda-emulated "$rungs" ''
else
    everybody emulated forward cuda-emulated "$rungs" --check=small --check=turns --check=probes --check=real \
        --check=special --check=covering --check=limits
fi
everybody backward backward cuda-emulated "$rungs" --check=covering
everybody random random cuda-emulated "$rungs" --check=covering
everybody watched_small forward cuda-watched "$rungs" --check=small
everybody watched_covering forward cuda-watched "$rungs" --check=covering
expect order_that_is_none 77 "CONVREF_CUDA_ORDER=sideways convref run 'c=2 in=2 k=2 filter=1 groups=2' \
    --provider '$cuda/cuda-emulated.so' -k cuda_dw_02_coalesced 2>&1" 'CONVREF_CUDA_ORDER is "sideways": forward, backward or random'
expect landing_that_is_none 77 "CONVREF_CUDA_LANDING=softly convref run 'c=2 in=2 k=2 filter=1' \
    --provider '$cuda/cuda-emulated.so' -k cuda_pw_04_tensor_cores 2>&1" 'CONVREF_CUDA_LANDING is "softly": late, early or random'
copying='cuda_dw_09_copies_ahead cuda_dw_11_persistent cuda_pw_05_copies_ahead cuda_std_04_copies_ahead'
same copying 'the rungs with asynchronous copies' "$copying" \
    "$(cd "$source_top" && grep -lw 'cp_async_wait<[A-Z0-9 -]*>' cuda/[!ef]*/*.cu | sed 's,.*/,,; s,\.cu,,' | sort | paste -s -d ' ')"
for landing in early random; do   # late is the default
    export CONVREF_CUDA_LANDING=$landing
    everybody "landing_${landing}_emulated" random cuda-emulated "$copying" --check=covering
    everybody "landing_${landing}_watched" random cuda-watched "$copying" --check=covering
done
finish
