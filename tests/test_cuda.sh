#!/bin/sh
# test_cuda.sh - the rungs of CUDA, without a GPU: emulated, watched, and wrong on purpose.
#
# Every rung passes the whole verifier in the emulator, and check "covering" with its threads in other orders; watched,
# none is reported.  Every fault of cuda/faults is rejected, most of them with the line that the file names.
# Not here: a card.
set -eu

suite=test_cuda   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

cuda=$start/cuda
if [ ! -f "$cuda/cuda-emulated.so" ]; then
    skip emulated "there was no C++20 compiler"
    finish
fi
rungs=$(sed -n 's,^\t*cuda/[a-z]*/\(cuda_[a-z0-9_]*\)\.cu.*,\1,p' "$source_top/cuda/cuda.mk")
faults=$(sed -n 's/^    F(\([a-z_]*\),.*/\1/p' "$source_top/cuda/faults/faults.cu")

# ---- the table ----------------------------------------------------------------------------------------------------------
convref list --provider "$cuda/cuda-emulated.so" -f tsv 'cuda_*' | awk -F '\t' '$1 ~ /^cuda_/ { print $1 }' | sort > listed
same table 'the rungs of the module' "$(echo "$rungs" | sort)" "$(cat listed)"
for rung in $rungs; do
    file=$(echo "$source_top"/cuda/*/"$rung.cu")
    same "header_$rung" 'the promises of its header' 4 \
        "$(grep -cE '^ \* (Why it is (slow|faster)|What it costs|Applies to|Explained in)' "$file")"
done

# ---- every rung, in the emulator ------------------------------------------------------------------------------------------
every=${SANITIZED:+--check=covering}   # the module isn't sanitized: that the program can load it is all there is to see
for rung in $rungs; do
    expect "emulated_$rung" 0 "convref verify --provider '$cuda/cuda-emulated.so' -k $rung $every" "^ACCEPT +$rung "
    [ -z "$every" ] || continue
    for order in backward random; do
        expect "${order}_$rung" 0 \
            "CONVREF_CUDA_ORDER=$order convref verify --provider '$cuda/cuda-emulated.so' -k $rung --check covering" \
            "^ACCEPT +$rung "
    done
    for check in small covering; do
        expect "watched_${check}_$rung" 0 \
            "convref verify --provider '$cuda/cuda-watched.so' -k $rung --check $check" "^ACCEPT +$rung "
    done
done
expect order_that_is_none 77 "CONVREF_CUDA_ORDER=sideways convref run 'c=2 in=2 k=2 filter=1 groups=2' \
    --provider '$cuda/cuda-emulated.so' -k cuda_dw_02_coalesced 2>&1" 'CONVREF_CUDA_ORDER is "sideways": forward, backward or random'

# ---- faults: rejected, with a line that faults.cu marks ---------------------------------------------------------------------
# lines FAULT: "62|97", the lines that say AT FAULT; empty if it is seen in the numbers alone
lines() { grep -nE "/\* AT .*\<$1\>" "$source_top/cuda/faults/faults.cu" | cut -d : -f 1 | paste -s -d '|'; }
same faults 'the number of faults' 26 "$(echo "$faults" | grep -vc '^none$')"
with_line=0
for fault in $faults; do
    wanted=1 seen=$(lines "$fault") pattern='^REJECT'
    problem='n=2 c=20 in=9x20 k=20 filter=7x7 pad=3 groups=20'
    case $fault in
    none) wanted=0 pattern='^ACCEPT' ;;
    planes_in_grid_y)   # 65,536 blocks of the smaller problems of a finding would take minutes
        expect "fault_$fault" 77 "convref run 'c=66000 in=1x1 k=66000 filter=1x1 groups=66000' \
            --provider '$cuda/cuda-faults.so' -k cuda_fault_$fault 2>&1" "faults\\.cu:($seen)[:) ]"
        with_line=$((with_line + 1))
        continue ;;
    esac
    if sed -n '/FAULTS_OF_POINTWISE(F)/,/^$/p' "$source_top/cuda/faults/faults.cu" | grep -q "F($fault,"; then
        problem='c=40 in=9x20 k=20 filter=1x1'
    fi
    if [ -n "$seen" ]; then
        pattern="faults\.cu:($seen)[:) ]"
        with_line=$((with_line + 1))
    fi
    expect "fault_$fault" $wanted "convref verify --provider '$cuda/cuda-faults.so' -k cuda_fault_$fault '$problem'" "$pattern"
done
same with_line 'faults that are told with their line' yes "$([ $with_line -ge 20 ] && echo yes || echo "$with_line")"

# ---- a module for cards, where there is none -----------------------------------------------------------------------------------
if [ -f "$cuda/cuda.so" ] && [ ! -e /dev/nvidiactl ]; then
    expect no_card 3 "convref verify --provider '$cuda/cuda.so' -k cuda_dw_02_coalesced" '^INCONCLUSIVE' 'CUDA device 0: .*driver'
else
    skip no_card "there is a card, or the toolkit was not there"
fi
finish
