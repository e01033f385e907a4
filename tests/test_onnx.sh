#!/bin/sh
# test_onnx.sh - ONNX: the test cases of the ONNX project with every kernel, tensors, models that are counted.
#
# The cases come with Debian's libonnx-testdata; without it only what convref writes itself is read.  Small models are
# those of tests/data, whose totals were counted by hand (tests/data/make-onnx.py).
# Not here: files that are wrong (bad-input.tsv), bytes that nobody thought of (tests/fuzz/fuzz_onnx.c).
set -eu

suite=test_onnx   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

models=$data/data
if ! convref count "$models/small.onnx" --in 8x8 > out 2> err; then
    if grep -q libprotobuf-c err; then
        skip all "no libprotobuf-c"
        (finish)
        exit 77
    fi
fi

# ---- the ONNX project's cases: how many, with how many kernels, and nobody is rejected ------------------------------------
testdata=${ONNX_TESTDATA:-/usr/share/libonnx-testdata/data}

# project FOLDER CASES RUNS: all are accepted, in at least so many runs; more kernels make more runs
project()
{
    [ -d "$testdata/$1" ] || { skip "project_$1" "no libonnx-testdata"; return; }
    expect "project_$1" 0 "convref verify --golden $testdata/$1" \
        "^$2 accepted, 0 rejected, 0 inconclusive, 0 skipped; " '!REJECT' '!stored output wrong'
    runs=$(sed -n 's/.*; \([0-9]*\) kernels run; .*/\1/p' out)
    wrong=
    [ "${runs:-0}" -ge "$3" ] || wrong="$runs kernels were run, expected at least $3"
    judge "runs_$1"
}
project node 16 98
project pytorch-converted 28 318
project pytorch-operator 2 15

if [ -d "$testdata/node/test_basic_conv_with_padding" ]; then
    case=$testdata/node/test_conv_with_strides_and_asymmetric_padding
    expect one_case 0 "convref verify --golden $case -k 'ref_*,std_01_direct' --format tsv" \
        '^test_conv_with_strides_and_asymmetric_padding	c=1 in=7x5 k=1 filter=3x3 stride=2 pad=1x0	\(stored output\)	ACCEPT	' \
        '	std_01_direct	ACCEPT	0	0	'
    expect one_case_json 0 "convref verify --golden $case -k ref_forward --format json"
    parses one_case_json_parses json out
    # the highest byte of the last number of the stored output
    cp -r "$case" perturbed && chmod -R u+w perturbed
    output=perturbed/test_data_set_0/output_0.pb
    printf '\301' | dd of=$output bs=1 seek=$(($(wc -c < $output) - 1)) conv=notrunc 2> /dev/null
    expect perturbed 1 'convref verify --golden perturbed -k ref_forward' \
        '^REJECT +perturbed +stored output wrong' '^ +stored output: wrong values, ' '; 1 of 8$' '^ +problem '
    expect perturbed_theirs 1 "convref verify --golden $case --theirs perturbed -k ref_forward" '^REJECT '
    expect right_theirs 0 "convref verify --golden $case --theirs $case -k ref_forward" '^ACCEPT '
    rm $output
    expect no_output 4 'convref verify --golden perturbed -k ref_forward'
    same no_output_says 'the message' "convref verify: $output can't be opened: No such file or directory" "$(head -n 1 err)"
    cp "$case/test_data_set_0/input_1.pb" $output
    expect wrong_shape 4 'convref verify --golden perturbed -k ref_forward'
    same wrong_shape_says 'the message' 'convref verify: perturbed/model.onnx: node 0 (Conv): y is 1x1x3x3, not 1x1x4x2' "$(head -n 1 err)"
    set -- "$testdata/node/test_basic_conv_with_padding/test_data_set_0"
    expect operands 0 "convref verify 'c=1 in=5x5 k=1 filter=3x3 pad=1' --x $1/input_0.pb --w $1/input_1.pb --y $1/output_0.pb" '^ACCEPT'
    expect wrong_operand 1 "convref verify 'c=1 in=5x5 k=1 filter=3x3 pad=1' --x $1/input_0.pb --w $1/input_1.pb --y $1/input_0.pb" '^REJECT'
else
    skip cases "no libonnx-testdata"
fi
if [ -d "$testdata/simple" ]; then
    expect nothing_to_run 77 "convref verify --golden $testdata/simple" '^0 accepted, 0 rejected, 0 inconclusive, 0 skipped; 0 kernels run; '
fi

# ---- convref's own cases: a kernel with a fault is seen, and so is the fault's place --------------------------------------
if convref golden own --format onnx > out 2> err; then
    expect own_again 0 'convref golden own2 --format onnx && diff -r own own2' '^17 cases in own2, seed 1$' "^24 cases of the default set can't be said in ONNX$"
    expect own_check 0 'convref golden --check own' '^79 files in own are those of its manifest$'
    expect own_judged 0 'convref verify --golden own' '^ACCEPT +tr-2d +y$' '^17 accepted, 0 rejected, 0 skipped$'
    expect own_kernels 0 "convref verify --golden own -k '*'" '^17 accepted, 0 rejected, 0 inconclusive, 0 skipped; '
    expect own_as_npy 0 'convref golden npy && convref verify --golden npy --theirs own' '^17 accepted, 0 rejected, 24 skipped$'
    expect own_problem 0 'convref golden mine --format onnx "op=transposed c=2 in=3x4 k=4 filter=3x2 groups=2 stride=2 pad=1:0x0 output_pad=1x0 act=relu bias=1" && convref verify --golden mine -k "*"' '^2 accepted'
    rm own/manifest.json
    expect own_without_manifest 0 'convref verify --golden own' '^17 accepted, 0 rejected, 0 inconclusive, 0 skipped; '
    for refused in 'op=separable c=1 in=4 k=1 filter=1:no operator for op=separable' \
        'c=1 in=4 k=1 filter=1 layout=nwc:ONNX has channels first' 'c=1 in=4 k=1 filter=1 act=relu6:act=relu6 is no operator'; do
        expect "refused_${refused##*[ =:]}" 2 "convref golden refused --format onnx '${refused%:*}'"
        same "refused_${refused##*[ =:]}_says" 'the message' yes "$(grep -qF "${refused#*:}" err && echo yes)"
    done
    expect kernels_need_cases 2 "convref verify --golden npy -k ref_forward"
    if [ -f "$modules/last_column_zero.so" ]; then
        expect faulty_kernel 1 "convref verify --golden own --provider $modules/last_column_zero.so -k '*'" \
            '^REJECT +std-2d-valid +stored output right, [0-9]+ kernels agree, 1 not$' '^ +mine: wrong values, q = 5 ' \
            '^ +first +n=0 k=0 p=0 q=5: expected ' '!inconclusive, [1-9]'
    fi
else
    skip own "no nettle"
fi

# ---- models: totals as counted by hand -------------------------------------------------------------------------------------
# total NAME KEY EXPECTED: of the JSON in `out`
total() { same "$1_$2" "$2" "$3" "$(sed -n "/\"totals\"/,\$s/.*\"$2\": \([0-9]*\),*/\1/p" out)"; }
expect small 0 "convref count $models/small.onnx --in 8x8 --format json"
total small params 402
total small macs_conv 3200
total small macs_depthwise 1152
total small macs_fc 160
total small unknown 0
expect small_at_16 0 "convref count $models/small.onnx --in 16x16 --format json"
total small_at_16 macs_conv 12800
total small_at_16 params 402
expect shuffled 0 "convref count $models/shuffled.onnx --format json"
total shuffled params 101
total shuffled macs_conv 576
total shuffled macs_fc 80
total shuffled bias_adds 5
expect strange 3 "convref count $models/strange.onnx --format json" \
    "\"note\": \"not understood: 'whirl' \\(Whirl\\): convref doesn't know the operator; 'second' \\(Conv\\): the size of its input isn't known: it comes behind 'whirl' \(Whirl\)\""
total strange unknown 2
total strange params 121
total strange macs_conv 6912
# an output_shape that no problem can say, and one that it can
cat > shapes.py <<'END'
import pathlib, runpy, sys
globals().update(runpy.run_path(sys.argv[1]))
for size in 8, 10:
    nodes = [node("ConvTranspose", ["x", "w"], ["y"], "up", strides=[2], output_shape=[size])]
    pathlib.Path("to_%d.onnx" % size).write_bytes(model(nodes, [zeros("w", [1, 1, 3])], [value("x", [1, 1, 3])], [value("y", [1])]))
END
if has python3 && python3 shapes.py "$models/make-onnx.py"; then
    expect longer_by_one 0 'convref count to_8.onnx' '^up +transposed +1 x 3 +1 x 8 '
    expect longer_by_a_stride 3 'convref count to_10.onnx' "^note: not understood: 'up' \(ConvTranspose\): its output is longer than what"
fi
expect strange_text 3 "convref count $models/strange.onnx" '^nodes not understood +2$' '^note: not understood: '
expect several 3 "convref count $models/shuffled.onnx $models/strange.onnx --format tsv" '^shuffled	101	576	80	' '^strange	.*	incomplete$'
expect conventions 0 "convref count $models/shuffled.onnx --conventions" '^papers '
expect open_layers 0 "convref verify --network $models/small.onnx --in 8x8 -k ref_forward --check layers" '^ACCEPT +ref_forward +layers [1-9]'
expect open_bench 0 "convref bench --network $models/small.onnx --in 8x8 -k ref_forward --rounds 1 --turn 1 --patience 1 --format tsv" '	ref_forward	'
expect layers 0 "convref verify --network $models/shuffled.onnx --layer grouped -k ref_grouped --check layers" '^ACCEPT'
expect initializer 4 "convref run 'c=2 in=6x6 k=8 filter=1x1' --w $models/shuffled.onnx:m"
same initializer_says 'the message' "convref run: $models/shuffled.onnx:m: w is f32 16x5, not f32 8x2x1x1" "$(head -n 1 err)"
cat > constant.py <<'END'
import pathlib, runpy, sys
globals().update(runpy.run_path(sys.argv[1]))
nodes = [node("Constant", [], ["w"], "c", value=tensor("", [1, 1, 2], [1.0, 2.0])), node("Conv", ["x", "w"], ["y"], "conv")]
pathlib.Path("constant.onnx").write_bytes(model(nodes, [], [value("x", [1, 1, 4])], [value("y", [1])]))
END
if has python3 && python3 constant.py "$models/make-onnx.py"; then
    expect constant 0 "convref run 'c=1 in=4 k=1 filter=2' --w constant.onnx:w --save of_constant && tail -c 8 of_constant/w.npy | od -An -tx1" \
        '00 00 80 3f 00 00 00 40'
    expect constant_alone 0 "convref run 'c=1 in=4 k=1 filter=2' --w constant.onnx"
    expect constant_names 4 "convref run 'c=1 in=4 k=1 filter=2' --w constant.onnx:v 2>&1" 'no initializer or Constant of that name; it has w$'
fi
expect initializer_right 0 "convref run 'c=2 in=6x6 k=8 filter=1x1' --w $models/shuffled.onnx:w"
if has python3; then
    expect models_are_made_again 0 "mkdir made && python3 $models/make-onnx.py made && for m in made/*.onnx; do cmp \$m $models/\${m#made/}; done"
fi
finish
