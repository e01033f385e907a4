#!/bin/sh
# test_cuda_sass.sh - the instructions of the kernels of CUDA are as their headers, cuda/claims.tsv and results/ say.
#
# No GPU is needed, but nvcc, cuobjdump and nvdisasm are: without them a case is skipped, and says what to install.
# What explain shows of results/cuda-sass.tsv is tested everywhere.
set -eu

suite=test_cuda_sass   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

sass=$source_top/tools/cuda-sass
# tool ARGUMENT...: in the top of the sources, as its header says
tool() { (cd "$source_top" && sh tools/cuda-sass "$@"); }
objects=$(find "$start/cuda" -name "cuda_*.device.o" | sort | tr "\n" " ")
nvcc=$(sed -n 's/^NVCC = //p' "$start/Makefile")

# ---- wrong usage ----------------------------------------------------------------------------------------------------------
expect usage 2 "sh '$sass' 2>&1" '^usage: tools/cuda-sass \[--check\] ARCHITECTURE OBJECT'
expect missing_programs 77 "PATH=/nonexistent /bin/sh '$sass' 90 x.o 2>&1" \
    '^skipped: cuobjdump is missing' 'pip install --target DIR nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm'

# ---- the code of this build -------------------------------------------------------------------------------------------------
if [ -z "$objects" ]; then
    skip code "there was no nvcc"
elif ! "$nvcc" --version | grep -q 'release 13\.0,'; then
    skip code "what is claimed is claimed of nvcc 13.0"
elif ! command -v cuobjdump > /dev/null || ! command -v nvdisasm > /dev/null; then
    skip code "$(tool 90 x.o 2>&1 | tr '\n' ' ')"
else
    for card in 80 90; do
        expect "claims_$card" 0 "cd '$source_top' && sh tools/cuda-sass --check $card $objects" \
            "^[0-9]* claims on sm_$card, 0 wrong" '!WRONG' \
            '^ok cuda_dw_04_tile, tile_in_shared_memory<7>: 49 FFMA, claimed 49' \
            '^ok cuda_dw_07_halo_by_shuffle, halo_by_shuffle<5>: 4 SHFL, claimed 4' \
            '^ok cuda_dw_06_rows_of_16_bytes, rows_of_16_bytes<3>: 1 LDG.128, claimed 1' \
            '^ok cuda_pw_04_tensor_cores, pointwise_tensor_cores: 24 HMMA, claimed 24' \
            '^ok cuda_dw_06_rows_of_16_bytes: 0 loads and stores of local memory, claimed 0'
    done
    tile=$start/cuda/depthwise/cuda_dw_04_tile.device.o
    printf 'rung\tkernel\tinstruction\ta\tb\tc\twhy\ncuda_dw_04_tile\t\tFFMA\t1\t0\t1\tone too many\n' > wrong.tsv
    printf 'cuda_dw_04_tile\tno_such\tFFMA\t1\t0\t0\t\n' >> wrong.tsv
    expect wrong_claims 1 "cd '$source_top' && CLAIMS='$work/wrong.tsv' sh tools/cuda-sass --check 90 '$tile'" \
        '^WRONG cuda_dw_04_tile, tile_in_shared_memory<3>: 9 FFMA, claimed 10: one too many' \
        '^WRONG cuda_dw_04_tile has no kernel no_such' '^6 claims on sm_90, 4 wrong'
    # rungs that are in the table, as this build has them
    # shellcheck disable=SC2086   # a list
    tool 90 $objects > rows.tsv
    cut -f 1 "$source_top/results/cuda-sass.tsv" | sort -u > there
    same table 'the rows of results/cuda-sass.tsv' "$(cat "$source_top/results/cuda-sass.tsv")" \
        "$(awk -F '\t' 'FNR == NR { there[$1]; next } $1 in there' there rows.tsv)"
fi

# ---- explain shows the table ------------------------------------------------------------------------------------------------
if [ ! -f "$start/cuda/cuda-watched.so" ]; then
    skip explain "there was no C++20 compiler"
    finish
fi
expect explain_code 0 "convref explain -k cuda_dw_07_halo_by_shuffle 'c=4 in=8x8 k=4 filter=3x3 pad=1 groups=4'" \
    '^cuda_dw_07_halo_by_shuffle on sm_90, by nvcc 13\.0' \
    '^kernel +registers +instructions +FFMA +LDG +LDG\.128 +STG +STG\.128 +SHFL +local$' \
    '^halo_by_shuffle<5> +80 +[0-9]+ +100 +35 +1 +13 +1 +4 +0$'
expect explain_code_of_two 0 "convref explain -k cuda_pw_03_register_tile --against cuda_pw_04_tensor_cores 'c=8 in=8x8 k=8 filter=1x1'" \
    '^pointwise_register_tile +78 +2,176 +[0-9,]+ +128 ' '^pointwise_tensor_cores +91 +2,304 +[0-9,]+ +128 +24 '
finish
