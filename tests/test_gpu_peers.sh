#!/bin/sh
# test_gpu_peers.sh - cuDNN and cuBLAS as providers: they load, say what they compute, and decline without a card.
#
# Without the toolkit and its libraries all of it is skipped.   Not here: times; tests/test_cuda.sh has our own kernels.
set -eu

suite=test_gpu_peers   # for the frame
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
finish
