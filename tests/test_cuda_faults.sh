#!/bin/sh
# test_cuda_faults.sh - kernels of CUDA that are wrong on purpose.
#
# Every fault of cuda/faults is rejected, most of them with the line that the file names.
# Not here: faults of kernels for a CPU (test_faults.c).
set -eu

suite=test_cuda_faults   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

# shellcheck source=tests/cli/cuda_modules.sh
. "$source_top/tests/cli/cuda_modules.sh"
faults=$(sed -n 's/^    F(\([a-z_]*\),.*/\1/p' "$source_top/cuda/faults/faults.cu")

# ---- faults: rejected, with a line that faults.cu marks ---------------------------------------------------------------------
# lines FAULT: "62|97", the lines that say AT FAULT; empty if it is seen in the numbers alone
lines() { grep -nE "/\* AT .*\<$1\>" "$source_top/cuda/faults/faults.cu" | cut -d : -f 1 | paste -s -d '|'; }
same faults 'the number of faults' 45 "$(echo "$faults" | grep -vc '^none')"
with_line=0
for fault in $faults; do
    wanted=1 seen=$(lines "$fault") pattern='^REJECT'
    problem='n=2 c=20 in=9x20 k=20 filter=7x7 pad=3 groups=20'
    case $fault in
    none | none_of_pipeline | none_of_pairs | none_of_parts) wanted=0 pattern='^ACCEPT' ;;
    planes_in_grid_y)   # 65,536 blocks of the smaller problems of a finding would take minutes
        expect "fault_$fault" 77 "convref run 'c=66000 in=1x1 k=66000 filter=1x1 groups=66000' \
            --provider '$cuda/cuda-faults.so' -k cuda_fault_$fault 2>&1" "faults\\.cu:($seen)[:) ]"
        with_line=$((with_line + 1))
        continue ;;
    esac
    if sed -n '/FAULTS_OF_P[A-Z]*(F)/,/^$/p' "$source_top/cuda/faults/faults.cu" | grep -q "F($fault,"; then
        problem='c=42 in=9x20 k=20 filter=1x1'
    fi
    if [ -n "$seen" ]; then
        pattern="faults\.cu:($seen)[:) ]"
        with_line=$((with_line + 1))
    fi
    expect "fault_$fault" "$wanted" "convref verify --provider '$cuda/cuda-faults.so' -k cuda_fault_$fault '$problem'" "$pattern"
done
same with_line 'faults that are told with their line' yes "$([ $with_line -ge 20 ] && echo yes || echo "$with_line")"
finish
