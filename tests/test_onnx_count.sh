#!/bin/sh
# test_onnx_count.sh - ONNX models that are counted: parameters by tensor, shapes that a graph computes, products,
# recurrent and quantised operators, open sizes.  The models and what was counted by hand: tests/cli/onnx_cases.py.
#
# Not here: test cases and tensors (test_onnx.sh), operators one by one (test_onnx_operators.py).
set -eu

suite=test_onnx_count   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

if ! has python3; then
    skip all "no python3"
    (finish)
    exit 77
fi
if ! convref count "$data/data/small.onnx" --in 8x8 > out 2> err && grep -q libprotobuf-c err; then
    skip all "no libprotobuf-c"
    (finish)
    exit 77
fi
mkdir models
python3 "$data/cli/onnx_cases.py" "$data/data/make-onnx.py" models

# number KEY: of the totals in `out`, or how many nodes aren't understood
number() { sed -n "/\"totals\"/,\$s/.*\"$1\": \([0-9]*\),*/\1/p" out | tail -n 1; }

tab=$(printf '\t')
while IFS=$tab read -r case wanted options totals words; do
    [ "$options" != - ] || options=
    run "convref count models/$case.onnx $options --format json"
    wrong=
    seen=$(grep -c '"totals"' out || :)
    [ "$status" = "$wanted" ] || wrong="exit status $status, expected $wanted"
    [ "$wanted" = 4 ] || [ "$seen" = 1 ] || wrong="$wrong; there are no totals"
    for total in $totals; do
        [ "$total" = - ] || [ "$(number "${total%%=*}")" = "${total#*=}" ] \
            || wrong="$wrong; ${total%%=*} is $(number "${total%%=*}"), expected ${total#*=}"
    done
    if [ "$words" != - ]; then
        cat out err | grep -qE -- "$words" || wrong="$wrong; the words lack: $words"
    elif [ "$wanted" = 0 ] && [ "${options#--in }" = "$options" ]; then
        ! grep -q '"note": "' out || wrong="$wrong; there is a note"
    fi
    judge "$case"
done < models/cases.tsv

# every verb that reads a model takes the same sizes, and says the same of those that are missing
expect verify_sizes 0 'convref verify --network models/audio.onnx --in samples=64 -k ref_forward --check layers' '^ACCEPT'
expect bench_sizes 0 'convref bench --network models/audio.onnx --in x=1x64 -k ref_forward --rounds 1 --turn 1 --patience 1 --format tsv' \
    '	ref_forward	'
for verb in count 'verify --network' 'bench --network'; do
    expect "open_${verb%% *}" 4 "convref $verb models/audio.onnx 2>&1" "input 'x' leaves sizes open: it is batch x samples$" \
        '^    give them: --in x=1x128$'
done
expect the_option_that_is_printed 0 'convref count models/audio.onnx --in x=1x128' '^macs_conv +496$'

# an incomplete count says so in every figure
expect incomplete_totals 3 'convref count models/value_info_that_is_open.onnx' '^params +20 or more$' '^nodes not understood +2$'
expect incomplete_convention 3 'convref count models/value_info_that_is_open.onnx --convention ptflops' \
    '^ptflops 0.7.5 counts at least 0 MACs$' '^incomplete: 2 nodes are missing$'
expect incomplete_conventions 3 'convref count models/value_info_that_is_open.onnx --conventions --format tsv' \
    '^tool	version	figure	unit	missing$' '^papers		0	multiply-adds	2$' '^thop	.*	2$'
expect incomplete_terms 3 'convref count models/value_info_that_is_open.onnx --convention papers --format tsv' \
    '^nodes that are missing: the figure is too small	2	0	0$'
expect incomplete_json 3 'convref count models/value_info_that_is_open.onnx --format json' '"complete": false'
expect complete_json 0 'convref count models/attention_then_conv.onnx --format json' '"complete": true'
expect no_size_for_conventions 0 'convref count models/data_dependent.onnx --conventions --format tsv' \
    '^papers	.*	0$' '^ptflops	.*	1$' '^flop_counter	.*	0$'
expect recurrent_conventions 0 'convref count models/lstm_then_matmul.onnx --conventions --format tsv' \
    '^papers		2820	multiply-adds	0$' '^thop	.*	1$'
# tools count the elements of a Resize by its mode, which isn't among their terms here: they miss one node, papers none
expect resized_conventions 0 'convref count models/interpolate.onnx --conventions --format tsv' \
    '^papers	.*	2000	multiply-adds	0$' '^ptflops	.*	1$' '^thop	.*	1$' '^fvcore	.*	1$' '^flop_counter	.*	0$'
expect products_conventions 0 'convref count models/attention_then_conv.onnx --conventions --format tsv' \
    '^papers		3328	' '^ptflops	.*	3328	' '^thop	.*	1280	' '^fvcore	.*	3328	' '^torchinfo	.*	1280	' \
    '^torchprofile	.*	3328	' '^flop_counter	.*	6656	'
finish
