#!/bin/sh
# test_run_on_gpu.sh - cuda/run-on-gpu without a card: what it would run, and that it goes on where it stopped.
#
# Programs of a card's machine are played by scripts of three lines here: what is tested is who is called, with what, how
# often, and what is written down.  Not here: a card.
set -eu

suite=test_run_on_gpu   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

script=$source_top/cuda/run-on-gpu
rungs=$(grep -c '^	cuda/[a-z]*/cuda_.*\.cu' "$source_top/cuda/cuda.mk")

# ---- dry, and wrong ---------------------------------------------------------------------------------------------------------
expect dry 0 "sh '$script' --dry-run" '^# card: at most 15 s' '^# pytorch: at most 40 s' \
    "verify --provider 'gpu-results/build/cuda/cuda\.so' -k cuda_dw_04_tile" \
    'compute-sanitizer --tool racecheck .* -k cuda_dw_nhwc_01_channels_in_lanes' 'ncu --csv .*l1tex__t_sectors_pipe_lsu_mem_global_op_ld\.sum' \
    "bench .*peers/cudnn\.so.* -k 'cudnn_nchw,cuda_dw_0\*,cuda_dw_1\*'" "time_pytorch\.py' .*'n=32 c=64 in=56x56 k=64 filter=7x7" \
    "^'gpu-results/build/cuda/roofs'$" "^'gpu-results/build/tests/cuda/instructions-device'$"
same budget 'seconds of all sections, below nine minutes' 535 "$(sed -n 's/^# .* at most \([0-9]*\) s/\1/p' out | awk '{ s += $1 } END { print s }')"
same verified 'rungs that are verified, twice' $((2 * rungs)) "$(grep -c "verify .* -k cuda_" out)"
same sanitized 'runs under a tool' $((4 * rungs)) "$(grep -c '^compute-sanitizer' out)"
same counted 'rungs whose counts are compared' 13 "$(grep -c '^ncu' out)"
expect dry_section 0 "sh '$script' --dry-run card" '^nvidia-smi --query-gpu' '!verify'
expect no_section 2 "sh '$script' speed 2>&1" "'speed' is no section: card, build, verify"
expect no_folder 2 "sh '$script' --out 2>&1" 'wants a folder'
mkdir bin_none machine
printf '#!/bin/sh\necho "NVIDIA-SMI has failed"; exit 9\n' > bin_none/nvidia-smi
chmod +x bin_none/nvidia-smi
expect no_card 77 "PATH=$work/bin_none:\$PATH sh '$script' --out none 2>&1" \
    'there is no card here: nvidia-smi says: NVIDIA-SMI has failed' 'Nothing was run'

# ---- a machine that is played -------------------------------------------------------------------------------------------------
mkdir -p build/cuda
# play FILE LINE...
play() { file=$1; shift; { echo '#!/bin/sh'; printf '%s\n' "$@"; } > "$file"; chmod +x "$file"; }
play machine/nvidia-smi 'echo "GPU 0: a card that is played"'
play machine/nvcc 'echo "release 13.0"'
play build/convref "echo \"\$*\" >> '$work/calls'" 'case $* in *cuda_dw_02*) exit 1 ;; *cuda_dw_03*) exit 77 ;; esac'
run_it() { expect "$1" "$2" "PATH=$work/machine:\$PATH sh '$script' --build build --out gpu $3 2>&1" "$4" "$5"; }
run_it played 1 'card build verify' '^card: 2 done, 0 failed' "^verify: $((2 * rungs)) done, 2 failed"
same row 'the row of a rung that is wrong' 1 "$(awk -F '\t' '$1 == "cuda_dw_02_coalesced" { print $2 }' gpu/verify.tsv)"
same row_refused 'the row of a rung that does not apply' 77 "$(awk -F '\t' '$1 == "cuda_dw_03_filter_known" { print $2 }' gpu/verify.tsv)"
before=$(wc -l < calls)
run_it again 1 'card build verify' "^verify: $((2 * rungs)) done, 2 failed" '^run-on-gpu: 2 failed, 0 left'
same no_call_twice 'calls of the second time' "$before" "$(wc -l < calls)"
sed -i '/cuda_dw_02/d' gpu/verify.tsv
play build/convref "echo \"\$*\" >> '$work/calls'"
run_it mended 0 'verify' "^verify: $((2 * rungs)) done, 0 failed" '^run-on-gpu: 0 failed, 0 left'
same two_calls 'calls after two rows were removed' $((before + 2)) "$(wc -l < calls)"
play build/convref 'exit 3'
rm -f gpu/build.tsv
run_it no_build 1 'build verify' "doesn't run here, and so nothing else does: see .*/gpu/build/" '!verify:'
if ! command -v ncu > /dev/null; then
    run_it no_ncu 0 counters '^counters: skipped, there is no ncu' '0 failed'
fi

# ---- counts beside a card's -----------------------------------------------------------------------------------------------------
tab=$(printf '\t')
cat > ours.tsv <<END
line${tab}memory${tab}access${tab}array_bytes${tab}requests${tab}lanes${tab}sectors_per_request${tab}passes_per_request
a.cu:1${tab}global${tab}read${tab}400${tab}1000${tab}32.00${tab}4.92${tab}
a.cu:2${tab}global${tab}write${tab}400${tab}100${tab}32.00${tab}4.00${tab}
a.cu:3${tab}shared${tab}read${tab}0${tab}70${tab}32.00${tab}${tab}2.00
# bytes through the first cache 170240, from the second at least 1, from memory at least 1; passes over banks 140
END
# theirs LOADED STORED PASSES: as ncu --csv prints them
theirs()
{
    echo '==PROF== Connected to process 1'
    echo '"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"'
    echo "\"0\",\"tile(float *, int)\",\"l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum\",\"sector\",\"$1\""
    echo "\"0\",\"tile(float *, int)\",\"l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum\",\"sector\",\"$2\""
    echo "\"0\",\"tile(float *, int)\",\"l1tex__data_pipe_lsu_wavefronts_mem_shared.sum\",\"\",\"$3\""
}
theirs 4,550 400 140 > near.csv
theirs 4,400 400 140 > far.csv
echo nothing > none.csv
expect near 0 "sh '$source_top/cuda/compare-counts' ours.tsv near.csv" "^sectors loaded${tab}4920${tab}4550${tab}1\.081" \
    "^sectors stored${tab}400${tab}400${tab}1\.000" "^passes${tab}140${tab}140${tab}1\.000"
expect far 1 "sh '$source_top/cuda/compare-counts' ours.tsv far.csv" "^sectors loaded${tab}4920${tab}4400${tab}1\.118"
expect nothing 2 "sh '$source_top/cuda/compare-counts' ours.tsv none.csv 2>&1" 'no counts of the card'
finish
