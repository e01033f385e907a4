#!/bin/sh
# test_peers_in_c.sh - the providers of peers/: they load, say what they compute, and decline the rest.
#
# oneDNN is verified; cuDNN and cuBLAS want a card, and say so where there is none.  A library that configure didn't
# find is skipped.   Not here: times; peers in Python (test_peers.py); our own kernels for cards (test_cuda.sh).
set -eu

suite=test_peers_in_c   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

peers=$start/peers
# of NAME KERNELS: the kernels of a provider, and the library that it is linked against
of()
{
    convref list --provider "$peers/$1.so" -f tsv "$1_*" | awk -F '\t' 'NR > 1 { print $1 }' | sort | paste -s -d ' ' > listed
    same "kernels_$1" 'its kernels' "$2" "$(cat listed)"
    same "linked_$1" 'what it is linked against' 1 "$(readelf -d "$peers/$1.so" | grep -c "NEEDED.*lib$1\\.so")"
}
# declines NAME KERNEL: without a card, with the place and the words of CUDA
declines()
{
    if [ -e /dev/nvidiactl ]; then
        expect "accepted_$2" 0 "convref verify --provider '$peers/$1.so' -k $2" '^ACCEPT'
    else
        expect "no_card_$2" 3 "convref verify --provider '$peers/$1.so' -k $2" \
            "^INCONCLUSIVE +$2 .* CUDA device 0: device\\.h:[0-9]+: cudaMalloc: .*driver"
    fi
}
# refuses NAME KERNEL CASE PROBLEM WORDS
refuses() { expect "refused_$2_$3" 77 "convref run '$4' --provider '$peers/$1.so' -k $2 2>&1" "$5"; }

if [ -f "$peers/cudnn.so" ]; then
    of cudnn 'cudnn_nchw cudnn_nhwc'
    declines cudnn cudnn_nchw
    declines cudnn cudnn_nhwc
    refuses cudnn cudnn_nchw padding 'c=2 in=8x8 k=2 filter=3x3 pad=0:1x0:1' 'padding is the same at both ends'
    refuses cudnn cudnn_nchw bias 'c=2 in=8x8 k=2 filter=3x3 bias=1' 'functions of their own'
    refuses cudnn cudnn_nchw gradients 'c=2 in=8x8 k=2 filter=3x3 pass=backward_data' 'cudnn_nchw'
    refuses cudnn cudnn_nhwc volumes 'c=2 in=8x8x8 k=2 filter=3x3x3 layout=ndhwc' 'graph interface'
    refuses cudnn cudnn_nchw layout 'c=2 in=8x8 k=2 filter=3x3 layout=nhwc' 'nhwc'
else
    skip cudnn "configure found no nvcc, or no cuDNN beside it"
fi
if [ -f "$peers/cublas.so" ]; then
    of cublas cublas_pointwise
    declines cublas cublas_pointwise
    refuses cublas cublas_pointwise stride 'c=2 in=8x8 k=2 filter=1x1 stride=2' 'no matrix product with a stride'
    refuses cublas cublas_pointwise bias 'c=2 in=8x8 k=2 filter=1x1 bias=1' 'no bias, no activation'
    refuses cublas cublas_pointwise kind 'c=2 in=8x8 k=2 filter=3x3' 'cublas_pointwise'
else
    skip cublas "configure found no nvcc, or no cuBLAS beside it"
fi
if [ -f "$peers/onednn.so" ]; then
    onednn=$(convref list --provider "$peers/onednn.so" -f tsv 'onednn*' | awk -F '\t' 'NR > 1 { print $1 }')
    same kernels_onednn 'its kernel, by the version that it was compiled for' 1 "$(echo "$onednn" | grep -c '^onednn[23]_plain$')"
    verified() { expect "accepted_onednn_$1" 0 "convref verify --provider '$peers/onednn.so' -k $onednn --check $1" "^ACCEPT +$onednn +$1 $2"; }
    verified covering '[0-9]{4}'
    verified threads 416
    verified turns 80
    refuses onednn "$onednn" batch 'n=0 c=2 in=8x8 k=2 filter=3x3' 'no batch of no images'
    refuses onednn "$onednn" gradients 'c=2 in=8x8 k=2 filter=3x3 pass=backward_data' "$onednn"
    refuses onednn "$onednn" kind 'c=2 in=8x8 k=2 filter=3x3 op=transposed' "$onednn"
    expect timed_onednn 0 "CONVREF_QUICK_ROOF=1 convref bench --rounds 3 --turn 1 --provider '$peers/onednn.so' \\
        -k 'std_nhwc_04*,$onednn' -f tsv 'c=32 in=14x14 k=32 filter=3x3 pad=1 layout=nhwc' 2>&1" "[0-9]*:.$onednn.*.yes."
else
    skip onednn "configure found no oneDNN: libdnnl-dev has it"
fi
finish
