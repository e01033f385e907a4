#!/bin/sh
# test_cuda.sh - the rungs of CUDA, without a GPU: their table and headers, and what a GPU would move, counted exactly.
#
# Not here: whether they are right (test_cuda_rungs.sh), whether faults are seen (test_cuda_faults.sh), a card.
set -eu

suite=test_cuda   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

# shellcheck source=tests/cli/cuda_modules.sh
. "$source_top/tests/cli/cuda_modules.sh"

# ---- the table ----------------------------------------------------------------------------------------------------------
convref list --provider "$cuda/cuda-emulated.so" -f tsv 'cuda_*' | awk -F '\t' '$1 ~ /^cuda_/ { print $1 }' | sort > listed
same table 'the rungs of the module' "$(echo "$rungs" | sort)" "$(cat listed)"
for rung in $rungs; do
    file=$(echo "$source_top"/cuda/*/"$rung.cu")
    same "header_$rung" 'the promises of its header' 4 \
        "$(grep -cE '^ \* (Why it is (slow|faster)|What it costs|Applies to|Explained in)' "$file")"
done

# ---- budgets: registers of the largest instance, as ptxas told them when cuda.so was built ---------------------------------
budget()
{
    awk '/Compiling entry function/ { match($0, /sm_[0-9]+/); card = substr($0, RSTART, RLENGTH) }
        /bytes stack frame/ && (card == "sm_80" || card == "sm_90") { spilled += $5 + $9 }
        /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); n = substr($0, RSTART + 5, RLENGTH - 5) + 0
            if (n > most[card]) most[card] = n }
        END { printf "at most %d registers on sm_80, %d on sm_90; %s.\n", most["sm_80"], most["sm_90"],
            spilled ? spilled " bytes spilled" : "no spills" }' "$1"
}
nvcc=$(sed -n 's/^NVCC = //p' "$start/Makefile")
if [ ! -f "$cuda/cuda.so" ]; then
    skip budgets "there was no nvcc"
elif ! "$nvcc" --version | grep -q 'release 13\.0,'; then
    skip budgets "the registers that the headers tell are those of nvcc 13.0"
else
    for rung in $rungs; do
        same "budget_$rung" "the budget in its header" "$(sed -n 's/^ \* Budget: //p' "$source_top"/cuda/*/"$rung.cu")" \
            "$(budget "$cuda"/*/"$rung.device.o.ptxas")"
    done
fi

# ---- instructions, against plain loops; numbers of 16 bits, against the toolkit's --------------------------------------------
# of 32 lanes each finds 2 floats: 1 and 1, or 2 where a copy has landed; then behind a wait for one group, and for both
for landing in late:64:96 early:128:128; do
    for order in forward backward random; do
        expect "instructions_${landing%%:*}_$order" 0 "CONVREF_CUDA_LANDING=${landing%%:*} CONVREF_CUDA_ORDER=$order \
            '$start/tests/cuda/instructions'" '^mma_m16n8k8 wrong 0 of 128$' '^mma_m16n8k16_f16 wrong 0 of 128$' \
            '^mma_m16n8k16_bf16 wrong 0 of 128$' '^ldmatrix_x4 wrong 0 of 128$' \
            "^cp_async $(echo "${landing#*:}" | tr : ' ') 128 128$"
    done
done
expect speed 0 "'$start/tests/cuda/speed'" '^a thread without barriers [0-9.]* ns$' '^a thread with one barrier [0-9.]* ns$' \
    '^a shuffled lane [0-9.]* ns$' "^a warp's product on tensor cores [0-9]* ns$" '^the same in 16 bits [0-9]* ns$'
run "'$start/tests/cuda/narrow'"
# 1, 2^-24, the largest number of f16, and 2^-133 of bf16, with what their neighbours are rounded to
same narrow 'lines, and some of them' "131072 $(printf '%s,' '3c00 3f800000 3c00 3c00 3c00 3c01' '0001 33800000 0001 0001 0002 0002' \
    '7bff 477fe000 7bff 7bff 7c00 7c00' '0001 00010000 0001 0001 0002 0002')" \
    "$(wc -l < out) $(for line in 15361 2 31744 65538; do sed -n "${line}p" out; done | paste -s -d ,),"
if [ -x "$start/tests/cuda/narrow-toolkit" ]; then
    "$start/tests/cuda/narrow-toolkit" > toolkit
    same narrow_as_toolkit 'lines that differ' 0 "$(diff out toolkit | grep -c '^<')"
else
    skip narrow_as_toolkit "there was no CUDA toolkit"
fi

# ---- what a GPU would move: exact counts ------------------------------------------------------------------------------------
# traffic RUNG PROBLEM: the table of its launch, in traffic.tsv
traffic()
{
    rm -f traffic.tsv
    run "CONVREF_CUDA_TRAFFIC=traffic.tsv convref run '$2' --provider '$cuda/cuda-watched.so' -k $1"
}
# counted COLUMN MEMORY ACCESS ARRAY_BYTES: that column of the rows
counted()
{
    awk -F '\t' -v column="$1" -v memory="$2" -v access="$3" -v bytes="$4" '!n { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
        $2 == memory && $3 == access && $4 == bytes { print $n }' traffic.tsv | sort -u | paste -s -d ' '
}
total() { sed -n "s/^# bytes .*$1 \([0-9]*\).*/\1/p" traffic.tsv; }

layer='c=64 in=56x56 k=64 filter=3x3 pad=1 groups=64' x_bytes=802816
before=1000000000
for rung in cuda_dw_01_thread_per_output cuda_dw_02_coalesced cuda_dw_03_filter_known cuda_dw_04_tile \
    cuda_dw_05_rows_in_registers cuda_dw_06_rows_of_16_bytes cuda_dw_07_halo_by_shuffle; do
    traffic $rung "$layer"
    case $rung in
    cuda_dw_01*) same sectors_apart 'sectors a request of x' 32.00 "$(counted sectors_per_request global read $x_bytes)" ;;
    cuda_dw_02*) same sectors_together 'sectors a request of x' 4.92 "$(counted sectors_per_request global read $x_bytes)"
        same sectors_of_y 'sectors a request of y' 4.00 "$(counted sectors_per_request global write $x_bytes)" ;;
    esac
    seen=$(total 'first cache')
    case $rung in
    cuda_dw_07*) # what step 6 loads once through shared memory, this one loads twice: no passes, and within 1.3 of the floor
        same passes_07 'passes over banks' 0 "$(total 'over banks')"
        same bytes_07 'bytes through the first cache' 1728512 "$seen" ;;
    *)  same "less_$rung" "whether fewer bytes pass the first cache, $seen after $before" yes \
            "$([ "${seen:-$before}" -lt $before ] && echo yes || echo no)" ;;
    esac
    before=${seen:-$before}
    # x and y once, 64 filters of 9 weights
    same "memory_$rung" 'bytes from memory' $((2 * x_bytes + 64 * 9 * 4)) "$(total 'memory at least')"
done
# copies ahead ask for what step 4 asks for
for rung in cuda_dw_04_tile cuda_dw_09_copies_ahead cuda_dw_11_persistent; do
    traffic $rung "$layer"
    same "requests_$rung" 'requests, and bytes from memory' "167168 $((2 * x_bytes + 64 * 9 * 4))" \
        "$(awk -F '\t' '$5 + 0 { n += $5 } END { print n }' traffic.tsv) $(total 'memory at least')"
done
# rows ahead: what step 7 asks for, with strips of 8 rows in the place of 14
for rung in cuda_dw_13_rows_ahead cuda_dw_bwd_data_03_as_forward; do
    pass=forward
    case $rung in *bwd_data*) pass=backward_data ;; esac
    traffic $rung "$layer pass=$pass"
    same "ahead_$rung" 'bytes through the first cache, passes, requests' '1851392 0 6848' \
        "$(total 'first cache') $(total 'over banks') $(awk -F '\t' '{ n += $5 } END { print n }' traffic.tsv)"
done
# f16 on tensor cores: 64 planes of 7 by 4 tiles; for each row of the filter four matrices in 4 passes, and 16 x 16 x 8 products
traffic cuda_dw_10_tensor_cores "$layer"
same matrices_dw_10 'requests, passes a request, multiply-adds in 16 bits' "$((64 * 7 * 4 * 3)) 4.00 $((64 * 7 * 4 * 3 * 2048))" \
    "$(counted requests shared read 0) $(counted passes_per_request shared read 0) $(sed -n 's/.*in 16 bits //p' traffic.tsv)"
same bytes_dw_10 'bytes through the first cache' 2015232 "$(total 'first cache')"
# 3-D: each slice once for the three outputs that see it
for rung in cuda_dw_04_tile:10903552 cuda_dw_3d_01_slices_once:2473984; do
    traffic "${rung%:*}" 'c=16 in=16x28x28 k=16 filter=3x3x3 pad=1 groups=16'
    same "slices_${rung%:*}" 'bytes through the first cache' "${rung#*:}" "$(total 'first cache')"
done
# several groups a block: 8 floats between their tiles, and neighbours read other banks
traffic cuda_grp_03_implicit_gemm 'c=128 in=28x28 k=128 filter=3x3 pad=1 groups=32'
same banks_grp_03 'passes a request' 1.00 "$(counted passes_per_request shared read 0)"
same bytes_grp_03 'bytes through the first cache' 6602752 "$(total 'first cache')"
# one launch a group
traffic cuda_grp_01_launch_per_group 'c=8 in=4x4 k=8 filter=3x3 groups=4'
same launches_grp_01 'launches of 4 groups' 4 "$(grep -c '^#' traffic.tsv)"
# along time: neighbours 1 and 8 steps apart, and never two of them in one bank
traffic cuda_dw_causal_01_time_in_registers 'c=16 in=4096 k=16 filter=4 pad=3:0 groups=16'
same banks_causal 'passes a request, read and written' '1.00 1.00' \
    "$(counted passes_per_request shared read 0) $(counted passes_per_request shared write 0)"
same bytes_causal 'bytes through the first cache' 630272 "$(total 'first cache')"
# backward_data with stride 2: the lanes of one parity ask together, or not
for rung in cuda_dw_bwd_data_01_gather:21248:20.75 cuda_dw_bwd_data_02_by_parity:15936:27.67; do
    traffic "${rung%%:*}" "$layer stride=2 pass=backward_data"
    same "requests_${rung%%:*}" 'requests of dy and lanes' "${rung#*:}" \
        "$(counted requests global read 200704):$(counted lanes global read 200704)"
done
# backward_weights: atomics add in the order of the threads, and are rounded so; two stages give one result in every order
bits()
{
    for order in forward backward random; do
        run "CONVREF_CUDA_ORDER=$order convref run 'n=4 c=3 in=20x20 k=3 filter=3x3 pad=1 groups=3 bias=1 pass=backward_weights' \
            --fill uniform --save $order --provider '$cuda/cuda-emulated.so' -k $1"
        cat "$order/dw.npy" "$order/dbias.npy" | cksum
    done | sort -u | wc -l | tr -d ' '
}
same bits_of_atomics 'different results of three orders' 3 "$(bits cuda_dw_bwd_weights_01_atomics)"
same bits_of_two_stages 'different results of three orders' 1 "$(bits cuda_dw_bwd_weights_02_two_stages)"
same bits_of_rows_ahead 'different results of three orders' 1 "$(bits cuda_dw_bwd_weights_04_rows_ahead)"
same bits_of_last_block 'different results of three orders' 1 "$(bits cuda_dw_bwd_weights_03_last_block)"
traffic cuda_dw_bwd_weights_02_two_stages 'n=2 c=64 in=28x28 k=64 filter=3x3 pad=1 groups=64 pass=backward_weights'
same bytes_of_two_stages 'bytes through the first cache, of each launch' 2879488,7936 "$(total 'first cache' | paste -s -d ,)"
traffic cuda_dw_bwd_weights_03_last_block 'n=2 c=64 in=28x28 k=64 filter=3x3 pad=1 groups=64 pass=backward_weights'
same bytes_of_last_block 'bytes through the first cache, of each launch' 2891776 "$(total 'first cache' | paste -s -d ,)"
traffic cuda_dw_bwd_weights_04_rows_ahead 'n=2 c=64 in=28x28 k=64 filter=3x3 pad=1 groups=64 pass=backward_weights'
same bytes_of_rows_ahead 'bytes through the first cache, of each launch' 942080,7936 "$(total 'first cache' | paste -s -d ,)"
# the image between the stages is written and read, 200704 bytes each time, or not at all: x, y, w and pw once
for rung in cuda_sep_01_two_launches:403712,634880 cuda_sep_02_middle_in_shared_memory:637184; do
    traffic "${rung%:*}" 'op=separable c=64 in=28x28 k=128 filter=3x3 pad=1'
    same "memory_${rung%:*}" 'bytes from memory, of each launch' "${rung#*:}" "$(total 'memory at least' | paste -s -d ,)"
done
same banks_sep_02 'passes a request' 1.00 "$(counted passes_per_request shared read 0)"
# NHWC: 32 channels side by side are 4 sectors, their filters 32; from step to step fewer bytes
layer_nhwc="$layer layout=nhwc"
for rung in cuda_dw_nhwc_01_channels_in_lanes:64291840 cuda_dw_nhwc_02_weights_in_registers:8889344 \
    cuda_dw_nhwc_03_columns_in_registers:4214784 cuda_dw_nhwc_04_columns_ahead:3468288; do
    traffic "${rung%:*}" "$layer_nhwc"
    sectors=4.00
    case $rung in cuda_dw_nhwc_04*) sectors=8.00 ;; esac      # of 8 bytes a lane
    same "sectors_${rung%:*}" 'sectors a request of x' $sectors "$(counted sectors_per_request global read $x_bytes)"
    same "bytes_${rung%:*}" 'bytes through the first cache' "${rung#*:}" "$(total 'first cache')"
done
# ---- explain --kernel: the same counts, and the least time on a card ------------------------------------------------------------
expect explain_kernel 0 "convref explain --kernel cuda_dw_02_coalesced '$layer'" \
    '^cuda_dw_02_coalesced\.cu:34 +global +read +802,816 +56,064 +31\.46 +4\.92 *$' \
    '^bytes through the first cache +11,624,448 +0\.35$' 'H100 SXM.*132 multiprocessors.*No time was measured' \
    '^cuda_dw_02_coalesced takes at least 0\.48 us, set by its bytes from memory, each once$'
# 1,038,592 bytes / 2039 GB/s = 0.51 us; 434,144 requests / (108 * 1.41 GHz) = 2.85 us
expect explain_launches 0 "convref explain --card a100 -k cuda_sep_01_two_launches 'op=separable c=64 in=28x28 k=128 filter=3x3 pad=1'" \
    '^bytes from memory, each once +1,038,592 +0\.51$' \
    'at least 2\.85 us, set by its requests of warps; its 2 launches start one after another'
# of shared memory there are passes and no sectors
expect explain_shared 0 "convref explain -k cuda_dw_04_tile '$layer'" \
    '^cuda_dw_04_tile\.cu:52 +shared +read +64,512 +32\.00 +1\.00 *$' '^cuda_dw_04_tile\.cu:58 +global +write +802,816 +7,168 +28\.00 +3\.50 *$'
expect explain_against 0 "convref explain -k cuda_dw_04_tile --against cuda_dw_07_halo_by_shuffle --provider '$cuda/cuda-watched.so' '$layer'" \
    '^ +cuda_dw_04_tile +at least, us +cuda_dw_07_halo_by_shuffle ' '^bytes through the first cache .* 1,728,512 +0\.05$' \
    '^passes over the banks .* 0 *$'
expect explain_card 2 "convref explain -k cuda_dw_04_tile --card gtx '$layer' 2>&1" "'gtx' is not a card" 'a100, h100, h200'
expect explain_without_kernel 2 "convref explain --card h100 '$layer' 2>&1" 'belong to --kernel'
expect explain_at 2 "convref explain -k cuda_dw_04_tile --at 0,0,0,0 '$layer' 2>&1" "--at: --kernel can't be combined with it"
expect explain_not_counted 77 "convref explain -k dw_01_direct '$layer' 2>&1" 'nobody counted what dw_01_direct moves' 'cuda-watched\.so'
expect explain_refused 77 "convref explain -k cuda_dw_04_tile 'c=2 in=4 k=2 filter=1' 2>&1" 'cuda_dw_04_tile'
# small images: rows that begin anywhere, and x, y and w once, in requests that aren't full at the ends of planes
for side in 14:115872 7:33248; do
    traffic cuda_dw_08_whole_planes "c=64 in=${side%:*}x${side%:*} k=64 filter=3x3 pad=1 groups=64"
    same "small_images_$side" 'bytes through the first cache' "${side#*:}" "$(total 'first cache')"
done
for side in 14:125696:2496 7:46976:704; do
    traffic cuda_dw_14_planes_by_columns "c=64 in=${side%%:*}x${side%%:*} k=64 filter=3x3 pad=1 groups=64"
    same "columns_of_planes_${side%%:*}" 'bytes through the first cache, requests' "${side#*:}" \
        "$(total 'first cache'):$(awk -F '\t' '{ n += $5 } END { print n }' traffic.tsv)"
done
for rung in cuda_pw_02_tile cuda_pw_03_register_tile cuda_pw_04_tensor_cores cuda_pw_06_bf16 cuda_std_02_implicit_gemm \
    cuda_std_03_tensor_cores; do
    filter=1x1
    case $rung in cuda_std*) filter=3x3 ;; esac
    traffic $rung "c=32 in=28x28 k=32 filter=$filter"
    same "banks_read_$rung" 'passes a request' 1.00 "$(counted passes_per_request shared read 0)"
    same "banks_written_$rung" 'passes a request' 1.00 "$(counted passes_per_request shared write 0)"
done
# tensor cores: a lane reads 12 numbers for 128 products
for rung in cuda_pw_03_register_tile:15.68:134400 cuda_pw_04_tensor_cores:8.00:16000 \
    cuda_pw_05_copies_ahead:8.00:16000 cuda_pw_06_bf16:8.00:8000 cuda_pw_07_ldmatrix:8.00:8000; do
    traffic "${rung%%:*}" 'c=64 in=28x28 k=64 filter=1x1'
    same "sectors_and_passes_${rung%%:*}" 'sectors a request of y, passes over banks' "${rung#*:}" \
        "$(counted sectors_per_request global write 200704):$(total 'over banks')"
done
# four matrices of 128 bytes a request are four passes; 3 requests a tile and warp, where step 6 has 12
same passes_of_ldmatrix 'passes a request, written and read' '1.00 4.00' \
    "$(counted passes_per_request shared write 0) $(counted passes_per_request shared read 0)"
same requests_of_ldmatrix 'requests, of w and of x' '400 800' "$(counted requests shared read 0)"
traffic cuda_pw_05_copies_ahead 'c=64 in=28x28 k=64 filter=1x1'
# 16 bytes a lane: 512 bytes are 16 sectors and 4 passes; some lanes of x are behind the last position
same sectors_of_copies 'sectors a request of x and of w' '15.68 16.00' \
    "$(counted sectors_per_request global read 200704) $(counted sectors_per_request global read 16384)"
same passes_of_copies 'passes a request, written and read' '4.00 1.00' \
    "$(counted passes_per_request shared write 0) $(counted passes_per_request shared read 0)"
# the same for windows: 25 blocks of 36 tiles, 2 warps, 12 requests to read and 8 to write
for rung in cuda_std_03_tensor_cores:51088 cuda_std_04_copies_ahead:40288; do
    traffic "${rung%:*}" 'c=32 in=28x28 k=32 filter=3x3 pad=1'
    same "counts_${rung%:*}" 'sectors a request of y, passes over banks, requests' "8.00:36000:${rung#*:}" \
        "$(counted sectors_per_request global write 100352):$(total 'over banks'):$(awk -F '\t' '{ n += $5 } END { print n }' traffic.tsv)"
done
# six products of parts for each of 64 * 784 * 64; 19,267,584 / (132 * 1024 * 1.98 GHz) = 0.07 us
expect explain_tensor_cores 0 "convref explain -k cuda_pw_05_copies_ahead 'c=64 in=28x28 k=64 filter=1x1'" \
    '^multiply-adds inside the image +3,211,264 *$' '^multiply-adds of tensor cores +19,267,584 +0\.07$'
# ... and one in 16 bits, twice as fast: 3,211,264 / (132 * 2048 * 1.98 GHz) = 0.006 us
expect explain_narrow 0 "convref explain -k cuda_pw_06_bf16 --against cuda_pw_04_tensor_cores 'c=64 in=28x28 k=64 filter=1x1'" \
    '^multiply-adds of tensor cores +0 +19,267,584 +0\.07$' '^the same in 16 bits +3,211,264 +0\.01 +0 *$'
expect traffic_nowhere 77 "CONVREF_CUDA_TRAFFIC=/nonexistent/t.tsv convref run 'c=2 in=2 k=2 filter=1 groups=2' \
    --provider '$cuda/cuda-watched.so' -k cuda_dw_02_coalesced 2>&1" '/nonexistent/t.tsv can.t be written'

# ---- a module for cards, where there is none -----------------------------------------------------------------------------------
if [ -f "$cuda/cuda.so" ] && [ ! -e /dev/nvidiactl ]; then
    expect no_card 3 "convref verify --provider '$cuda/cuda.so' -k cuda_dw_02_coalesced" '^INCONCLUSIVE' 'CUDA device 0: .*driver'
else
    skip no_card "there is a card, or the toolkit was not there"
fi
finish
